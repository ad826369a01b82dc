"""A VPC to put groups into, and the options of `ec2_security_groups` as Ansible hands them over."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, specification

RULE = {"protocol": "tcp", "ports": None, "cidrs": None, "groups": None, "description": None}
OPEN = {**RULE, "protocol": "all", "cidrs": ["0.0.0.0/0"]}


@pytest.fixture
def rule() -> t.Callable[..., dict[str, t.Any]]:
    return lambda **given: {**RULE, **given}


@pytest.fixture
def group() -> t.Callable[..., dict[str, t.Any]]:
    return lambda name, **given: {"name": name, "description": None, "ingress": [], "egress": [OPEN], **given}


@pytest.fixture
def options() -> t.Callable[..., dict[str, t.Any]]:
    return lambda *groups, **given: {
        "environment_name": "dev",
        "tags": {},
        "groups": list(groups),
        "purge": False,
        **given,
    }


@pytest.fixture
def make_vpc() -> t.Callable[[t.Any], str]:
    def make(cloud: t.Any) -> str:
        tags = specification("vpc", Owner("dev", "network").tags("main"))
        vpc: str = cloud.ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
        return vpc

    return make
