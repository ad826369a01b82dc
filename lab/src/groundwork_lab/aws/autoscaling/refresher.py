"""The progress of a group's instance refresh, one step at a time.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html and
https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groundwork_lab.aws.autoscaling import refreshing
from groundwork_lab.aws.autoscaling.refreshing import Standing
from groundwork_lab.aws.autoscaling.state import Group, Member, Refresh, RefreshStatus, TemplateUse, now

Resolve = Callable[[TemplateUse], TemplateUse | None]
WHY = "an instance was taken out of service in response to an instance refresh."


def outdated(group: Group, template: TemplateUse | None) -> set[str]:
    """Return the ids of the members that were not launched from this version of the template."""
    return {member.id for member in group.standing if template is None or member.template != template}


class Refresher:
    """Advances the instance refresh of one group. `let_go` takes a member out of service."""

    def __init__(self, group: Group, clock: float, resolve: Resolve, let_go: Callable[..., Any]) -> None:
        self._group = group
        self._clock = clock
        self._resolve = resolve
        self._let_go = let_go

    def go_on(self) -> None:
        refresh = self._group.refresh
        if refresh is None:
            return
        refresh.olds &= {member.id for member in self._group.standing}
        if refresh.status == "Cancelling":
            if all(member.state == "InService" for member in self._group.members.values()):
                self._end(refresh, "Cancelled")
            return
        if refresh.status == "Pending":
            refresh.status = "InProgress"
        self._measure(refresh)
        if self._finished(refresh):
            self._finish(refresh)
        elif self._clock > refresh.progressed + refreshing.PATIENCE:
            self._fail(refresh, "The instance refresh made no progress for an hour.")
        elif self._clock >= refresh.paused_until:
            self._replace(refresh)

    def surplus(self) -> int:
        refresh = self._group.refresh
        if refresh is None or refresh.status == "Cancelling" or self._clock < refresh.paused_until:
            return 0
        preferences = refresh.preferences
        return min(refreshing.surplus(self._standing(refresh), preferences), self._quota(refresh))

    def _standing(self, refresh: Refresh) -> Standing:
        standing = self._group.standing
        news = [member for member in standing if member.id not in refresh.olds]
        skipped = refresh.preferences.protected != "Refresh"
        olds = [member for member in standing if member.id in refresh.olds]
        counted = [member for member in olds if not (member.protected and skipped)]
        if refresh.preferences.protected == "Wait":
            counted = olds
        fresh = sum(self._ready(member, refresh) for member in news)
        useful = sum(self._ready(member, refresh) for member in counted)
        return Standing(
            desired=self._group.desired,
            ready=fresh + sum(self._ready(member, refresh) for member in olds),
            useless=len(counted) - useful,
            olds=len(counted),
            fresh=fresh,
            unready=len(news) - fresh + max(0, self._group.desired - len(standing)),
        )

    def _ready(self, member: Member, refresh: Refresh) -> bool:
        """Return whether the member is in service and healthy, and, if it is new, whether its warmup is over.

        The health in target groups counts only if the group uses ELB health checks.
        """
        group = self._group
        if member.in_service is None or not member.healthy:
            return False
        if group.health_check_type != "EC2" and group.target_groups and not member.passes:
            return False
        return member.id in refresh.olds or self._clock >= member.in_service + refresh.preferences.warmup

    def _quota(self, refresh: Refresh) -> int:
        if refresh.status == "RollbackInProgress":
            return self._standing(refresh).olds
        standing = self._standing(refresh)
        return refreshing.quota(refresh.total, standing, refresh.preferences, refresh.checkpoints_passed)

    def _measure(self, refresh: Refresh) -> None:
        reached = refreshing.percentage(refresh.total, refresh.kept, self._standing(refresh))
        if refresh.rollback is not None:
            refresh.rollback["PercentageCompleteOnRollback"] = reached
            refresh.rollback["InstancesToUpdateOnRollback"] = len(refresh.olds)
            return
        if reached > refresh.percentage:
            refresh.percentage, refresh.progressed = reached, self._clock
        self._note_checkpoint(refresh)

    def _note_checkpoint(self, refresh: Refresh) -> None:
        checkpoints, passed = refresh.preferences.checkpoints, refresh.checkpoints_passed
        if passed < len(checkpoints) and refresh.percentage >= checkpoints[passed]:
            refresh.checkpoints_passed += 1
            if refresh.checkpoints_passed < len(checkpoints):
                refresh.paused_until = self._clock + refresh.preferences.checkpoint_delay
                refresh.progressed = refresh.paused_until
                refresh.reason = f"Waiting at the checkpoint of {checkpoints[passed]}%."

    def _finished(self, refresh: Refresh) -> bool:
        standing = self._standing(refresh)
        checkpoints = refresh.preferences.checkpoints
        enough = bool(checkpoints) and refresh.checkpoints_passed == len(checkpoints) and refresh.rollback is None
        settled = standing.unready == 0 and len(self._group.standing) == self._group.desired
        return (standing.olds == 0 or enough) and settled

    def _finish(self, refresh: Refresh) -> None:
        if refresh.rollback is not None:
            self._end(refresh, "RollbackSuccessful")
            return
        if refresh.preferences.bake and not refresh.baked_at:
            refresh.status, refresh.baked_at = "Baking", self._clock + refresh.preferences.bake
        if self._clock >= refresh.baked_at:
            if refresh.desired is not None:
                self._group.template = refresh.desired
            self._end(refresh, "Successful")

    def _replace(self, refresh: Refresh) -> None:
        if not self._group.runs("Terminate") or not self._group.runs("Launch"):
            return
        refresh.reason = ""
        standing = self._standing(refresh)
        number = min(refreshing.removable(standing, refresh.preferences), self._quota(refresh))
        olds = [self._group.members[each] for each in sorted(refresh.olds)]
        free = [each for each in olds if not each.protected or refresh.preferences.protected == "Refresh"]
        free.sort(key=lambda member: (self._ready(member, refresh), member.launched))
        if number and not free:
            refresh.reason = "Waiting for instances that are protected from scale in."
        for member in free[:number]:
            self._let_go(self._group, member, WHY)
        refresh.olds -= {member.id for member in free[:number]}

    def _fail(self, refresh: Refresh, reason: str) -> None:
        if refresh.rollback is not None:
            self._end(refresh, "RollbackFailed", reason)
        elif refresh.preferences.auto_rollback:
            self.roll_back(refresh, reason)
        else:
            self._end(refresh, "Failed", reason)

    def roll_back(self, refresh: Refresh, reason: str) -> None:
        """Start to replace the instances with the new configuration by instances with the old one."""
        refresh.olds = outdated(self._group, self._resolve(self._group.template))
        refresh.total, refresh.kept = len(refresh.olds), len(self._group.standing) - len(refresh.olds)
        refresh.status, refresh.progressed, refresh.paused_until = "RollbackInProgress", self._clock, 0.0
        refresh.rollback = {
            "RollbackReason": reason,
            "RollbackStartTime": now(),
            "PercentageCompleteOnRollback": 0,
            "InstancesToUpdateOnRollback": refresh.total,
        }

    def _end(self, refresh: Refresh, status: RefreshStatus, reason: str = "") -> None:
        refresh.status, refresh.reason, refresh.ended = status, reason, now()
        if status == "Successful" and not refresh.preferences.checkpoints:
            refresh.percentage = 100
        refresh.olds = refresh.olds if status in ("Cancelled", "Failed") else set()
