"""The lab's DNS records, from a `World` only."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from groundwork_lab.apart import Apart
from groundwork_lab.model import (
    Database,
    Distribution,
    FileSystem,
    Interface,
    LoadBalancer,
    MountTarget,
    Subnet,
    Vpc,
    World,
)
from groundwork_lab.plane.names import records
from groundwork_lab.plane.names.zones import by_name
from groundwork_lab.settings import EDGE, EDGE_HTTP_1

VPC = Vpc("vpc-1", (IPv4Network("10.20.0.0/16"),), dns_support=True, dns_hostnames=True)
HOST = Interface(
    id="eni-1",
    vpc_id="vpc-1",
    subnet_id="subnet-1",
    mac="02:00:00:00:00:01",
    private_ip=IPv4Address("10.20.0.5"),
    public_ip=IPv4Address("198.19.0.5"),
    security_group_ids=(),
    source_dest_check=True,
    owner="instance",
    owner_id="i-1",
)
PRIVATE = (IPv4Address("10.20.0.5"), "ip-10-20-0-5.eu-central-1.compute.internal")
PUBLIC = (IPv4Address("198.19.0.5"), "ec2-198-19-0-5.eu-central-1.compute.amazonaws.com")
NODES = {
    f"eni-{number}": replace(
        HOST,
        id=f"eni-{number}",
        private_ip=IPv4Address(f"10.20.{number}.9"),
        public_ip=IPv4Address(f"198.19.{number}.9"),
        owner="load-balancer",
    )
    for number in (7, 8)
}
BALANCER = LoadBalancer(
    arn="arn:lb",
    name="web",
    dns_name="Web-1.eu-central-1.elb.amazonaws.com",
    scheme="internet-facing",
    vpc_id="vpc-1",
    interface_ids=("eni-7", "eni-8"),
    listeners=(),
    attributes={},
)


def world(interface: Interface, vpc: Vpc = VPC) -> World:
    return World(vpcs={vpc.id: vpc}, interfaces={interface.id: interface})


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        pytest.param(World(), set(), id="nothing"),
        pytest.param(world(HOST), {PRIVATE, PUBLIC}, id="public host"),
        pytest.param(world(replace(HOST, public_ip=None)), {PRIVATE}, id="private host"),
        pytest.param(world(HOST, replace(VPC, dns_hostnames=False)), {PRIVATE}, id="no DNS hostnames"),
        pytest.param(world(HOST, replace(VPC, dns_support=False)), set(), id="no DNS support"),
        pytest.param(world(replace(HOST, owner="nat-gateway")), set(), id="NAT gateway"),
        pytest.param(World(interfaces={"eni-1": HOST}), set(), id="VPC just gone"),
    ],
)
def test_hosts_have_their_names(world: World, expected: set[tuple[IPv4Address, str]]) -> None:
    assert records(world, Apart()) == expected


@pytest.mark.parametrize(
    ("balancer", "addresses"),
    [
        pytest.param(BALANCER, ["198.19.7.9", "198.19.8.9"], id="internet-facing"),
        pytest.param(replace(BALANCER, scheme="internal"), ["10.20.7.9", "10.20.8.9"], id="internal"),
        pytest.param(replace(BALANCER, interface_ids=("eni-7", "eni-gone")), ["198.19.7.9"], id="one node gone"),
    ],
)
def test_a_balancer_has_the_addresses_of_its_nodes(balancer: LoadBalancer, addresses: list[str]) -> None:
    found = by_name(records(World(interfaces=NODES, load_balancers={balancer.arn: balancer}), Apart()))
    assert found == {"web-1.eu-central-1.elb.amazonaws.com": [IPv4Address(address) for address in addresses]}


def test_a_file_system_has_a_name_and_one_for_each_zone() -> None:
    subnets = {"subnet-7": Subnet("subnet-7", "vpc-1", IPv4Network("10.20.7.0/24"), "eu-central-1a", "rtb-1", "acl-1")}
    targets = (MountTarget("fsmt-7", "eni-7"), MountTarget("fsmt-gone", "eni-gone"))
    nodes = {"eni-7": replace(NODES["eni-7"], subnet_id="subnet-7", owner="mount-target")}
    world = World(interfaces=nodes, subnets=subnets, file_systems={"fs-1": FileSystem("fs-1", targets)})
    assert by_name(records(world, Apart())) == {
        "eu-central-1a.fs-1.efs.eu-central-1.amazonaws.com": [IPv4Address("10.20.7.9")],
        "fs-1.efs.eu-central-1.amazonaws.com": [IPv4Address("10.20.7.9")],
    }


@pytest.mark.parametrize("enabled", [True, False])
def test_an_enabled_distribution_has_the_address_of_the_edge(enabled: bool) -> None:
    made = Distribution("E1", "arn:aws:cloudfront::1:distribution/E1", "D1.cloudfront.net", {"Enabled": enabled})
    wanted = {(IPv4Address("198.18.0.6"), "d1.cloudfront.net")} if enabled else set()
    assert records(World(distributions={"E1": made}), Apart()) == wanted


def test_a_name_that_cannot_be_a_record_keeps_no_other_from_being_one() -> None:
    good = Distribution("E1", "arn:1", "d1.cloudfront.net", {"Enabled": True})
    bad = replace(good, id="E2", domain_name="d2.cloudfront.net\n198.18.0.2 evil.example.com")
    apart = Apart()
    assert records(World(distributions={"E1": good, "E2": bad}), apart) == {(EDGE, "d1.cloudfront.net")}
    assert list(apart.reasons) == ["E2"]


@pytest.mark.parametrize(
    ("version", "address"),
    [
        ({}, EDGE),
        ({"HttpVersion": "http2"}, EDGE),
        ({"HttpVersion": "http2and3"}, EDGE),
        ({"HttpVersion": "http1.1"}, EDGE_HTTP_1),
    ],
)
def test_a_distribution_without_http_2_has_another_address(version: dict[str, str], address: IPv4Address) -> None:
    made = Distribution("E1", "arn", "d1.cloudfront.net", {"Enabled": True, **version})
    assert records(World(distributions={"E1": made}), Apart()) == {(address, "d1.cloudfront.net")}


def test_the_endpoint_of_a_db_instance() -> None:
    database = Database(
        id="db-1",
        name="site",
        endpoint="site.c0.eu-central-1.rds.amazonaws.com",
        port=3306,
        interface_id="eni-1",
        gib=20,
        stopped=True,
        generation=1,
        boots=0,
        user="admin",
        password="secret",
        schema="",
        parameters={},
        logged=True,
    )
    own = replace(HOST, owner="database", owner_id="db-1")
    given = replace(world(own), databases={"db-1": database})
    assert records(given, Apart()) == {(HOST.private_ip, "site.c0.eu-central-1.rds.amazonaws.com")}
