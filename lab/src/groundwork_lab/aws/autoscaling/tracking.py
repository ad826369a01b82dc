"""Target tracking: the alarms of scaling policies, and the capacity that they ask for. Pure functions.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from groundwork_lab.aws.autoscaling.state import Member, Meter, Point, Policy

AlarmState = Literal["ALARM", "INSUFFICIENT_DATA", "OK"]
WAYS: tuple[Literal["High", "Low"], ...] = ("High", "Low")
HIGH_PERIODS = 3  # minutes above the target
LOW_PERIODS = 15  # minutes below the share of the target
LOW_SHARE = 0.9


@dataclass(frozen=True)
class Decision:
    """The capacity that a policy asks for, and the name of its alarm."""

    capacity: int
    policy: str
    alarm: str


def alarm_state(points: Sequence[Point | None], periods: int, breaches: Callable[[float], bool]) -> AlarmState:
    """Return the state of an alarm that treats missing data as missing, and needs all `periods` to breach.

    If the oldest of the periods breaches, and those after it breach or are missing, the state is ALARM.
    """
    last = [*[None] * periods, *points][-periods:]
    found = [point for point in last if point is not None]
    if not found:
        return "INSUFFICIENT_DATA"
    return "ALARM" if last[0] is not None and all(breaches(point.value) for point in found) else "OK"


def high(policy: Policy) -> AlarmState:
    """Return the state of the alarm that scales out."""
    return alarm_state(policy.points, HIGH_PERIODS, lambda value: value > policy.target)


def low(policy: Policy) -> AlarmState:
    """Return the state of the alarm that scales in."""
    return alarm_state(policy.points, LOW_PERIODS, lambda value: value < LOW_SHARE * policy.target)


def needed(policy: Policy) -> int:
    """Return the capacity with which the latest data point would be at the target, rounded up."""
    point = next((point for point in reversed(policy.points) if point is not None), None)
    return math.ceil(point.value * point.number / policy.target) if point else 0


def decide(
    policies: Iterable[Policy], desired: int, bounds: tuple[int, int], *, settled: bool = True
) -> Decision | None:
    """Return the capacity that the policies ask for, within `bounds`, or None to keep the desired one.

    The group scales out if one of the policies is ready for it, and in if all that may scale in are. The largest
    capacity wins. Without `settled`, because instances are launched or warm up, it does not scale in.
    """
    active = [policy for policy in policies if policy.enabled]
    minimum, maximum = bounds
    out = [Decision(needed(policy), policy.name, policy.alarms["High"]) for policy in active if high(policy) == "ALARM"]
    chosen = _largest(out)
    if chosen is not None and min(chosen.capacity, maximum) > desired:
        return Decision(min(chosen.capacity, maximum), chosen.policy, chosen.alarm)
    inward = [policy for policy in active if policy.scales_in]
    if out or not inward or not settled or any(low(policy) != "ALARM" for policy in inward):
        return None
    chosen = _largest(Decision(needed(policy), policy.name, policy.alarms["Low"]) for policy in inward)
    if chosen is None or max(chosen.capacity, minimum) >= desired:
        return None
    return Decision(max(chosen.capacity, minimum), chosen.policy, chosen.alarm)


def _largest(decisions: Iterable[Decision]) -> Decision | None:
    return max(decisions, key=lambda decision: decision.capacity, default=None)


def warm(member: Member, warmup: float, clock: float) -> bool:
    """Return whether a member contributes to the metrics: it is in service, and its warm-up is over."""
    return member.state == "InService" and member.in_service is not None and clock >= member.in_service + warmup


def requests_point(total: float, healths: Collection[str]) -> Point | None:
    """Return the data point of RequestCountPerTarget: requests by healthy targets, or by all if none is healthy.

    Without requests there is none: ELB reports its metrics only when requests are flowing.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    targets = sum(health == "healthy" for health in healths) or len(healths)
    return Point(total / targets, targets) if total and targets else None


def cpu_point(
    used: Mapping[str, float], vcpus: Mapping[str, int], members: Collection[str], elapsed: float
) -> Point | None:
    """Return the data point of CPUUtilization, the average percentage of the members that were there all the time.

    `used` are the seconds of CPU time in the `elapsed` seconds, by instance.
    """
    shares = [100 * used[member] / (elapsed * vcpus[member]) for member in sorted(members) if member in used]
    return Point(sum(shares) / len(shares), len(shares)) if shares else None


def counted(meter: Meter, totals: Mapping[str, float]) -> dict[str, float]:
    """Return what was added to each total since the meter was read: nothing to one that has begun anew."""
    return {key: max(0.0, total - meter.totals[key]) for key, total in totals.items() if key in meter.totals}


def keep(policy: Policy, point: Point | None) -> None:
    """Add a data point to those of the last minutes."""
    policy.points = [*policy.points, point][-LOW_PERIODS:]
