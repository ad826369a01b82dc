"""Functions against the lab's control plane: written, published, and completed when a run did not live to publish."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import (
    LARGEST,
    converge_function,
    parse_function,
)
from groundwork_lab.api import Fault

Make = t.Callable[..., dict[str, t.Any]]
OTHER = "function handler(event) { return event.response; }\n"


def look(cloud: Cloud) -> t.Any:
    """Code and configuration of both stages."""
    client = cloud.of("cloudfront")
    return [
        (
            client.get_function(Name="dev-site", Stage=stage)["FunctionCode"].read().decode(),
            client.describe_function(Name="dev-site", Stage=stage)["FunctionSummary"]["FunctionConfig"],
        )
        for stage in ("DEVELOPMENT", "LIVE")
    ]


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, options: Make) -> None:
    planned = cloud.run(converge_function, options("function"), check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge_function, options("function"))
    assert told(planned) == told(done) == ["create function site"]
    assert planned["diff"] == done["diff"]
    assert cloud.writes == ["CreateFunction", "PublishFunction"]
    written, live = look(cloud)
    assert written == live
    assert live[0].endswith(options("function")["code"])


def test_the_second_run_changes_nothing_in_one_call(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_function, options("function"))
    assert cloud.run(converge_function, options("function"))["changes"] == []
    assert cloud.calls == ["GetFunction"]


@pytest.mark.parametrize("given", [{"code": OTHER}, {"runtime": "cloudfront-js-1.0"}])
def test_what_changes_is_published(cloud: Cloud, options: Make, given: dict[str, str]) -> None:
    cloud.run(converge_function, options("function"))
    done = cloud.run(converge_function, options("function", **given))
    assert told(done) == ["update function site"]
    assert cloud.writes == ["UpdateFunction", "PublishFunction"]
    assert cloud.run(converge_function, options("function", **given))["changes"] == []


def test_the_diff_shows_the_code(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_function, options("function"))
    diff = cloud.run(converge_function, options("function", code=OTHER))["diff"][0]
    assert options("function")["code"] in diff["before"]["code"]
    assert OTHER in diff["after"]["code"]


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives, options: Make) -> None:
    assert survives(converge_function, options("function"), look) == 2


def test_an_update_whose_response_is_lost_is_recognized(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_function, options("function"))
    cloud.plane.faults.set(Fault(operation="UpdateFunction", drop=True, times=1))
    cloud.run(converge_function, options("function", code=OTHER))
    assert cloud.calls.count("UpdateFunction") == 2
    assert cloud.run(converge_function, options("function", code=OTHER))["changed"] is False


def test_an_update_killed_anywhere_converges(survives: Survives, options: Make) -> None:
    def prepare(cloud: Cloud) -> None:
        cloud.run(converge_function, options("function"))

    assert survives(converge_function, options("function", code=OTHER), look, prepare) == 2


def test_what_was_only_written_is_only_published(cloud: Cloud, options: Make) -> None:
    cloud.run(converge_function, options("function"))
    cloud.killed_after = 3
    with pytest.raises(cloud.Killed):
        cloud.run(converge_function, options("function", code=OTHER))
    assert cloud.calls[-1] == "UpdateFunction"
    cloud.killed_after = None
    cloud.run(converge_function, options("function", code=OTHER))
    assert cloud.writes == ["PublishFunction"]


def test_code_changed_by_hand_is_put_right(cloud: Cloud, options: Make) -> None:
    client = cloud.of("cloudfront")
    cloud.run(converge_function, options("function"))
    kept = look(cloud)
    one = client.describe_function(Name="dev-site")
    config = one["FunctionSummary"]["FunctionConfig"]
    made = client.update_function(
        Name="dev-site", IfMatch=one["ETag"], FunctionConfig=config, FunctionCode=b"function handler() {}"
    )
    client.publish_function(Name="dev-site", IfMatch=made["ETag"])
    cloud.run(converge_function, options("function"))
    assert look(cloud) == kept


def test_a_strangers_function_is_refused(cloud: Cloud, options: Make) -> None:
    config = {"Comment": "by hand", "Runtime": "cloudfront-js-2.0"}
    cloud.of("cloudfront").create_function(
        Name="dev-site", FunctionConfig=config, FunctionCode=b"function handler() {}"
    )
    for check_mode in (True, False):
        with pytest.raises(GroundworkError, match=r"The function dev-site exists, .* put back the comment"):
            cloud.run(converge_function, options("function"), check_mode=check_mode)
        assert cloud.writes == []


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"name": "A"}, "name"),
        ({"name": "a" * 33}, "name"),
        ({"code": ""}, "code"),
        ({"code": "let x = 1"}, "code"),
        ({"code": "function handler() {}" + "x" * LARGEST}, "code"),
        ({"code": "function handler() {}" + "ä" * (LARGEST // 2)}, "code"),
    ],
)
def test_what_is_wrong_is_told(options: Make, given: dict[str, str], variable: str) -> None:
    problems = Problems()
    parse_function(options("function", **given), problems)
    assert [problem.variable for problem in problems.found] == [variable]


def test_the_first_line_leaves_room_for_the_rest(cloud: Cloud, options: Make) -> None:
    """What is just small enough for us is small enough for AWS."""
    start = "function handler() {} // "
    for length in range(LARGEST - 200, LARGEST):
        problems = Problems()
        parse_function(options("function", code=start + "x" * length), problems)
        if problems.found:
            break
    cloud.run(converge_function, options("function", code=start + "x" * (length - 1)))
    assert len(look(cloud)[1][0]) == LARGEST
