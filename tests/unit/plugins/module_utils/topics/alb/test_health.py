"""Waiting for healthy targets."""

from __future__ import annotations

import typing as t

import pytest
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import (
    Expected,
    Target,
    converge_target_health,
    lacking,
)

MISMATCH = ("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
WELL = ("healthy", "", "")
State = tuple[str, str, str]


def target(group: str, state: str) -> Target:
    return Target(group, "i-1", 80, state, "", "")


@pytest.mark.parametrize(
    ("healthy", "states", "enough"),
    [
        (0, ["healthy", "healthy"], True),
        (0, ["healthy", "initial"], False),
        (0, [], True),
        (1, [], False),
        (0, ["unused"], False),
        (0, ["healthy", "draining", "unused"], True),
        (1, ["healthy", "unhealthy"], True),
        (2, ["healthy", "unhealthy"], False),
    ],
)
def test_enough(healthy: int, states: list[str], enough: bool) -> None:
    expected = Expected(("web",), healthy, 1.0)
    assert (lacking(expected, [target("web", state) for state in states]) == []) is enough


class Elb:
    """A fake of ELB with the target group dev-web, whose only target has these states one after the other."""

    def __init__(self, *states: State) -> None:
        self.states = list(states)
        self.calls: list[str] = []

    def client(self, service: str) -> t.Any:
        assert service == "elbv2"
        return self

    def can_paginate(self, _operation: str) -> bool:
        return False

    def describe_target_groups(self, **arguments: t.Any) -> t.Any:
        self.calls.append("DescribeTargetGroups")
        assert arguments == {"Names": ["dev-web"]}
        return {"TargetGroups": [{"TargetGroupName": "dev-web", "TargetGroupArn": "arn"}] if self.states else []}

    def describe_target_health(self, **_arguments: t.Any) -> t.Any:
        self.calls.append("DescribeTargetHealth")
        state, reason, words = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        health = {"State": state, "Reason": reason, "Description": words}
        return {"TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 80}, "TargetHealth": health}]}


def run(elb: Elb, clock: Clock, *, check_mode: bool = False) -> dict[str, t.Any]:
    options = {"environment_name": "dev", "tags": {}, "target_groups": ["web"], "healthy": 0, "deadline": 5}
    warned: list[str] = []
    return converge_target_health(Run(options, elb, warned.append, check_mode=check_mode, clock=clock))


def test_all_well_is_told_at_once(clock: Clock) -> None:
    elb = Elb(WELL)
    result = run(elb, clock)
    assert (result["changed"], result["targets"][0]["state"]) == (False, "healthy")
    assert elb.calls == ["DescribeTargetGroups", "DescribeTargetHealth"]
    assert clock.slept == []


def test_it_waits(clock: Clock) -> None:
    result = run(Elb(("initial", "Elb.InitialHealthChecking", ""), MISMATCH, WELL), clock)
    assert result["targets"][0]["state"] == "healthy"
    assert len(clock.slept) == 2


def test_in_vain_it_tells_what_elb_says_of_each_target(clock: Clock) -> None:
    with pytest.raises(GroundworkError, match=r"web: i-1 port 80 is unhealthy .*these codes: \[503\]") as caught:
        run(Elb(MISMATCH), clock)
    assert caught.value.details["targets"][0]["reason"] == "Target.ResponseCodeMismatch"


def test_check_mode_asks_nothing(clock: Clock) -> None:
    elb = Elb()
    assert run(elb, clock, check_mode=True)["awaited"] == ["web"]
    assert elb.calls == []


def test_a_group_that_is_not_there(clock: Clock) -> None:
    with pytest.raises(InputError, match="the target group 'web'"):
        run(Elb(), clock)
