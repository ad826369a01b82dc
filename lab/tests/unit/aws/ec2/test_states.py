from __future__ import annotations

from collections.abc import Callable

import pytest

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2 import states
from groundwork_lab.model import InstanceState


@pytest.mark.parametrize(
    ("state", "wish", "expected"),
    [
        ("stopped", states.started, "pending"),
        ("running", states.started, "running"),
        ("pending", states.started, "pending"),
        ("running", states.stopped, "stopping"),
        ("stopping", states.stopped, "stopping"),
        ("stopped", states.stopped, "stopped"),
    ],
)
def test_wishes(state: InstanceState, wish: Callable[[str, InstanceState], InstanceState], expected: str) -> None:
    assert wish("i-1", state) == expected


@pytest.mark.parametrize(
    ("state", "wish"),
    [
        ("stopping", states.started),
        ("shutting-down", states.started),
        ("terminated", states.started),
        ("pending", states.stopped),
        ("terminated", states.stopped),
        ("stopped", states.check_rebootable),
        ("terminated", states.check_rebootable),
    ],
)
def test_refused_wishes(state: InstanceState, wish: Callable[[str, InstanceState], object]) -> None:
    with pytest.raises(AwsError) as caught:
        wish("i-1", state)
    assert caught.value.code == "IncorrectInstanceState"


@pytest.mark.parametrize(
    ("state", "report", "terminates", "expected"),
    [
        ("pending", "running", False, "running"),
        ("stopping", "running", False, "stopping"),  # too late
        ("shutting-down", "running", False, "shutting-down"),
        ("stopping", "stopped", False, "stopped"),
        ("stopping", "stopped", True, "stopped"),  # by StopInstances, not by the host
        ("running", "stopped", False, "stopped"),
        ("running", "stopped", True, "shutting-down"),
        ("shutting-down", "stopped", False, "shutting-down"),
        ("shutting-down", "terminated", False, "terminated"),
        ("pending", "terminated", False, "terminated"),
        ("terminated", "running", False, "terminated"),
        ("stopped", "running", False, "stopped"),
    ],
)
def test_reports(state: InstanceState, report: InstanceState, terminates: bool, expected: str) -> None:
    assert states.reported(state, report, terminates_on_shutdown=terminates) == expected
