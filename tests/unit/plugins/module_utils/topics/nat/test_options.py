"""The gateways and routes of the options, and the message for each mistake."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import parse_nat

Make = t.Callable[..., dict[str, t.Any]]
PUBLIC = {"name": "public", "public": True}
PRIVATE = {"name": "private", "public": False}
DATA = {"name": "data", "public": False}


def parse(options: dict[str, t.Any]) -> tuple[t.Any, list[str]]:
    problems = Problems("nat_")
    return parse_nat(options, problems), [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("given", "gateways", "routes"),
    [
        ({"mode": "none"}, [], {"private-a": None, "private-b": None}),
        ({}, [("nat-a", "public-a", None)], {"private-a": "nat-a", "private-b": "nat-a"}),
        (
            {"mode": "per_zone", "addresses": {"eu-central-1b": "198.51.100.7"}},
            [("nat-a", "public-a", None), ("nat-b", "public-b", "198.51.100.7")],
            {"private-a": "nat-a", "private-b": "nat-b"},
        ),
        (
            {"tiers": [{"name": "dmz", "public": True}, PUBLIC, PRIVATE, DATA], "tier": "public"},
            [("nat-a", "public-a", None)],
            {"private-a": "nat-a", "private-b": "nat-a", "data-a": "nat-a", "data-b": "nat-a"},
        ),
        ({"mode": "none", "tiers": [PRIVATE]}, [], {"private-a": None, "private-b": None}),
    ],
)
def test_what_the_options_mean(options: Make, given: t.Any, gateways: t.Any, routes: t.Any) -> None:
    nat, problems = parse(options(**given))
    assert problems == []
    assert [(g.name, g.subnet, g.address) for g in nat.gateways] == gateways
    assert nat.routes == routes


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"tier": "private"},
            "tier: the tier 'private' is private, so a NAT gateway in it has no route to the internet; "
            "use a public tier: public.",
        ),
        ({"tier": "dmz"}, "tier: 'dmz' is not the name of a tier; use one of public."),
        (
            {"tiers": [PRIVATE]},
            "tiers: a NAT gateway needs a public tier, and the network has none; make a "
            "tier public, or set mode to none.",
        ),
        (
            {"addresses": {"eu-central-1z": "198.51.100.7"}},
            "addresses.eu-central-1z: is not a zone of the network; use one of eu-central-1a, eu-central-1b.",
        ),
        (
            {"addresses": {"eu-central-1a": "198.51.100"}},
            "addresses.eu-central-1a: '198.51.100' is not an Elastic IP address; "
            "give an allocation id (eipalloc-…) or a public IP address.",
        ),
        (
            {"addresses": {"eu-central-1a": "198.51.100.7", "eu-central-1b": "198.51.100.7"}},
            "addresses.eu-central-1b: 198.51.100.7 is given twice; give each zone its own address.",
        ),
    ],
)
def test_bad_options(options: Make, given: t.Any, told: str) -> None:
    nat, problems = parse(options(**given))
    assert nat is None
    assert problems == [f"nat_{told}"]


def test_the_module_alone_checks_zones_and_tiers_too(options: Make) -> None:
    problems = Problems()
    assert parse_nat(options(zones=["x"], tiers=[PUBLIC, PUBLIC]), problems) is None
    assert [problem.variable for problem in problems.found] == ["zones[0]", "tiers[1].name"]
