# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `autoscaling_groups_info`: the sizes and the policies of an environment's groups."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import parse_owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, Owner, tag_filter
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import (
    Described,
    group_of,
    policy_of,
)


def look_at_groups(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError on failure."""
    problems = Problems()
    owner = parse_owner(run.options, "", problems)
    problems.raise_if_any()
    tagged = {"Filters": [tag_filter(ENVIRONMENT, owner.environment)]}
    reads = {
        "groups": Read("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", tagged),
        "policies": Read("autoscaling", "describe_policies", "ScalingPolicies"),
    }
    answers = observe(run.clients, reads)
    groups = [told_group(owner, group, answers["policies"]) for group in answers["groups"]]
    return {"changed": False, "groups": sorted(groups, key=lambda one: one["name"])}


def told_group(owner: Owner, described: Described, policies: t.Iterable[Described]) -> dict[str, t.Any]:
    """Return what the module tells of a group. `policies` are those of all groups."""
    group = group_of(described)
    own = [one for one in policies if one["AutoScalingGroupName"] == group.name]
    return {
        "name": group.name,
        "tier": group.name.removeprefix(owner.name("")),
        "min": group.minimum,
        "max": group.maximum,
        "desired": group.desired,
        "in_service": sum(member.in_service for member in group.members),
        "policies": [_told_policy(one) for one in sorted(own, key=lambda one: str(one["PolicyName"]))],
    }


def _told_policy(described: Described) -> dict[str, t.Any]:
    policy = policy_of(described)
    return {
        "name": described["PolicyName"],
        "metric": policy.metric,
        "target": policy.target,
        "scales_in": not policy.disable_scale_in,
        "enabled": policy.enabled,
    }
