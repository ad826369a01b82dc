from __future__ import annotations

from typing import Any

import pytest

from groundwork_lab.aws.autoscaling.placement import next_subnet, unbalanced, victim
from groundwork_lab.aws.autoscaling.state import Activity, Member, TemplateUse

CURRENT = TemplateUse("lt-1", "web", "3")
SUBNETS = {"subnet-a": "a", "subnet-b": "b"}


def member(name: str, zone: str = "a", version: str = "3", launched: float = 0.0, **fields: Any) -> Member:
    template = TemplateUse(fields.pop("template", "lt-1"), "web", version)
    activity = Activity("", "", {})
    return Member(name, zone, f"subnet-{zone}", "t3.micro", "ami-1", template, launched, activity, **fields)


@pytest.mark.parametrize(
    ("zones", "subnet"), [("", "subnet-a"), ("a", "subnet-b"), ("ab", "subnet-a"), ("aab", "subnet-b")]
)
def test_the_zone_with_the_fewest_comes_next(zones: str, subnet: str) -> None:
    assert next_subnet(SUBNETS, [member(str(number), zone) for number, zone in enumerate(zones)]) == subnet


def test_two_subnets_of_a_zone_take_turns() -> None:
    subnets = {"subnet-1": "a", "subnet-2": "a"}
    first = member("i-1")
    first.subnet_id = "subnet-1"
    assert next_subnet(subnets, []) == "subnet-1"
    assert next_subnet(subnets, [first]) == "subnet-2"


@pytest.mark.parametrize(
    ("zones", "expected"), [("ab", False), ("aab", False), ("aa", True), ("abc", True), ("", False)]
)
def test_balance(zones: str, expected: bool) -> None:
    members = [member(str(number), zone) for number, zone in enumerate(zones)]
    assert unbalanced(["a", "b"], members) is expected


@pytest.mark.parametrize(
    ("members", "policies", "expected"),
    [
        pytest.param([member("1", "a"), member("2", "b"), member("3", "b")], ["Default"], "2", id="crowded-zone"),
        pytest.param([member("1", "a"), member("2", "b"), member("3", "c")], ["Default"], "3", id="zone-that-was-left"),
        pytest.param([member("1"), member("2", version="2")], ["Default"], "2", id="older-version"),
        pytest.param([member("1", version="1"), member("2", template="lt-2")], ["Default"], "2", id="other-template"),
        pytest.param([member("1", launched=50), member("2", launched=90)], ["Default"], "1", id="closest-to-the-hour"),
        pytest.param([member("1", launched=5), member("2")], ["OldestInstance"], "2", id="oldest"),
        pytest.param([member("1"), member("2", launched=5)], ["NewestInstance"], "2", id="newest"),
        pytest.param(
            [member("1", protected=True), member("2", "b")], ["OldestInstance"], "2", id="protected-ones-stay"
        ),
        pytest.param([member("1", protected=True)], ["Default"], None, id="all-are-protected"),
        pytest.param(
            [member("1", launched=2), member("2", launched=1)], ["AllocationStrategy"], "2", id="says-nothing"
        ),
        pytest.param([], ["Default"], None, id="nobody"),
    ],
)
def test_who_goes_first(members: list[Member], policies: list[str], expected: str | None) -> None:
    chosen = victim(members, ["a", "b"], policies, CURRENT, 100.0)
    assert (chosen.id if chosen else None) == expected
