"""The existing resources of a `World`."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from groundwork_lab.model import Instance, InternetGateway, MetadataOptions, Route, Vpc, World
from groundwork_lab.plane.fabric.topology import public_addresses, survey, target_interface


def instance(state: str) -> Instance:
    return Instance(
        id="i-web1",
        image_id="ami-1",
        instance_type="t3.micro",
        zone="eu-central-1a",
        state=state,
        interface_id="eni-web1",
        key_name=None,
        public_key=None,
        user_data=b"",
        metadata=MetadataOptions("required", 1, True),
        instance_profile_arn=None,
        launch_time="2026-01-01T00:00:00Z",
    )


def test_an_idle_vpc_needs_no_router(world: World) -> None:
    idle = replace(world, interfaces={}, internet_gateways={})
    assert survey(idle) == ()
    attached = replace(idle, internet_gateways=world.internet_gateways)
    assert [network.vpc.id for network in survey(attached)] == ["vpc-1"]


def test_references_that_lead_nowhere_are_left_out(world: World) -> None:
    lost = replace(world.interfaces["eni-web1"], id="eni-lost", subnet_id="subnet-gone")
    free = replace(world.interfaces["eni-web1"], id="eni-free", owner="none")
    (network,) = survey(replace(world, interfaces={**world.interfaces, "eni-lost": lost, "eni-free": free}))
    assert set(network.interfaces) == set(world.interfaces)


def test_each_vpc_has_a_transfer_address_of_its_own(world: World) -> None:
    vpcs = {f"vpc-{number}": Vpc(f"vpc-{number}", (IPv4Network("10.0.0.0/16"),), True, True) for number in range(30)}
    gateways = {f"igw-{name}": InternetGateway(f"igw-{name}", name) for name in vpcs}
    transfers = {network.transfer for network in survey(World(vpcs=vpcs, internet_gateways=gateways))}
    assert len(transfers) == 30
    assert all(transfer in IPv4Network("169.254.0.0/17") for transfer in transfers)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ((Route(IPv4Network("0.0.0.0/0"), "igw-1"),), {"10.0.1.13": "198.19.0.13"}),
        ((Route(IPv4Network("192.0.2.0/24"), "igw-1"),), {"10.0.1.13": "198.19.0.13"}),
        ((Route(IPv4Network("0.0.0.0/0"), "igw-2"),), {}),
        ((Route(IPv4Network("0.0.0.0/0"), "nat-1"),), {}),
        ((), {}),
    ],
)
def test_only_subnets_with_a_route_to_the_gateway_have_public_addresses(
    world: World, routes: tuple[Route, ...], expected: dict[str, str]
) -> None:
    tables = {name: replace(table, routes=()) for name, table in world.route_tables.items()}
    tables["rtb-c"] = replace(tables["rtb-c"], routes=routes)
    world = replace(world, route_tables=tables)
    (network,) = survey(world)
    assert {str(private): str(public) for private, public in public_addresses(world, network).items()} == expected


def test_a_nat_gateways_own_record_tells_its_address_too(world: World) -> None:
    interface = replace(world.interfaces["eni-nat1"], public_ip=None)
    world = replace(world, interfaces={**world.interfaces, "eni-nat1": interface})
    (network,) = survey(world)
    assert public_addresses(world, network)[IPv4Address("10.0.0.9")] == IPv4Address("198.19.0.9")


@pytest.mark.parametrize(
    ("target", "state", "found"),
    [
        ("eni-web1", "running", "eni-web1"),
        ("i-web1", "running", "eni-web1"),
        ("i-web1", "pending", "eni-web1"),
        ("i-web1", "stopped", None),
        ("eni-web1", "stopped", None),
        ("eni-gone", "running", None),
        ("nat-1", "running", "eni-nat1"),
        ("nat-gone", "running", None),
        ("pcx-1", "running", None),
    ],
)
def test_a_target_is_an_interface_or_gone(world: World, target: str, state: str, found: str | None) -> None:
    world = replace(world, instances={"i-web1": instance(state)})
    (network,) = survey(world)
    interface = target_interface(world, network, target)
    assert (interface.id if interface else None) == found
