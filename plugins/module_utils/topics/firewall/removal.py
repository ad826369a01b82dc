# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove security groups."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Removal,
    Sight,
    Tagged,
    Thing,
    some,
)


def _things(sight: Sight) -> t.Iterator[Thing]:
    for group in sight.answers["groups"]:
        yield from _group(group, sight)


def _group(group: Described, sight: Sight) -> t.Iterator[Thing]:
    """Yield a security group, and its rules that refer to other groups, which keep these groups.

    A default group is deleted with its VPC. A rule in another owner's group that refers to a group of the environment
    keeps it.
    """
    own = group["GroupId"]
    if group["GroupName"] == "default":
        return
    permissions = {"ingress": group.get("IpPermissions", []), "egress": group.get("IpPermissionsEgress", [])}
    referring = {way: [_to_groups(one, own) for one in rules] for way, rules in permissions.items()}
    calls = [
        ec2(f"revoke_security_group_{way}", GroupId=own, IpPermissions=rules).settled_by(
            "InvalidPermission.NotFound", "InvalidGroup.NotFound"
        )
        for way, found in referring.items()
        if (rules := [one for one in found if one["UserIdGroupPairs"]])
    ]
    others = {pair["GroupId"] for found in referring.values() for one in found for pair in one["UserIdGroupPairs"]}
    ours = sight.whose.owns_described(group)
    delete = Call("ec2", "delete_security_group", {"GroupId": own}, settled=("InvalidGroup.NotFound",))
    name = sight.whose.name_of(group, group["GroupName"])
    if ours and calls:
        words = {"refers to": sorted(others)}
        # The group also needs these groups: they can be deleted only after its rules.
        needs = frozenset({own, *others})
        yield Thing(
            "security group rules", f"{own}/rules", name, calls=tuple(calls), needs=needs, before=words, part_of=own
        )
    yield Thing(
        "security group",
        own,
        name,
        ours=ours,
        needs=some(group["VpcId"], *(() if ours else others)),
        works_through=frozenset(others),
        calls=(delete,),
        before={"description": group["Description"]},
        place="" if ours else f"vpc {group['VpcId']}",
        tags=tag_dict(group),
    )


def _to_groups(permission: Described, own: str) -> dict[str, t.Any]:
    """Return the part of a permission that refers to other security groups, in the form that revokes it."""
    kept = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
    pairs = [p for p in permission.get("UserIdGroupPairs", []) if p["GroupId"] != own]
    return {**kept, "UserIdGroupPairs": [{k: p[k] for k in ("GroupId", "UserId") if k in p} for p in pairs]}


REMOVAL = Removal(
    kinds=("security group",),
    things=_things,
    tagged={"groups": Tagged("describe_security_groups", "SecurityGroups", "GroupId", "vpc-id")},
    after="nat",
)
