"""One run at a time writes to an environment, whatever becomes of the others.

The environment is `dev`, which is empty before and after it.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from laptop import Laptop, Play, command_line
from locks import lock_in, occupy, release
from watching import eventually

INVENTORY = "inventories/dev"
NETWORK: dict[str, Any] = {
    "firewall_admin_cidrs": ["198.18.0.10/32"],
    "servers_tiers": {tier: {"count": 1, "instance_type": "t3.small"} for tier in ("public", "private")},
    "nat_mode": "none",
}
INFRASTRUCTURE = ("--tags", "infrastructure")
BUSY = "Another run is working on the environment dev: "
RENEWAL = 30  # seconds, after which a run at the latest learns that it has lost its lock


def play(laptop: Laptop, *words: str, **variables: object) -> Play:
    return laptop.play(*INFRASTRUCTURE, *words, inventory=INVENTORY, variables={**NETWORK, **variables})


def vpcs(laptop: Laptop) -> list[str]:
    filters = [{"Name": "tag:groundwork:environment", "Values": ["dev"]}]
    return [vpc["VpcId"] for vpc in laptop.client("ec2").describe_vpcs(Filters=filters)["Vpcs"]]


def warnings(done: Play) -> list[str]:
    return [str(one) for _task, _host, result in done.results() for one in result.get("warnings", [])]


@pytest.fixture(scope="module", autouse=True)
def _removed(laptop: Laptop) -> Iterator[None]:
    assert vpcs(laptop) == []
    yield
    confirmed = {**NETWORK, "environment_confirm": "dev"}
    done = laptop.play(playbook="playbooks/teardown.yml", inventory=INVENTORY, variables=confirmed)
    assert done.code == 0, done.failures() or done.errors
    assert vpcs(laptop) == []


def test_two_first_runs_at_once_build_one_network(laptop: Laptop) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = [one.result() for one in [pool.submit(play, laptop) for _person in (1, 2)]]
    [built] = [one for one in done if one.code == 0]
    [refused] = [one for one in done if one is not built]
    [message] = refused.failures()
    assert BUSY in message and "with 'site.yml --tags infrastructure'. Nothing was changed." in message
    assert built.changes()
    assert [line for line in refused.changes() if "bucket" not in line] == []
    assert len(vpcs(laptop)) == 1
    assert lock_in(laptop.client) is None, "it is released at the end"


def test_check_mode_works_beside_a_run_and_tells_it(laptop: Laptop) -> None:
    occupy(laptop.client)
    try:
        laptop.calls(reset=True)
        planned = play(laptop, "--check")
        assert planned.code == 0, planned.failures() or planned.errors
        assert any(BUSY in warning for warning in warnings(planned))
        assert laptop.calls()["writes"] == {}
        refused = play(laptop)
        assert BUSY in refused.failures()[0]
        assert laptop.calls()["writes"] == {"s3": {"PutObject": 1}}, "which S3 has refused"
    finally:
        release(laptop.client)


def processes(word: str) -> list[int]:
    """Return the processes with a word in their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("heartbeat", [True, False], ids=["alone", "with its heartbeat"])
def test_the_lock_of_a_killed_run_is_no_obstacle(laptop: Laptop, heartbeat: bool) -> None:
    """Its heartbeat releases the lock; if that is killed too, the next run takes it over."""
    word = f"run-{secrets.token_hex(4)}"
    argv = command_line(*INFRASTRUCTURE, playbook="site.yml", inventory=INVENTORY, variables={**NETWORK, "word": word})
    with laptop.start(*argv) as run:
        held = eventually(lambda: lock_in(laptop.client), lambda lock: lock is not None, 60)
        killed = [run.pid] if heartbeat else processes(word)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        run.wait()
        if heartbeat:
            laptop.kill(run)
    assert held
    if heartbeat:
        assert eventually(lambda: lock_in(laptop.client), lambda lock: lock is None, 20) is None
    else:
        assert lock_in(laptop.client) == held
    after = play(laptop)
    assert after.code == 0, after.failures() or after.errors
    told = [warning for warning in warnings(after) if "was taken over from a run that has ended" in warning]
    assert len(told) == (0 if heartbeat else 1)
    assert eventually(lambda: processes(word), lambda found: not found, 10) == []


def test_a_run_whose_lock_is_broken_stops_before_its_next_change(laptop: Laptop) -> None:
    """Its first write takes longer than it takes to notice the loss; the second one is not made."""
    slow = ("--operation", "AllocateAddress", "--error", "", "--delay", str(RENEWAL + 15))
    assert laptop.run("groundwork-lab", "faults", "set", *slow).returncode == 0
    try:
        laptop.calls(reset=True)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(play, laptop, nat_mode="single")
            held = eventually(lambda: lock_in(laptop.client), lambda lock: lock is not None, 60)
            assert held
            assert eventually(lambda: laptop.writes("ec2"), lambda count: count > 0, 120)
            after = play(laptop, environment_break_lock=held["owner"]["token"])
            broken = running.result()
    finally:
        laptop.run("groundwork-lab", "faults", "clear")
    assert after.code == 0, after.failures() or after.errors
    assert any("was stopped by environment_break_lock" in warning for warning in warnings(after))
    [message] = broken.failures()
    assert "This run has lost the lock of the environment dev. Another run has taken it" in message
    assert "This run has stopped before its next change." in message
    assert laptop.calls()["writes"]["ec2"] == {"AllocateAddress": 1}
