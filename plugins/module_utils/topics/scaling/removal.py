# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove Auto Scaling groups and their launch templates."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, tag_dict, tag_filter
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    PARAMETERS,
    Described,
    Protection,
    Removal,
    Sight,
    Tagged,
    Thing,
    some,
)


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    tagged = {"Filters": [tag_filter(ENVIRONMENT, sight.whose.environment)]}
    yield "scaling groups", Read("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", tagged)


def _things(sight: Sight) -> t.Iterator[Thing]:
    yield from (_scaling_group(group, sight) for group in sight.answers["scaling groups"])
    yield from (_launch_template(template, sight) for template in sight.answers["launch templates"])


def _scaling_group(group: Described, sight: Sight) -> Thing:
    """Return an Auto Scaling group, which is deleted with its instances, and described until they are terminated.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
    """
    name = group["AutoScalingGroupName"]
    named = {"AutoScalingGroupNames": [name]}
    templates = {one["LaunchTemplateId"] for one in sight.answers["launch templates"]}
    used = group.get("LaunchTemplate") or group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get(
        "LaunchTemplateSpecification", {}
    )
    gone = Wait(
        f"the Auto Scaling group {name} to be deleted",
        Call("autoscaling", "describe_auto_scaling_groups", named),
        lambda answer: not answer.get("AutoScalingGroups"),
        deadline=sight.deadline,
    )
    delete = Call(
        "autoscaling",
        "delete_auto_scaling_group",
        {"AutoScalingGroupName": name, "ForceDelete": True},
    )
    subnets = [one for one in group.get("VPCZoneIdentifier", "").split(",") if one]
    return Thing(
        "auto scaling group",
        group.get("AutoScalingGroupARN", name),
        sight.short(name),
        needs=some(
            *subnets, *group.get("TargetGroupARNs", []), *({used.get("LaunchTemplateId")} & templates), PARAMETERS
        ),
        calls=() if group.get("Status") else (delete,),  # "Delete in progress"
        wait=gone,
        before={"desired_capacity": group["DesiredCapacity"]},
        tags=tag_dict(group),
        protections=tuple(_protections(group)),
    )


def _protections(group: Described) -> t.Iterator[Protection]:
    """Yield what protects a group and its instances.

    AWS deletes a group together with instances that are protected from scale in, which a user has protected for a
    reason. https://docs.aws.amazon.com/autoscaling/ec2/userguide/resource-deletion-protection.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
    """
    named = f"--auto-scaling-group-name {group['AutoScalingGroupName']}"
    level = group.get("DeletionProtection", "none")
    if level != "none":
        command = f"aws autoscaling update-auto-scaling-group {named} --deletion-protection none"
        yield Protection(f"deletion protection is enabled ({level})", command)
    if ids := [one["InstanceId"] for one in group.get("Instances", []) if one.get("ProtectedFromScaleIn")]:
        command = f"aws autoscaling set-instance-protection {named} --instance-ids {' '.join(ids)}"
        yield Protection(
            f"scale-in protection is enabled for {', '.join(ids)}", f"{command} --no-protected-from-scale-in"
        )


def _launch_template(template: Described, sight: Sight) -> Thing:
    own = template["LaunchTemplateId"]
    delete = ec2("delete_launch_template", LaunchTemplateId=own).settled_by("InvalidLaunchTemplateId.NotFound")
    name = sight.short(template["LaunchTemplateName"])
    return Thing("launch template", own, name, calls=(delete,), tags=tag_dict(template))


REMOVAL = Removal(
    kinds=("auto scaling group", "launch template"),
    things=_things,
    tagged={"launch templates": Tagged("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId")},
    reads=_reads,
)
