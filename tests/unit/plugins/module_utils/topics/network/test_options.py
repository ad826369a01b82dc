"""All problems of a network's options are reported at once, before a call to AWS."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import parse_network

Make = t.Callable[..., dict[str, t.Any]]
PRIVATE = [{"name": "private", "public": False}]


def parse(options: dict[str, t.Any]) -> tuple[t.Any, Problems]:
    problems = Problems("network_")
    return parse_network(options, problems), problems


def test_subnets_are_tiers_by_zones_in_the_order_of_their_allocation(options: Make) -> None:
    network, problems = parse(options())
    assert not problems.found and not problems.warnings
    assert [(s.name, s.tier, s.zone, s.public, s.cidr) for s in network.subnets] == [
        ("public-a", "public", "eu-central-1a", True, None),
        ("public-b", "public", "eu-central-1b", True, None),
        ("private-a", "private", "eu-central-1a", False, None),
        ("private-b", "private", "eu-central-1b", False, None),
    ]
    assert network.region == "eu-central-1"


@pytest.mark.parametrize(
    ("zone", "region"),
    [("us-gov-west-1a", "us-gov-west-1"), ("us-west-2-lax-1a", "us-west-2"), ("ap-southeast-2c", "ap-southeast-2")],
)
def test_zones_of_all_kinds(options: Make, zone: str, region: str) -> None:
    network, problems = parse(options(zones=[zone], region=None))
    assert not problems.found and network.region == region


def test_public_addresses_are_a_warning(options: Make) -> None:
    _network, problems = parse(options(cidr="198.18.0.0/16"))
    assert problems.warnings == [
        "network_cidr: 198.18.0.0/16 is not private address space, so servers in the VPC "
        "cannot reach the internet hosts with these addresses."
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"cidr": "10.20.0.1/16"}, ["cidr: '10.20.0.1/16' is not in canonical form; write 10.20.0.0/16."]),
        (
            {"cidr": "10.0.0.0/8"},
            ["cidr: 10.0.0.0/8 has the prefix /8; use a prefix from /16 (the largest block) to /28 (the smallest)."],
        ),
        (
            {"cidr": "10.20.0.0/26", "subnet_prefix": 27},
            [
                "cidr: 10.20.0.0/26 has 2 blocks of /27, too few for 4 subnets "
                "(public-a, public-b, private-a, private-b); use a larger cidr or a longer subnet_prefix (up to 28)."
            ],
        ),
        ({"zones": []}, ["zones: is empty; name at least one Availability Zone, for example eu-central-1a."]),
        (
            {"zones": ["eu-central-1"]},
            ["zones[0]: 'eu-central-1' is not an Availability Zone; write the region and a letter: eu-central-1a."],
        ),
        (
            {"zones": ["eu-central-1a", "eu-central-1a"]},
            ["zones[1]: eu-central-1a is named twice; name each zone once."],
        ),
        (
            {"zones": ["eu-west-1a"]},
            ["zones[0]: eu-west-1a is not in the region eu-central-1; name only zones of eu-central-1."],
        ),
        (
            {"zones": ["eu-west-1a", "eu-central-1b"], "region": None},
            ["zones: the zones are in several regions; name zones of one region, because a VPC is in one region."],
        ),
        (
            {"zones": ["us-west-2a", "us-west-2-lax-1a"], "region": None},
            [
                "zones[1]: another zone ends with 'a' too; name zones with different letters, "
                "because subnets are named by the letter."
            ],
        ),
        ({"tiers": []}, ["tiers: is empty; name at least one tier."]),
        (
            {"tiers": [*PRIVATE, *PRIVATE]},
            ["tiers[1].name: 'private' is used twice; give each tier its own name."],
        ),
        (
            {"tiers": [{"name": "Data", "public": False}]},
            ["tiers[0].name: 'Data' is not a valid tier name; use at most 16 lower case letters, digits and hyphens."],
        ),
        (
            {"subnet_prefix": 29},
            ["subnet_prefix: /29 is not a possible prefix of a subnet here; use a prefix from 16 to 28."],
        ),
        (
            {"subnet_prefix": 15},
            ["subnet_prefix: /15 is not a possible prefix of a subnet here; use a prefix from 16 to 28."],
        ),
        (
            {"subnet_cidrs": {"public-c": "10.20.9.0/24"}},
            [
                "subnet_cidrs.public-c: is not a subnet of the network; "
                "use one of public-a, public-b, private-a, private-b."
            ],
        ),
        (
            {"subnet_cidrs": {"public-a": "10.21.0.0/24"}},
            [
                "subnet_cidrs.public-a: 10.21.0.0/24 is not inside the VPC's CIDR block "
                "10.20.0.0/16; use a part of 10.20.0.0/16."
            ],
        ),
        (
            {"subnet_cidrs": {"public-a": "10.20.0.0/24", "public-b": "10.20.0.128/25"}},
            [
                "subnet_cidrs.public-b: 10.20.0.128/25 overlaps 10.20.0.0/24 of public-a; give "
                "each subnet its own addresses."
            ],
        ),
        (
            {"subnet_cidrs": {"public-a": "10.20.0.0/29"}},
            [
                "subnet_cidrs.public-a: 10.20.0.0/29 has the prefix /29; "
                "use a prefix from /16 (the largest block) to /28 (the smallest)."
            ],
        ),
        (
            {"cidr": "x", "zones": ["y"], "subnet_prefix": 99},
            [
                "cidr: 'x' is not an IPv4 CIDR block; write address/prefix, for example 10.20.0.0/16.",
                "zones[0]: 'y' is not an Availability Zone; write the region and a letter: eu-central-1a.",
                "subnet_prefix: /99 is not a possible prefix of a subnet here; use a prefix from 16 to 28.",
            ],
        ),
    ],
)
def test_bad_options(options: Make, given: dict[str, t.Any], told: list[str]) -> None:
    network, problems = parse(options(**given))
    assert network is None
    assert [str(problem) for problem in problems.found] == [f"network_{line}" for line in told]
