"""A network with two zones, security groups, and the options of `rds_database_instance`."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud
from topic_options import database, firewall, network

from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network

Make = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def options() -> Make:
    return database.options


@pytest.fixture
def build() -> t.Callable[[Cloud], None]:
    """Return what builds the network, and the security groups `database` and `others`."""

    def make(cloud: Cloud) -> None:
        cloud.run(converge_network, network.options())
        groups = (firewall.group(name) for name in ("database", "others"))
        cloud.run(converge_security_groups, firewall.options(*groups))

    return make
