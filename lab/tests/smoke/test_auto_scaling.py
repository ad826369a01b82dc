"""An Auto Scaling group end to end: it grows, replaces a killed host, and gets a release without failed requests."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running_lab import Lab

pytestmark = pytest.mark.lab

Step = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def step(lab: Lab) -> Step:
    script = Path(__file__).with_name("grow_group.py")

    def take(*words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(lab.inside(sys.executable, str(script), *words).stdout)
        return found

    return take


@pytest.fixture(scope="module")
def built(step: Step) -> dict[str, Any]:
    return step("build")


def zones(told: dict[str, Any]) -> list[str]:
    return sorted(member["AvailabilityZone"] for member in told["members"].values())


def test_it_launches_in_both_zones_and_serves(built: dict[str, Any]) -> None:
    assert zones(built) == ["eu-central-1a", "eu-central-1b"]
    assert built["visits"] == {"one": 10}
    assert built["seconds"] < 60


def test_a_killed_host_is_replaced(lab: Lab, step: Step, built: dict[str, Any]) -> None:
    killed = next(iter(built["members"]))
    os.kill(machine(lab.name, killed), signal.SIGKILL)
    told = step("replaced", killed)
    assert killed not in told["members"]
    assert zones(told) == ["eu-central-1a", "eu-central-1b"]
    assert told["visits"] == {"one": 10}
    [cause] = [
        cause for description, cause, _ in told["activities"] if description == f"Terminating EC2 instance: {killed}"
    ]
    assert "EC2 health check indicating it has been terminated or stopped" in cause


def test_more_and_fewer(step: Step, built: dict[str, Any]) -> None:
    assert len(step("resize", "3")["members"]) == 3
    assert zones(step("resize", "2")) == ["eu-central-1a", "eu-central-1b"]


def test_load_adds_an_instance_which_goes_with_the_load(lab: Lab, step: Step, built: dict[str, Any]) -> None:
    before = set(step("resize", "2")["members"])
    lab("minute", "3")
    try:
        told = step("scale")
    finally:
        lab("minute", "60")
    assert before < set(told["grown"])
    assert set(told["members"]) < set(told["grown"])
    assert set(told["answers"]) == {"one"}
    causes = "\n".join(cause for _, cause, _ in told["activities"])
    assert "AlarmHigh" in causes and "changing the desired capacity from 2 to 3." in causes
    assert "AlarmLow" in causes and "changing the desired capacity from 3 to 2." in causes


def test_a_refresh_brings_a_release_out_without_a_failed_request(step: Step, built: dict[str, Any]) -> None:
    before = set(step("resize", "2")["members"])
    told = step("refresh")
    assert told["status"] == "Successful"
    assert told["percentages"] == [0, 50, 100]
    assert set(told["answers"]) == {"one", "two"}
    assert told["visits"] == {"two": 10}
    assert not before & set(told["members"])
    assert {member["LaunchTemplate"]["Version"] for member in told["members"].values()} == {"2"}


def test_nothing_is_left_of_it(lab: Lab, step: Step, built: dict[str, Any]) -> None:
    step("remove")
    assert [host for host in lab.status()["hosts"] if host["state"] != "terminated"] == []


def machine(lab_name: str, instance_id: str) -> int:
    """Return the pid of the host's systemd-nspawn process."""
    wanted = f"--machine={lab_name}-{instance_id}".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0] == b"systemd-nspawn" and wanted in words:
            return int(path.parent.name)
    raise LookupError(instance_id)
