"""The alarms of target tracking policies, and what the policies make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from groundwork_lab.aws.autoscaling import tracking
from groundwork_lab.aws.autoscaling.state import Meter, Point, Policy

Values = Sequence[float | None]


def policy(values: Values, number: int = 2, **given: Any) -> Policy:
    """Return a policy with the target 50 and these data points, each the average of `number` instances."""
    points = [None if value is None else Point(value, number) for value in values]
    alarms = {way: f"{given.get('name', 'cpu')}-{way}" for way in tracking.WAYS}
    settings: dict[str, Any] = {"name": "cpu", "metric": "ASGAverageCPUUtilization", "label": "", "target": 50.0}
    settings |= {"scales_in": True, "warmup": None, "enabled": True, **given}
    return Policy(arn="arn", alarms=alarms, points=points, **settings)


IDLE = [10.0] * 15


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([], "INSUFFICIENT_DATA"),
        ([None, None, None], "INSUFFICIENT_DATA"),
        ([60, 60], "OK"),
        ([60, 60, 60], "ALARM"),
        ([60, 60, 50], "OK"),
        ([10, 60, 60, 60], "ALARM"),
        ([60, None, 60], "ALARM"),
        ([60, None, None], "ALARM"),
        ([None, 60, 60], "OK"),
    ],
)
def test_three_minutes_above_the_target_are_an_alarm(values: Values, state: str) -> None:
    assert tracking.high(policy(values)) == state


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([44.9] * 14, "OK"),
        ([44.9] * 15, "ALARM"),
        ([44.9] * 14 + [45], "OK"),
        ([None] * 15, "INSUFFICIENT_DATA"),
        ([None] + [10] * 14, "OK"),
    ],
)
def test_fifteen_minutes_below_nine_tenths_are_an_alarm(values: Values, state: str) -> None:
    assert tracking.low(policy(values)) == state


@pytest.mark.parametrize(
    ("value", "desired", "capacity"),
    [(51, 2, 3), (75, 2, 3), (76, 2, 4), (100, 2, 4), (60, 3, None), (51, 4, None)],
)
def test_it_scales_out_in_proportion(value: float, desired: int, capacity: int | None) -> None:
    decision = tracking.decide([policy([value] * 3)], desired, (2, 4))
    assert (decision.capacity if decision else None) == capacity
    if decision:
        assert (decision.policy, decision.alarm) == ("cpu", "cpu-High")


@pytest.mark.parametrize(
    ("value", "number", "desired", "capacity"), [(10, 4, 4, 2), (40, 4, 4, None), (36, 4, 4, 3), (44, 3, 3, None)]
)
def test_it_scales_in_as_far_as_the_target_allows(
    value: float, number: int, desired: int, capacity: int | None
) -> None:
    decision = tracking.decide([policy([value] * 15, number)], desired, (2, 4))
    assert (decision.capacity if decision else None) == capacity
    if decision:
        assert decision.alarm == "cpu-Low"


def test_it_does_not_scale_in_while_instances_warm_up() -> None:
    assert tracking.decide([policy(IDLE)], 4, (2, 4), settled=False) is None
    assert tracking.decide([policy([99] * 3)], 2, (2, 4), settled=False) is not None


def test_policies_scale_out_alone_and_in_together() -> None:
    busy = policy([80.0] * 15, name="requests")
    out = tracking.decide([policy(IDLE), busy], 2, (2, 6))
    assert out == tracking.Decision(4, "requests", "requests-High")
    steady = policy([48.0] * 15, name="requests")
    assert tracking.decide([policy(IDLE), steady], 4, (2, 6)) is None
    silent = policy([None] * 15, name="requests")
    assert tracking.decide([policy(IDLE), silent], 4, (2, 6)) is None
    less = policy([30.0] * 15, 4, name="requests")
    assert tracking.decide([policy(IDLE), less], 4, (2, 6)) == tracking.Decision(3, "requests", "requests-Low")


def test_a_policy_without_scale_in_keeps_none_from_it_and_does_not_do_it() -> None:
    alone = policy(IDLE, scales_in=False)
    assert tracking.decide([alone], 4, (2, 4)) is None
    steady = policy([48.0] * 15, name="requests", scales_in=False)
    assert tracking.decide([policy(IDLE), steady], 4, (2, 4)) == tracking.Decision(2, "cpu", "cpu-Low")


def test_a_policy_that_is_not_enabled_does_nothing() -> None:
    assert tracking.decide([policy([99] * 3, enabled=False)], 2, (2, 4)) is None


@pytest.mark.parametrize(
    ("total", "healths", "point"),
    [
        (30.0, ["healthy", "healthy", "unhealthy"], Point(15.0, 2)),
        (30.0, ["unhealthy", "initial", "unhealthy"], Point(10.0, 3)),
        (0.0, ["healthy"], None),
        (30.0, [], None),
    ],
)
def test_requests_are_divided_by_the_healthy_targets(total: float, healths: list[str], point: Point | None) -> None:
    assert tracking.requests_point(total, healths) == point


def test_the_cpu_is_the_share_of_the_vcpus() -> None:
    vcpus = {"i-1": 2, "i-2": 1}
    assert tracking.cpu_point({"i-1": 60.0, "i-2": 15.0}, vcpus, ["i-1", "i-2"], 60.0) == Point(37.5, 2)
    assert tracking.cpu_point({"i-1": 60.0}, vcpus, ["i-1", "i-2"], 60.0) == Point(50.0, 1)
    assert tracking.cpu_point({"i-1": 60.0}, vcpus, [], 60.0) is None


def test_what_began_anew_has_counted_nothing() -> None:
    meter = Meter(0.0, 60.0, {"a": 5.0, "b": 5.0})
    assert tracking.counted(meter, {"a": 7.0, "b": 2.0, "c": 9.0}) == {"a": 2.0, "b": 0.0}
