"""The heartbeat renews the lock of its run, tells the run when it is lost, and releases it at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from cloud import Cloud
from locks import lock_in, occupy, options, release
from watching import eventually

from ansible_collections.groundwork.aws.plugins.module_utils.engine.held import State, now, read_state
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import process
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock import heartbeat, run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.claim import LAST_REQUEST, RENEWAL, TRUST
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.heartbeat import (
    KILLED,
    RETRY,
    Heart,
    Taken,
    Watch,
    over,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.store import Store
from groundwork_lab.api import Fault

Event = t.Callable[[], object]
START = heartbeat.start  # before a fixture replaces it


class Life:
    """A run that lasts as long as there are events; each of them happens when the heartbeat waits."""

    def __init__(self, *events: Event) -> None:
        self.events = list(events)
        self.time = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def has_ended(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.time += seconds
        if not self.events:
            return True
        self.events.pop(0)()
        return False


@pytest.fixture
def taken(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> tuple[Store, Taken]:
    """Take the lock at the time 1000."""
    begun: list[tuple[Store, Taken]] = []
    monkeypatch.setattr(heartbeat, "start", lambda store, taken, _state: begun.append((store, taken)))
    cloud.run(run.take_lock, options())
    [(store, one)] = begun
    return store, one._replace(begun=1000.0)


def live(taken: tuple[Store, Taken], state: Path, *events: Event, killed: bool = False) -> Life:
    """Have a heartbeat until its run asks for the release of the lock, or is killed."""
    life = Life(*events)
    if not killed:
        over(state).touch()
    Heart(taken[0], state, life.has_ended, life.now, life.sleep).beat(taken[1])
    return life


def nothing() -> None:
    """Let time pass."""


def test_it_renews_and_releases(cloud: Cloud, taken: tuple[Store, Taken], tmp_path: Path) -> None:
    seen: list[int] = []
    life = live(taken, tmp_path / "lock", nothing, lambda: seen.append((lock_in(cloud.of) or {})["renewals"]), nothing)
    assert (life.waits, seen) == ([RENEWAL] * 4, [1])
    assert read_state(tmp_path / "lock") == State("dev", 1000 + 3 * RENEWAL + TRUST)
    assert lock_in(cloud.of) is None


def test_what_a_killed_run_has_left_stops_before_the_lock_is_free(
    cloud: Cloud, taken: tuple[Store, Taken], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ansible's workers are in sessions of their own: they outlive a kill of ansible-playbook."""
    seen: list[tuple[State | None, bool, float]] = []
    monkeypatch.setattr(
        Life,
        "sleep",
        lambda _life, seconds: seen.append((read_state(tmp_path / "lock"), lock_in(cloud.of) is not None, seconds)),
    )
    live(taken, tmp_path / "lock", nothing, killed=True)
    assert seen == [(State("dev", 0.0, KILLED), True, LAST_REQUEST)]
    assert lock_in(cloud.of) is None


@pytest.mark.parametrize("gone", [False, True])
def test_it_tells_the_run_that_the_lock_is_lost(
    cloud: Cloud, taken: tuple[Store, Taken], tmp_path: Path, gone: bool
) -> None:
    lose: Event = (lambda: release(cloud.of)) if gone else (lambda: occupy(cloud.of))
    life = live(taken, tmp_path / "lock", lose, nothing)
    assert life.events == [nothing], "the heartbeat has ended"
    state = read_state(tmp_path / "lock")
    assert state and state.until == 0.0
    assert ("Its object in S3 was deleted." if gone else "Another run has taken it: bob@ci") in state.lost
    assert (lock_in(cloud.of) is None) == gone, "the lock of the other run stays"


def test_it_does_not_release_the_lock_of_another_run(cloud: Cloud, taken: tuple[Store, Taken], tmp_path: Path) -> None:
    occupy(cloud.of)
    live(taken, tmp_path / "lock")
    lock = lock_in(cloud.of)
    assert lock and lock["owner"]["token"] == "b0b"


@pytest.mark.parametrize(
    "fault", [{"drop": True}, {"code": "InternalError", "status": 500, "executed": True}, {"cut": True}]
)
def test_a_lost_response_loses_no_lock(
    cloud: Cloud, taken: tuple[Store, Taken], tmp_path: Path, fault: dict[str, t.Any]
) -> None:
    live(taken, tmp_path / "lock", lambda: cloud.plane.faults.set(Fault("s3", "PutObject", times=1, **fault)), nothing)
    state = read_state(tmp_path / "lock")
    assert state and not state.lost and lock_in(cloud.of) is None


def test_while_aws_is_not_reachable_it_tries_and_trusts_no_longer(
    cloud: Cloud, taken: tuple[Store, Taken], tmp_path: Path
) -> None:
    down = Fault("s3", "PutObject", code="AccessDenied", status=403)
    life = live(taken, tmp_path / "lock", lambda: cloud.plane.faults.set(down), nothing, cloud.plane.faults.clear)
    assert life.waits == [RETRY if wait else RENEWAL for wait in (0, 1, 1)] + [RENEWAL]
    assert read_state(tmp_path / "lock") == State("dev", 1000 + RENEWAL + 2 * RETRY + TRUST)


@pytest.fixture
def playbook() -> t.Iterator[subprocess.Popen[bytes]]:
    """Start a process that stands for ansible-playbook."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def test_the_run_has_ended(playbook: subprocess.Popen[bytes], tmp_path: Path) -> None:
    state = tmp_path / "lock"
    one = process(playbook.pid)
    watch = Watch(one.pid, one.started, state)
    assert watch(60), "its state file does not exist"
    state.touch()
    assert not watch(0)
    heartbeat.over(state).touch()
    assert watch(60), "it has asked for the release"
    heartbeat.over(state).unlink()
    assert not watch(0)
    assert Watch(one.pid, "1", state)(60), "another process has its number"
    playbook.kill()
    assert watch(60)


def test_it_is_a_process_of_its_own_that_ends_after_the_run(
    cloud: Cloud, taken: tuple[Store, Taken], playbook: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    state = tmp_path / "lock"
    store, one = taken
    own = one._replace(claim=replace(one.claim, owner=process(playbook.pid)), begun=now())
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    before = children.read_text()
    START(store, own, state)
    assert children.read_text() == before, "nobody would wait for its end"
    assert read_state(state) == State("dev", own.begun + TRUST)
    assert lock_in(cloud.of) is not None
    playbook.kill()
    assert eventually(lambda: lock_in(cloud.of), lambda lock: lock is None, 10) is None
