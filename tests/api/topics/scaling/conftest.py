"""An environment with network, firewall, balancers and a promoted image, whose hosts follow while somebody waits."""

from __future__ import annotations

import typing as t

import pytest
from accounts.scaling import Site, furnish
from cloud import Cloud
from topic_options.scaling import Make, options


@pytest.fixture(autouse=True)
def _hosts_follow(hosts_follow: None) -> None:
    """Let the hosts follow in all tests of this folder."""


@pytest.fixture(name="options")
def options_fixture() -> Make:
    return options


@pytest.fixture(name="furnish")
def furnish_fixture() -> t.Callable[[t.Any], None]:
    return furnish


@pytest.fixture
def site(cloud: Cloud) -> Site:
    furnish(cloud)
    return Site(cloud)


@pytest.fixture
def site_of() -> t.Callable[[t.Any], Site]:
    return Site
