# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `ec2_vpc_network`, without calls to AWS."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from ipaddress import IPv4Network

from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import (
    LARGEST_PREFIX,
    SMALLEST_PREFIX,
    NoRoom,
    allocate,
    is_private,
    overlaps,
    parse_vpc_block,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import TIER_NAME, ZONE
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref

COMPONENT = "network"
TIER = "groundwork:tier"
ANYWHERE = "0.0.0.0/0"

VPC = Ref("vpc", "main")
INTERNET_GATEWAY = Ref("internet gateway", "main")
S3_ENDPOINT = Ref("vpc endpoint", "s3")
DEFAULT_GROUP = Ref("security group", "default")


def subnet_ref(name: str) -> Ref:
    """Return the reference to the id of the subnet `name`."""
    return Ref("subnet", name)


def table_ref(name: str) -> Ref:
    """Return the reference to the id of the route table of the subnet `name`."""
    return Ref("route table", name)


@dataclass(frozen=True)
class SubnetWish:
    """A desired subnet. `cidr` is None if the block is to be allocated."""

    name: str  # the tier and the zone's letter: public-a
    tier: str
    zone: str
    public: bool
    cidr: IPv4Network | None = None


@dataclass(frozen=True)
class Network:
    """The desired network, with `subnets` in the order of their allocation."""

    cidr: IPv4Network
    region: str
    subnet_prefix: int
    subnets: tuple[SubnetWish, ...]
    s3_endpoint: bool = False
    purge: bool = False

    @property
    def public(self) -> bool:
        """Return whether any subnet is public."""
        return any(subnet.public for subnet in self.subnets)


# Zones are `eu-central-1a`, or local zones as `us-west-2-lax-1a`.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html


def parse_network(options: t.Mapping[str, t.Any], problems: Problems) -> Network | None:
    """Return the desired network, or None if the options of `ec2_vpc_network` add problems."""
    before = len(problems.found)
    cidr = parse_vpc_block(options["cidr"], "cidr", problems)
    zones = parse_zones(options["zones"], options.get("region"), problems)
    tiers = parse_tiers(options["tiers"], problems)
    prefix = _parse_prefix(options["subnet_prefix"], cidr, problems)
    names = [f"{tier}-{zone[-1]}" for tier in tiers for zone in zones]
    given = _parse_given(options.get("subnet_cidrs") or {}, names, cidr, problems)
    if len(problems.found) > before or cidr is None:
        return None
    _check_room(cidr, prefix, names, given, problems)
    if len(problems.found) > before:
        return None
    if not is_private(cidr):
        problems.warn(
            "cidr",
            f"{cidr} is not private address space, so servers in the VPC cannot reach the internet hosts with "
            "these addresses",
        )
    return Network(
        cidr=cidr,
        region=_region(zones[0]),
        subnet_prefix=prefix,
        subnets=tuple(
            SubnetWish(f"{tier}-{zone[-1]}", tier, zone, public, given.get(f"{tier}-{zone[-1]}"))
            for tier, public in tiers.items()
            for zone in zones
        ),
        s3_endpoint=bool(options["s3_endpoint"]),
        purge=bool(options["purge"]),
    )


def _region(zone: str) -> str:
    match = ZONE.fullmatch(zone)
    return match["region"] if match else ""


def parse_zones(zones: t.Sequence[str], region: str | None, problems: Problems) -> list[str]:
    """Return the non-empty zones. Add to `problems` wrong forms, regions and letters."""
    if not zones:
        problems.add("zones", "is empty", "name at least one Availability Zone, for example eu-central-1a")
    for position, zone in enumerate(zones):
        where = f"zones[{position}]"
        if not ZONE.fullmatch(zone):
            problems.add(where, f"'{zone}' is not an Availability Zone", "write the region and a letter: eu-central-1a")
        elif region and _region(zone) != region:
            problems.add(where, f"{zone} is not in the region {region}", f"name only zones of {region}")
        elif zone in zones[:position]:
            problems.add(where, f"{zone} is named twice", "name each zone once")
        elif zone[-1] in [other[-1:] for other in zones[:position]]:
            problems.add(
                where,
                f"another zone ends with '{zone[-1]}' too",
                "name zones with different letters, because subnets are named by the letter",
            )
    if len({_region(zone) for zone in zones if ZONE.fullmatch(zone)}) > 1:
        problems.add(
            "zones", "the zones are in several regions", "name zones of one region, because a VPC is in one region"
        )
    return [zone for zone in zones if zone]


def parse_tiers(tiers: t.Sequence[t.Mapping[str, t.Any]], problems: Problems) -> dict[str, bool]:
    """Return whether each tier is public, by the tier's name."""
    if not tiers:
        problems.add("tiers", "is empty", "name at least one tier")
    parsed: dict[str, bool] = {}
    for position, tier in enumerate(tiers):
        name, where = tier["name"], f"tiers[{position}].name"
        if not TIER_NAME.fullmatch(name):
            problems.add(
                where, f"'{name}' is not a valid tier name", "use at most 16 lower case letters, digits and hyphens"
            )
        if name in parsed:
            problems.add(where, f"'{name}' is used twice", "give each tier its own name")
        parsed[name] = bool(tier["public"])
    return parsed


def _parse_prefix(prefix: int, cidr: IPv4Network | None, problems: Problems) -> int:
    largest = cidr.prefixlen if cidr else LARGEST_PREFIX
    if not largest <= prefix <= SMALLEST_PREFIX:
        problems.add(
            "subnet_prefix",
            f"/{prefix} is not a possible prefix of a subnet here",
            f"use a prefix from {largest} to {SMALLEST_PREFIX}",
        )
    return prefix


def _parse_given(
    given: t.Mapping[str, t.Any], names: t.Sequence[str], cidr: IPv4Network | None, problems: Problems
) -> dict[str, IPv4Network]:
    blocks: dict[str, IPv4Network] = {}
    for name, value in given.items():
        where = f"subnet_cidrs.{name}"
        if name not in names:
            problems.add(where, "is not a subnet of the network", f"use one of {', '.join(names) or 'none'}")
        block = parse_vpc_block(value, where, problems)
        if block and cidr and not block.subnet_of(cidr):
            problems.add(where, f"{block} is not inside the VPC's CIDR block {cidr}", f"use a part of {cidr}")
        elif block:
            blocks[name] = block
    for one, other in overlaps(blocks):
        problems.add(
            f"subnet_cidrs.{other}",
            f"{blocks[other]} overlaps {blocks[one]} of {one}",
            "give each subnet its own addresses",
        )
    return blocks


def _check_room(
    cidr: IPv4Network, prefix: int, names: t.Sequence[str], given: t.Mapping[str, IPv4Network], problems: Problems
) -> None:
    try:
        allocate(cidr, prefix, names, existing={}, given=given)
    except NoRoom:
        blocks = "1 block" if prefix == cidr.prefixlen else f"{2 ** (prefix - cidr.prefixlen)} blocks"
        problems.add(
            "cidr",
            f"{cidr} has {blocks} of /{prefix}, too few for {len(names)} subnets ({', '.join(names)})",
            f"use a larger cidr or a longer subnet_prefix (up to {SMALLEST_PREFIX})",
        )
