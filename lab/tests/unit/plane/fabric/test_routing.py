"""Route tables in the kernel."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from groundwork_lab.model import GatewayEndpoint, InternetGateway, Route, World
from groundwork_lab.plane.fabric.kernel import Rule
from groundwork_lab.plane.fabric.routing import local_routes, rules, table_routes
from groundwork_lab.plane.fabric.topology import survey


def route(destination: str, target: str) -> Route:
    return Route(IPv4Network(destination), target)


def rendered(world: World, *routes: Route, endpoints: tuple[str, ...] = ()) -> set[str]:
    """Return `destination via gateway dev device` for the private subnet's table with these routes."""
    table = replace(world.route_tables["rtb-p"], routes=routes, endpoint_ids=endpoints)
    world = replace(world, route_tables={**world.route_tables, "rtb-p": table})
    (network,) = survey(world)
    return {
        f"{each.destination} via {each.gateway} dev {each.device}" if each.device else f"{each.destination} blackhole"
        for each in table_routes(world, network, table)
    }


LOCAL = route("10.0.0.0/16", "local")


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ((LOCAL,), {"0.0.0.0/0 blackhole"}),
        ((LOCAL, route("0.0.0.0/0", "nat-1")), {"0.0.0.0/0 via 10.0.0.9 dev eninat1"}),
        ((route("0.0.0.0/0", "igw-1"),), {"0.0.0.0/0 via 169.254.255.1 dev igw"}),
        ((route("0.0.0.0/0", "igw-other"),), {"0.0.0.0/0 blackhole"}),
        ((route("0.0.0.0/0", "nat-gone"),), {"0.0.0.0/0 blackhole"}),
        ((route("0.0.0.0/0", "eni-web1"),), {"0.0.0.0/0 via 10.0.0.11 dev eniweb1"}),
        (
            (route("0.0.0.0/0", "nat-1"), route("192.0.2.0/24", "igw-1"), route("192.0.2.7/32", "eni-gone")),
            {
                "0.0.0.0/0 via 10.0.0.9 dev eninat1",
                "192.0.2.0/24 via 169.254.255.1 dev igw",
                "192.0.2.7/32 blackhole",
            },
        ),
    ],
)
def test_a_table_follows_its_routes(world: World, routes: tuple[Route, ...], expected: set[str]) -> None:
    assert rendered(world, *routes) == expected


def test_a_detached_gateway_is_a_black_hole(world: World) -> None:
    detached = replace(world, internet_gateways={"igw-1": InternetGateway("igw-1", None)})
    assert rendered(detached, route("0.0.0.0/0", "igw-1")) == {"0.0.0.0/0 blackhole"}


def test_an_endpoint_leads_to_s3(world: World) -> None:
    to_s3 = "198.18.0.4/32 via 169.254.255.3 dev aws"
    assert to_s3 not in rendered(world, endpoints=("vpce-1",)), "an endpoint that is gone"
    endpoint = GatewayEndpoint("vpce-1", "vpc-1", "com.amazonaws.eu-central-1.s3")
    world = replace(world, gateway_endpoints={"vpce-1": endpoint})
    assert to_s3 in rendered(world, endpoints=("vpce-1",))
    assert to_s3 not in rendered(world)


def test_the_local_table_knows_the_interfaces_and_no_other_address(world: World) -> None:
    (network,) = survey(world)
    table = {str(each.destination): each.device for each in local_routes(network)}
    assert table == {
        "10.0.0.9/32": "eninat1",
        "10.0.0.11/32": "eniweb1",
        "10.0.0.12/32": "eniweb2",
        "10.0.1.13/32": "eniweb3",
        "10.0.10.21/32": "eniapp1",
        "10.0.10.22/32": "eniapp2",
        "10.0.0.0/16": None,
        "169.254.0.0/16": None,
    }


def test_the_way_depends_on_the_interface_that_sent(world: World) -> None:
    (network,) = survey(world)
    tables = network.tables
    by_device = {rule.incoming: rule.table for rule in rules(network) if rule.incoming}
    assert by_device == {
        "eninat1": tables["rtb-a"],
        "eniweb1": tables["rtb-a"],
        "eniweb2": tables["rtb-a"],
        "eniweb3": tables["rtb-c"],
        "eniapp1": tables["rtb-p"],
        "eniapp2": tables["rtb-p"],
    }
    general = sorted(rule.priority for rule in rules(network) if not rule.incoming)
    ours = {rule.priority for rule in rules(network) if rule.incoming}
    assert general[0] < general[1] < min(ours) <= max(ours) < general[2], "DNS, local, the subnet's table, the end"


def test_a_route_more_specific_than_local_comes_before_it(world: World) -> None:
    inside = IPv4Network("10.0.1.0/24")
    table = replace(world.route_tables["rtb-p"], routes=(LOCAL, Route(inside, "eni-web1")))
    (network,) = survey(replace(world, route_tables={**world.route_tables, "rtb-p": table}))
    number = network.tables["rtb-p"]
    specific = {rule for rule in rules(network) if rule.destination}
    assert specific == {Rule(200, number, device, inside) for device in ("eniapp1", "eniapp2")}


def test_a_subnet_without_a_table_leads_nowhere(world: World) -> None:
    (network,) = survey(replace(world, route_tables={}))
    assert not [rule for rule in rules(network) if rule.incoming]
