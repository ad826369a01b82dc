"""Images created from instances: `pending` until the data plane has captured the disk.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/deregister-ami.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_ami_id

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2 import storage
from groundwork_lab.aws.ec2.images import Image

CAPTURABLE = ("running", "stopping", "stopped")
LONGEST_DESCRIPTION = 255
FARTHEST_DEPRECATION = timedelta(days=3653)  # ten years
IMDS_SUPPORT = "v2.0"


def check_name(name: str) -> None:
    """Refuse an invalid name of an image."""
    if not re.fullmatch(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}", name):
        refuse(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, parentheses (()), "
            "square brackets ([]), spaces ( ), periods (.), slashes (/), dashes (-), single quotes ('), at-signs (@), "
            "or underscores(_)",
        )


def check_description(description: str) -> None:
    if len(description) > LONGEST_DESCRIPTION:
        refuse("InvalidParameterValue", f"AMI descriptions must be at most {LONGEST_DESCRIPTION} characters long")


def check_deprecation(moment: datetime, now: datetime) -> None:
    """Refuse a deprecation date that is in the past or too far in the future.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html
    """
    if not now < moment <= now + FARTHEST_DEPRECATION:
        message = "The deprecation date and time must be in the future, and at most 10 years from now."
        refuse("InvalidParameterValue", message)


def check_mappings(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Refuse encryption settings, which a launch may contain and an image may not: the volume determines them."""
    for mapping in mappings:
        ebs = mapping.get("Ebs") or {}
        if "Encrypted" in ebs or "KmsKeyId" in ebs:
            message = (
                "The parameter encrypted cannot be specified for a device that is already attached to the instance"
            )
            refuse("InvalidBlockDeviceMapping", message)


class CapturedImage(Image):
    """An image of the account. `captured` sets the result that the data plane reports."""

    no_reboot = False
    deprecation_time: str | None = None
    protection: tuple[str, datetime | None] = ("disabled", None)  # and when it ends
    state_reason: dict[str, str] | None = None

    def __init__(self, backend: Any, image_id: str, instance: Any, root: Any, **fields: Any) -> None:
        super().__init__(
            backend,
            image_id,
            instance=instance,
            state="pending",
            root_device_type="ebs",
            root_device_name=instance.root_device_name,
            hypervisor="xen",
            image_location=f"{backend.account_id}/{fields['name']}",
            boot_mode="uefi-preferred",
            region_name=root.zone.name,
            snapshot_description=f"Created by CreateImage({instance.id}) for {image_id}",
            **fields,
        )
        self.source_image_id = instance.image_id
        self.source_image_region = backend.region_name
        self.ebs_snapshot.volume = root  # moto invents a volume
        self.ebs_snapshot.status = "pending"
        self.mappings: list[dict[str, Any]] = []

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        return self.mappings

    @property
    def deregistration_protection(self) -> str:
        state, until = self.protection
        return "disabled" if until is not None and datetime.now(UTC) >= until else state

    def captured(self, failure: str) -> None:
        """Set the state from the data plane's report."""
        self.state = "failed" if failure else "available"
        self.ebs_snapshot.status = "error" if failure else "completed"
        if failure:
            self.state_reason = {"Code": "Server.InternalError", "Message": f"Server.InternalError: {failure}"}


class CapturesBackend(EC2Backend):
    retired: dict[str, Any]  # by id: deregistered images that instances may still use

    def capture(self, instance_id: str, name: str, description: str, mappings: Sequence[Mapping[str, Any]]) -> Any:
        """Create a pending image of the instance, with its root volume's settings, overridden by `mappings`."""
        instance = self.get_instance(instance_id)
        if instance.state not in CAPTURABLE:
            refuse(
                "InvalidParameterValue",
                f"Invalid value '{instance_id}' for instanceId. Instance is not in state 'running' or 'stopping' or "
                "'stopped'",
            )
        self._check_free(name)
        check_mappings(mappings)
        device = instance.block_device_mapping[instance.root_device_name]
        root = self.get_volume(device.volume_id)
        own = {
            "VolumeSize": root.size,
            "VolumeType": root.volume_type,
            "DeleteOnTermination": bool(device.delete_on_termination),
            "Encrypted": bool(root.encrypted),
        }
        base = [{"DeviceName": instance.root_device_name, "Ebs": {**own, "SnapshotId": "its own"}}]
        merged = storage.merged(base, mappings)
        image = CapturedImage(self, random_ami_id(), instance, root, name=name, description=description)
        merged[0]["Ebs"]["SnapshotId"] = image.ebs_snapshot.id
        image.mappings = merged
        self.amis[image.id] = image
        return image

    def _check_free(self, name: str) -> None:
        check_name(name)
        for image in self.amis.values():
            if image.owner_id == self.account_id and image.name == name:
                refuse("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}")

    def own_image(self, image_id: str) -> Any:
        """Return the account's own image. Refuse the images of others."""
        image = self.get_image(image_id)
        if image.owner_id != self.account_id:
            refuse("AuthFailure", f"Not authorized for image:{image.id}")
        return image

    def check_launchable(self, image: Any) -> None:
        if image.state != "available":
            message = f"The image ID '{image.id}' is not available: it is in the state '{image.state}'."
            refuse("InvalidAMIID.Unavailable", message)

    def deregister(self, image: Any) -> None:
        """Deregister the image. It stays in the `World` while instances use it."""
        self.retired[image.id] = image
        super().deregister_image(image.id)
        self.forget(image.id)

    def report_captured(self, image_id: str, failure: str) -> bool:
        image = self.amis.get(image_id)
        if image is not None:
            image.captured(failure)
        return True

    def images_in_world(self) -> list[Any]:
        """Return the account's images, and deregistered ones that instances still use."""
        used = {instance.image_id for instance in self.all_instances() if instance.state != "terminated"}
        self.retired = {image_id: image for image_id, image in self.retired.items() if image_id in used}
        own = [image for image in self.amis.values() if isinstance(image, CapturedImage)]
        return [*own, *self.retired.values()]


class CapturesResponses(EC2Response):
    def create_image(self) -> ActionResult:
        params, backend = self.params, self.ec2_backend
        description, no_reboot = params.get("Description") or "", bool(params.get("NoReboot"))
        check_description(description)
        tags = self._parse_tag_specification()
        self.error_on_dryrun()
        mappings = params.get("BlockDeviceMappings") or []
        image = backend.capture(params["InstanceId"], params["Name"], description, mappings)
        image.no_reboot = no_reboot
        image.add_tags(tags.get("image", {}))
        image.ebs_snapshot.add_tags(tags.get("snapshot", {}))
        if not no_reboot:
            image.instance.reachable = False
        return ActionResult({"ImageId": image.id})

    def copy_image(self) -> NoReturn:
        refuse("UnsupportedOperation", "The lab does not support CopyImage.")

    def register_image(self) -> NoReturn:
        refuse("UnsupportedOperation", "The lab does not support RegisterImage.")

    def deregister_image(self) -> ActionResult:
        backend = self.ec2_backend
        image = backend.own_image(self.params["ImageId"])
        backend.check_deregistrable(image)
        self.error_on_dryrun()
        backend.deregister(image)
        if not self.params.get("DeleteAssociatedSnapshots"):
            return ActionResult({"Return": True})
        backend.delete_snapshot(image.ebs_snapshot.id)
        results = [{"SnapshotId": image.ebs_snapshot.id, "ReturnCode": "success"}]
        return ActionResult({"Return": True, "DeleteSnapshotResults": results})

    def modify_image_attribute(self) -> ActionResult:
        image = self.ec2_backend.own_image(self.params["ImageId"])
        attribute, value = self.params.get("Attribute"), self.params.get("Value")
        given = {each: (self.params.get(each) or {}).get("Value") for each in ("Description", "ImdsSupport")}
        if attribute in ("description", "imdsSupport") and value is not None:
            given[attribute[0].upper() + attribute[1:]] = value
        self.error_on_dryrun()
        if given["Description"] is not None:
            check_description(given["Description"])
            image.description = given["Description"]
        if given["ImdsSupport"] is not None:
            if given["ImdsSupport"] != IMDS_SUPPORT:
                refuse("InvalidParameterValue", f"The value for ImdsSupport must be {IMDS_SUPPORT}")
            image.imds_support = IMDS_SUPPORT
        if set(given.values()) != {None}:
            return EmptyResult()
        return super().modify_image_attribute()

    def enable_image_deprecation(self) -> ActionResult:
        image = self.ec2_backend.own_image(self.params["ImageId"])
        moment = self.params["DeprecateAt"]
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        moment = moment.replace(tzinfo=None) if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
        check_deprecation(moment, utcnow().replace(tzinfo=None))
        self.error_on_dryrun()
        image.deprecation_time = moment.strftime("%Y-%m-%dT%H:%M:00.000Z")  # AWS rounds to the minute
        return ActionResult({"Return": True})

    def disable_image_deprecation(self) -> ActionResult:
        image = self.ec2_backend.own_image(self.params["ImageId"])
        self.error_on_dryrun()
        image.deprecation_time = None
        return ActionResult({"Return": True})

    def disable_image(self) -> NoReturn:
        refuse("UnsupportedOperation", "The lab does not support DisableImage.")
