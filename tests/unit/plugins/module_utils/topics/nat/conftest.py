"""A network with two zones, and the options of `ec2_vpc_nat` as Ansible hands them over."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network

COMMON = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "tiers": [{"name": "public", "public": True}, {"name": "private", "public": False}],
    "purge": False,
}
NETWORK = {**COMMON, "cidr": "10.20.0.0/16", "subnet_prefix": 24, "subnet_cidrs": {}, "s3_endpoint": False}


@pytest.fixture
def options() -> t.Callable[..., dict[str, t.Any]]:
    return lambda **given: {**COMMON, "mode": "single", "tier": None, "addresses": {}, **given}


@pytest.fixture
def build_network() -> t.Callable[..., dict[str, t.Any]]:
    return lambda cloud, **given: cloud.run(converge_network, {**NETWORK, **given})
