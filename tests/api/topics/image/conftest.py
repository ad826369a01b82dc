"""An account with a network, whose instances and images change state during waits."""

from __future__ import annotations

import typing as t

import pytest
from accounts.image import Site
from cloud import NewCloud


@pytest.fixture
def new_site(new_cloud: NewCloud) -> t.Callable[[], Site]:
    """Return a function that creates a new account with a network."""

    def make() -> Site:
        site = Site(new_cloud())
        site.build()
        return site

    return make


@pytest.fixture
def empty(new_cloud: NewCloud) -> Site:
    return Site(new_cloud())


@pytest.fixture
def site(new_site: t.Callable[[], Site]) -> Site:
    return new_site()
