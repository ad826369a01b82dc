"""Servers are deregistered from their target groups and registered again, on the lab's control plane."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Survives, told
from topic_options.alb import GROUPS, Make, rotation

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation_run import converge_target_rotation
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers


def registered(elb: t.Any) -> dict[str, int]:
    groups = elb.describe_target_groups()["TargetGroups"]
    return {
        one["TargetGroupName"]: len(
            elb.describe_target_health(TargetGroupArn=one["TargetGroupArn"])["TargetHealthDescriptions"]
        )
        for one in groups
    }


def test_out_and_what_it_costs(balanced: Cloud, elb: t.Any) -> None:
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


def test_back_in_as_far_as_a_target_without_a_server_can_be(balanced: Cloud, elb: t.Any) -> None:
    balanced.run(converge_target_rotation, rotation("public-2", state="drained"))
    back = rotation("public-1", "public-2", state="serving")
    planned = balanced.run(converge_target_rotation, back, check_mode=True)
    assert planned["absent"] == ["public-2"]
    assert planned["urls"]["public"].startswith("http://dev-public-")
    behind = {**back, "names": {"public": ["*.example.com"], "private": ["b.test"]}, "behind": ["public"]}
    named = balanced.run(converge_target_rotation, behind, check_mode=True)
    assert (named["urls"]["public"], named["names"]["public"]) == ("https://www.example.com", ["www.example.com"])
    assert (named["urls"]["private"], named["names"]["private"]) == (planned["urls"]["private"], ["b.test"])
    with pytest.raises(
        GroundworkError,
        match=r"(?s)public-1, public-2 to be healthy.*Elastic Load Balancing reports:\n- public-\d \(i-",
    ):
        balanced.run(converge_target_rotation, back)
    assert balanced.writes == ["RegisterTargets"]
    assert registered(elb)["dev-public"] == 2


@pytest.mark.exhaustive
def test_a_run_that_was_killed_is_completed(
    survives: Survives, options: Make, furnish: t.Callable[[Cloud], None], elb: t.Any
) -> None:
    def prepare(cloud: Cloud) -> None:
        furnish(cloud)
        groups = [{"name": name, "tier": name, "deregistration_delay": 0} for name in GROUPS]
        cloud.run(converge_load_balancers, options(target_groups=groups))

    out = rotation("public-1", "private-1", state="drained")
    assert survives(converge_target_rotation, out, lambda _cloud: registered(elb), prepare) == 2


def test_a_server_that_nobody_knows(balanced: Cloud) -> None:
    with pytest.raises(InputError, match="no server 'public-9'; use some of private-1"):
        balanced.run(converge_target_rotation, rotation("public-9", state="drained"))
    assert balanced.writes == []


def test_the_plan_of_an_empty_account(cloud: Cloud) -> None:
    planned = cloud.run(converge_target_rotation, rotation("public-1", state="serving"), check_mode=True)
    assert (planned["changes"], planned["absent"], planned["urls"]) == ([], [], {})
    with pytest.raises(InputError, match="the target group 'public'"):
        cloud.run(converge_target_rotation, rotation("public-1", state="serving"))


REASON = "It was stopped during a release."


def held(cloud: Cloud) -> dict[str, str]:
    """Return the values of the tag of held servers, by the names of the servers."""
    described = [one for each in cloud.ec2.describe_instances()["Reservations"] for one in each["Instances"]]
    tags = [{tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in described]
    return {one["Name"]: one["groundwork:held"] for one in tags if "groundwork:held" in one}


def test_a_held_server_is_registered_by_whom_lets_it_in_alone(balanced: Cloud, options: Make, elb: t.Any) -> None:
    hold = rotation("private-2", state="held", reason=REASON)
    planned = balanced.run(converge_target_rotation, hold, check_mode=True)
    made = balanced.run(converge_target_rotation, hold)
    assert told(planned) == told(made) == ["create tag groundwork:held", "delete targets private"]
    assert balanced.writes == ["CreateTags", "DeregisterTargets"]
    assert held(balanced) == {"dev-private-2": REASON}
    assert registered(elb) == {"dev-public": 2, "dev-private": 1}
    again = balanced.run(converge_target_rotation, {**hold, "reason": "another one"})
    assert (again["changes"], len(balanced.calls)) == ([], 6)

    groups = [{"name": name, "tier": name, "deregistration_delay": 0} for name in GROUPS]
    made = balanced.run(converge_load_balancers, options(target_groups=groups))
    assert (made["changes"], made["held"], len(balanced.calls)) == ([], {"private-2": REASON}, 16)

    left = balanced.run(converge_target_rotation, rotation("private-2", state="serving", skip_held=True))
    assert (left["changes"], balanced.writes) == ([], [])

    serve = rotation("private-2", state="serving")
    planned = balanced.run(converge_target_rotation, serve, check_mode=True)
    assert (told(planned), planned["absent"]) == (
        ["create targets private", "delete tag groundwork:held"],
        ["private-2"],
    )
    with pytest.raises(GroundworkError, match="private-2 to be healthy"):
        balanced.run(converge_target_rotation, serve)
    assert held(balanced) == {"dev-private-2": REASON}, "it is let in when it is healthy"
    nowhere = {**serve, "target_groups": {"public": "public"}}
    made = balanced.run(converge_target_rotation, nowhere)
    assert (told(made), balanced.writes, held(balanced)) == (["delete tag groundwork:held"], ["DeleteTags"], {})


def test_check_mode_plans_the_registration_after_a_planned_deregistration(balanced: Cloud, elb: t.Any) -> None:
    hold = rotation("public-1", state="held", reason=REASON, drain_planned=True)
    serve = rotation("public-1", state="serving", drain_planned=True)
    planned = [
        told(balanced.run(converge_target_rotation, one, check_mode=True))
        for one in (rotation("public-1", state="drained"), hold, serve)
    ]
    assert planned == [
        ["delete targets public"],
        ["create tag groundwork:held"],
        ["create targets public", "delete tag groundwork:held"],
    ]
    assert registered(elb) == {"dev-public": 2, "dev-private": 2}
    done = [told(balanced.run(converge_target_rotation, one)) for one in (rotation("public-1", state="drained"), hold)]
    assert done == planned[:2]
    with pytest.raises(GroundworkError, match="public-1 to be healthy"):
        balanced.run(converge_target_rotation, serve)
    assert balanced.writes == ["RegisterTargets"]
