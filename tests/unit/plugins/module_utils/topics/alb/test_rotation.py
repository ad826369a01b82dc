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
    absent,
    check,
    parse_rotation,
    plan_rotation,
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
    desired = Rotation(("a",), "drained", {"web": "web"}, leave, 60.0)
    check(desired, [group(**states)], {"a": Instance("i-a", "a", "web", "running")}, problems, check_mode=False)
    assert [one.wrong for one in problems.found] == ([problem] if problem else [])


@pytest.mark.parametrize(("state", "refused"), [("running", True), ("stopped", False)])
def test_a_stopped_server_may_be_held_even_when_it_is_the_last_one(state: str, refused: bool) -> None:
    problems = Problems()
    desired = Rotation(("a",), "held", {"web": "web"}, 1, 60.0, "It is stopped.")
    there = {"a": Instance("i-a", "a", "web", state)}
    check(desired, [group(a="unused", b="unhealthy")], there, problems, check_mode=False)
    assert bool(problems.found) is refused


@pytest.mark.parametrize(
    ("state", "held", "told"),
    [
        ("held", "", ["create tag groundwork:held", "delete targets web"]),
        ("held", "It was stopped.", ["delete targets web"]),
        ("serving", "It was stopped.", ["create targets web", "delete tag groundwork:held"]),
        ("serving", "", ["create targets web"]),
        ("drained", "It was stopped.", ["delete targets web"]),
    ],
)
def test_the_tag_comes_before_it_is_deregistered_and_is_removed_when_it_is_healthy(
    state: str, held: str, told: list[str]
) -> None:
    there = {"a": Instance("i-a", "a", "web", "running", held=held), "b": Instance("i-b", "b", "web", "running")}
    desired = Rotation(("a",), state, {"web": "web"}, 0, 60.0, "It is stopped.")
    registered = {} if state == "serving" else {"a": "unused"}
    changes = plan_rotation(desired, [group(**registered, b="healthy")], there)
    assert [str(change) for change in changes] == told
    assert [change.wait is None for change in changes] == [state == "held" or "tag" in one for one in told]
    assert [ref.name for change in changes if change.resource == "tag" for ref in change.awaits] == (
        ["web"] if (state, held) == ("serving", "It was stopped.") else []
    )


def test_whom_is_held_but_registered_is_absent() -> None:
    desired = Rotation(("a", "b"), "serving", {"web": "web"}, 0, 60.0)
    there = {one: Instance(f"i-{one}", one, "web", "running", held="" if one == "b" else "It failed.") for one in "ab"}
    assert absent(desired, [group(a="healthy", b="healthy")], there) == ["a"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"leave": -1}, "leave: -1"),
        ({"deadline": 0}, "deadline: 0"),
        ({"target_groups": {}}, "target_groups: is empty"),
        ({"state": "held"}, "reason: 0 characters"),
        ({"state": "held", "reason": "x" * 257}, "reason: 257 characters"),
    ],
)
def test_what_cannot_be(given: dict[str, t.Any], message: str) -> None:
    problems = Problems()
    assert parse_rotation(rotation("a", **{"state": "serving", **given}), problems) is None
    assert str(problems.found[0]).startswith(message)
