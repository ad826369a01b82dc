# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the prefix lists that rules refer to. Those of AWS are referred to by name, others by id."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import AWS_PREFIX_LIST
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import Groups, GroupWish
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import PrefixList, Rule

# By the ends of the names of AWS' lists; the others count as one rule. Other lists count as their MaxEntries.
# https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
WEIGHTS = {"cloudfront.origin-facing": 55, "groundstation": 5, "route53-healthchecks": 25, "vpc-lattice": 10}


def read_lists(clients: Clients) -> dict[str, PrefixList]:
    """Return all prefix lists of the region, by the peer of rules: the name of a list of AWS, the id of another one."""
    read = Read("ec2", "describe_managed_prefix_lists", "PrefixLists")
    found = [_parse(each) for each in observe(clients, {"lists": read})["lists"]]
    return {one.name if AWS_PREFIX_LIST.fullmatch(one.name) else one.id: one for one in found}


def _parse(described: t.Mapping[str, t.Any]) -> PrefixList:
    name = described.get("PrefixListName") or ""
    weights = (weight for end, weight in WEIGHTS.items() if name.endswith(f".{end}"))
    weight = described.get("MaxEntries") or next(weights, 1)
    return PrefixList(described["PrefixListId"], name, described.get("AddressFamily") == "IPv6", weight)


def refers(rules: t.Iterable[Rule]) -> bool:
    """Return whether a rule refers to a prefix list."""
    return any(rule.kind == "prefix list" for rule in rules)


def with_lists(desired: Groups, lists: t.Mapping[str, PrefixList], problems: Problems) -> Groups:
    """Return the groups with names in place of the ids of AWS' lists. Add to `problems` lists that do not exist."""
    names = {one.id: peer for peer, one in lists.items()}
    groups = [
        replace(wish, rules=_named(wish, f"groups[{position}]", names, lists, problems))
        for position, wish in enumerate(desired.groups)
    ]
    return replace(desired, groups=tuple(groups))


def _named(
    wish: GroupWish,
    where: str,
    names: t.Mapping[str, str],
    lists: t.Mapping[str, PrefixList],
    problems: Problems,
) -> dict[Rule, str]:
    rules: dict[Rule, str] = {}
    for rule, text in wish.rules.items():
        one = rule if rule.kind != "prefix list" else replace(rule, peer=names.get(rule.peer, rule.peer))
        if one.kind == "prefix list":
            _check(one, f"{where}.{rule.way}", lists, problems)
        if rules.setdefault(one, text) != text:
            right = f"declare '{one}' once"
            problems.add(f"{where}.{rule.way}", f"{rule.peer} is declared by its name and by its id", right)
    return rules


def _check(rule: Rule, where: str, lists: t.Mapping[str, PrefixList], problems: Problems) -> None:
    known = lists.get(rule.peer)
    if known is None:
        of_aws = ", ".join(sorted(peer for peer, one in lists.items() if peer == one.name)) or "none"
        right = f"use the id of a list of this account, or one of AWS' lists: {of_aws}"
        problems.add(where, f"the prefix list {rule.peer} does not exist in this region", right)
    elif rule.protocol == ("icmp" if known.ipv6 else "icmpv6"):
        version = "IPv6" if known.ipv6 else "IPv4"
        right = f"use protocol: {'icmpv6' if known.ipv6 else 'icmp'}"
        problems.add(where, f"the prefix list {rule.peer} is of {version}, which has no {rule.protocol}", right)
