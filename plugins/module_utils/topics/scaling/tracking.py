# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scaling policies of Auto Scaling groups: the desired ones, and the changes that make them. Pure functions.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import (
    KINDS,
    Observed,
    Policy,
    policy_name,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import ServerGroup

POLICY = "scaling policy"
METRICS = {"cpu": "ASGAverageCPUUtilization", "requests": "ALBRequestCountPerTarget"}


def resource_label(balancer_arn: str, target_group_arn: str) -> str:
    """Return the resource label of a target group, the ends of the ARNs of its load balancer and of itself.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredefinedMetricSpecification.html
    """
    return f"{balancer_arn.partition(':loadbalancer/')[2]}/{target_group_arn.rpartition(':')[2]}"


def wanted_policies(wish: ServerGroup, observed: Observed) -> dict[str, Policy]:
    """Return the desired policies by kind. A label whose load balancer does not exist yet is KNOWN_AFTER_APPLY."""
    tracking = wish.tracking
    balancer, own = (found.get(tracking.target_group) for found in (observed.balancers, observed.target_groups))
    labels = {"cpu": "", "requests": resource_label(balancer, own) if balancer and own else KNOWN_AFTER_APPLY}
    targets = {"cpu": tracking.cpu, "requests": tracking.requests}
    return {
        kind: Policy(METRICS[kind], labels[kind], float(target), tracking.disable_scale_in, tracking.warmup, True)
        for kind, target in targets.items()
        if target is not None
    }


def put_policies(
    name: str, tier: str, wanted: t.Mapping[str, Policy], existing: t.Mapping[str, Policy]
) -> list[Change]:
    """Create and update the policies of the group `name`. Its target groups must be attached before."""
    return [
        change
        for kind in KINDS
        if kind in wanted and (change := _put(name, f"{tier} {kind}", kind, wanted[kind], existing.get(kind)))
    ]


def _put(name: str, told: str, kind: str, policy: Policy, before: Policy | None) -> Change | None:
    if policy == before:
        return None
    metric = {"PredefinedMetricType": policy.metric, **({"ResourceLabel": policy.label} if policy.label else {})}
    arguments = {
        "AutoScalingGroupName": name,
        "PolicyName": policy_name(kind),
        "PolicyType": "TargetTrackingScaling",
        "EstimatedInstanceWarmup": policy.warmup,
        "TargetTrackingConfiguration": {
            "PredefinedMetricSpecification": metric,
            "TargetValue": policy.target,
            "DisableScaleIn": policy.disable_scale_in,
        },
        "Enabled": policy.enabled,
    }
    call = Call("autoscaling", "put_scaling_policy", arguments, repeatable=True)
    after = shown(policy)
    if before is None:
        return Change("create", POLICY, told, (call,), after=after)
    was = shown(before)
    differing = [key for key in {**was, **after} if was.get(key) != after.get(key)]
    return Change(
        "update",
        POLICY,
        told,
        (call,),
        before={key: was.get(key) for key in differing},
        after={key: after.get(key) for key in differing},
    )


def delete_policies(
    name: str, tier: str, wanted: t.Mapping[str, Policy], existing: t.Mapping[str, Policy]
) -> list[Change]:
    """Delete the policies that are not desired any more. Policies with other names are not touched."""
    changes = []
    for kind in KINDS:
        if kind in existing and kind not in wanted:
            named = {"AutoScalingGroupName": name, "PolicyName": policy_name(kind)}
            # Auto Scaling answers with ValidationError if the policy does not exist.
            call = Call("autoscaling", "delete_policy", named).settled_by("ValidationError")
            changes.append(Change("delete", POLICY, f"{tier} {kind}", (call,), before=shown(existing[kind])))
    return changes


def shown(policy: Policy) -> dict[str, t.Any]:
    """Return a policy as --diff shows it."""
    told = {
        "PredefinedMetricType": policy.metric,
        "TargetValue": policy.target,
        "DisableScaleIn": policy.disable_scale_in,
        "EstimatedInstanceWarmup": policy.warmup,
        "Enabled": policy.enabled,
    }
    return {**told, "ResourceLabel": policy.label} if policy.label else told
