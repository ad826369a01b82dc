"""A site's bucket on the lab's control plane, and a distribution in front of it that remembers what it is told."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from accounts.site_content import Site, fill
from cloud import NewCloud

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import lease


@pytest.fixture
def new_site(new_cloud: NewCloud, tmp_path: Path) -> t.Callable[[], Site]:
    """Makes an empty account with an empty folder; the one before is forgotten."""
    number = iter(range(10_000))

    def make() -> Site:
        return Site(new_cloud(), tmp_path / f"source{next(number)}")

    return make


@pytest.fixture
def site(new_site: t.Callable[[], Site]) -> Site:
    """With a small site to publish, and a bucket."""
    made = new_site()
    made.make_bucket()
    fill(made)
    return made


@pytest.fixture(name="fill")
def fill_fixture() -> t.Callable[[Site], None]:
    return fill


@pytest.fixture
def process_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run before is known to be dead, as after SIGKILL on the same machine."""
    monkeypatch.setattr(lease, "has_ended", lambda _owner: True)
