# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to security groups: first the groups, then their rules."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, retag, specification, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import MAX_RULES, Groups, GroupWish
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import (
    OPEN_EGRESS,
    OPEN_EGRESS_IPV6,
    WAYS,
    Existing,
    PrefixList,
    Rule,
    Way,
    existing_rules,
    group_ref,
    permission,
    places,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import VPC

Described = t.Mapping[str, t.Any]
Lists = t.Mapping[str, PrefixList]
NO_LISTS: Lists = MappingProxyType({})


def plan_groups(
    desired: Groups, observed: t.Mapping[str, Described], owner: Owner, lists: Lists = NO_LISTS, *, ipv6: bool = False
) -> list[Change]:
    """Return the changes. `observed` maps names to the owner's described groups, `lists` peers to prefix lists.

    `ipv6` says whether the VPC has an IPv6 CIDR block.
    """
    names = peer_names(observed, lists)
    missing = [wish for wish in desired.groups if wish.name not in observed]
    return [
        *(_creation(wish, owner) for wish in missing),
        *(
            change
            for wish in desired.groups
            for actual in (_rules_of(observed.get(wish.name), names, ipv6),)
            for change in _rule_changes(
                wish.name,
                _with_kept(wish.rules, actual, staying_rules(desired, observed, actual), lists),
                actual,
                lists,
            )
        ),
        *_tag_changes(desired, observed, owner),
        *(_removals(desired, observed, names, lists) if desired.purge else ()),
    ]


def peer_names(observed: t.Mapping[str, Described], lists: Lists) -> dict[str, str]:
    """Return the names of own groups and of AWS' prefix lists, by id."""
    return {
        **{group["GroupId"]: name for name, group in observed.items()},
        **{one.id: peer for peer, one in lists.items()},
    }


def undeclared(desired: Groups, observed: t.Mapping[str, Described]) -> list[str]:
    """Return the names of the owner's groups that are not declared."""
    return sorted(observed.keys() - {wish.name for wish in desired.groups})


def _creation(wish: GroupWish, owner: Owner) -> Change:
    ref = group_ref(wish.name)
    description = wish.description or f"{wish.name} of {owner.environment}"
    create = ec2(
        "create_security_group",
        VpcId=VPC,
        GroupName=owner.name(wish.name),
        Description=description,
        TagSpecifications=specification("security-group", owner.tags(wish.name)),
    ).yielding(ref, "GroupId")
    return Change("create", ref.resource, ref.name, (create,), after={"id": ref, "description": description})


def _rules_of(group: Described | None, names: t.Mapping[str, str], ipv6: bool) -> dict[Rule, Existing]:
    """Return the existing rules. AWS gives a new group rules that allow all outbound traffic."""
    if group:
        return existing_rules(group, names)
    return {rule: Existing("", permission(rule)) for rule in (OPEN_EGRESS, *((OPEN_EGRESS_IPV6,) if ipv6 else ()))}


def rules_for(actual: t.Iterable[Rule], groups: t.Collection[str]) -> list[Rule]:
    """Return the rules that allow traffic from or to members of the groups."""
    return [rule for rule in actual if rule.kind == "group" and rule.peer in groups]


def staying_rules(desired: Groups, observed: t.Mapping[str, Described], actual: t.Collection[Rule]) -> list[Rule]:
    """Return the existing rules that stay for now: for undeclared groups, and for inbound traffic to kept ports.

    The members of a group that got another name are still in the old one. They keep their traffic until a run that is
    not `moving`, when everything has moved.
    """
    groups = undeclared(desired, observed) if desired.moving and not desired.purge else ()
    return [*rules_for(actual, groups), *_to_kept_ports(desired, actual)]


def _to_kept_ports(desired: Groups, actual: t.Iterable[Rule]) -> list[Rule]:
    web = [one for one in actual if (one.way, one.protocol) == ("ingress", "tcp") and one.first == one.last]
    return [one for one in web if one.first in desired.kept_ports]


def kept_in(desired: Groups, observed: t.Mapping[str, Described], lists: Lists) -> list[str]:
    """Return the names of the declared groups that have rules only because of kept ports."""
    names = peer_names(observed, lists)
    there = [(wish, existing_rules(observed[wish.name], names)) for wish in desired.groups if wish.name in observed]
    return [wish.name for wish, rules in there if set(_to_kept_ports(desired, rules)) - wish.rules.keys()]


def _with_kept(
    wanted: t.Mapping[Rule, str], actual: t.Mapping[Rule, Existing], staying: t.Iterable[Rule], lists: Lists
) -> dict[Rule, str]:
    """Return the rules of a declared group, with those that stay.

    Without room for both within AWS' quota, the rules are removed now.
    """
    kept = {rule: actual[rule].description for rule in staying}
    room = {way: MAX_RULES - places(wanted.keys() | kept.keys(), way, lists) for way in WAYS}
    return {**{rule: text for rule, text in kept.items() if room[rule.way] >= 0}, **wanted}


def _rule_changes(
    name: str, wanted: t.Mapping[Rule, str], actual: t.Mapping[Rule, Existing], lists: Lists
) -> t.Iterator[Change]:
    calls = [call for way in WAYS for call in _rule_calls(name, way, wanted, actual, lists)]
    if calls:
        before = _shown({rule: existing.description for rule, existing in actual.items()})
        yield Change("update", "security group rules", name, tuple(calls), before, _shown(wanted))


def _shown(rules: t.Mapping[Rule, str]) -> dict[str, list[str]]:
    return {
        way: [f"{rule} ({rules[rule]})" if rules[rule] else str(rule) for rule in sorted(rules) if rule.way == way]
        for way in WAYS
    }


def _rule_calls(
    name: str, way: Way, wanted: t.Mapping[Rule, str], actual: t.Mapping[Rule, Existing], lists: Lists
) -> t.Iterator[Call]:
    """Return the calls that add new rules and then remove old ones, so that traffic allowed by both is not interrupted.

    The old rules are removed first only if AWS' quota does not allow both.
    """
    here = sorted(rule for rule in wanted if rule.way == way)
    there = sorted(rule for rule in actual if rule.way == way)
    add = [permission(rule, wanted[rule]) for rule in here if rule not in actual]
    remove = [actual[rule].permission for rule in there if rule not in wanted]
    other_words = [rule for rule in here if rule in actual and actual[rule].description != wanted[rule]]
    calls = [
        *([_call("authorize_security_group", way, name, add)] if add else ()),
        *([_revoke(way, name, remove)] if remove else ()),
    ]
    yield from reversed(calls) if places({*here, *there}, way, lists) > MAX_RULES else calls
    if other_words:
        reworded = [permission(rule, wanted[rule]) for rule in other_words]
        yield _call("update_security_group_rule_descriptions", way, name, reworded)


def _call(operation: str, way: Way, name: str, permissions: t.Sequence[t.Mapping[str, t.Any]]) -> Call:
    return ec2(f"{operation}_{way}", GroupId=group_ref(name), IpPermissions=list(permissions))


def _revoke(way: Way, name: str, permissions: t.Sequence[t.Mapping[str, t.Any]]) -> Call:
    return _call("revoke_security_group", way, name, permissions).settled_by("InvalidPermission.NotFound")


def _tag_changes(desired: Groups, observed: t.Mapping[str, Described], owner: Owner) -> list[Change]:
    return retag(
        [
            (group_ref(wish.name), tag_dict(observed[wish.name]), owner.tags(wish.name))
            for wish in desired.groups
            if wish.name in observed
        ]
    )


def _removals(
    desired: Groups, observed: t.Mapping[str, Described], names: t.Mapping[str, str], lists: Lists
) -> t.Iterator[Change]:
    """Yield changes that remove the rules of undeclared groups, and then delete the groups.

    AWS refuses to delete a group to which a rule refers.
    """
    gone = undeclared(desired, observed)
    for name in gone:
        yield from _rule_changes(name, {}, existing_rules(observed[name], names), lists)
    for name in gone:
        delete = ec2("delete_security_group", GroupId=group_ref(name)).settled_by("InvalidGroup.NotFound")
        yield Change("delete", "security group", name, (delete,), {"id": observed[name]["GroupId"]})
