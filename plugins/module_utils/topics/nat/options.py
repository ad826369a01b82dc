# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `ec2_vpc_nat`, without calls to AWS."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import ALLOCATION_ID
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import parse_tiers, parse_zones

COMPONENT = "nat"
MODES = ("none", "single", "per_zone")


def gateway_ref(name: str) -> Ref:
    """Return the reference to the id of the NAT gateway `name`."""
    return Ref("nat gateway", name)


def address_ref(name: str) -> Ref:
    """Return the reference to the allocation id of the Elastic IP address of the NAT gateway `name`."""
    return Ref("elastic ip", name)


def public_ip_ref(name: str) -> Ref:
    """Return the reference to the public IP address of the NAT gateway `name`."""
    return Ref("elastic ip", name, "public_ip")


@dataclass(frozen=True)
class GatewayWish:
    """A desired NAT gateway in a public subnet. `address` is the given Elastic IP address, if any."""

    name: str  # nat- and the zone's letter: nat-a
    zone: str
    subnet: str  # public-a
    address: str | None = None  # an allocation id or a public IP address


@dataclass(frozen=True)
class Nat:
    """The desired gateways, and the gateway of each private subnet's default route."""

    gateways: tuple[GatewayWish, ...]
    routes: t.Mapping[str, str | None]  # the gateway's name or None, by the private subnet's name
    purge: bool = False


def parse_nat(options: t.Mapping[str, t.Any], problems: Problems) -> Nat | None:
    """Return the desired gateways, or None if the options of `ec2_vpc_nat` add problems.

    `zones` and `tiers` are the network's.
    """
    before = len(problems.found)
    zones = parse_zones(options["zones"], options.get("region"), problems)
    tiers = parse_tiers(options["tiers"], problems)
    if len(problems.found) > before:
        return None
    host = _parse_host(options["tier"], tiers, options["mode"], problems)
    given = _parse_addresses(options.get("addresses") or {}, zones, problems)
    if len(problems.found) > before:
        return None
    served = {"none": [], "single": zones[:1], "per_zone": zones}[options["mode"]]
    gateways = tuple(GatewayWish(_gateway_name(zone), zone, f"{host}-{zone[-1]}", given.get(zone)) for zone in served)
    private = [tier for tier, public in tiers.items() if not public]
    routes = {f"{tier}-{zone[-1]}": _way_out(zone, gateways) for tier in private for zone in zones}
    return Nat(gateways, routes, bool(options["purge"]))


def _gateway_name(zone: str) -> str:
    return f"nat-{zone[-1]}"


def _way_out(zone: str, gateways: t.Sequence[GatewayWish]) -> str | None:
    own = next((gateway.name for gateway in gateways if gateway.zone == zone), None)
    return own or next((gateway.name for gateway in gateways), None)


def _parse_host(tier: str | None, tiers: t.Mapping[str, bool], mode: str, problems: Problems) -> str:
    public = [name for name, leads_out in tiers.items() if leads_out]
    if mode == "none":
        return ""
    if tier is None:
        if not public:
            problems.add(
                "tiers",
                "a NAT gateway needs a public tier, and the network has none",
                "make a tier public, or set mode to none",
            )
        return public[0] if public else ""
    if tier not in tiers:
        problems.add("tier", f"'{tier}' is not the name of a tier", f"use one of {', '.join(public) or 'none'}")
    elif tier not in public:
        problems.add(
            "tier",
            f"the tier '{tier}' is private, so a NAT gateway in it has no route to the internet",
            f"use a public tier: {', '.join(public) or 'there is none'}",
        )
    return tier


def _parse_addresses(given: t.Mapping[str, t.Any], zones: t.Sequence[str], problems: Problems) -> dict[str, str]:
    addresses: dict[str, str] = {}
    for zone, value in given.items():
        where, address = f"addresses.{zone}", str(value)
        if zone not in zones:
            problems.add(where, "is not a zone of the network", f"use one of {', '.join(zones)}")
        if not ALLOCATION_ID.fullmatch(address) and not _is_address(address):
            problems.add(
                where,
                f"'{address}' is not an Elastic IP address",
                "give an allocation id (eipalloc-…) or a public IP address",
            )
        if address in addresses.values():
            problems.add(where, f"{address} is given twice", "give each zone its own address")
        addresses[zone] = address
    return addresses


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
