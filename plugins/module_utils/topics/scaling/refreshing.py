# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instance refreshes: the changes that start one and wait for its end. Pure functions.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Joined, Ref, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import (
    ENDED,
    Described,
    Refresh,
    template_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import Refreshing

INTERVAL = 5.0  # seconds


def refresh_ref(tier: str) -> Ref:
    """Return the reference to a tier's instance refresh."""
    return Ref("instance refresh", tier)


def begin(group_name: str, tier: str, version: Joined | str, how: Refreshing, *, rollback: bool) -> Change:
    """Start the replacement of all instances of other versions. Afterwards the group has this version.

    With `rollback`, AWS restores the previous version if instances do not become healthy.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html
    """
    template = {"LaunchTemplateId": template_ref(tier), "Version": version}
    preferences = {
        "MinHealthyPercentage": how.least,
        "MaxHealthyPercentage": how.most,
        "SkipMatching": True,
        "AutoRollback": rollback,
    }
    arguments = {
        "AutoScalingGroupName": group_name,
        "DesiredConfiguration": {"LaunchTemplate": template},
        "Preferences": preferences,
    }
    start = Call("autoscaling", "start_instance_refresh", arguments).yielding(refresh_ref(tier), "InstanceRefreshId")
    wait = _watched(group_name, tier, refresh_ref(tier), how.deadline)
    after = {"Version": version, **preferences}
    return Change("create", "instance refresh", tier, (start,), after=after, wait=wait)


def go_on(group_name: str, tier: str, refresh: Refresh, how: Refreshing) -> Change:
    """Wait for the success of an instance refresh that an earlier run started."""
    wait = _watched(group_name, tier, refresh.id, how.deadline)
    return _awaited(tier, refresh, wait, "Successful")


def let_end(group_name: str, tier: str, refresh: Refresh, how: Refreshing) -> Change:
    """Wait for the end of an instance refresh to another version. AWS allows only one at a time."""
    wait = Wait(
        f"the running instance refresh of {tier} to end",
        _look(group_name, refresh.id),
        lambda answer: _found(answer).get("Status") in ENDED,
        standing=lambda answer: _told(_found(answer)),
        deadline=how.deadline,
        interval=INTERVAL,
    )
    return _awaited(tier, refresh, wait, "ended")


def _awaited(tier: str, refresh: Refresh, wait: Wait, end: str) -> Change:
    before = {"Status": refresh.status, "PercentageComplete": refresh.percent}
    return Change("update", "instance refresh", tier, (), before=before, after={"Status": end}, wait=wait)


def _look(group_name: str, refresh_id: str | Ref) -> Call:
    arguments = {"AutoScalingGroupName": group_name, "InstanceRefreshIds": [refresh_id]}
    return Call("autoscaling", "describe_instance_refreshes", arguments)


def _watched(group_name: str, tier: str, refresh_id: str | Ref, deadline: float) -> Wait:
    return Wait(
        f"the servers of {tier} to be replaced",
        _look(group_name, refresh_id),
        lambda answer: _found(answer).get("Status") == "Successful",
        broken=lambda answer: failure(_found(answer)),
        standing=lambda answer: _told(_found(answer)),
        deadline=deadline,
        interval=INTERVAL,
    )


def _found(answer: Described) -> Described:
    refreshes: t.Sequence[Described] = answer.get("InstanceRefreshes") or [{}]
    return refreshes[0]


def failure(refresh: Described) -> str | None:
    """Return the reason why an instance refresh failed, or None if it succeeded or has not ended."""
    status = refresh.get("Status")
    if status not in ENDED or status == "Successful":
        return None
    back = refresh.get("RollbackDetails", {})
    reason = back.get("RollbackReason") or refresh.get("StatusReason") or "AWS reports no reason"
    then = {
        "RollbackSuccessful": "All servers have the previous version again.",
        "RollbackFailed": "The rollback to the previous version failed too: look at the group's activities.",
    }.get(str(status), "Servers that were replaced are not rolled back.")
    return (
        f"the instance refresh is {status} after {refresh.get('PercentageComplete', 0)} %: {reason.rstrip('.')}. "
        f"{then} Remove the cause and run again to replace the others."
    )


def _told(refresh: Described) -> str:
    if not refresh:
        return ""
    left = refresh.get("InstancesToUpdate", "?")
    reason = f": {refresh['StatusReason'].rstrip('.')}" if refresh.get("StatusReason") else ""
    return (
        f"The instance refresh is {refresh.get('Status')} with {refresh.get('PercentageComplete', 0)} % done and "
        f"{left} servers to replace{reason}."
    )
