"""Elastic network interfaces: private and public addresses, security groups, and permission to delete them."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface as MotoInterface
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_eni_attach_id

from groundwork_lab.aws.context import refuse
from groundwork_lab.model import InterfaceOwner

GROUPS_LIMIT = 5  # security groups per network interface
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html


def private_dns_name(address: str, region: str) -> str:
    """Return the private DNS name (IP name).

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html
    """
    suffix = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{suffix}"


def public_dns_name(address: str, region: str) -> str:
    suffix = "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"
    return f"ec2-{address.replace('.', '-')}.{suffix}"


def primary_address(single: object, several: Any) -> str | None:
    """Return the primary private address of a request, from either of its two parameters."""
    if isinstance(single, list):
        single = single[0] if single else None
    if single:
        return str(single)
    return next((each["PrivateIpAddress"] for each in several or [] if each.get("Primary")), None)


class Interface(MotoInterface):
    """A network interface. `public_ip` is elastic or automatic. An automatic one is kept from start to stop."""

    deny_all_igw_traffic = False
    has_automatic_address = False
    public_ip: str | None
    owner_kind: InterfaceOwner = "none"
    owner_id_in_world = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        region = self.ec2_backend.region_name
        if self.ec2_backend.get_vpc(self.vpc_id).enable_dns_hostnames:
            self.private_dns_name = private_dns_name(self.private_ip_address, region)
            self.private_ip_addresses[0]["PrivateDnsName"] = self.private_dns_name

    @property
    def network_interface_id(self) -> str:
        """Return the id under the name that the response needs: moto derives it from the name of its own class."""
        return str(self.id)

    def manage(self, owner: InterfaceOwner, owner_id: str, interface_type: str, requester_id: str) -> None:
        """Make it a requester-managed interface: in use, and not deletable by the user."""
        self.owner_kind, self.owner_id_in_world = owner, owner_id
        self.requester_managed, self.requester_id = True, requester_id
        self.interface_type, self.status = interface_type, "in-use"
        self._managed_attachment_id = random_eni_attach_id().replace("eni-attach", "ela-attach")

    def set_groups(self, groups: list[Any]) -> None:
        self._group_set = list(groups)

    @property
    def group_set(self) -> list[Any]:
        """Return the security groups of the interface. moto adds the list of the instance, which never shrinks."""
        return list(self._group_set)

    @property
    def attachment(self) -> Any:
        if not self.requester_managed:
            return super().attachment
        return {
            "AttachmentId": self._managed_attachment_id,
            "DeleteOnTermination": False,
            "DeviceIndex": 1,
            "InstanceOwnerId": self.requester_id,
            "Status": "attached",
        }

    @property
    def elastic_address(self) -> Any:
        """Return the associated Elastic IP address (moto's ElasticAddress), or None."""
        return next((each for each in self.ec2_backend.addresses if each.eni is self), None)

    @property
    def association(self) -> dict[str, Any] | None:
        if not self.public_ip:
            return None
        elastic = self.elastic_address
        association = {"PublicIp": self.public_ip, "IpOwnerId": "amazon"}
        if self.ec2_backend.get_vpc(self.vpc_id).enable_dns_hostnames:
            association["PublicDnsName"] = public_dns_name(self.public_ip, self.ec2_backend.region_name)
        if elastic is not None:
            association["IpOwnerId"] = self.ec2_backend.account_id
            association["AllocationId"] = elastic.allocation_id
            association["AssociationId"] = elastic.association_id
        return association

    def check_auto_public_ip(self) -> None:
        """Allocate an automatic address, if the interface was launched with one and has no address now."""
        if self.public_ip_auto_assign and not self.public_ip:
            address = self.ec2_backend.context.pool.allocate()
            if address is None:
                refuse("InsufficientAddressCapacity", "There are not enough free public addresses.")
            self.public_ip, self.has_automatic_address = str(address), True

    def drop_automatic_address(self) -> None:
        if self.has_automatic_address:
            self.ec2_backend.context.pool.release(self.public_ip)
            self.public_ip, self.has_automatic_address = None, False

    def stop(self) -> None:
        self.drop_automatic_address()

    def delete(self) -> None:
        elastic = self.elastic_address
        if elastic is not None:
            self.ec2_backend.unlink(elastic)
        self.drop_automatic_address()
        self.ec2_backend.enis.pop(self.id, None)
        self.ec2_backend.forget(self.id)


class InterfacesBackend(EC2Backend):
    def create_network_interface(  # noqa: PLR0917 - moto's signature
        self,
        subnet: Any,
        private_ip_address: Any,
        private_ip_addresses: Any = None,
        group_ids: list[str] | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        delete_on_termination: bool | None = False,
        **options: Any,
    ) -> Any:
        if isinstance(subnet, str):
            subnet = self.get_subnet(subnet)
        if len(private_ip_addresses or []) > 1 or options.pop("secondary_ips_count", None):
            refuse("UnsupportedOperation", "The lab's interfaces have one private address each.")
        if options.pop("ipv6_addresses", None) or options.pop("ipv6_address_count", None):
            refuse("UnsupportedOperation", "The lab has no IPv6.")
        self.check_groups(group_ids or [], subnet)
        address = subnet.give(primary_address(private_ip_address, private_ip_addresses))
        return super().create_network_interface(
            subnet,
            address,
            group_ids=list(dict.fromkeys(group_ids or [])),
            description=description,
            tags=tags,
            delete_on_termination=delete_on_termination,
            **options,
        )

    def check_groups(self, group_ids: list[str], subnet: Any) -> None:
        """Refuse groups that do not exist, belong to another VPC, or are too many for one interface."""
        if len(set(group_ids)) > GROUPS_LIMIT:
            message = f"You have exceeded the maximum number of security groups ({GROUPS_LIMIT}) per network interface."
            refuse("SecurityGroupsPerInterfaceLimitExceeded", message)
        for group_id in group_ids:
            group = self.get_security_group_from_id(group_id)
            if group is None:
                refuse("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            if group.vpc_id != subnet.vpc_id:
                message = f"Security group {group_id} and subnet {subnet.id} belong to different networks."
                refuse("InvalidParameter", message)


class InterfacesResponses(EC2Response):
    def delete_network_interface(self) -> ActionResult:
        interface = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        self.error_on_dryrun()
        if interface.status == "in-use":
            refuse("InvalidParameterValue", f"Network interface '{interface.id}' is currently in use.")
        interface.delete()
        return EmptyResult()

    def attach_network_interface(self) -> ActionResult:
        refuse("UnsupportedOperation", "The lab's instances have one network interface each.")

    def detach_network_interface(self) -> ActionResult:
        attachment_id = self._get_param("AttachmentId")
        if attachment_id.startswith("ela-attach"):
            refuse("OperationNotPermitted", f"You are not allowed to manage '{attachment_id}' attachments.")
        return super().detach_network_interface()

    def modify_network_interface_attribute(self) -> ActionResult:
        interface = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        if interface.requester_managed:
            message = "You do not have permission to access the specified resource."
            refuse("AuthFailure", message)
        group_ids = self._get_param("Groups", [])
        self.ec2_backend.check_groups(group_ids, interface.subnet)
        attachment = self._get_param("Attachment") or {}
        if "DeleteOnTermination" in attachment:
            interface.delete_on_termination = attachment["DeleteOnTermination"]
        return super().modify_network_interface_attribute()

    def assign_private_ip_addresses(self) -> ActionResult:
        refuse("UnsupportedOperation", "The lab's interfaces have one private address each.")

    def assign_ipv6_addresses(self) -> ActionResult:
        refuse("UnsupportedOperation", "The lab has no IPv6.")
