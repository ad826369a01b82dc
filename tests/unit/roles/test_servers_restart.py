"""The real tasks `resize.yml` with changes that fail: what happens to the target groups, and what the user is told.

Fakes record what the modules would do. Ansible itself runs the tasks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.exhaustive  # each of them starts Ansible several times

REGISTER = "Register the server that runs as before: localhost"
STAYS = "public-1 (i-1) stays held: {}. It is deregistered from its target groups. Run {}, which registers it again."
AGAIN = "the same command again, or groundwork.aws.site"
OWN = "public-1 gets another instance type"
REFUSED = "AWS has no capacity. public-1 (i-1) was started again as t3.small."
VARIABLES = {
    "environment_name": "dev",
    "aws_region": "eu-central-1",
    "servers_zones": ["eu-central-1a"],
    "servers_tiers": {"public": {"count": 1, "instance_type": "t3.large"}},
    "servers_resize": "all",
    "servers_replace_target_groups": {"public": "public"},
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
}


@pytest.fixture
def resized(tmp_path: Path, stage: Any) -> Any:
    """Return a function that changes a server and fails, and returns the calls and the message."""
    own = stage(["roles/servers"], ("in_controller",), {})

    def run(held: str, groups: list[str], *rules: dict[str, Any]) -> tuple[list[str], str]:
        role = {"ansible.builtin.import_role": {"name": "groundwork.aws.servers", "tasks_from": "resize.yml"}}
        variables = {**VARIABLES, "servers_directory": str(tmp_path)}
        play = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [role]}]
        (tmp_path / "play.yml").write_text(json.dumps(play))
        server = {"name": "public-1", "id": "i-1", "tier": "public", "held": held}
        planned = {"servers": [server], "lines": ["a line"], "target_groups": groups, "changes": []}
        rule = {"task": "Plan the new instance types", "then": "", "result": planned}
        played = own.play("localhost,", "play.yml", [rule, *rules], {"changes": []})
        assert played.code != 0, played.told
        results = [result for task in played.told["plays"][0]["tasks"] for result in task["hosts"].values()]
        return played.done, " ".join(str(results[-1]["msg"]).split())

    return run


def failing(**result: Any) -> dict[str, Any]:
    return {"task": "Change the instance type", "then": REFUSED, "result": result}


@pytest.mark.parametrize("held", ["", OWN])
def test_a_server_that_runs_as_before_is_registered_again(resized: Any, held: str) -> None:
    done, told = resized(held, ["public"], failing(as_before=True))
    assert done[-1] == REGISTER
    assert told == f"{REFUSED} public-1 is registered with its target groups again."


@pytest.mark.parametrize("result", [{"as_before": False}, {}])
def test_a_server_that_does_not_stays_held(resized: Any, result: dict[str, Any]) -> None:
    done, told = resized("", ["public"], failing(**result))
    assert REGISTER not in done
    assert told == f"{REFUSED} {STAYS.format(OWN, AGAIN)}"


def test_one_that_was_held_for_another_reason_stays_held(resized: Any) -> None:
    done, told = resized("A release failed.", ["public"], failing(as_before=True))
    assert REGISTER not in done
    assert told == f"{REFUSED} {STAYS.format('A release failed', 'groundwork.aws.site')}"


def test_one_that_cannot_be_registered_is_told_with_both_errors(resized: Any) -> None:
    bad = {"task": "Register the server that runs as before", "then": "It is unhealthy."}
    _done, told = resized("", ["public"], failing(as_before=True), bad)
    assert told == f"{REFUSED} It is unhealthy. {STAYS.format(OWN, AGAIN)}"


def test_without_target_groups_the_error_is_told_alone(resized: Any) -> None:
    assert resized("", [], failing(as_before=True))[1] == REFUSED
