# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `autoscaling_server_groups`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import refuse_exceeding
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.changes import outdated, plan
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.checking import check, image_of
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import (
    Group,
    Observed,
    group_of,
    observe_groups,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import (
    ServerGroup,
    ServerGroups,
    parse_server_groups,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.launching import Launch, refuse_launches
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import group_uses

COMPONENT = "servers"
GROUP = "auto scaling group"
POLL_INTERVAL = 2.0  # seconds
REFUSED = ("Failed", "Cancelled")  # the statuses of activities that did not launch an instance


def converge_server_groups(run: Run) -> dict[str, t.Any]:
    """Create, update, refresh and delete groups, and return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_server_groups)
    observed = run.observe(
        lambda: observe_groups(run.clients, owner, desired),
        lambda seen, problems: check(owner, desired, seen, problems, check_mode=run.check_mode),
    )
    behind = {wish.name: sorted(outdated(owner, desired, wish, observed)) for wish in desired.groups}
    if not desired.refreshing.wanted:
        for remark in _remarks(behind):
            run.warn(remark)
    changes = plan(owner, desired, observed)
    if any(change.action == "create" and change.resource == GROUP for change in changes):
        refuse_launches(run.clients, [_launch(wish, observed) for wish in desired.groups])
    if changes:
        refuse_exceeding(run.clients, group_uses([wish.tier for wish in desired.groups]), run.warn)
    result = run.make(changes, observed.ids())
    groups: t.Mapping[str, Group] = observed.groups
    if not run.check_mode and (changes or _lacking(desired, observed.groups)):
        groups = _await_service(run, owner, desired)
        if desired.refreshing.wanted:
            behind = {tier: [] for tier in behind}
    return {**result, "groups": [_described(owner, wish, observed, groups, behind) for wish in desired.groups]}


def _launch(wish: ServerGroup, observed: Observed) -> Launch:
    zones = tuple(placement.zone for placement in wish.tier.placements)
    return Launch(wish.where, wish.tier.instance_type, zones, image_of(wish, observed))


def _remarks(behind: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    for tier, ids in behind.items():
        if ids:
            yield (
                f"tiers.{tier}: these servers have another version of the launch template: {', '.join(ids)}. "
                "Nothing was replaced: set refresh (servers_refresh in the inventory) to true to replace them."
            )


def _await_service(run: Run, owner: Owner, desired: ServerGroups) -> t.Mapping[str, Group]:
    """Poll all groups with one call until each has its desired capacity in service. Return the groups by tier.

    Raise GroundworkError with the reason of the last failed activity if `desired.deadline` passes.
    """
    names = {owner.name(wish.name): wish.name for wish in desired.groups}
    if not names:
        return {}
    named = {"AutoScalingGroupNames": sorted(names)}
    read = {"groups": Read("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", named)}
    seen: dict[str, Group] = {}

    def look() -> dict[str, Group]:
        seen.clear()
        told = observe(run.clients, read)["groups"]
        seen.update({names[one["AutoScalingGroupName"]]: group_of(one) for one in told})
        return seen

    try:
        wait_until(
            look,
            lambda groups: not _lacking(desired, groups),
            until="all Auto Scaling groups to have their servers in service",
            deadline=desired.deadline,
            interval=POLL_INTERVAL,
            clock=run.clock,
            standing=lambda groups: "; ".join(_lacking(desired, groups).values()),
        )
    except DeadlineError as error:
        lacking = _lacking(desired, seen)
        told = "\n".join(f"- {line}{_reason(run, owner.name(tier))}" for tier, line in lacking.items())
        raise GroundworkError(
            f"Timed out after {desired.deadline:.0f} s waiting for all Auto Scaling groups to have their servers in "
            f"service. Auto Scaling reports:\n{told}\nRemove the cause; the groups keep launching servers."
        ) from error
    return seen


def _lacking(desired: ServerGroups, groups: t.Mapping[str, Group]) -> dict[str, str]:
    """Return by tier a line for each group that does not have all its servers in service."""
    lines = {}
    for wish in desired.groups:
        group = groups.get(wish.name)
        if group is None:
            lines[wish.name] = f"{wish.name} does not exist"
            continue
        serving = sum(member.in_service for member in group.members)
        if serving < group.desired:
            lines[wish.name] = f"{wish.name} has {serving} of {group.desired} servers in service"
    return lines


def _reason(run: Run, name: str) -> str:
    """Return the message of the newest failed activity, or "" if none failed."""
    named = {"AutoScalingGroupName": name}
    read = Read("autoscaling", "describe_scaling_activities", "Activities", named, absent=("ValidationError",))
    for activity in observe(run.clients, {"activities": read})["activities"]:
        if activity["StatusCode"] in REFUSED and activity.get("StatusMessage"):
            return f": {activity['StatusMessage']}"
    return ""


def _described(
    owner: Owner,
    wish: ServerGroup,
    observed: Observed,
    groups: t.Mapping[str, Group],
    behind: t.Mapping[str, t.Sequence[str]],
) -> dict[str, t.Any]:
    """Return a group as the module returns it. A group that does not exist yet is `planned`."""
    group, image = groups.get(wish.name), image_of(wish, observed)
    return {
        "name": owner.name(wish.name),
        "tier": wish.name,
        "planned": group is None,
        "min": wish.minimum,
        "max": wish.maximum,
        "desired": group.desired if group else wish.minimum if wish.desired is None else wish.desired,
        "image_id": image.id if image else KNOWN_AFTER_APPLY,
        "version": group.version if group else KNOWN_AFTER_APPLY,
        "servers": [
            {"id": m.id, "zone": m.zone, "state": m.state, "healthy": m.healthy, "version": m.version}
            for m in (group.members if group else ())
        ],
        "outdated": list(behind[wish.name]),
    }
