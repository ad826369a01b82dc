"""A network with two zones, security groups, and the options of `efs_file_system`."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud
from topic_options import file_system, firewall, network

from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network

Make = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def options() -> Make:
    return file_system.options


@pytest.fixture
def build() -> t.Callable[[Cloud], None]:
    """Return what builds the network, and the security groups `files` and `others`."""

    def make(cloud: Cloud) -> None:
        cloud.run(converge_network, network.options())
        groups = (firewall.group(name) for name in ("files", "others"))
        cloud.run(converge_security_groups, firewall.options(*groups))

    return make
