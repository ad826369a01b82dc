# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove the IAM roles and instance profiles of servers."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Described, Removal, Sight, Thing

GONE = ("NoSuchEntity",)


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads, with those of tags and of the policies that a role has to lose first."""
    yield "roles", Read("iam", "list_roles", "Roles")
    yield "profiles", Read("iam", "list_instance_profiles", "InstanceProfiles")
    for role in sight.found("roles"):
        if sight.whose.has_name(role["RoleName"]):
            arn, named = role["Arn"], {"RoleName": role["RoleName"]}
            yield f"tags {arn}", Read("iam", "list_role_tags", "Tags", named, GONE)
            yield f"inline {arn}", Read("iam", "list_role_policies", "PolicyNames", named, GONE)
            yield f"attached {arn}", Read("iam", "list_attached_role_policies", "AttachedPolicies", named, GONE)
    for profile in sight.found("profiles"):
        if sight.whose.has_name(profile["InstanceProfileName"]):
            named = {"InstanceProfileName": profile["InstanceProfileName"]}
            yield f"tags {profile['Arn']}", Read("iam", "get_instance_profile", "InstanceProfile.Tags", named, GONE)


def _things(sight: Sight) -> t.Iterator[Thing]:
    for profile in sight.answers["profiles"]:
        yield from _profile(profile, sight)
    for role in sight.answers["roles"]:
        if sight.owns(role["Arn"]):
            yield _role(role, sight)
        elif region := sight.elsewhere(role["Arn"]):
            yield Thing("role", role["Arn"], sight.short(role["RoleName"]), ours=False, region=region)


def _profile(profile: Described, sight: Sight) -> t.Iterator[Thing]:
    """Return an instance profile, from which its role is removed first. The role itself stays, whoever its owner is.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
    """
    name = profile["InstanceProfileName"]
    roles = [role["Arn"] for role in profile["Roles"]]
    if not sight.owns(profile["Arn"]):
        region = sight.elsewhere(profile["Arn"])
        yield Thing("instance profile", profile["Arn"], name, ours=False, needs=frozenset(roles), region=region)
        return
    leave = [
        Call(
            "iam",
            "remove_role_from_instance_profile",
            {"InstanceProfileName": name, "RoleName": role["RoleName"]},
            settled=("NoSuchEntity",),
        )
        for role in profile["Roles"]
    ]
    delete = Call(
        "iam",
        "delete_instance_profile",
        {"InstanceProfileName": name},
        settled=("NoSuchEntity",),
    )
    short = sight.short(name)
    tags = tag_dict({"Tags": sight.found(f"tags {profile['Arn']}")})
    yield Thing("instance profile", profile["Arn"], short, needs=frozenset(roles), calls=(*leave, delete), tags=tags)


def _role(role: Described, sight: Sight) -> Thing:
    """Return a role, which can be deleted only without attached and inline policies.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
    """
    name, arn = role["RoleName"], role["Arn"]
    empty = [
        *(
            Call("iam", "detach_role_policy", {"RoleName": name, "PolicyArn": one["PolicyArn"]})
            for one in sight.answers[f"attached {arn}"]
        ),
        *(
            Call("iam", "delete_role_policy", {"RoleName": name, "PolicyName": policy})
            for policy in sight.answers[f"inline {arn}"]
        ),
    ]
    delete = Call("iam", "delete_role", {"RoleName": name}, settled=("NoSuchEntity",))
    calls = (*(call.settled_by("NoSuchEntity") for call in empty), delete)
    return Thing("role", arn, sight.short(name), calls=calls, tags=tag_dict({"Tags": sight.found(f"tags {arn}")}))


REMOVAL = Removal(kinds=("instance profile", "role"), things=_things, reads=_reads, after="secrets", optional=True)
