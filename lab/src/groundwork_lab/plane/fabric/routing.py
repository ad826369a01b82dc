"""The kernel's routing of a VPC: its route tables, and rules that select one by the incoming interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from groundwork_lab import model
from groundwork_lab.model import Interface, RouteTable, World
from groundwork_lab.plane.fabric.kernel import DEFAULT, Route, Rule
from groundwork_lab.plane.fabric.naming import device_name
from groundwork_lab.plane.fabric.topology import AWS_LINK, GATEWAY_LINK, Network, target_interface
from groundwork_lab.settings import RESOLVER, S3

GATEWAY_DEVICE = "igw"  # of a router, to its internet gateway
AWS_DEVICE = "aws"  # of a router, to the AWS plane
DNS_MARK = 53  # packets to AmazonProvidedDNS

DNS_TABLE = 100
LOCAL_TABLE = 101

# Order of the rules: the name server, routes more specific than `local`, `local`, the subnet's route table, drop.
_DNS_PRIORITY = 100
_SPECIFIC_PRIORITY = 200
_LOCAL_PRIORITY = 300
_SUBNET_PRIORITY = 400
_END_PRIORITY = 500

LINK_LOCAL = IPv4Network("169.254.0.0/16")


@dataclass(frozen=True)
class Hop:
    gateway: IPv4Address
    device: str


def routes(world: World, network: Network) -> frozenset[Route]:
    """Return all routes of a VPC's router."""
    tables = (route for table in network.route_tables.values() for route in table_routes(world, network, table))
    return frozenset([*local_routes(network), *dns_routes(), *tables])


def local_routes(network: Network) -> Iterator[Route]:
    """Yield the `local` routes: to each interface, and a blackhole for the other VPC and link-local addresses."""
    for interface in network.interfaces.values():
        yield Route(IPv4Network(interface.private_ip), device_name(interface.id), table=LOCAL_TABLE)
    for cidr in (*network.vpc.cidrs, LINK_LOCAL):
        yield Route(cidr, table=LOCAL_TABLE)


def dns_routes() -> Iterator[Route]:
    yield Route(IPv4Network(RESOLVER), AWS_DEVICE, AWS_LINK, DNS_TABLE)


def table_routes(world: World, network: Network, table: RouteTable) -> Iterator[Route]:
    """Yield the routes of one route table. A missing target, and the default without a route, are blackholes."""
    number = network.tables[table.id]
    destinations = {DEFAULT: Route(DEFAULT, table=number)}
    for route in table.routes:
        if route.target != "local":
            destinations[route.destination] = _route(world, network, route, number)
    if any(endpoint in world.gateway_endpoints for endpoint in table.endpoint_ids):
        destinations[IPv4Network(S3)] = Route(IPv4Network(S3), AWS_DEVICE, AWS_LINK, number)
    yield from destinations.values()


def _route(world: World, network: Network, route: model.Route, number: int) -> Route:
    hop = _hop(world, network, route.target)
    if hop is None:
        return Route(route.destination, table=number)
    return Route(route.destination, hop.device, hop.gateway, number)


def _hop(world: World, network: Network, target: str) -> Hop | None:
    if network.gateway is not None and target == network.gateway.id:
        return Hop(GATEWAY_LINK, GATEWAY_DEVICE)
    interface = target_interface(world, network, target)
    return Hop(interface.private_ip, device_name(interface.id)) if interface else None


def rules(network: Network) -> frozenset[Rule]:
    """Return the rules that select the route table of the sender's subnet."""
    subnets = (rule for interface in network.interfaces.values() for rule in _interface_rules(network, interface))
    return frozenset(
        [
            Rule(_DNS_PRIORITY, DNS_TABLE, mark=DNS_MARK),
            Rule(_LOCAL_PRIORITY, LOCAL_TABLE),
            *subnets,
            Rule(_END_PRIORITY, None),
        ]
    )


def _interface_rules(network: Network, interface: Interface) -> Iterator[Rule]:
    table = network.table_of(interface)
    if table is None:
        return
    device, number = device_name(interface.id), network.tables[table.id]
    yield Rule(_SUBNET_PRIORITY, number, incoming=device)
    for route in table.routes:
        if route.target != "local" and any(route.destination.subnet_of(cidr) for cidr in network.vpc.cidrs):
            # A route more specific than the local route takes precedence, for middlebox appliances:
            # https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html
            yield Rule(_SPECIFIC_PRIORITY, number, incoming=device, destination=route.destination)
