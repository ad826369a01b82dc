"""VPCs and subnets: their addresses, sizes and zones, and the dependencies that prevent their deletion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet as MotoSubnet
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.pool import is_reserved, next_free

LARGEST, SMALLEST = 16, 28  # prefix lengths
# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html


def network_of(cidr: str) -> IPv4Network | None:
    """Return the network of `cidr` without host bits, as AWS stores it, or None if it is not a CIDR block."""
    if "/" not in str(cidr):
        return None
    try:
        return IPv4Network(cidr, strict=False)
    except (AddressValueError, NetmaskValueError):
        return None


def canonical(cidr: str) -> str:
    """Return the canonical form of a CIDR block. Refuse what is not a CIDR block.

    "If you specify 100.68.0.18/18, we modify it to 100.68.0.0/18" (CreateVpc, CreateSubnet).
    """
    network = network_of(cidr)
    if network is None:
        message = f"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        refuse("InvalidParameterValue", message)
    return str(network)


def is_size_allowed(network: IPv4Network) -> bool:
    return LARGEST <= network.prefixlen <= SMALLEST


def overlapping(network: IPv4Network, others: Iterable[IPv4Network]) -> IPv4Network | None:
    return next((other for other in others if network.overlaps(other)), None)


class Subnet(MotoSubnet):
    """A subnet. Its used addresses are those of its interfaces. It never assigns the addresses that AWS reserves."""

    enable_dns64 = False
    map_customer_owned_ip_on_launch = False
    _last_given: IPv4Address | None = None

    def taken(self) -> dict[IPv4Address, str]:
        """Return the used addresses with the ids of their interfaces."""
        return {
            IPv4Address(address["PrivateIpAddress"]): interface.id
            for interface in self.ec2_backend.enis.values()
            if interface.subnet.id == self.id
            for address in interface.private_ip_addresses
        }

    def give(self, wanted: str | None) -> str:
        """Return a free address, or `wanted` if it is free. Refuse it with the errors of RunInstances otherwise."""
        taken = self.taken()
        if wanted is None:
            address = next_free(self.cidr, taken, self._last_given)
            if address is None:
                message = f"There are not enough free addresses in subnet '{self.id}' to satisfy the requested number."
                refuse("InsufficientFreeAddressesInSubnet", message)
            self._last_given = address
            return str(address)
        address = IPv4Address(wanted)
        if address not in self.cidr:
            refuse("InvalidParameterValue", f"Address {wanted} does not fall within the subnet's address range")
        if is_reserved(self.cidr, address):
            refuse("InvalidParameterValue", f"Address {wanted} is in subnet's reserved address range")
        if address in taken:
            refuse("InvalidIPAddress.InUse", f"Address {wanted} is in use.")
        return str(address)

    @property
    def available_ip_address_count(self) -> int:
        return int(self.cidr.num_addresses) - 5 - len(self.taken())

    # create_network_interface assigns all addresses, so moto's own records are not used.

    def get_available_subnet_ip(self, instance: Any) -> str:  # noqa: ARG002
        return ""

    def request_ip(self, ip: str, instance: Any) -> None:
        pass

    def del_subnet_ip(self, ip: str) -> None:
        pass


class SubnetsBackend(EC2Backend):
    def create_vpc(self, cidr_block: str, *arguments: Any, **options: Any) -> Any:
        if options.get("amazon_provided_ipv6_cidr_block"):
            refuse("UnsupportedOperation", "The lab has no IPv6.")
        vpc = super().create_vpc(canonical(cidr_block), *arguments, **options)
        self.associate_dhcp_options(self._default_dhcp_options(), vpc)
        return vpc

    def _default_dhcp_options(self) -> Any:
        """Return the DHCP option set of the region, which every new VPC has.

        https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html
        """
        if not self.dhcp_options_sets:
            domain = "ec2.internal" if self.region_name == "us-east-1" else f"{self.region_name}.compute.internal"
            self.create_dhcp_options(domain_name_servers=["AmazonProvidedDNS"], domain_name=[domain])
        return next(iter(self.dhcp_options_sets.values()))

    def associate_vpc_cidr_block(self, vpc_id: str, cidr_block: str, amazon_provided_ipv6_cidr_block: bool) -> Any:
        if amazon_provided_ipv6_cidr_block:
            refuse("UnsupportedOperation", "The lab has no IPv6.")
        network = IPv4Network(canonical(cidr_block))
        if not is_size_allowed(network):
            refuse("InvalidVpc.Range", f"The CIDR '{cidr_block}' is invalid.")
        if overlapping(network, cidrs_of(self.get_vpc(vpc_id))):
            refuse("CidrConflict", f"The CIDR '{cidr_block}' conflicts with another CIDR of {vpc_id}.")
        return super().associate_vpc_cidr_block(vpc_id, str(network), False)

    def delete_vpc(self, vpc_id: str) -> Any:
        vpc = self.get_vpc(vpc_id)
        if self._depends_on_vpc(vpc_id):
            refuse("DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        for table in [table for table in self.route_tables.values() if table.vpc_id == vpc_id]:
            self.route_tables.pop(table.id)
            self.forget(table.id)
        for acl in [acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id]:
            self.network_acls.pop(acl.id)
            self.forget(acl.id)
        for group in self.groups.pop(vpc_id, {}).values():
            self.forget(group.id, *(rule.id for rule in (*group.ingress_rules, *group.egress_rules)))
        self.forget(vpc_id)
        return self.vpcs.pop(vpc.id)

    def _depends_on_vpc(self, vpc_id: str) -> bool:
        """Return whether the VPC has resources that the user must delete first.

        The main route table, the default security group and the default network ACL are deleted with the VPC.
        """
        return (
            any(subnet.vpc_id == vpc_id for subnet in self.describe_subnets())
            or any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in self.internet_gateways.values())
            or any(table.vpc_id == vpc_id and table.main_association_id is None for table in self.route_tables.values())
            or any(not group.is_default for group in self.groups.get(vpc_id, {}).values())
            or any(acl.vpc_id == vpc_id and not acl.default for acl in self.network_acls.values())
            or any(endpoint.vpc_id == vpc_id for endpoint in self.vpc_end_points.values())
        )

    def create_subnet(  # noqa: PLR0917 - moto's signature
        self,
        vpc_id: str,
        cidr_block: str,
        ipv6_cidr_block: str | None = None,
        availability_zone: str | None = None,
        availability_zone_id: str | None = None,
        ipv6_native: bool = False,
        tags: dict[str, dict[str, str]] | None = None,
    ) -> Any:
        if ipv6_cidr_block or ipv6_native:
            refuse("UnsupportedOperation", "The lab has no IPv6.")
        vpc = self.get_vpc(vpc_id)
        network = IPv4Network(canonical(cidr_block))
        if not is_size_allowed(network) or not any(network.subnet_of(block) for block in cidrs_of(vpc)):
            refuse("InvalidSubnet.Range", f"The CIDR '{cidr_block}' is invalid.")
        zone = self._zone(availability_zone, availability_zone_id)
        subnet = super().create_subnet(vpc_id, str(network), None, zone, None, tags=tags)
        if not vpc.is_default:  # moto marks the first subnet of each zone as default
            subnet.default_for_az = subnet.map_public_ip_on_launch = False
        return subnet

    def _zone(self, name: str | None, zone_id: str | None) -> str:
        zones = self.describe_availability_zones()
        found = next((each for each in zones if name == each.name or (not name and zone_id == each.zone_id)), None)
        if found is None:
            names = ", ".join(each.name for each in zones)
            refuse(
                "InvalidParameterValue",
                f"Value ({name or zone_id}) for parameter availabilityZone is invalid. "
                f"Subnets can currently only be created in the following availability zones: {names}.",
            )
        return str(found.name)

    def delete_subnet(self, subnet_id: str) -> Any:
        subnet = self.get_subnet(subnet_id)
        if subnet.taken():
            refuse("DependencyViolation", f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        for table in self.route_tables.values():
            table._associations = {key: value for key, value in table._associations.items() if value != subnet_id}
        for acl in self.network_acls.values():
            associations = acl._associations
            acl._associations = {key: each for key, each in associations.items() if each.subnet_id != subnet_id}
        self.forget(subnet_id)
        return super().delete_subnet(subnet_id)


def cidrs_of(vpc: Any) -> list[IPv4Network]:
    """Return the IPv4 networks of a moto VPC without the disassociated ones."""
    return [
        IPv4Network(association["cidr_block"], strict=False)
        for association in vpc.get_cidr_block_association_set()
        if association["cidr_block_state"]["state"] == "associated"
    ]


class SubnetsResponses(EC2Response):
    def modify_vpc_attribute(self) -> ActionResult:
        self._one_of(["EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"])
        return super().modify_vpc_attribute()

    def modify_subnet_attribute(self) -> ActionResult:
        self._one_of(["MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableResourceNameDnsARecordOnLaunch"])
        return super().modify_subnet_attribute()

    def _one_of(self, attributes: Sequence[str]) -> None:
        """Refuse several attributes: "You can only modify one attribute at a time" (ModifyVpcAttribute)."""
        given = [name for name in attributes if name in self.params]
        if len(given) > 1:
            refuse("InvalidParameterCombination", "Fields for multiple attribute types specified")
        if not given and not set(self.params) - {"VpcId", "SubnetId", "DryRun"}:
            refuse("MissingParameter", "The request must contain the parameter attribute")

    def create_subnet(self) -> ActionResult:
        if not self._get_param("AvailabilityZone") and not self._get_param("AvailabilityZoneId"):
            # AWS picks one; the lab always picks the same one, so that its runs are repeatable
            self.params["AvailabilityZone"] = self.ec2_backend.describe_availability_zones()[0].name
        return super().create_subnet()
