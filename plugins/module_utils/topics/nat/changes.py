# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to an environment's NAT gateways. New routes are in place before old gateways are deleted."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, retag, specification, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import THIS_HOUR, Change, Ref, Token, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.matching import Match, Matches, holder
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.observed import Described, Observed, allocations
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import (
    GatewayWish,
    Nat,
    address_ref,
    gateway_ref,
    public_ip_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.changes import default_route
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import (
    ANYWHERE,
    subnet_ref,
    table_ref,
)

# AWS takes one to three minutes to create a gateway, and as long to delete one.
DEADLINE = 600.0


def plan_nat(desired: Nat, observed: Observed, matches: Matches, owner: Owner) -> list[Change]:
    """Return the changes: first new gateways, then routes, then removals.

    A gateway is deleted earlier only if a new gateway needs its Elastic IP address.
    """
    needed = {m.address["AllocationId"] for m in matches.served if m.address and not m.gateway}
    stale = matches.stale_gateways if desired.purge else ()
    before = [g for g in (*matches.leaving_gateways, *stale) if needed & set(allocations(g))]
    leaving = [g for g in matches.leaving_gateways if desired.purge and _holds_stale_address(g, matches)]
    after = [g for g in (*leaving, *stale) if g not in before]
    return [
        *(change for gateway in before for change in _gateway_removal(gateway, desired, observed, owner)),
        *(change for one in matches.served for change in _gateway_changes(one, observed, matches, before, owner)),
        *_route_changes(desired, observed, matches),
        *_tag_changes(matches, owner),
        *(change for gateway in after for change in _gateway_removal(gateway, desired, observed, owner)),
        *(_address_removals(matches, observed, owner) if desired.purge else ()),
    ]


def _holds_stale_address(gateway: Described, matches: Matches) -> bool:
    return any(address["AllocationId"] in allocations(gateway) for address in matches.stale_addresses)


def _gateway_changes(
    one: Match, observed: Observed, matches: Matches, before: t.Sequence[Described], owner: Owner
) -> t.Iterator[Change]:
    ref = gateway_ref(one.wish.name)
    if not one.gateway:
        if not one.address:
            yield _allocation(one.wish, owner)
        awaits = tuple(gateway_ref(owner.short(tag_dict(gateway))) for gateway in before)
        yield replace(_gateway_creation(one.wish, _dead(observed, matches), owner), awaits=awaits)
    elif one.gateway["State"] == "pending":  # created by an interrupted run
        pending, available = {"id": ref, "state": "pending"}, {"id": ref, "state": "available"}
        yield Change("update", ref.resource, ref.name, (), pending, available, wait=_available(ref))


def _dead(observed: Observed, matches: Matches) -> tuple[str, ...]:
    serving = {m.gateway["NatGatewayId"] for m in matches.served if m.gateway}
    return tuple(sorted(g["NatGatewayId"] for g in observed.gateways if g["NatGatewayId"] not in serving))


def _allocation(wish: GatewayWish, owner: Owner) -> Change:
    ref = address_ref(wish.name)
    allocate = ec2(
        "allocate_address", Domain="vpc", TagSpecifications=specification("elastic-ip", owner.tags(wish.name))
    )
    learning = allocate.yielding(ref, "AllocationId").yielding(public_ip_ref(wish.name), "PublicIp")
    return Change(
        "create", ref.resource, ref.name, (learning,), after={"id": ref, "public_ip": public_ip_ref(wish.name)}
    )


def _gateway_creation(wish: GatewayWish, dead: tuple[str, ...], owner: Owner) -> Change:
    ref, subnet, address = gateway_ref(wish.name), subnet_ref(wish.subnet), address_ref(wish.name)
    # The same gateway gets the same token, so that a repeated request creates no second gateway. A replacement gets
    # another token. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    create = ec2(
        "create_nat_gateway",
        SubnetId=subnet,
        AllocationId=address,
        ClientToken=Token((owner.name(wish.name), subnet, address, *dead, THIS_HOUR)),
        TagSpecifications=specification("natgateway", owner.tags(wish.name)),
    ).yielding(ref, "NatGateway.NatGatewayId")
    after = {"id": ref, "subnet": wish.subnet, "elastic_ip": address, "public_ip": public_ip_ref(wish.name)}
    return Change("create", ref.resource, ref.name, (create,), after=after, wait=_available(ref))


def _available(ref: Ref) -> Wait:
    return Wait(
        f"the NAT gateway {ref.name} to be available",
        ec2("describe_nat_gateways", NatGatewayIds=[ref]),
        lambda answer: [g["State"] for g in answer.get("NatGateways", [])] == ["available"],
        _failure,
        DEADLINE,
    )


def _failure(answer: t.Mapping[str, t.Any]) -> str | None:
    for gateway in answer.get("NatGateways", []):
        if gateway["State"] in ("failed", "deleting", "deleted"):
            words = gateway.get("FailureMessage") or f"its state is {gateway['State']}"
            return f"{gateway['NatGatewayId']}: {words}"
    return None


def _route_changes(desired: Nat, observed: Observed, matches: Matches) -> t.Iterator[Change]:
    ids = {m.wish.name: m.gateway["NatGatewayId"] for m in matches.served if m.gateway}
    for subnet, gateway in desired.routes.items():
        route = default_route(table) if (table := observed.table(subnet)) else None
        leads_to = str(route.get("NatGatewayId", "another target")) if route else "none"
        where = {"RouteTableId": table_ref(subnet), "DestinationCidrBlock": ANYWHERE}
        before = {"target": leads_to}
        if gateway is None:
            if leads_to.startswith("nat-"):
                yield Change("delete", "default route", subnet, (ec2("delete_route", **where),), before)
            continue
        to = gateway_ref(gateway)
        if not route:
            call = ec2("create_route", **where, NatGatewayId=to).safe_to_repeat()
            yield Change("create", "default route", subnet, (call,), after={"target": to})
        elif leads_to != ids.get(gateway):
            call = ec2("replace_route", **where, NatGatewayId=to)
            yield Change("update", "default route", subnet, (call,), before, {"target": to})


def _tag_changes(matches: Matches, owner: Owner) -> list[Change]:
    gateways = [
        (gateway_ref(m.wish.name), tag_dict(m.gateway), owner.tags(m.wish.name)) for m in matches.served if m.gateway
    ]
    addresses = [
        (address_ref(m.wish.name), tag_dict(m.address), owner.tags(m.wish.name))
        for m in matches.served
        if m.address and owner.owns(m.address)
    ]
    return retag([*gateways, *addresses])


def _gateway_removal(gateway: Described, desired: Nat, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    """Yield changes that delete the routes of undeclared subnets to the gateway, and then the gateway."""
    gone = gateway["NatGatewayId"]
    for subnet, table in (observed.tables or {}).items():
        route = default_route(table)
        if subnet not in desired.routes and route and route.get("NatGatewayId") == gone:
            delete = ec2("delete_route", RouteTableId=table_ref(subnet), DestinationCidrBlock=ANYWHERE)
            yield Change("delete", "default route", subnet, (delete,), {"target": gone})
    deleted = Wait(
        f"the NAT gateway {gone} to be deleted",
        ec2("describe_nat_gateways", NatGatewayIds=[gone]),
        lambda answer: all(g["State"] == "deleted" for g in answer.get("NatGateways", [])),
        deadline=DEADLINE,
    )
    before = {"id": gone, "subnet_id": gateway["SubnetId"], "elastic_ips": allocations(gateway)}
    calls = () if gateway["State"] == "deleting" else (ec2("delete_nat_gateway", NatGatewayId=gone),)
    yield Change("delete", "nat gateway", owner.short(tag_dict(gateway)), calls, before, wait=deleted)


def _address_removals(matches: Matches, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    """Yield changes that release unused Elastic IP addresses which the module allocated, and never given ones."""
    removed = (*matches.stale_gateways, *matches.leaving_gateways)
    leaving = {gateway["NatGatewayId"] for gateway in removed}
    awaits = tuple(gateway_ref(owner.short(tag_dict(gateway))) for gateway in removed)
    for address in matches.stale_addresses:
        user = holder(address, observed)
        if user is None or user in leaving:
            before = {"id": address["AllocationId"], "public_ip": address["PublicIp"]}
            release = ec2("release_address", AllocationId=address["AllocationId"])
            name = owner.short(tag_dict(address))
            yield Change("delete", "elastic ip", name, (release,), before, awaits=awaits)
