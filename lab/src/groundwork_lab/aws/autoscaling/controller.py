"""The controller of Auto Scaling groups. It checks their instances and their health, and takes the next steps.

A pass does everything that can be done at the moment. It runs after every change of the state and every report of the
data plane. In between, a thread polls while changes are in progress that are not reported (health, drains, delays).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from groundwork_lab.aws.autoscaling import placement, tracking
from groundwork_lab.aws.autoscaling.launching import Launcher, LaunchError
from groundwork_lab.aws.autoscaling.refresher import Refresher
from groundwork_lab.aws.autoscaling.state import (
    Activity,
    Group,
    Member,
    Meter,
    Point,
    Policy,
    TemplateUse,
    now,
    stamp,
)
from groundwork_lab.aws.autoscaling.validation import labelled_group
from groundwork_lab.aws.context import AwsError, Context, Worker

GLANCE = 0.5  # seconds between polls for changes that are not reported
BACKOFF = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)  # seconds until a refused launch is retried
STOPPED = "an EC2 health check indicating it has been terminated or stopped"
PASSING = ("healthy", "unchecked")
UNHEALTHY = "an ELB system health check failure"

_log = logging.getLogger(__name__)

Health = Mapping[str, Mapping[str, str]]  # the state of each instance by target group


class Controller(Worker):
    """Keeps groups at their desired configuration.

    Call `pass_once` with the context's lock held exactly once, because it releases the lock to ask the load balancers.
    """

    name = "auto-scaling"
    glance = GLANCE

    def __init__(self, context: Context, groups: Callable[[], dict[str, Group]]) -> None:
        super().__init__()
        self._context = context
        self._groups = groups
        self.launcher = Launcher(context)
        self.clock: Callable[[], float] = time.monotonic
        self._passing = False
        self._changed = False

    def turn(self) -> bool:
        with self._context.lock:
            self.pass_once()
            return self._busy()

    def _busy(self) -> bool:
        return any(
            group.target_groups
            or group.refresh
            or group.retry_at
            or group.deleting
            or group.scaling
            or any(member.state != "InService" for member in group.members.values())
            for group in list(self._groups().values())
        )

    # -- a pass --------------------------------------------------------------------------------------------------

    def pass_once(self) -> None:
        """Make one pass over all groups. Do nothing if a pass is running, as `_health` releases the lock."""
        if self._passing or not self._groups():
            return
        self._passing, self._changed = True, False
        try:
            seen = {name: self._health(group) for name, group in list(self._groups().items())}
            totals = {name: self._totals(group) for name, group in list(self._groups().items())}
            for name, health in seen.items():
                if name in self._groups():
                    self._track(self._groups()[name], health, totals.get(name))
                    self._look_after(self._groups()[name], health)
        finally:
            self._passing = False
        if self._changed:
            self._context.changed()

    def _look_after(self, group: Group, health: Health) -> None:
        try:
            self._observe(group, health)
            self._take_out_unhealthy(group)
            if group.runs("InstanceRefresh"):
                Refresher(group, self.clock(), self.number, self.let_go).go_on()
            self._resize(group)
            self._finish_terminations(group)
        except Exception:  # an error with one group must not stop the others
            _log.exception("The update of Auto Scaling group %s failed", group.name)
        if group.deleting and not group.members:
            del self._groups()[group.name]

    def _health(self, group: Group) -> Health:
        found = {}
        for arn in group.target_groups if group.members else ():
            try:
                told = self.balancing.describe_target_health(arn, [])
            except AwsError:  # the target group was deleted, although it is attached
                continue
            found[arn] = {each.target["Id"]: standing(each.target_health) for each in told}
        return found

    # -- scaling policies ----------------------------------------------------------------------------------------

    def _totals(self, group: Group) -> dict[str, float] | None:
        """Return what balancers and hosts have counted for the group's policies, by target group and instance.

        Return None before the minute of the group's metrics is over.
        """
        if not group.scaling or group.deleting:
            group.meter = None
            return None
        meter, minute = group.meter, self._context.minute
        if meter is not None and meter.minute != minute:  # data points of other minutes cannot be compared
            group.meter = meter = None
            for policy in group.scaling.values():
                policy.points = []
        if meter is not None and self.clock() < meter.since + minute:
            return None
        metrics = {policy.metric for policy in group.scaling.values()}
        found: dict[str, float | None] = {}
        for arn in group.target_groups if "ALBRequestCountPerTarget" in metrics else ():
            found[arn] = self._context.requests(arn)
        for member in list(group.members) if "ASGAverageCPUUtilization" in metrics else ():
            found[member] = self._context.cpu_seconds(member)
        return {key: value for key, value in found.items() if value is not None}

    def _track(self, group: Group, health: Health, totals: dict[str, float] | None) -> None:
        """Add a data point to each policy when a minute is over, and set the capacity that the policies ask for."""
        if totals is None:
            return
        clock, before = self.clock(), group.meter
        group.meter = Meter(clock, self._context.minute, totals)
        if before is None:
            return
        counted = tracking.counted(before, totals)
        for policy in group.scaling.values():
            tracking.keep(policy, self._point(group, policy, health, counted, clock - before.since))
        if not group.runs("AlarmNotification"):
            return
        settled = all(tracking.warm(member, self._warmup(group), clock) for member in group.standing)
        bounds = (group.minimum, group.maximum)
        decision = tracking.decide(group.scaling.values(), group.desired, bounds, settled=settled)
        if decision is not None:
            group.cause = (
                f"At {stamp(now())} a monitor alarm {decision.alarm} in state ALARM triggered policy "
                f"{decision.policy} changing the desired capacity from {group.desired} to {decision.capacity}."
            )
            group.desired, group.retry_at = decision.capacity, 0.0

    def _point(
        self, group: Group, policy: Policy, health: Health, counted: Mapping[str, float], elapsed: float
    ) -> Point | None:
        """Return the data point of a policy's metric. Requests are those of a minute, also if a pass was late."""
        if policy.metric == "ALBRequestCountPerTarget":
            arn = labelled_group(policy.label, group.target_groups)
            if arn is None or arn not in counted:
                return None
            standing_targets = [state for state in health.get(arn, {}).values() if state != "draining"]
            return tracking.requests_point(counted[arn] * self._context.minute / elapsed, standing_targets)
        warmup = group.standard_warmup if policy.warmup is None else policy.warmup
        warm = [member.id for member in group.standing if tracking.warm(member, warmup, self.clock() - elapsed)]
        vcpus = {member: self._vcpus(group.members[member].instance_type) for member in warm}
        return tracking.cpu_point(counted, vcpus, warm, elapsed)

    def _warmup(self, group: Group) -> float:
        """Return the longest warm-up of the group's policies, in seconds."""
        return max(
            (group.standard_warmup if policy.warmup is None else policy.warmup for policy in group.scaling.values()),
            default=0,
        )

    def _vcpus(self, instance_type: str) -> int:
        from moto.ec2.models.instance_types import INSTANCE_TYPES  # noqa: PLC0415 - a megabyte of data

        return int(INSTANCE_TYPES[instance_type]["VCpuInfo"]["DefaultVCpus"])

    @property
    def balancing(self) -> Any:
        from moto.elbv2.models import elbv2_backends  # noqa: PLC0415 - heavy

        return elbv2_backends[self._context.account][self._context.region]

    def _instance(self, member: Member) -> Any:
        return self._context.ec2.get_instance_by_id(member.id)

    def _state(self, member: Member) -> str:
        instance = self._instance(member)
        return str(instance.state) if instance is not None else "terminated"

    def number(self, template: TemplateUse) -> TemplateUse | None:
        """Return the template with its version as a number, or None if the version does not exist."""
        try:
            _, version = self._context.ec2.version_of(template.specification)
        except AwsError:
            return None
        return TemplateUse(template.id, template.name, str(version.number))

    # -- looking -------------------------------------------------------------------------------------------------

    def _observe(self, group: Group, health: Health) -> None:
        for member in group.standing:
            state = self._state(member)
            if member.state == "Pending" and state == "running":
                self._put_into_service(group, member)
            told = [states.get(member.id, "unused") for states in health.values()]
            member.passes = member.state == "InService" and all(state in PASSING for state in told)
            if group.runs("HealthCheck"):
                self._judge(group, member, state, told)

    def _put_into_service(self, group: Group, member: Member) -> None:
        if group.runs("AddToLoadBalancer"):
            for arn in group.target_groups:
                self.register(arn, member)
        member.state, member.in_service = "InService", self.clock()
        member.activity.end("Successful")
        group.scaled = self.clock()
        self._changed = True

    def _judge(self, group: Group, member: Member, state: str, told: list[str]) -> None:
        """Set the health of a member.

        An instance that does not run is unhealthy at once. The health in its target groups counts after the grace
        period.
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
        """
        if state not in ("pending", "running"):
            member.healthy, member.fault = False, STOPPED
        elif group.health_check_type != "EC2" and "unhealthy" in told and self.settled(group, member):
            member.healthy, member.fault = False, UNHEALTHY

    def settled(self, group: Group, member: Member) -> bool:
        """Return whether the health check grace period of the member is over."""
        return member.in_service is not None and self.clock() >= member.in_service + group.grace

    # -- acting --------------------------------------------------------------------------------------------------

    def register(self, arn: str, member: Member) -> None:
        try:
            self.balancing.register_targets(arn, [{"Id": member.id}])
        except AwsError as error:
            _log.warning("%s cannot be registered with %s: %s", member.id, arn, error)
        self._changed = True

    def deregister(self, arn: str, member: Member) -> None:
        try:
            self.balancing.deregister_targets(arn, [{"Id": member.id}])
        except AwsError as error:
            _log.warning("%s cannot be deregistered from %s: %s", member.id, arn, error)
        self._changed = True

    def _take_out_unhealthy(self, group: Group) -> None:
        if not group.runs("ReplaceUnhealthy") or not group.runs("Terminate"):
            return
        for member in group.standing:
            if not member.healthy:
                if member.state == "Pending":
                    member.activity.end("Failed", "The instance did not come into service.")
                group.losses += 1
                self.let_go(group, member, f"an instance was taken out of service in response to {member.fault}.")

    def let_go(self, group: Group, member: Member, why: str, cause: str = "") -> Activity:
        """Deregister the member from the target groups now. It is terminated when it is drained."""
        details = {"Subnet ID": member.subnet_id, "Availability Zone": member.zone}
        words = f"{cause}  At {stamp(now())} {why}".strip()
        member.activity = group.record(Activity(f"Terminating EC2 instance: {member.id}", words, details))
        member.state = "Terminating"
        for arn in group.target_groups:
            self.deregister(arn, member)
        self._changed = True
        return member.activity

    def _resize(self, group: Group) -> None:
        wanted = group.desired + self._surplus(group)
        standing = group.standing
        if len(standing) < wanted and group.runs("Launch") and not group.deleting and self.clock() >= group.retry_at:
            for _ in range(wanted - len(standing)):
                if not self._launch(group):
                    return
        elif len(standing) > wanted and group.runs("Terminate"):
            for _ in range(len(standing) - wanted):
                self._shrink(group)

    def _surplus(self, group: Group) -> int:
        """Return the number of instances above the desired capacity: for a refresh, or to balance zones."""
        if group.refresh is not None and group.runs("InstanceRefresh"):
            return Refresher(group, self.clock(), self.number, self.let_go).surplus()
        standing = group.standing
        steady = all(member.state == "InService" for member in group.members.values())
        if group.rebalancing and steady:
            group.rebalancing = False
        elif steady and standing and len(standing) == group.desired and group.runs("AZRebalance"):
            group.rebalancing = placement.unbalanced(group.zones, standing)
        return int(group.rebalancing)

    def _launch(self, group: Group) -> bool:
        template = self.number(group.launched_with) or group.launched_with
        subnet = placement.next_subnet(group.subnets, group.standing)
        zone = group.subnets[subnet]
        details = {"Subnet ID": subnet, "Availability Zone": zone}
        activity = group.record(Activity("Launching a new EC2 instance", self._launch_cause(group), details))
        tags = {key: value for key, (value, propagated) in group.tags.items() if propagated}
        try:
            instance_id = self.launcher.launch(template, subnet, tags)
        except LaunchError as error:
            activity.end("Failed", f"{error} Launching EC2 instance failed.")
            group.retry_at = self.clock() + BACKOFF[min(group.failures, len(BACKOFF) - 1)]
            group.failures += 1
            return False
        group.failures, group.retry_at = 0, 0.0
        group.losses = max(0, group.losses - 1)
        activity.description += f": {instance_id}"
        self._adopt(group, instance_id, template, activity)
        return True

    def _adopt(self, group: Group, instance_id: str, template: TemplateUse, activity: Activity) -> None:
        instance = self._context.ec2.get_instance_by_id(instance_id)
        instance.add_tags({"aws:autoscaling:groupName": group.name})
        group.members[instance_id] = Member(
            id=instance_id,
            zone=instance.placement.zone,
            subnet_id=instance.subnet_id,
            instance_type=instance.instance_type,
            image_id=instance.image_id,
            template=template,
            launched=self.clock(),
            activity=activity,
            protected=group.protect_new,
        )
        self._changed = True

    def _launch_cause(self, group: Group) -> str:
        moment, there = stamp(now()), len(group.standing)
        if group.losses:
            return f"At {moment} an instance was launched in response to an unhealthy instance needing to be replaced."
        if group.refresh is not None:
            return f"At {moment} an instance was launched in response to an instance refresh."
        if group.rebalancing:
            return f"At {moment} an instance was launched to aid in balancing the group's zones."
        return (
            f"{group.cause}  At {moment} an instance was started in response to a difference between desired and "
            f"actual capacity, increasing the capacity from {there} to {there + 1}."
        ).strip()

    def _shrink(self, group: Group) -> None:
        standing = group.standing
        template = self.number(group.launched_with) or group.launched_with
        settled = [member for member in standing if member.state == "InService"]
        chosen = placement.victim(settled or standing, group.zones, group.policies, template, self.clock())
        if chosen is None:
            return
        there = len(standing)
        why = (
            "an instance was taken out of service in response to a difference between desired and actual capacity, "
            f"shrinking the capacity from {there} to {there - 1}."
        )
        self.let_go(group, chosen, why, group.cause)

    def _finish_terminations(self, group: Group) -> None:
        for member in list(group.members.values()):
            if member.state != "Terminating":
                continue
            state = self._state(member)
            draining = state == "running" and any(self._drains(arn, member) for arn in group.target_groups)
            member.activity.status = "WaitingForELBConnectionDraining" if draining else "InProgress"
            if state == "terminated":
                member.activity.end("Successful")
                group.scaled = self.clock()
                del group.members[member.id]
            elif state != "shutting-down" and not draining:
                member.activity.progress = 50
                self._instance(member).terminate()
                self.balancing.notify_terminate_instances([member.id])
                self._changed = True

    def _drains(self, arn: str, member: Member) -> bool:
        group = self.balancing.target_groups.get(arn)
        return group is not None and any(key[0] == member.id for key in group.draining)


def standing(health: Mapping[str, str]) -> str:
    """Return a target's state, or `unchecked` if no load balancer uses its target group."""
    return "unchecked" if health.get("Reason") == "Target.NotInUse" else health["State"]
