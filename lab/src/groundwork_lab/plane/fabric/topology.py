"""The VPCs of a `World`, reduced to existing resources.

References to missing resources (between two API calls, or after a deletion) are left out here, so that the other
modules need no checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from groundwork_lab.model import Interface, InternetGateway, RouteTable, Subnet, Vpc, World
from groundwork_lab.plane.fabric.naming import numbering

# Addresses of links between the fabric's routers. A VPC cannot use 169.254.0.0/16
# (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html), so they do not conflict with a host's.
GATEWAY_LINK = IPv4Address("169.254.255.1")  # an internet gateway, for the router of its VPC
ROUTER_LINK = IPv4Address("169.254.255.2")  # a VPC's router, for its internet gateway
AWS_LINK = IPv4Address("169.254.255.3")  # the AWS plane, for the routers of VPCs
_FIRST_TRANSFER = IPv4Address("169.254.0.1")  # up to 169.254.127.254: a VPC's router, for the AWS plane
_TRANSFERS = 0x7FFE

_FIRST_TABLE = 1000
_TABLES = 1_000_000

_STOPPED = ("stopping", "stopped", "shutting-down", "terminated")


@dataclass(frozen=True)
class Network:
    """A VPC. An interface's subnet is always in `subnets`. A subnet's route table may be missing."""

    vpc: Vpc
    subnets: Mapping[str, Subnet]
    interfaces: Mapping[str, Interface]  # interfaces that have an owner
    gateway: InternetGateway | None
    route_tables: Mapping[str, RouteTable]
    tables: Mapping[str, int]  # the kernel's number of each route table
    transfer: IPv4Address  # address of its router on the management link, unique per VPC

    def members(self, subnet_id: str) -> list[Interface]:
        """Return the interfaces of a subnet."""
        return [interface for interface in self.interfaces.values() if interface.subnet_id == subnet_id]

    def table_of(self, interface: Interface) -> RouteTable | None:
        """Return the route table of an interface's subnet."""
        return self.route_tables.get(self.subnets[interface.subnet_id].route_table_id)


def survey(world: World) -> tuple[Network, ...]:
    """Return the VPCs that need a router (they have an interface or an internet gateway), by id."""
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
    """Return the addresses that the VPC's internet gateway translates: private to public.

    Only interfaces in subnets with a route to the gateway are included.
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
    """Return an interface's public address, or for a NAT gateway's interface without one, the gateway's."""
    if interface.public_ip is not None or interface.owner != "nat-gateway":
        return interface.public_ip
    gateway = world.nat_gateways.get(interface.owner_id)
    return gateway.public_ip if gateway else None


def leads_to(table: RouteTable | None, target: str) -> bool:
    return table is not None and any(route.target == target for route in table.routes)


def target_interface(world: World, network: Network, target: str) -> Interface | None:
    """Return the interface of a route's target (NAT gateway, interface, instance), or None if it does not exist.

    A route to a stopped instance or its interface is a blackhole route:
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
