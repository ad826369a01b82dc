"""Servers are deregistered from their target groups and registered again, on the lab's control plane."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import Target
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import Instance
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation import Group, put_in, take_out
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation_run import (
    Rotation,
    check,
    converge_target_rotation,
    parse_rotation,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers

GROUPS = {"public": "public", "private": "private"}


def rotation(*servers: str, **given: t.Any) -> dict[str, t.Any]:
    return {
        "environment_name": "dev",
        "tags": {},
        "servers": list(servers),
        "target_groups": GROUPS,
        "leave": 0,
        "deadline": 3,
        **given,
    }


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


@pytest.fixture
def balanced(site: t.Any, options: t.Any, elb: t.Any) -> t.Any:
    """Return two load balancers with two servers each, and a deregistration delay of 0."""
    groups = [{"name": name, "tier": name, "deregistration_delay": 0} for name in GROUPS]
    site.run(converge_load_balancers, options(target_groups=groups))
    return site


def registered(elb: t.Any) -> dict[str, int]:
    groups = elb.describe_target_groups()["TargetGroups"]
    return {
        one["TargetGroupName"]: len(
            elb.describe_target_health(TargetGroupArn=one["TargetGroupArn"])["TargetHealthDescriptions"]
        )
        for one in groups
    }


def test_out_and_what_it_costs(balanced: t.Any, elb: t.Any, told: t.Any) -> None:
    out = rotation("public-1", "private-1", state="drained")
    planned = balanced.run(converge_target_rotation, out, check_mode=True)
    assert balanced.writes == []
    made = balanced.run(converge_target_rotation, out)
    assert told(planned) == told(made) == ["delete targets private", "delete targets public"]
    assert balanced.writes == ["DeregisterTargets"] * 2
    assert len(balanced.calls) == 10, "2 and 2 a group, 2 writes, a look at each group"
    assert registered(elb) == {"dev-public": 1, "dev-private": 1}
    again = balanced.run(converge_target_rotation, out)
    assert (again["changes"], len(balanced.calls)) == ([], 6)


def test_back_in_as_far_as_a_target_without_a_server_can_be(balanced: t.Any, elb: t.Any) -> None:
    balanced.run(converge_target_rotation, rotation("public-2", state="drained"))
    back = rotation("public-1", "public-2", state="serving")
    planned = balanced.run(converge_target_rotation, back, check_mode=True)
    assert planned["absent"] == ["public-2"]
    assert planned["urls"]["public"].startswith("http://dev-public-")
    with pytest.raises(
        GroundworkError,
        match=r"(?s)public-1, public-2 to be healthy.*Elastic Load Balancing reports:\n- public-\d \(i-",
    ):
        balanced.run(converge_target_rotation, back)
    assert balanced.writes == ["RegisterTargets"]
    assert registered(elb)["dev-public"] == 2


def test_a_run_that_was_killed_is_completed(survives: t.Any, options: t.Any, furnish: t.Any, elb: t.Any) -> None:
    def prepare(cloud: t.Any) -> None:
        furnish(cloud)
        groups = [{"name": name, "tier": name, "deregistration_delay": 0} for name in GROUPS]
        cloud.run(converge_load_balancers, options(target_groups=groups))

    out = rotation("public-1", "private-1", state="drained")
    assert survives(converge_target_rotation, out, lambda _cloud: registered(elb), prepare) == 2


def test_a_server_that_nobody_knows(balanced: t.Any) -> None:
    with pytest.raises(InputError, match="no server 'public-9'; use some of private-1"):
        balanced.run(converge_target_rotation, rotation("public-9", state="drained"))
    assert balanced.writes == []


def test_the_plan_of_an_empty_account(cloud: t.Any) -> None:
    planned = cloud.run(converge_target_rotation, rotation("public-1", state="serving"), check_mode=True)
    assert (planned["changes"], planned["absent"], planned["urls"]) == ([], [], {})
    with pytest.raises(InputError, match="the target group 'public'"):
        cloud.run(converge_target_rotation, rotation("public-1", state="serving"))
