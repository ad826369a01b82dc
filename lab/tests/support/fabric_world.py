"""The `World` of the fabric's tests: a VPC with two public subnets, a private one, and six interfaces."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from groundwork_lab.model import (
    Interface,
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkAclEntry,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Vpc,
    World,
)

ANYWHERE = IPv4Network("0.0.0.0/0")
CIDR = IPv4Network("10.0.0.0/16")
LOCAL = Route(CIDR, "local")
ALL = SecurityGroupRule("-1", None, None, (ANYWHERE,))
WEB = SecurityGroupRule("tcp", 80, 80, (ANYWHERE,))
DATABASE = SecurityGroupRule("tcp", 3306, 3306, group_ids=("sg-web",))

INTERFACES = (
    # id, subnet, address, public address, groups, owner, owner's id
    ("eni-web1", "subnet-a", "10.0.0.11", "198.19.0.11", ("sg-web",), "instance", "i-web1"),
    ("eni-web2", "subnet-a", "10.0.0.12", "198.19.0.12", ("sg-web",), "instance", "i-web2"),
    ("eni-web3", "subnet-c", "10.0.1.13", "198.19.0.13", ("sg-web",), "instance", "i-web3"),
    ("eni-nat1", "subnet-a", "10.0.0.9", "198.19.0.9", (), "nat-gateway", "nat-1"),
    ("eni-app1", "subnet-p", "10.0.10.21", None, ("sg-app",), "instance", "i-app1"),
    ("eni-app2", "subnet-p", "10.0.10.22", None, ("sg-app", "sg-web"), "instance", "i-app2"),
)


@pytest.fixture(scope="session")
def world() -> World:
    """Return the `World`. Servers `web` accept port 80 from anywhere, servers `app` accept port 3306 from `web`."""
    return World(
        vpcs={"vpc-1": Vpc("vpc-1", (CIDR,), dns_support=True, dns_hostnames=True)},
        subnets={
            name: Subnet(name, "vpc-1", IPv4Network(cidr), zone, table, "acl-1")
            for name, cidr, zone, table in (
                ("subnet-a", "10.0.0.0/24", "eu-central-1a", "rtb-a"),
                ("subnet-c", "10.0.1.0/24", "eu-central-1c", "rtb-c"),
                ("subnet-p", "10.0.10.0/24", "eu-central-1a", "rtb-p"),
            )
        },
        route_tables={
            "rtb-a": RouteTable("rtb-a", "vpc-1", (LOCAL, Route(ANYWHERE, "igw-1"))),
            "rtb-c": RouteTable("rtb-c", "vpc-1", (LOCAL, Route(ANYWHERE, "igw-1"))),
            "rtb-p": RouteTable("rtb-p", "vpc-1", (LOCAL, Route(ANYWHERE, "nat-1"))),
        },
        internet_gateways={"igw-1": InternetGateway("igw-1", "vpc-1")},
        nat_gateways={"nat-1": NatGateway("nat-1", "vpc-1", "subnet-a", "eni-nat1", IPv4Address("198.19.0.9"))},
        interfaces={
            name: Interface(
                id=name,
                vpc_id="vpc-1",
                subnet_id=subnet,
                mac=f"02:00:00:00:00:{number:02x}",
                private_ip=IPv4Address(private),
                public_ip=IPv4Address(public) if public else None,
                security_group_ids=groups,
                source_dest_check=True,
                owner=owner,
                owner_id=owner_id,
            )
            for number, (name, subnet, private, public, groups, owner, owner_id) in enumerate(INTERFACES, start=1)
        },
        security_groups={
            "sg-web": SecurityGroup("sg-web", "vpc-1", "web", ingress=(WEB,), egress=(ALL,)),
            "sg-app": SecurityGroup("sg-app", "vpc-1", "app", ingress=(DATABASE,), egress=(ALL,)),
        },
        network_acls={
            "acl-1": NetworkAcl(
                "acl-1",
                "vpc-1",
                (
                    NetworkAclEntry(100, egress=True, protocol="-1", allow=True, cidr=ANYWHERE),
                    NetworkAclEntry(100, egress=False, protocol="-1", allow=True, cidr=ANYWHERE),
                ),
            )
        },
    )
