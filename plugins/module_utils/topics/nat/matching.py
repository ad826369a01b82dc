# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which existing gateway and address serves which wish; what AWS would refuse is told before the first write."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.observed import Described, Observed, allocations
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import GatewayWish, Nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.changes import default_route


@dataclass(frozen=True)
class Match:
    """A wish and what serves it: an existing gateway, else an existing address for a new one, else nothing."""

    wish: GatewayWish
    gateway: Described | None
    address: Described | None


@dataclass(frozen=True)
class Matches:
    """Every wish with its match, and what of ours serves none: gateways to delete, addresses to release."""

    served: tuple[Match, ...]
    stale_gateways: tuple[Described, ...]
    leaving_gateways: tuple[Described, ...]  # being deleted already, by a run that did not live to see it
    stale_addresses: tuple[Described, ...]


def match(desired: Nat, observed: Observed, owner: Owner) -> Matches:
    """Pair what is desired with what exists."""
    given = {wish.name: find_address(wish.address, observed) for wish in desired.gateways if wish.address}
    served = tuple(_match_one(wish, given.get(wish.name), observed, owner) for wish in desired.gateways)
    used = [m.gateway["NatGatewayId"] for m in served if m.gateway]
    kept = [a["AllocationId"] for m in served for a in (m.address,) if a]
    ours = [a for a in observed.addresses if owner.owns(a)]
    return Matches(
        served,
        tuple(gateway for gateway in observed.alive if gateway["NatGatewayId"] not in used),
        tuple(gateway for gateway in observed.gateways if gateway["State"] == "deleting"),
        tuple(address for address in ours if address["AllocationId"] not in kept),
    )


def find_address(wanted: str, observed: Observed) -> Described | None:
    """The address of that allocation id or that public address."""
    return next((a for a in observed.addresses if wanted in (a["AllocationId"], a["PublicIp"])), None)


def _match_one(wish: GatewayWish, given: Described | None, observed: Observed, owner: Owner) -> Match:
    for gateway in observed.alive:
        if _fits(gateway, wish, given, observed, owner):
            held = allocations(gateway)
            return Match(wish, gateway, next((a for a in observed.addresses if a["AllocationId"] in held), None))
    return Match(wish, None, given or _spare_address(wish, observed, owner))


def _fits(gateway: Described, wish: GatewayWish, given: Described | None, observed: Observed, owner: Owner) -> bool:
    return (
        owner.short(tag_dict(gateway)) == wish.name
        and gateway["SubnetId"] == observed.subnet_id(wish.subnet)
        and (given is None or given["AllocationId"] in allocations(gateway))
    )


def _spare_address(wish: GatewayWish, observed: Observed, owner: Owner) -> Described | None:
    """An address that an earlier run allocated for this gateway, and that nothing uses."""
    for address in observed.addresses:
        ours = owner.owns(address) and owner.short(tag_dict(address)) == wish.name
        if ours and not holder(address, observed):
            return address
    return None


def holder(address: Described, observed: Observed) -> str | None:
    """What uses an address: one of our gateways, or whatever it is associated with."""
    for gateway in observed.gateways:
        if gateway["State"] in ("pending", "available", "deleting") and address["AllocationId"] in allocations(gateway):
            return str(gateway["NatGatewayId"])
    for key in ("InstanceId", "NetworkInterfaceId", "AssociationId"):
        if address.get(key):
            return str(address[key])
    return None


def check_addresses(desired: Nat, matches: Matches, observed: Observed, problems: Problems) -> None:
    """Given addresses have to exist, and to be free."""
    stale = {gateway["NatGatewayId"] for gateway in matches.stale_gateways}
    going = {gateway["NatGatewayId"] for gateway in matches.leaving_gateways} | (stale if desired.purge else set())
    for one in matches.served:
        if not one.wish.address or one.gateway:
            continue
        where, user = f"addresses.{one.wish.zone}", holder(one.address, observed) if one.address else None
        if not one.address:
            problems.add(
                where, f"the account has no elastic IP {one.wish.address} here", "allocate it, or leave it out"
            )
        elif user and user not in going:
            remedy = "set purge, which removes that gateway" if user in stale else "free it, or give another"
            problems.add(where, f"{one.wish.address} is in use by {user}", remedy)


def check_subnets(desired: Nat, observed: Observed, problems: Problems) -> None:
    """The network has to be there, and the gateways' subnets have to lead to the internet."""
    tables = observed.tables or {}
    known = ", ".join(sorted(tables)) or "none"
    hosts = {gateway.subnet for gateway in desired.gateways}
    served = {subnet for subnet, gateway in desired.routes.items() if gateway}
    missing = sorted(name for name in hosts | served if not observed.subnet_id(name))
    if missing:
        problems.add(
            "zones",
            f"the network has no subnet {', '.join(missing)}; its subnets are {known}",
            "run ec2_vpc_network (the role network) first, with the same zones and tiers",
        )
    for name in sorted(hosts & tables.keys()):
        target = str((default_route(tables[name]) or {}).get("GatewayId", ""))
        if not target.startswith("igw-"):
            problems.add(
                "tier",
                f"the subnet {name} has no route to an internet gateway, so a NAT gateway in it would reach nothing",
                "run ec2_vpc_network (the role network) first, or name a public tier",
            )
