"""The shape of an inventory: each wrong value gives one message with its path and remedy."""

from __future__ import annotations

from typing import Any

import pytest
from garbage import GARBAGE

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import (
    CONVERT,
    check_names,
    conform,
    conform_options,
)

SPEC: dict[str, Any] = {
    "network_cidr": {"type": "str", "required": True},
    "network_zones": {"type": "list", "elements": "str", "default": ["eu-central-1a"]},
    "nat_mode": {"type": "str", "choices": ["none", "single"], "default": "single"},
    "lamp_secret": {"type": "int", "no_log": True},
    "alb_listeners": {
        "type": "list",
        "elements": "dict",
        "options": {
            "port": {"type": "int", "required": True},
            "protocol": {"type": "str", "choices": ["HTTP"], "default": "HTTP"},
            "check": {"type": "dict", "options": {"path": {"type": "str"}}},
        },
    },
}
GOOD = {"network_cidr": "10.0.0.0/16"}


def told(values: dict[str, Any]) -> list[str]:
    problems = Problems()
    conform_options(SPEC, values, "", problems)
    return [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "network_cidr: is missing; give a string."),
        (GOOD | {"network_cidr": ["x"]}, "network_cidr: ['x'] is not a string; give a string."),
        (GOOD | {"nat_mode": "some"}, "nat_mode: 'some' is not a valid value; give one of none, single."),
        (GOOD | {"lamp_secret": "hunter2"}, "lamp_secret: the value is not a whole number; give a whole number."),
        (
            GOOD | {"alb_listeners": [{"port": "x"}]},
            "alb_listeners[0].port: 'x' is not a whole number; give a whole number.",
        ),
        (GOOD | {"alb_listeners": [{}]}, "alb_listeners[0].port: is missing; give a whole number."),
        (
            GOOD | {"alb_listeners": [{"port": 80, "protocl": "HTTP"}]},
            "alb_listeners[0].protocl: is not an option; did you mean protocol.",
        ),
        (
            GOOD | {"alb_listeners": [{"port": 80, "check": {"x": 1}}]},
            "alb_listeners[0].check.x: is not an option; use one of path.",
        ),
        (
            GOOD | {"alb_listeners": [{"port": 80}, {"port": 81, "protocol": "TCP"}]},
            "alb_listeners[1].protocol: 'TCP' is not a valid value; give one of HTTP.",
        ),
    ],
)
def test_one_message_names_the_path_and_the_remedy(values: dict[str, Any], message: str) -> None:
    assert told(values) == [message]


def test_all_problems_are_told_at_once() -> None:
    assert len(told({"nat_mode": "some", "lamp_secret": "x"})) == 3


def test_values_are_converted_and_completed() -> None:
    problems = Problems()
    conformed = conform_options(SPEC, GOOD | {"alb_listeners": [{"port": "80"}]}, "", problems)
    assert not problems.found
    assert conformed == {
        "network_cidr": "10.0.0.0/16",
        "network_zones": ["eu-central-1a"],
        "nat_mode": "single",
        "lamp_secret": None,
        "alb_listeners": [{"port": 80, "protocol": "HTTP", "check": None}],
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("network_cird", "network_cird: is not a variable of any role; did you mean network_cidr."),
        ("netwrk_cidr", "netwrk_cidr: is not a variable of any role; did you mean network_cidr."),
        (
            "network_colour",
            "network_colour: is not a variable of any role; remove it, or rename it if it is a variable of your own.",
        ),
    ],
)
def test_a_misspelt_variable_is_refused(name: str, message: str) -> None:
    problems = Problems()
    check_names([name, "network_cidr", "inventory_hostname"], SPEC, ["network"], problems)
    assert [str(problem) for problem in problems.found] == [message]


@pytest.mark.parametrize("kind", [*CONVERT])
def test_a_value_has_its_type_or_is_told(kind: str) -> None:
    for elements in CONVERT if kind == "list" else ("str",):
        for value in (*GARBAGE, 10**5000, [10**5000], {"x": -(10**5000)}, "1e999999"):
            problems = Problems()
            converted = conform({"type": kind, "elements": elements}, value, "x", problems)
            assert all(str(problem).isprintable() for problem in problems.found)
            assert problems.found or converted is not None


@pytest.mark.parametrize("value", [True, "1e3", 1.5, float("nan"), float("inf"), 10**16, "0x10", ""])
def test_what_is_no_whole_number(value: object) -> None:
    problems = Problems()
    conform({"type": "int"}, value, "x", problems)
    [problem] = problems.found
    assert problem.right == "give a whole number"


def test_keys_are_text_as_a_module_gets_them() -> None:
    assert conform({"type": "dict"}, {1: {None: [{2: "x"}]}}, "x", Problems()) == {"1": {"None": [{"2": "x"}]}}
