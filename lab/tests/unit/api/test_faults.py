from __future__ import annotations

import pytest

from groundwork_lab.api.faults import Fault, Faults


def struck(*faults: Fault, calls: int = 6, service: str = "ec2", operation: str = "RunInstances") -> list[bool]:
    rules = Faults()
    rules.set(*faults)
    return [rules.strike(service, operation) is not None for _ in range(calls)]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(), [True] * 6),
        (Fault(probability=0), [False] * 6),
        (Fault(every=3), [False, False, True] * 2),
        (Fault(times=2), [True, True, False, False, False, False]),
        (Fault(every=2, times=1), [False, True, False, False, False, False]),
        (Fault(service="ssm"), [False] * 6),
        (Fault(operation="Run*"), [True] * 6),
        (Fault(operation="Describe*"), [False] * 6),
        (Fault(access_key="AKIAOTHER"), [False] * 6),
        (Fault(stale=3), [False] * 6),  # for reads alone
        (Fault(unknown=3), [True] * 6),
    ],
)
def test_which_calls_are_struck(fault: Fault, expected: list[bool]) -> None:
    assert struck(fault) == expected


def test_the_same_seed_strikes_the_same_calls() -> None:
    by_chance = [struck(Fault(probability=0.5, seed=seed), calls=64) for seed in (1, 1, 2)]
    assert by_chance[0] == by_chance[1] != by_chance[2]
    assert 16 < sum(by_chance[0]) < 48


def test_the_first_rule_that_strikes_wins_and_clear_ends_all() -> None:
    rules = Faults()
    rules.set(Fault(operation="Describe*", code="First"), Fault(code="Second"))
    found = rules.strike("ec2", "RunInstances")
    assert found is not None
    assert found.code == "Second"
    assert len(rules.rules()) == 2
    rules.clear()
    assert rules.strike("ec2", "RunInstances") is None
