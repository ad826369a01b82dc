"""Images end to end: a host's disk is captured, hosts start from it, and it is kept while it is used."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from running_lab import Lab

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def told(lab: Lab) -> dict[str, Any]:
    script = Path(__file__).with_name("make_images.py")
    found: dict[str, Any] = json.loads(lab.inside(sys.executable, str(script)).stdout)
    return found


def test_the_host_goes_down_for_its_image_and_comes_back(told: dict[str, Any]) -> None:
    assert told["first again"]["made"] == told["first"]["made"]
    assert told["first again"]["started"] > told["first"]["started"]
    assert told["seconds"] < 10


def test_without_a_reboot_it_goes_on(told: dict[str, Any]) -> None:
    assert told["second again"] == told["second"]


def test_hosts_start_from_what_was_captured(told: dict[str, Any]) -> None:
    assert told["first"]["made"] == told["second"]["made"] == told["third"]["made"]
    assert "added" not in told["first again"]
    assert told["third"]["added"] == "later\n"


def test_what_the_host_had_removed_is_not_there(told: dict[str, Any]) -> None:
    assert told["second"]["removed"] == told["third"]["removed"] == ""


def test_what_is_in_the_image_stays_but_host_keys_are_each_instances_own(told: dict[str, Any]) -> None:
    assert told["second"]["machine-id"] == told["first"]["machine-id"]
    keys = {told[host]["ssh_host_ed25519_key.pub"] for host in ("first", "second")}
    assert len(keys) == 2


def test_hosts_outlive_their_image_and_its_source(told: dict[str, Any]) -> None:
    assert told["third"] == told["third later"] == told["third last"]


def test_a_layer_goes_with_the_last_who_needs_it(lab: Lab, told: dict[str, Any]) -> None:
    layers = lab.state / "layers"
    assert sorted(path.name for path in layers.iterdir()) == sorted(told["images"])
    lab.inside(sys.executable, "-c", TERMINATE, told["left"])
    deadline = time.monotonic() + 10
    while any(layers.glob("ami-*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(layers.glob("ami-*")) == []


TERMINATE = """
import sys, time, boto3
ec2 = boto3.client("ec2")
ec2.terminate_instances(InstanceIds=sys.argv[1:])
ec2.get_waiter("instance_terminated").wait(InstanceIds=sys.argv[1:], WaiterConfig={"Delay": 1})
"""
