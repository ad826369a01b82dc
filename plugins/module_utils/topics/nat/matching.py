# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Match desired gateways with existing gateways and addresses, and check what AWS would refuse."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.observed import Described, Observed, allocations
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import GatewayWish, Nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.changes import default_route


@dataclass(frozen=True)
class Match:
    """A desired gateway with its existing gateway, or else with an existing address for a new gateway."""

    wish: GatewayWish
    gateway: Described | None
    address: Described | None


@dataclass(frozen=True)
class Matches:
    """All desired gateways with their matches, and the unused ones: gateways to delete and addresses to release."""

    served: tuple[Match, ...]
    stale_gateways: tuple[Described, ...]
    leaving_gateways: tuple[Described, ...]  # an interrupted run has begun to delete them
    stale_addresses: tuple[Described, ...]


def match(desired: Nat, observed: Observed, owner: Owner) -> Matches:
    """Return the matches of the desired gateways among the existing gateways and addresses."""
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
    """Return the address with this allocation id or public IP address, or None."""
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
    """Return an unused address that an earlier run allocated for this gateway, or None."""
    for address in observed.addresses:
        ours = owner.owns(address) and owner.short(tag_dict(address)) == wish.name
        if ours and not holder(address, observed):
            return address
    return None


def holder(address: Described, observed: Observed) -> str | None:
    """Return the id of the gateway, instance, network interface or association that uses an address, or None."""
    for gateway in observed.gateways:
        if gateway["State"] in ("pending", "available", "deleting") and address["AllocationId"] in allocations(gateway):
            return str(gateway["NatGatewayId"])
    for key in ("InstanceId", "NetworkInterfaceId", "AssociationId"):
        if address.get(key):
            return str(address[key])
    return None


def check_addresses(desired: Nat, matches: Matches, observed: Observed, problems: Problems) -> None:
    """Add to `problems` the given addresses that do not exist or are in use."""
    stale = {gateway["NatGatewayId"] for gateway in matches.stale_gateways}
    going = {gateway["NatGatewayId"] for gateway in matches.leaving_gateways} | (stale if desired.purge else set())
    for one in matches.served:
        if not one.wish.address or one.gateway:
            continue
        where, user = f"addresses.{one.wish.zone}", holder(one.address, observed) if one.address else None
        if not one.address:
            problems.add(
                where,
                f"the account has not allocated the Elastic IP address {one.wish.address} in this region",
                "allocate it, or remove it here",
            )
        elif user and user not in going:
            remedy = (
                "set purge, which deletes that gateway" if user in stale else "disassociate it, or give another address"
            )
            problems.add(where, f"{one.wish.address} is in use by {user}", remedy)


def check_subnets(desired: Nat, observed: Observed, problems: Problems) -> None:
    """Add to `problems` missing subnets, and subnets of gateways without a route to the internet."""
    tables = observed.tables or {}
    known = ", ".join(sorted(tables)) or "none"
    hosts = {gateway.subnet for gateway in desired.gateways}
    served = {subnet for subnet, gateway in desired.routes.items() if gateway}
    missing = sorted(name for name in hosts | served if not observed.subnet_id(name))
    if missing:
        problems.add_missing(
            "zones",
            f"the network lacks the subnets {', '.join(missing)}; its subnets are {known}",
            "run ec2_vpc_network (the role network) first, with the same zones and tiers",
        )
    for name in sorted(hosts & tables.keys()):
        target = str((default_route(tables[name]) or {}).get("GatewayId", ""))
        if not target.startswith("igw-"):
            problems.add_missing(
                "tier",
                f"the subnet {name} of a NAT gateway has no route to an internet gateway",
                "run ec2_vpc_network (the role network) first, or name a public tier",
            )
