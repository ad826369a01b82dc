# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `ec2_vpc_nat`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.identity import edited, refuse, wanted_as
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.changes import plan_nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.matching import (
    Matches,
    check_addresses,
    check_subnets,
    match,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.observed import Observed, allocations, look
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import (
    COMPONENT,
    Nat,
    address_ref,
    gateway_ref,
    parse_nat,
    public_ip_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import subnet_ref, table_ref


def converge_nat(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `ec2_vpc_nat`."""
    owner, desired = run.parse(COMPONENT, parse_nat)

    def check(observed: Observed, problems: Problems) -> None:
        check_addresses(desired, match(desired, observed, owner), observed, problems)
        if not run.check_mode:  # in check mode the network may not exist yet
            check_subnets(desired, observed, problems)

    observed = run.observe(lambda: look(owner, desired, run.clients), check)
    matches = match(desired, observed, owner)
    _refuse_edited(run, owner, matches)
    _tell(run, desired, matches)
    ids = known_ids(observed, matches)
    result = run.make(plan_nat(desired, observed, matches, owner), ids)
    return {**result, "gateways": _facts(desired, ids)}


def _refuse_edited(run: Run, owner: Owner, matches: Matches) -> None:
    """Raise GroundworkError if the address of a gateway is not recognized because one of its tags was edited.

    A gateway may have an address that was given earlier, and is not tagged. Only such gateways take another call.
    """
    names = {
        held: one.wish.name
        for one in matches.served
        if one.gateway and not one.address and not one.wish.address
        for held in allocations(one.gateway)
    }
    if not names:
        return
    read = Read("ec2", "describe_addresses", "Addresses", {"AllocationIds": sorted(names)})
    for address in observe(run.clients, {"addresses": read})["addresses"]:
        own = address["AllocationId"]
        wanted = wanted_as("elastic-ip", owner.tags(names[own]))
        refuse(edited([wanted], {("elastic-ip", own): tag_dict(address)}))


def _tell(run: Run, desired: Nat, matches: Matches) -> None:
    left = [gateway["NatGatewayId"] for gateway in matches.stale_gateways]
    if left and not desired.purge:
        run.warn(
            f"The NAT gateways {', '.join(left)} are not declared, and AWS charges for them. Set purge to delete them."
        )


def known_ids(observed: Observed, matches: Matches) -> Ids:
    """Return the ids of the existing resources."""
    ids: Ids = {}
    for name, table in (observed.tables or {}).items():
        ids[table_ref(name)] = table["RouteTableId"]
        subnet = observed.subnet_id(name)
        if subnet:
            ids[subnet_ref(name)] = subnet
    for one in matches.served:
        if one.gateway:
            ids[gateway_ref(one.wish.name)] = one.gateway["NatGatewayId"]
            ids[public_ip_ref(one.wish.name)] = one.gateway["NatGatewayAddresses"][0].get("PublicIp", "")
        if one.address:
            ids[address_ref(one.wish.name)] = one.address["AllocationId"]
            ids[public_ip_ref(one.wish.name)] = one.address["PublicIp"]
    return ids


def _facts(desired: Nat, ids: Ids) -> dict[str, dict[str, t.Any]]:
    return {
        wish.zone: {"id": shown(gateway_ref(wish.name), ids), "public_ip": shown(public_ip_ref(wish.name), ids)}
        for wish in desired.gateways
    }
