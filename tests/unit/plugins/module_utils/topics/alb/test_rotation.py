"""Which targets are deregistered and registered again, and when that is done."""

from __future__ import annotations

import typing as t

import pytest
from topic_options.alb import rotation

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import Target
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import Instance
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation import Group, put_in, take_out
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation_run import (
    Rotation,
    check,
    parse_rotation,
)


def group(**states: str) -> Group:
    targets = tuple(Target("web", f"i-{name}", 80, state, "", "") for name, state in states.items())
    return Group("web", "arn:web", 80, 30, targets)


def answer(**states: str) -> dict[str, t.Any]:
    return {
        "TargetHealthDescriptions": [
            {"Target": {"Id": f"i-{name}", "Port": 80}, "TargetHealth": {"State": state}}
            for name, state in states.items()
        ]
    }


@pytest.mark.parametrize(
    ("states", "action", "deregistered"),
    [
        ({"a": "healthy"}, "delete", ["i-a"]),
        ({"a": "initial", "b": "draining"}, "delete", ["i-a"]),
        ({"a": "draining"}, "update", []),
        ({"c": "healthy"}, None, []),
    ],
)
def test_what_takes_servers_out(states: dict[str, str], action: str | None, deregistered: list[str]) -> None:
    changes = take_out(group(**states), {"a": "i-a", "b": "i-b"})
    assert [change.action for change in changes] == ([action] if action else [])
    calls = [call for change in changes for call in change.calls]
    assert [target["Id"] for call in calls for target in call.arguments["Targets"]] == deregistered


def test_drained_is_whom_elb_does_not_tell_of_any_more() -> None:
    (change,) = take_out(group(a="healthy", b="healthy"), {"a": "i-a", "b": "i-b"})
    assert change.wait
    assert change.wait.deadline == 90.0
    assert not change.wait.ready(answer(a="draining", c="healthy"))
    assert change.wait.ready(answer(c="draining"))
    not_registered = {"State": "unused", "Reason": "Target.NotRegistered"}
    told = {"TargetHealthDescriptions": [{"Target": {"Id": "i-a", "Port": 80}, "TargetHealth": not_registered}]}
    assert change.wait.ready(told)


@pytest.mark.parametrize(
    ("states", "action", "registered"),
    [
        ({"a": "healthy", "b": "healthy"}, None, []),
        ({"a": "healthy"}, "create", ["i-b"]),
        ({"a": "healthy", "b": "draining"}, "create", ["i-b"]),
        ({"a": "healthy", "b": "initial"}, "update", []),
    ],
)
def test_what_puts_servers_in(states: dict[str, str], action: str | None, registered: list[str]) -> None:
    changes = put_in(group(**states), {"a": "i-a", "b": "i-b"}, 60.0)
    assert [change.action for change in changes] == ([action] if action else [])
    calls = [call for change in changes for call in change.calls]
    assert [target["Id"] for call in calls for target in call.arguments["Targets"]] == registered
    for change in changes:
        assert change.wait
        assert not change.wait.ready(answer(a="healthy", b="initial"))
        assert change.wait.ready(answer(a="healthy", b="healthy", c="unhealthy"))


@pytest.mark.parametrize(
    ("states", "leave", "problem"),
    [
        ({"a": "healthy", "b": "healthy"}, 1, ""),
        ({"a": "healthy", "b": "unhealthy"}, 1, "without a the target group 'web' has 0 healthy targets"),
        ({"a": "healthy", "b": "unhealthy"}, 0, ""),
        ({"a": "draining", "b": "unhealthy"}, 1, ""),
        ({"a": "healthy", "b": "healthy"}, 2, "without a the target group 'web' has 1 healthy targets"),
    ],
)
def test_somebody_has_to_be_left(states: dict[str, str], leave: int, problem: str) -> None:
    problems = Problems()
    desired = Rotation(("a",), False, {"web": "web"}, leave, 60.0)
    check(desired, [group(**states)], {"a": Instance("i-a", "a", "web", "running")}, problems, check_mode=False)
    assert [one.wrong for one in problems.found] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"leave": -1}, "leave: -1"),
        ({"deadline": 0}, "deadline: 0"),
        ({"target_groups": {}}, "target_groups: is empty"),
    ],
)
def test_what_cannot_be(given: dict[str, t.Any], message: str) -> None:
    problems = Problems()
    assert parse_rotation(rotation("a", state="serving", **given), problems) is None
    assert str(problems.found[0]).startswith(message)
