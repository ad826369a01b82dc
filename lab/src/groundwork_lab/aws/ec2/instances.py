"""Instances: the checks of a launch, and states that follow the reports of the hosts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.types import Base64EncodedString
from moto.core.utils import camelcase_to_underscores, utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_block_store import VolumeAttachment
from moto.ec2.models.instances import Instance as MotoInstance
from moto.ec2.models.instances import InstanceState as MotoState
from moto.ec2.models.instances import MetadataOptions, StateReason
from moto.ec2.responses import EC2Response
from moto.ec2.utils import filter_iam_instance_profiles
from moto.iam.exceptions import NotFoundException

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2 import states, storage, templates
from groundwork_lab.aws.ec2.interfaces import private_dns_name, public_dns_name
from groundwork_lab.model import InstanceState

USER_DATA_LIMIT = 16 * 1024  # bytes before base64 encoding
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html

HOPS = 64  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest.html
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-stop-protection.html
PROTECTING = ("disableApiTermination", "disableApiStop")

LAUNCH_FIELDS_OF_INTERFACES = {
    "SubnetId": "subnet ID",
    "SecurityGroupIds": "security groups",
    "SecurityGroups": "security groups",
    "PrivateIpAddress": "private IP address",
}


CPU_CREDITS = ("standard", "unlimited")
NO_CREDITS = "InstanceCreditSpecification.NotSupported"


def decoded_user_data(encoded: bytes | str | None) -> bytes:
    """Return the decoded user data. Refuse invalid base64 and too long user data."""
    try:
        raw = base64.b64decode(encoded or b"", validate=True)
    except binascii.Error:
        refuse("InvalidParameterValue", "Invalid BASE64 encoding of user data.")
    if len(raw) > USER_DATA_LIMIT:
        refuse("InvalidParameterValue", f"User data is limited to {USER_DATA_LIMIT} bytes")
    return raw


def check_counts(least: int, most: int) -> None:
    if least < 1 or most < 1:
        refuse("InvalidParameterValue", f"Value ({min(least, most)}) for parameter minCount is invalid.")
    if least > most:
        message = f"Value ({least}) for parameter minCount is invalid. It exceeds maxCount {most}."
        refuse("InvalidParameterValue", message)


def check_interface_fields(params: Mapping[str, Any]) -> None:
    """Refuse a launch with more than one network interface, or with its properties in two places."""
    interfaces = params.get("NetworkInterfaces") or []
    for field, name in LAUNCH_FIELDS_OF_INTERFACES.items():
        if interfaces and params.get(field):
            message = f"Network interfaces and an instance-level {name} may not be specified on the same request"
            refuse("InvalidParameterCombination", message)
    if len(interfaces) > 1 or any(int(each.get("DeviceIndex", 0)) for each in interfaces):
        refuse("UnsupportedOperation", "The lab's instances have one network interface each, at device index 0.")
    fixed = params.get("PrivateIpAddress") or any(
        each.get("PrivateIpAddress") or each.get("NetworkInterfaceId") for each in interfaces
    )
    if fixed and int(params.get("MaxCount", 1)) > 1:
        message = "The parameter privateIpAddress cannot be used when launching more than one instance"
        refuse("InvalidParameterCombination", message)


def default_credits(instance_type: str) -> str:
    """Return the credit option of new instances of a type, "" for a type without CPU credits.

    T2 instances are standard, and later generations unlimited.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-how-to.html
    """
    family, _, _ = instance_type.partition(".")
    return {"t2": "standard", "t3": "unlimited", "t3a": "unlimited", "t4g": "unlimited"}.get(family, "")


class Attachment(VolumeAttachment):
    @property
    def delete_on_termination(self) -> bool:
        return bool(self.instance.block_device_mapping[self.device].delete_on_termination)


class Instance(MotoInstance):
    """moto's instance, with the security groups and addresses of its interface, and the states of its host."""

    ena_support = True
    reachable = False
    reboots = 0
    reservation_id = ""
    cpu_credits = ""  # of a type that has CPU credits
    public_key: str | None = None  # the key at launch; deleting the key pair does not change it

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.hibernation_options = {"Configured": False}
        self._enter("pending")
        self._placement.zone = self.interface.availability_zone  # moto guesses the zone if the interface existed before
        for interface in self.nics.values():
            interface.owner_kind, interface.owner_id_in_world = "instance", self.id

    def _enter(self, state: InstanceState, reason: tuple[str, str] | None = None) -> None:
        self._state = MotoState(state, states.CODES[state])
        code, message = reason or ("", "")
        self.state_reason = StateReason(message, code)
        self._reason = f"User initiated ({utcnow():%Y-%m-%d %H:%M:%S} GMT)" if reason == states.BY_USER else ""
        self.reachable = self.reachable and state == "running"

    @property
    def interface(self) -> Any:
        """Return the primary network interface, or None if the instance is terminated."""
        return self.nics.get(0)

    @property
    def security_groups(self) -> list[Any]:
        nics = getattr(self, "nics", {})
        return nics[0].group_set if 0 in nics else self._launch_groups

    @security_groups.setter
    def security_groups(self, groups: list[Any]) -> None:
        self._launch_groups = groups
        if getattr(self, "nics", {}).get(0) is not None:
            self.nics[0].set_groups(groups)

    # Changes of state

    def start(self) -> Any:
        previous = self._state
        state = states.started(self.id, previous.name)
        if state != previous.name:
            self._enter(state)
            self.launch_time = utcnow()
            if self.interface.public_ip is None:
                self.interface.check_auto_public_ip()
        return previous

    def stop(self) -> Any:
        previous = self._state
        state = states.stopped(self.id, previous.name)
        if state != previous.name:
            self._enter(state, states.BY_USER)
        return previous

    def terminate(self) -> Any:
        previous = self._state
        state = states.terminated(previous.name)
        if state != previous.name:
            self._enter(state, states.BY_USER)
        return previous

    def reboot(self) -> None:
        states.check_rebootable(self.id, self.state)
        self.reboots += 1
        self.reachable = False

    def report(self, report: InstanceState, reason: str) -> bool:
        """Apply the host's report, and return whether the state changed."""
        terminates = self.instance_initiated_shutdown_behavior == "terminate"
        state = states.reported(self.state, report, terminates_on_shutdown=terminates)
        if state == self.state:
            return False
        self._enter(state, self._reason_of(state, reason))
        if state == "stopped":
            self.interface.stop()
        elif state == "terminated":
            self._release()
        return True

    def _reason_of(self, state: InstanceState, reason: str) -> tuple[str, str] | None:
        if reason:
            code = reason.partition(":")[0] if reason.startswith(("Server.", "Client.")) else states.FAILED
            return code, reason
        if state in ("pending", "running"):
            return None
        asked_for = self.state in ("stopping", "shutting-down")
        return states.BY_USER if asked_for else states.BY_INSTANCE

    def _release(self) -> None:
        """Release the volumes, instance profile, network interface and addresses of a terminated instance."""
        self.teardown_defaults()
        self.ec2_backend.iam_instance_profile_associations.pop(self.id, None)
        self.iam_instance_profile = None
        for interface in list(self.nics.values()):
            elastic = interface.elastic_address
            if elastic is not None:
                self.ec2_backend.unlink(elastic, automatic=False)
            interface.stop()
            self.detach_eni(interface)
            interface.owner_kind, interface.owner_id_in_world = "none", ""
            if interface.delete_on_termination:
                interface.delete()
        self._subnet_id = None
        self._launch_groups = []

    # Values for DescribeInstances

    @property
    def subnet_id(self) -> str | None:
        nics = getattr(self, "nics", None)
        return nics[0].subnet.id if nics else self._subnet_id

    @property
    def vpc_id(self) -> str | None:
        return self.ec2_backend.get_subnet(self.subnet_id).vpc_id if self.subnet_id else None

    @property
    def private_ip(self) -> str | None:
        return self.interface.private_ip_address if self.interface else None

    @property
    def private_ip_address(self) -> str | None:
        return self.private_ip

    @property
    def public_ip(self) -> str | None:
        return self.interface.public_ip if self.interface else None

    @property
    def public_ip_address(self) -> str | None:
        return self.public_ip

    @property
    def private_dns_name(self) -> str:
        return private_dns_name(self.private_ip, self.region_name) if self.private_ip else ""

    @property
    def public_dns_name(self) -> str:
        if not self.public_ip or not self.ec2_backend.get_vpc(self.vpc_id).enable_dns_hostnames:
            return ""
        return public_dns_name(self.public_ip, self.region_name)

    @property
    def instance_status(self) -> dict[str, Any]:
        if self.state != "running":
            return {"Status": "not-applicable"}
        status = ("ok", "passed") if self.reachable else ("initializing", "initializing")
        return {"Status": status[0], "Details": [{"Name": "reachability", "Status": status[1]}]}

    @property
    def system_status(self) -> dict[str, Any]:
        if self.state != "running":
            return {"Status": "not-applicable"}
        return {"Status": "ok", "Details": [{"Name": "reachability", "Status": "passed"}]}


class InstancesBackend(EC2Backend):
    def get_reservations_by_instance_ids(self, instance_ids: list[str], filters: Any = None) -> list[Any]:
        return list(super().get_reservations_by_instance_ids(list(dict.fromkeys(instance_ids)), filters))

    def run_instances(self, *arguments: Any, **options: Any) -> Any:
        reservation = super().run_instances(*arguments, **options)
        for instance in reservation.instances:
            instance.reservation_id = reservation.id
            self._finish(instance, options)
        return reservation

    def _finish(self, instance: Any, options: Mapping[str, Any]) -> None:
        """Set what moto ignores: DeleteOnTermination and tags of the interface, IOPS and throughput of volumes."""
        key_pair = self.key_pairs.get(instance.key_name)
        instance.public_key = key_pair.public_key.strip() if key_pair else None
        nics = options.get("nics") or [{}]
        given = nics[0].get("NetworkInterfaceId")
        if not given:
            instance.interface.delete_on_termination = nics[0].get("DeleteOnTermination", True) is True
        instance.interface.add_tags((options.get("tags") or {}).get("network-interface", {}))
        requested = {each["DeviceName"]: each["Ebs"] for each in options.get("block_device_mappings") or []}
        for device, block in instance.block_device_mapping.items():
            volume = self.get_volume(block.volume_id)
            volume.iops = requested.get(device, {}).get("Iops")
            volume.throughput = requested.get(device, {}).get("Throughput")

    def report_state(self, instance_id: str, state: InstanceState, reason: str) -> bool:
        instance = self.get_instance_by_id(instance_id)
        return instance is not None and instance.report(state, reason)

    def report_reachable(self, instance_id: str) -> bool:
        instance = self.get_instance_by_id(instance_id)
        if instance is not None and instance.state == "running":
            instance.reachable = True
        return False  # the `World` does not contain it

    def terminate_instances(self, instance_ids: list[str]) -> list[Any]:
        instances = self.get_multi_instances_by_id(instance_ids)
        for instance in instances:
            for attribute in PROTECTING if instance.state not in ("shutting-down", "terminated") else ():
                if getattr(instance, camelcase_to_underscores(attribute)):
                    message = f"The instance '{instance.id}' may not be terminated. Modify its '{attribute}' instance "
                    refuse("OperationNotPermitted", f"{message}attribute and try again.")
        return [(instance, instance.terminate()) for instance in instances]

    def stop_instances(self, instance_ids: list[str]) -> list[Any]:
        for instance in self.get_multi_instances_by_id(instance_ids):  # check all instances before one is stopped
            states.stopped(instance.id, instance.state)
        return list(super().stop_instances(instance_ids))

    def start_instances(self, instance_ids: list[str]) -> list[Any]:
        for instance in self.get_multi_instances_by_id(instance_ids):
            states.started(instance.id, instance.state)
        return list(super().start_instances(instance_ids))

    def modify_instance_metadata_options(  # noqa: PLR0917 - moto's signature
        self,
        instance_id: str,
        http_tokens: str | None = None,
        hop_limit: int | None = None,
        http_endpoint: str | None = None,
        dry_run: bool | None = False,  # noqa: ARG002
        http_protocol: str | None = None,
        metadata_tags: str | None = None,
    ) -> Any:
        if hop_limit is not None and not 1 <= int(hop_limit) <= HOPS:
            refuse("InvalidParameterValue", f"Value ({hop_limit}) for parameter httpPutResponseHopLimit is invalid.")
        instance = self.get_instance(instance_id)
        now = instance.metadata_options
        instance.metadata_options = MetadataOptions(
            {
                "HttpTokens": http_tokens or now.http_tokens,
                "HttpPutResponseHopLimit": hop_limit or now.http_put_response_hop_limit,
                "HttpEndpoint": http_endpoint or now.http_endpoint,
                "HttpProtocolIpv6": http_protocol or now.http_protocol_ipv6,
                "InstanceMetadataTags": metadata_tags or now.instance_metadata_tags,
            }
        )
        return instance.metadata_options


class InstancesResponses(EC2Response):
    # The list element of the response is the key; moto sets the state to `pending` there, also in a repeated launch.
    def run_instances(self) -> ActionResult:
        params = self.params
        template = self._apply_template()
        check_counts(int(params["MinCount"]), int(params["MaxCount"]))
        check_interface_fields(params)
        decoded_user_data(params.get("UserData"))
        self._check_launch()
        params["MinCount"] = params["MaxCount"]  # moto launches MinCount instances, AWS launches MaxCount
        result = super().run_instances()
        for instance in result.result.instances:
            instance.disable_api_termination = bool(params.get("DisableApiTermination"))
            instance.disable_api_stop = bool(params.get("DisableApiStop"))
            instance.client_token = params.get("ClientToken")
            instance.cpu_credits = params.get("CreditSpecification", {}).get("CpuCredits") or default_credits(
                instance.instance_type
            )
            self._give_profile(instance)
            instance.add_tags(template)
        return result

    def _apply_template(self) -> dict[str, str]:
        """Merge the request with its launch template, and return the tags that name the template."""
        specification = self.params.pop("LaunchTemplate", None)
        if not specification:
            return {}
        template, version = self.ec2_backend.version_of(specification)
        self.params.update(templates.merged(version.data, self.params))
        return {"aws:ec2launchtemplate:id": template.id, "aws:ec2launchtemplate:version": str(version.number)}

    def _check_launch(self) -> None:
        params, backend = self.params, self.ec2_backend
        hops = (params.get("MetadataOptions") or {}).get("HttpPutResponseHopLimit")
        if hops is not None and not 1 <= int(hops) <= HOPS:
            refuse(
                "InvalidParameterValue",
                f"Value ({hops}) for parameter httpPutResponseHopLimit is invalid. It is 1-{HOPS}.",
            )
        if params.get("InstanceMarketOptions"):
            refuse("UnsupportedOperation", "The lab has on-demand instances only.")
        if not params.get("ImageId"):
            refuse("MissingParameter", "The request must contain the parameter ImageId")
        image = backend.get_image(params["ImageId"])
        backend.check_launchable(image)
        if image.imds_support:
            options = params.setdefault("MetadataOptions", {})
            options.setdefault("HttpTokens", "required")
            options.setdefault("HttpPutResponseHopLimit", 2)
        self._check_type(params.get("InstanceType", "m1.small"), image.architecture)
        if image.architecture != "x86_64":
            refuse(
                "UnsupportedOperation", f"The lab starts hosts of the architecture x86_64, not {image.architecture}."
            )
        if params.get("KeyName") and params["KeyName"] not in backend.key_pairs:
            refuse("InvalidKeyPair.NotFound", f"The key pair '{params['KeyName']}' does not exist")
        if params.get("IamInstanceProfile"):
            self._check_profile(params["IamInstanceProfile"])
        interfaces = params.get("NetworkInterfaces") or []
        existing = interfaces[0].get("NetworkInterfaceId") if interfaces else None
        if existing and backend.get_network_interface(existing).status == "in-use":
            refuse("InvalidNetworkInterface.InUse", f"Interface: [{existing}] in use.")
        if not existing:
            self._place(interfaces)

    def _check_type(self, name: str, architecture: str) -> None:
        from moto.ec2.models.instance_types import INSTANCE_TYPES  # noqa: PLC0415 - a megabyte of data

        details = INSTANCE_TYPES.get(name)
        if details is None:
            refuse("InvalidParameterValue", f"Invalid value '{name}' for InstanceType.")
        supported = details.get("ProcessorInfo", {}).get("SupportedArchitectures", [architecture])
        if architecture not in supported:
            refuse(
                "InvalidParameterValue",
                f"The architecture '{','.join(supported)}' of the specified instance type does not match the "
                f"architecture '{architecture}' of the specified AMI. Specify an instance type and an AMI that have "
                "matching architectures, and try again.",
            )

        option = self.params.get("CreditSpecification", {}).get("CpuCredits")
        if option and option not in CPU_CREDITS:
            refuse("InvalidParameterValue", f"Invalid value '{option}' for CpuCredits.")
        if option and not details.get("BurstablePerformanceSupported"):
            refuse(NO_CREDITS, f"The {name} instance type does not support T2 Unlimited.")

    def _check_profile(self, profile: Mapping[str, str]) -> None:
        try:
            filter_iam_instance_profiles(self.current_account, self.partition, profile.get("Arn"), profile.get("Name"))
        except NotFoundException:
            field = "arn" if profile.get("Arn") else "name"
            value = profile.get("Arn") or profile.get("Name")
            message = f"Value ({value}) for parameter iamInstanceProfile.{field} is invalid. "
            refuse("InvalidParameterValue", message + "Invalid IAM Instance Profile name")

    def _place(self, interfaces: list[dict[str, Any]]) -> None:
        """Check the subnet and the groups before anything is created. Without a subnet, use a default subnet."""
        params, backend = self.params, self.ec2_backend
        zone = (params.get("Placement") or {}).get("AvailabilityZone")
        subnet_id = interfaces[0].get("SubnetId") if interfaces else params.get("SubnetId")
        if not subnet_id:
            subnet_id = self._default_subnet(zone).id
            (interfaces[0] if interfaces else params)["SubnetId"] = subnet_id
        subnet = backend.get_subnet(subnet_id)
        if zone and subnet.availability_zone != zone:
            message = f"The availability zone '{zone}' does not match the subnet's zone '{subnet.availability_zone}'"
            refuse("InvalidParameterValue", message)
        groups = interfaces[0].get("Groups") if interfaces else params.get("SecurityGroupIds")
        names = params.get("SecurityGroups") or []
        if names and not backend.get_vpc(subnet.vpc_id).is_default:
            message = "The parameter groupName cannot be used with the parameter subnet"
            refuse("InvalidParameterCombination", message)
        for name in names:
            backend._group(None, name)
        backend.check_groups(groups or [], subnet)
        if subnet.available_ip_address_count < int(params["MaxCount"]):
            message = f"There are not enough free addresses in subnet '{subnet_id}' to satisfy the requested number of"
            refuse("InsufficientFreeAddressesInSubnet", message + " instances.")

    def _default_subnet(self, zone: str | None) -> Any:
        found = [
            subnet
            for name, subnet in sorted(self.ec2_backend.get_default_subnets().items())
            if zone is None or name == zone
        ]
        if not found:
            message = f"No default subnet for availability zone: '{zone}'." if zone else "No default VPC for this user."
            refuse("MissingInput" if zone else "VPCIdNotSpecified", message)
        return found[0]

    def _parse_block_device_mapping(self) -> list[dict[str, Any]]:
        backend = self.ec2_backend
        return storage.merged(
            backend.get_image(self.params["ImageId"]).block_device_mappings,
            self._get_param("BlockDeviceMappings", []),
            encrypted_by_default=backend.ebs_encryption_by_default,
        )

    def _give_profile(self, instance: Any) -> None:
        """Associate the instance profile. moto does it for the first instance only, and with a wrong id."""
        profile = self.params.get("IamInstanceProfile")
        if not profile:
            return
        backend = self.ec2_backend
        if instance.id not in backend.iam_instance_profile_associations:
            backend.associate_iam_instance_profile(
                instance.id,
                iam_instance_profile_name=profile.get("Name"),
                iam_instance_profile_arn=profile.get("Arn"),
            )
        found = backend.iam_instance_profile_associations[instance.id].iam_instance_profile
        instance.iam_instance_profile = {"Arn": found.arn, "Id": found.id}

    def describe_instances(self) -> ActionResult:
        self.error_on_dryrun()
        backend, ids = self.ec2_backend, self.params.get("InstanceIds")
        found = backend.get_reservations_by_instance_ids(ids) if ids else backend.describe_instances()
        return ActionResult({"Reservations": found})

    def terminate_instances(self) -> ActionResult:
        return self._with_states(super().terminate_instances(), "TerminatingInstances")

    def stop_instances(self) -> ActionResult:
        return self._with_states(super().stop_instances(), "StoppingInstances")

    def start_instances(self) -> ActionResult:
        return self._with_states(super().start_instances(), "StartingInstances")

    def _with_states(self, result: ActionResult, key: str) -> ActionResult:
        """Return the result with the current states of the instances, where moto returns the expected ones."""
        for each in result.result[key]:
            each["CurrentState"] = self.ec2_backend.get_instance_by_id(each["InstanceId"]).instance_state
        return result

    def describe_instance_credit_specifications(self) -> ActionResult:
        """Return the options of the named instances, or without ids those that are unlimited."""
        ids = self._get_param("InstanceIds", [])
        found = [self.ec2_backend.get_instance(own) for own in ids] or [
            each for each in self.ec2_backend.all_instances() if each.cpu_credits == "unlimited"
        ]
        for instance in found:
            if not instance.cpu_credits:
                refuse(NO_CREDITS, f"The {instance.instance_type} instance type does not support T2 Unlimited.")
        listed = [{"InstanceId": each.id, "CpuCredits": each.cpu_credits} for each in found]
        return ActionResult({"InstanceCreditSpecifications": listed})

    def modify_instance_credit_specification(self) -> ActionResult:
        """Change each instance for itself. A refused one is in the response, which is a success."""
        self.error_on_dryrun()
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for each in self._get_param("InstanceCreditSpecifications", []):
            own, error = each["InstanceId"], self._refusal_of_credits(each)
            if error is None:
                self.ec2_backend.get_instance(own).cpu_credits = each["CpuCredits"]
                done.append({"InstanceId": own})
            else:
                failed.append({"InstanceId": own, "Error": error})
        return ActionResult(
            {"SuccessfulInstanceCreditSpecifications": done, "UnsuccessfulInstanceCreditSpecifications": failed}
        )

    def _refusal_of_credits(self, wanted: Mapping[str, str]) -> dict[str, str] | None:
        own = wanted["InstanceId"]
        instance = next((each for each in self.ec2_backend.all_instances() if each.id == own), None)
        if instance is None:
            return {"Code": "InvalidInstanceID.NotFound", "Message": f"The instance ID '{own}' does not exist"}
        if not instance.cpu_credits:
            message = f"The {instance.instance_type} instance type does not support T2 Unlimited."
            return {"Code": NO_CREDITS, "Message": message}
        if instance.state not in ("running", "stopped"):
            return {"Code": "IncorrectInstanceState", "Message": f"The instance '{own}' is {instance.state}."}
        return None

    def get_console_output(self) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        self.error_on_dryrun()
        output = self.ec2_backend.context.console_output(instance.id)
        result = {"InstanceId": instance.id, "Timestamp": utcnow()}
        if output:
            result["Output"] = base64.b64encode(output).decode()
        return ActionResult(result)

    def modify_instance_attribute(self) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        attribute = self._get_param("Attribute") or ""
        needs_stop = {"InstanceType", "UserData", "Kernel", "Ramdisk", "EbsOptimized"}
        touched = {name for name in needs_stop if name in self.params or name.lower() == attribute.lower()}
        if touched and instance.state != "stopped":
            refuse("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")
        if kind := self._get_param("InstanceType.Value"):
            self._check_type(kind, instance.architecture)
            instance.cpu_credits = default_credits(kind) and (instance.cpu_credits or default_credits(kind))
        if "UserData" in self.params:  # a blob that moto has already decoded
            encoded = base64.b64encode((self.params["UserData"] or {}).get("Value") or b"").decode()
            decoded_user_data(encoded)
            instance.user_data = Base64EncodedString(encoded)
            return EmptyResult()
        behavior = self._get_param("InstanceInitiatedShutdownBehavior.Value")
        if behavior:
            instance.instance_initiated_shutdown_behavior = behavior
            return EmptyResult()
        if "Groups" in self.params:
            groups = self.params["Groups"]
            self.ec2_backend.check_groups(groups, instance.interface.subnet)
        check = self._get_param("SourceDestCheck.Value")
        if check is not None:
            instance.interface.source_dest_check = check
        return super().modify_instance_attribute()
