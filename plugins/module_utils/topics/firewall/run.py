# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `ec2_security_groups`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import RULES, Use, refuse_exceeding
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.changes import (
    Described,
    kept_in,
    plan_groups,
    undeclared,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import (
    COMPONENT,
    Groups,
    parse_security_groups,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.prefix_lists import (
    read_lists,
    refers,
    with_lists,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import (
    WAYS,
    PrefixList,
    existing_rules,
    group_ref,
    places,
    prefix_list_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.observed import the_only
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import COMPONENT as NETWORK
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import VPC


def converge_security_groups(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `ec2_security_groups`."""
    owner, desired = run.parse(COMPONENT, parse_security_groups)
    read = Read("ec2", "describe_security_groups", "SecurityGroups", {"Filters": owner.filters()})
    observed = owner.by_name(observe(run.clients, {"groups": read})["groups"])
    lists = _lists(run, desired, observed)
    desired = _with_lists(desired, lists)
    ids: Ids = {group_ref(name): group["GroupId"] for name, group in observed.items()}
    ids.update({prefix_list_ref(peer): one.id for peer, one in lists.items()})
    vpc = _vpc(run, owner) if any(wish.name not in observed for wish in desired.groups) else {}
    if vpc:
        ids[VPC] = vpc["VpcId"]
    left = undeclared(desired, observed)
    _tell(run, desired, observed, left)
    changes = plan_groups(desired, observed, owner, lists, ipv6=_has_ipv6(vpc))
    if changes:
        _check_quota(run, desired, lists)
    result = run.make(changes, ids)
    groups = {wish.name: shown(group_ref(wish.name), ids) for wish in desired.groups}
    return {**result, "groups": groups, "undeclared": left, "kept": kept_in(desired, observed, lists)}


def _lists(run: Run, desired: Groups, observed: t.Mapping[str, Described]) -> dict[str, PrefixList]:
    """Return the region's prefix lists. They are read if a declared or an existing rule refers to one."""
    declared = refers(rule for wish in desired.groups for rule in wish.rules)
    existing = (rule for group in observed.values() for rule in existing_rules(group, {}))
    return read_lists(run.clients) if declared or refers(existing) else {}


def _with_lists(desired: Groups, lists: t.Mapping[str, PrefixList]) -> Groups:
    problems = Problems()
    named = with_lists(desired, lists, problems)
    problems.raise_if_any()
    return named


def _has_ipv6(vpc: t.Mapping[str, t.Any]) -> bool:
    """Return whether an IPv6 CIDR block is associated with the VPC."""
    blocks = vpc.get("Ipv6CidrBlockAssociationSet", [])
    return any(block["Ipv6CidrBlockState"]["State"] == "associated" for block in blocks)


def _check_quota(run: Run, desired: Groups, lists: t.Mapping[str, PrefixList]) -> None:
    """Raise InputError if a group has more rules than the account's quota. It is read if one has more than usual."""
    uses = [
        Use(RULES, 0, places(wish.rules, way, lists), f"groups[{position}].{way}", f"'{wish.name}'")
        for position, wish in enumerate(desired.groups)
        for way in WAYS
    ]
    refuse_exceeding(run.clients, uses, run.warn)


def _vpc(run: Run, owner: Owner) -> t.Mapping[str, t.Any]:
    """Return the environment's VPC, in which new groups are created. It is empty if check mode finds none."""
    network = Owner(owner.environment, NETWORK)
    read = Read("ec2", "describe_vpcs", "Vpcs", {"Filters": network.filters()})

    def check(found: t.Any, problems: Problems) -> None:
        if not found and not run.check_mode:  # in check mode the network may not exist yet
            problems.add_missing(
                "environment_name",
                f"the environment {owner.environment} has no VPC for the security groups",
                "run ec2_vpc_network (the role network) first",
            )

    vpc = run.observe(lambda: the_only(observe(run.clients, {"vpcs": read})["vpcs"], "VpcId", "VPC", network), check)
    return vpc or {}


def _tell(run: Run, desired: Groups, observed: t.Mapping[str, Described], left: t.Sequence[str]) -> None:
    for wish in desired.groups:
        actual = observed.get(wish.name)
        if actual and wish.description and actual["Description"] != wish.description:
            run.warn(
                f"The security group {wish.name} keeps its description '{actual['Description']}', because AWS cannot "
                "change it. To change it, delete the group and run again."
            )
    if left and not desired.purge and not desired.moving:
        run.warn(f"The security groups {', '.join(left)} are not declared. Set purge to delete them.")
