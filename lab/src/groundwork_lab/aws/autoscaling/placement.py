"""The choice of the subnet for a new instance, and of the instance to terminate. Pure functions.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html and
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from groundwork_lab.aws.autoscaling.state import Member, TemplateUse

POLICIES = (
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
)
HOUR = 3600.0


def next_subnet(subnets: Mapping[str, str], members: Sequence[Member]) -> str:
    """Return the subnet for a new member: the one with the fewest members in the zone with the fewest members."""
    zones = Counter(member.zone for member in members)
    used = Counter(member.subnet_id for member in members)
    return min(subnets, key=lambda subnet: (zones[subnets[subnet]], used[subnet], subnets[subnet], subnet))


def unbalanced(zones: Sequence[str], members: Sequence[Member]) -> bool:
    """Return whether a member is outside the group's zones, or a zone has two members more than another zone."""
    count = Counter(member.zone for member in members)
    if set(count) - set(zones):
        return True
    return max(count[zone] for zone in zones) - min(count[zone] for zone in zones) > 1


def victim(
    members: Sequence[Member], zones: Sequence[str], policies: Sequence[str], template: TemplateUse, clock: float
) -> Member | None:
    """Return the next member to terminate when there are too many, or None if all are protected."""
    count = Counter(member.zone for member in members)
    free = [member for member in members if not member.protected]
    if not free:
        return None
    crowd = {member.zone: (member.zone not in zones, count[member.zone]) for member in free}
    left = [member for member in free if crowd[member.zone] == max(crowd.values())]
    for policy in policies:
        left = narrowed(left, policy, template, clock)
    return min(left, key=lambda member: (member.launched, member.id))


def narrowed(members: list[Member], policy: str, template: TemplateUse, clock: float) -> list[Member]:
    """Return the members that the termination policy selects first."""
    if policy == "Default":
        outdated = narrowed(members, "OldestLaunchTemplate", template, clock)
        return narrowed(outdated, "ClosestToNextInstanceHour", template, clock)
    keys: Mapping[str, Callable[[Member], tuple[float, ...]]] = {
        "OldestInstance": lambda member: (member.launched,),
        "NewestInstance": lambda member: (-member.launched,),
        "OldestLaunchTemplate": lambda member: (
            float(member.template.id == template.id),  # instances of other templates are terminated first
            float(member.template.version) if member.template.id == template.id else 0.0,
        ),
        "ClosestToNextInstanceHour": lambda member: (HOUR - (clock - member.launched) % HOUR,),
    }
    key = keys.get(policy)
    if key is None:  # the policy does not distinguish On-Demand instances that were launched from launch templates
        return members
    first = min(map(key, members))
    return [member for member in members if key(member) == first]
