"""One run of site.yml builds the site, also when AWS and the way to it fail.

Each test begins with an account that has no site, and ends so. The site is small: one server in each tier.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from account_listing import account_listing, differences, without_ids
from laptop import ENVIRONMENT, Laptop
from running_site import START_AGAIN, Site

TIER = {"count": 1, "instance_type": "t3.small"}
SMALL = {"servers_tiers": {"public": TIER, "private": TIER}}
FIFTH = ("--rate", "0.2")
INTERNAL = ("--error", "InternalError", "--status", "500")
WEATHER: dict[str, list[tuple[str, ...]]] = {
    "late": [("--stale", "3"), ("--unknown", "3")],
    "failed before": [(*FIFTH, *INTERNAL)],
    "failed after": [(*FIFTH, *INTERNAL, "--after")],
    "cut": [(*FIFTH, "--cut-after")],
    "lost": [(*FIFTH, "--drop-after")],
}


@pytest.fixture(scope="module")
def undisturbed(laptop: Laptop, site: Site) -> dict[str, Any]:
    """What there is after a run without faults, without ids."""
    assert not site.servers, f"this stage begins without a site, and the lab has one: {START_AGAIN}"
    listing = built(laptop)
    remove(laptop)
    return listing


@pytest.fixture(autouse=True)
def _nothing_remains(laptop: Laptop, undisturbed: dict[str, Any]) -> Iterator[None]:
    yield
    faults(laptop)
    remove(laptop)


def built(laptop: Laptop) -> dict[str, Any]:
    """Run site.yml once, and return what there is, without ids."""
    play = laptop.play(variables=SMALL)
    faults(laptop)
    assert play.code == 0, play.failures() or play.errors
    return without_ids(account_listing(laptop.client))


def remove(laptop: Laptop) -> None:
    """Remove the site."""
    own = {**SMALL, "environment_confirm": ENVIRONMENT, "teardown_buckets": True}
    play = laptop.play(playbook="playbooks/teardown.yml", variables=own)
    assert play.code == 0, play.failures() or play.errors


def faults(laptop: Laptop, *rules: tuple[str, ...]) -> None:
    """Let these faults happen, and no others."""
    laptop.run("groundwork-lab", "faults", "clear").check_returncode()
    for rule in rules:
        laptop.run("groundwork-lab", "faults", "set", "--add", *rule).check_returncode()


@pytest.mark.parametrize("weather", list(WEATHER))
def test_one_run_suffices(laptop: Laptop, undisturbed: dict[str, Any], weather: str) -> None:
    faults(laptop, *WEATHER[weather])
    assert differences(undisturbed, built(laptop)) == []
