"""A VPC to put groups into, and the options of `ec2_security_groups` as Ansible hands them over."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud
from topic_options import firewall

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, specification


@pytest.fixture
def rule() -> firewall.Make:
    return firewall.rule


@pytest.fixture
def group() -> firewall.Make:
    return firewall.group


@pytest.fixture
def options() -> firewall.Make:
    return firewall.options


@pytest.fixture
def make_vpc() -> t.Callable[[t.Any], str]:
    def make(cloud: Cloud) -> str:
        tags = specification("vpc", Owner("dev", "network").tags("main"))
        vpc: str = cloud.ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
        return vpc

    return make
