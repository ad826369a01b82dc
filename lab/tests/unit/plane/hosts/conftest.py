"""A `World` with one instance, and functions to request its metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from groundwork_lab.model import (
    Instance,
    Interface,
    MetadataOptions,
    SecurityGroup,
    Subnet,
    Vpc,
    World,
)

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world() -> MakeWorld:
    """Return a function that returns a `World` with `i-1`.

    Its keywords replace fields of the instance; `public_ip` and `dns_hostnames` those of the interface and the VPC.
    """

    def make(*, public_ip: str | None = "198.19.0.7", dns_hostnames: bool = True, **fields: Any) -> World:
        interface = Interface(
            id="eni-1",
            vpc_id="vpc-1",
            subnet_id="subnet-1",
            mac="02:aa:bb:cc:dd:01",
            private_ip=IPv4Address("10.20.0.5"),
            public_ip=IPv4Address(public_ip) if public_ip else None,
            security_group_ids=("sg-1", "sg-2"),
            source_dest_check=True,
            owner="instance",
            owner_id="i-1",
        )
        instance = Instance(
            id="i-1",
            image_id="ami-1",
            instance_type="t3.micro",
            zone="eu-central-1a",
            state="running",
            interface_id="eni-1",
            key_name="mine",
            public_key="ssh-ed25519 AAAA someone@somewhere",
            user_data=b"#!/bin/sh\n",
            metadata=MetadataOptions("required", 2, True),
            instance_profile_arn=None,
            launch_time="2026-01-02T03:04:05Z",
            tags={"Name": "one", "tier": "public"},
        )
        return World(
            vpcs={"vpc-1": Vpc("vpc-1", (IPv4Network("10.20.0.0/16"),), True, dns_hostnames)},
            subnets={
                "subnet-1": Subnet("subnet-1", "vpc-1", IPv4Network("10.20.0.0/24"), "eu-central-1a", "rtb-1", "acl-1")
            },
            security_groups={
                "sg-1": SecurityGroup("sg-1", "vpc-1", "web", (), ()),
                "sg-2": SecurityGroup("sg-2", "vpc-1", "ssh", (), ()),
            },
            interfaces={"eni-1": interface},
            instances={"i-1": replace(instance, **fields)},
        )

    return make
