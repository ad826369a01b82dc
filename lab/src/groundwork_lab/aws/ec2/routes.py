"""Route tables, routes, and their associations; network ACLs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.route_tables import Route as MotoRoute
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2.described import NUMBERS
from groundwork_lab.aws.ec2.groups import ports_of, protocol_of
from groundwork_lab.aws.ec2.nat import PRESENT
from groundwork_lab.aws.ec2.subnets import canonical, cidrs_of, network_of

FINAL_RULE = 32767
HIGHEST_RULE = 32766
# https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html

TARGETS = {  # parameters of create_route and replace_route
    "gateway_id": "gatewayId",
    "nat_gateway_id": "natGatewayId",
    "instance_id": "instanceId",
    "interface_id": "networkInterfaceId",
}
UNSUPPORTED_TARGETS = {
    "egress_only_igw_id": "egress-only internet gateways",
    "transit_gateway_id": "transit gateways",
    "vpc_peering_connection_id": "VPC peering",
    "carrier_gateway_id": "carrier gateways",
    "vpc_endpoint_id": "Gateway Load Balancer endpoints",
}


def is_shadowing_local(destination: IPv4Network, locals_: Iterable[IPv4Network]) -> bool:
    """Return whether the destination is equal to or more specific than a local route.

    Such a route can have only an interface or an instance as its target, not a gateway.
    """
    return any(destination.subnet_of(local) for local in locals_)


class Table(RouteTable):
    propagating_vgws: tuple[str, ...] = ()


class Route(MotoRoute):
    @property
    def target(self) -> str:
        """Return the id of the target, or `local`."""
        candidates = (self.gateway_id, self.nat_gateway_id, self.network_interface_id, self.instance_id)
        return next((candidate for candidate in candidates if candidate), "")

    @property
    def state(self) -> str:
        """Return `active`, or `blackhole` if the target cannot be used.

        The latter means that "the specified gateway isn't attached to the VPC, the specified NAT instance has been
        terminated, and so on" (API_Route).
        """
        return "active" if self._is_target_there() else "blackhole"

    def _is_target_there(self) -> bool:
        backend, vpc_id = self.route_table.ec2_backend, self.route_table.vpc_id
        if self.local:
            return True
        if self.nat_gateway is not None:
            return self.nat_gateway.state in PRESENT
        if self.interface is not None:
            return self.interface.id in backend.enis
        if self.instance is not None:
            return self.instance.state not in ("shutting-down", "terminated")
        if self.gateway is not None and self.gateway.id.startswith("igw-"):
            return self.gateway is backend.gateway_of(vpc_id)
        return self.gateway is not None and self.gateway.id in backend.vpc_end_points


class RoutesBackend(EC2Backend):
    def create_route(
        self,
        route_table_id: str,
        destination_cidr_block: str | None,
        destination_ipv6_cidr_block: str | None = None,
        destination_prefix_list_id: str | None = None,
        local: bool = False,
        **targets: Any,
    ) -> Any:
        if local or (destination_prefix_list_id and str(targets.get("gateway_id")).startswith("vpce-")):
            # AWS creates these routes with the route table and with the gateway endpoint
            return super().create_route(
                route_table_id, destination_cidr_block, None, destination_prefix_list_id, local=local, **targets
            )
        self._check_destination(destination_cidr_block, destination_ipv6_cidr_block, destination_prefix_list_id)
        table = self.get_route_table(route_table_id)
        destination = network_of(str(destination_cidr_block))
        if destination is None:
            message = f"Value ({destination_cidr_block}) for parameter destinationCidrBlock is invalid. "
            refuse("InvalidParameterValue", message + "This is not a valid CIDR block.")
        self._check_target(table, destination, targets)
        if any(route.destination_cidr_block == str(destination) for route in table.routes):
            refuse("RouteAlreadyExists", f"The route identified by {destination} already exists.")
        self._check_inside(table.vpc_id, destination)
        return super().create_route(route_table_id, str(destination), **targets)

    def replace_route(  # noqa: PLR0917 - moto's signature
        self,
        route_table_id: str,
        destination_cidr_block: str,
        destination_ipv6_cidr_block: str | None = None,
        destination_prefix_list_id: str | None = None,
        nat_gateway_id: str | None = None,
        egress_only_igw_id: str | None = None,
        transit_gateway_id: str | None = None,
        **others: Any,
    ) -> Any:
        self._check_destination(destination_cidr_block, destination_ipv6_cidr_block, destination_prefix_list_id)
        table = self.get_route_table(route_table_id)
        destination = network_of(destination_cidr_block)
        known = any(route.destination_cidr_block == str(destination) for route in table.routes)
        if destination is None or not known:
            message = f"There is no route defined for '{destination_cidr_block}' in the route table."
            refuse("InvalidParameterValue", f"{message} Use CreateRoute instead.")
        targets = {
            "nat_gateway_id": nat_gateway_id,
            "egress_only_igw_id": egress_only_igw_id,
            "transit_gateway_id": transit_gateway_id,
            **others,
        }
        self._check_target(table, destination, targets)
        return super().replace_route(route_table_id, str(destination), **targets)

    def _check_destination(self, cidr: str | None, ipv6_cidr: str | None, prefix_list_id: str | None) -> None:
        if ipv6_cidr or prefix_list_id:
            refuse("UnsupportedOperation", "The lab routes to IPv4 CIDR blocks.")
        if not cidr:
            refuse("MissingParameter", "The request must contain the parameter destinationCidrBlock")

    def _check_inside(self, vpc_id: str, destination: IPv4Network) -> None:
        """Refuse a route inside of the VPC that is not to a whole subnet.

        https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html (route priority)
        """
        inside = any(destination.subnet_of(cidr) for cidr in cidrs_of(self.get_vpc(vpc_id)))
        subnets = {subnet.cidr_block for subnet in self.describe_subnets(filters={"vpc-id": [vpc_id]})}
        if inside and str(destination) not in subnets:
            message = f"The destination CIDR block {destination} is more specific than one of this VPC's CIDR blocks. "
            refuse("InvalidParameterValue", f"{message}It must match the whole CIDR block of a subnet in the VPC.")

    def _check_target(self, table: Any, destination: IPv4Network, targets: Mapping[str, str | None]) -> None:
        given = {name: value for name, value in targets.items() if value}
        for name, what in UNSUPPORTED_TARGETS.items():
            if name in given:
                refuse("UnsupportedOperation", f"The lab has no {what}.")
        if len(given) != 1:
            message = f"The request must contain exactly one of {', '.join(TARGETS.values())}"
            refuse("InvalidParameterCombination" if given else "MissingParameter", message)
        [(name, target_id)] = given.items()
        vpc_id, what = self._target_network(name, str(target_id))
        if vpc_id != table.vpc_id:
            refuse("InvalidParameterValue", f"route table {table.id} and {what} belong to different networks")
        if "gateway" in name and is_shadowing_local(destination, cidrs_of(self.get_vpc(table.vpc_id))):
            refuse(
                "InvalidParameterValue",
                f"The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR "
                "blocks. This route can target only an interface or an instance.",
            )

    def _target_network(self, name: str, target_id: str) -> tuple[str | None, str]:
        """Return the VPC of a route's target, and AWS' description of the target."""
        if name == "gateway_id":
            if not target_id.startswith("igw-"):
                refuse("InvalidGatewayID.NotFound", f"The gateway ID '{target_id}' does not exist")
            gateway = self.get_internet_gateway(target_id)
            return (gateway.vpc.id if gateway.vpc else None), f"network gateway {target_id}"
        if name == "nat_gateway_id":
            nat = self.nat_gateways.get(target_id)
            if nat is None or nat.state not in PRESENT:
                refuse("InvalidNatGatewayID.NotFound", f"The natGateway ID '{target_id}' does not exist")
            return nat.vpc_id, f"NAT gateway {target_id}"
        if name == "instance_id":
            return self.get_instance(target_id).vpc_id, f"instance {target_id}"
        return self.get_network_interface(target_id).vpc_id, f"interface {target_id}"

    def delete_route(
        self,
        route_table_id: str,
        destination_cidr_block: str,
        destination_ipv6_cidr_block: str | None = None,
        destination_prefix_list_id: str | None = None,
    ) -> Any:
        table = self.get_route_table(route_table_id)
        network = network_of(str(destination_cidr_block))
        if network is not None:
            if any(route.local and route.destination_cidr_block == str(network) for route in table.routes):
                message = f"cannot remove local route {network} in route table {route_table_id}"
                refuse("InvalidParameterValue", message)
            destination_cidr_block = str(network)
        return super().delete_route(
            route_table_id, destination_cidr_block, destination_ipv6_cidr_block, destination_prefix_list_id
        )

    def delete_route_table(self, route_table_id: str) -> None:
        if self.get_route_table(route_table_id).main_association_id is not None:
            message = f"The routeTable '{route_table_id}' has dependencies and cannot be deleted."
            refuse("DependencyViolation", message)
        super().delete_route_table(route_table_id)
        self.forget(route_table_id)
        for endpoint in self.vpc_end_points.values():
            endpoint.route_table_ids = [each for each in endpoint.route_table_ids if each != route_table_id]

    def associate_route_table(
        self, route_table_id: str, gateway_id: str | None = None, subnet_id: str | None = None
    ) -> str:
        if gateway_id or not subnet_id:
            refuse("UnsupportedOperation", "The lab associates route tables with subnets only.")
        table, subnet = self.get_route_table(route_table_id), self.get_subnet(subnet_id)
        if table.vpc_id != subnet.vpc_id:
            message = f"Route table {route_table_id} and subnet {subnet_id} belong to different networks"
            refuse("InvalidParameterValue", message)
        if any(subnet_id in other._associations.values() for other in self.route_tables.values() if other is not table):
            message = f"the specified association for route table {route_table_id}"
            refuse("Resource.AlreadyAssociated", f"{message} conflicts with an existing association")
        return str(super().associate_route_table(route_table_id, None, subnet_id))

    def disassociate_route_table(self, association_id: str) -> Any:
        if any(table.main_association_id == association_id for table in self.route_tables.values()):
            message = f"cannot disassociate the main route table association {association_id}"
            refuse("InvalidParameterValue", message)
        return super().disassociate_route_table(association_id)

    # Network ACLs

    def create_network_acl(self, vpc_id: str, tags: Any = None, default: bool = False) -> Any:
        acl = super().create_network_acl(vpc_id, tags, default)
        if not default:  # a custom network ACL denies everything by the same final rule as the default one
            for egress in (True, False):
                super().create_network_acl_entry(
                    acl.id, FINAL_RULE, "-1", "deny", egress, "0.0.0.0/0", None, None, None, None, None
                )
        return acl

    def get_network_acl(self, network_acl_id: str) -> Any:
        if network_acl_id not in self.network_acls:
            message = f"The networkAcl ID '{network_acl_id}' does not exist"
            refuse("InvalidNetworkAclID.NotFound", message)
        return self.network_acls[network_acl_id]

    def describe_network_acls(self, network_acl_ids: list[str] | None = None, filters: Any = None) -> list[Any]:
        """Return the ACLs with these ids. The filters are those of moto's own calls."""
        for each in network_acl_ids or []:
            self.get_network_acl(each)
        return list(super().describe_network_acls(network_acl_ids, filters))

    def delete_network_acl(self, network_acl_id: str) -> Any:
        acl = self.get_network_acl(network_acl_id)
        if acl.default:
            message = f"The network ACL '{network_acl_id}' is a default one and cannot be deleted."
            refuse("InvalidParameterValue", message)
        deleted = super().delete_network_acl(network_acl_id)
        self.forget(network_acl_id)
        return deleted

    def replace_network_acl_association(self, association_id: str, network_acl_id: str) -> Any:
        """Replace the association. moto removes it from its ACL before it checks the new one."""
        wanted = self.get_network_acl(network_acl_id)
        known = next((acl for acl in self.network_acls.values() if association_id in acl._associations), None)
        if known is None:
            refuse("InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist")
        if wanted.vpc_id != known.vpc_id:
            subnet_id = known._associations[association_id].subnet_id
            message = f"Network ACL {network_acl_id} and subnet {subnet_id} belong to different networks"
            refuse("InvalidParameterValue", message)
        return super().replace_network_acl_association(association_id, network_acl_id)

    def create_network_acl_entry(self, network_acl_id: str, rule_number: int, *fields: Any, **options: Any) -> Any:
        if not self._is_making_default_entries(network_acl_id):
            check_rule_number(rule_number)
            options = {**options, **checked_entry(options)} if options else options
        return super().create_network_acl_entry(network_acl_id, rule_number, *fields, **options)

    def _is_making_default_entries(self, network_acl_id: str) -> bool:
        """Return whether moto is creating the four entries of a default ACL, which it does with the public method."""
        acl = self.get_network_acl(network_acl_id)
        return bool(acl.default and len([e for e in acl.network_acl_entries if e.rule_number == FINAL_RULE]) < 2)

    def delete_network_acl_entry(self, network_acl_id: str, rule_number: int, egress: bool) -> Any:
        check_rule_number(rule_number)
        acl = self.get_network_acl(network_acl_id)
        if not any(each.egress == egress and each.rule_number == rule_number for each in acl.network_acl_entries):
            direction = "egress" if egress else "ingress"
            message = f"The {direction} entry with rule number {rule_number} does not exist in {network_acl_id}"
            refuse("InvalidNetworkAclEntry.NotFound", message)
        return super().delete_network_acl_entry(network_acl_id, rule_number, egress)


class RoutesResponses(EC2Response):
    def create_network_acl_entry(self) -> ActionResult:
        self.params["Icmp"] = self.params.get("IcmpTypeCode")  # moto has the name of an older API
        return super().create_network_acl_entry()

    def replace_network_acl_entry(self) -> ActionResult:
        self.params["Icmp"] = self.params.get("IcmpTypeCode")
        return super().replace_network_acl_entry()


def check_rule_number(number: int) -> None:
    if not 1 <= int(number) <= HIGHEST_RULE:
        message = f"Value ({number}) for parameter ruleNumber is invalid. Rule numbers are 1-{HIGHEST_RULE}."
        refuse("InvalidParameterValue", message)


def checked_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Check an entry of a network ACL, and return the fields that AWS normalizes.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html
    """
    if entry["ipv6_cidr_block"]:
        refuse("UnsupportedOperation", "The lab has no IPv6.")
    if not entry["cidr_block"]:
        refuse("MissingParameter", "The request must contain the parameter cidrBlock")
    if entry["rule_action"] not in ("allow", "deny"):
        message = f"Value ({entry['rule_action']}) for parameter ruleAction is invalid. Valid values are: allow, deny."
        refuse("InvalidParameterValue", message)
    protocol = protocol_of(entry["protocol"])
    if protocol in ("tcp", "udp"):
        ports_of(protocol, entry["port_range_from"], entry["port_range_to"])
    if protocol == "icmp":
        for name in ("type", "code"):
            value = entry[f"icmp_{name}"]
            if value is None:
                refuse("MissingParameter", f"The request must contain the parameter icmpTypeCode.{name}")
            if not -1 <= int(value) <= 255:
                refuse("InvalidParameterValue", f"Value ({value}) for parameter icmpTypeCode.{name} is invalid.")
    return {"cidr_block": canonical(entry["cidr_block"]), "protocol": NUMBERS.get(protocol, protocol)}
