"""What a world means for the network: each VPC with the parts that are really there.

References that lead nowhere (an API call in between, a resource that is gone) are left out here, so that the
builders need not ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from groundwork_lab.model import Interface, InternetGateway, RouteTable, Subnet, Vpc, World
from groundwork_lab.plane.fabric.naming import numbering

# Addresses of links between the fabric's own routers. No VPC may use 169.254.0.0/16
# (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html), so none collides with a host's.
GATEWAY_LINK = IPv4Address("169.254.255.1")  # an internet gateway, as its VPC's router sees it
ROUTER_LINK = IPv4Address("169.254.255.2")  # a VPC's router, as its internet gateway sees it
AWS_LINK = IPv4Address("169.254.255.3")  # the AWS plane, as VPCs' routers see it
_FIRST_TRANSFER = IPv4Address("169.254.0.1")  # up to 169.254.127.254: a VPC's router, as the AWS plane sees it
_TRANSFERS = 0x7FFE

_FIRST_TABLE = 1000
_TABLES = 1_000_000

_STOPPED = ("stopping", "stopped", "shutting-down", "terminated")


@dataclass(frozen=True)
class Network:
    """One VPC. All ids in it resolve: an interface's subnet is in `subnets`, a subnet's table may be absent."""

    vpc: Vpc
    subnets: Mapping[str, Subnet]
    interfaces: Mapping[str, Interface]  # those with an owner
    gateway: InternetGateway | None
    route_tables: Mapping[str, RouteTable]
    tables: Mapping[str, int]  # the kernel's number of each route table
    transfer: IPv4Address  # of its router on the management link; different for each VPC

    def members(self, subnet_id: str) -> list[Interface]:
        """The interfaces of a subnet."""
        return [interface for interface in self.interfaces.values() if interface.subnet_id == subnet_id]

    def table_of(self, interface: Interface) -> RouteTable | None:
        """The route table that an interface's packets follow."""
        return self.route_tables.get(self.subnets[interface.subnet_id].route_table_id)


def survey(world: World) -> tuple[Network, ...]:
    """The VPCs that need a router (they have an interface or an internet gateway), by id."""
    transfers = numbering(world.vpcs, _TRANSFERS)
    networks = (_network(world, vpc, _FIRST_TRANSFER + transfers[vpc.id]) for _, vpc in sorted(world.vpcs.items()))
    return tuple(network for network in networks if network.interfaces or network.gateway)


def _network(world: World, vpc: Vpc, transfer: IPv4Address) -> Network:
    subnets = {subnet.id: subnet for _, subnet in sorted(world.subnets.items()) if subnet.vpc_id == vpc.id}
    tables = {table.id: table for _, table in sorted(world.route_tables.items()) if table.vpc_id == vpc.id}
    gateways = sorted(gateway.id for gateway in world.internet_gateways.values() if gateway.vpc_id == vpc.id)
    return Network(
        vpc=vpc,
        subnets=subnets,
        interfaces={
            interface.id: interface
            for _, interface in sorted(world.interfaces.items())
            if interface.subnet_id in subnets and interface.owner != "none"
        },
        gateway=world.internet_gateways[gateways[0]] if gateways else None,
        route_tables=tables,
        tables={name: _FIRST_TABLE + number for name, number in numbering(tables, _TABLES).items()},
        transfer=transfer,
    )


def public_addresses(world: World, network: Network) -> dict[IPv4Address, IPv4Address]:
    """What the VPC's internet gateway translates: private to public address.

    Only interfaces in subnets whose route table leads to the gateway take part.
    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
    """
    if network.gateway is None:
        return {}
    addresses = {}
    for interface in network.interfaces.values():
        public = public_address(world, interface)
        if public is not None and leads_to(network.table_of(interface), network.gateway.id):
            addresses[interface.private_ip] = public
    return addresses


def public_address(world: World, interface: Interface) -> IPv4Address | None:
    """An interface's public address; a NAT gateway's own record counts when its interface has none."""
    if interface.public_ip is not None or interface.owner != "nat-gateway":
        return interface.public_ip
    gateway = world.nat_gateways.get(interface.owner_id)
    return gateway.public_ip if gateway else None


def leads_to(table: RouteTable | None, target: str) -> bool:
    return table is not None and any(route.target == target for route in table.routes)


def target_interface(world: World, network: Network, target: str) -> Interface | None:
    """The interface behind a route's target (NAT gateway, interface, instance), None when it is gone.

    A route to a stopped instance or its interface is a black hole, as in
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
    """
    interface_id = target
    if target in world.nat_gateways:
        interface_id = world.nat_gateways[target].interface_id
    elif target in world.instances:
        interface_id = world.instances[target].interface_id
    interface = network.interfaces.get(interface_id)
    owner = world.instances.get(interface.owner_id) if interface else None
    return None if owner is not None and owner.state in _STOPPED else interface
