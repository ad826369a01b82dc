"""A network with two zones, and the options of `ec2_vpc_nat` as Ansible hands them over."""

from __future__ import annotations

import typing as t

import pytest
from topic_options import nat, network

from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network


@pytest.fixture
def options() -> nat.Make:
    return nat.options


@pytest.fixture
def build_network() -> t.Callable[..., dict[str, t.Any]]:
    return lambda cloud, **given: cloud.run(converge_network, network.options(**given))
