"""The loop runs the parts in order, combines changes, and continues when a part fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from groundwork_lab.apart import Apart
from groundwork_lab.model import Unreadable, Vpc, World
from groundwork_lab.reconcile import BACKOFF, Loop

DEADLINE = 5.0


class Part:
    """Records each pass, and raises the given errors."""

    def __init__(self, name: str, passes: list[str], failures: int = 0) -> None:
        self._name, self._passes, self._failures = name, passes, failures

    def reconcile(self, world: World) -> None:
        self._passes.append(self._name)
        if self._failures:
            self._failures -= 1
            raise RuntimeError(f"{self._name} is broken")

    def close(self) -> None:
        """Do nothing: nothing was started."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def passes() -> list[str]:
    return []


def until_followed(loop: Loop, parts: list[tuple[str, Part]], snapshot: Callable[[], World] = World) -> list[World]:
    """Start the loop, and return the applied `World` values when there is one."""
    followed: list[World] = []
    done = threading.Event()
    loop.start(snapshot, parts, lambda world: (followed.append(world), done.set()))
    assert done.wait(DEADLINE)
    return followed


def test_parts_follow_the_same_world_in_order(loop: Loop, passes: list[str]) -> None:
    world = World()
    assert until_followed(loop, [(name, Part(name, passes)) for name in ("one", "two")], lambda: world) == [world]
    assert passes == ["one", "two"]
    assert loop.report.errors == {}


def test_a_failing_part_keeps_nobody_and_is_tried_again(
    loop: Loop, passes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.BACKOFF", (0.01,))
    until_followed(loop, [("one", Part("one", passes, failures=2)), ("two", Part("two", passes))])
    assert passes == ["one", "two"] * 3
    assert loop.report.parts["one"].failures == 0


def test_a_failure_is_told_with_its_message_and_count(passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.BACKOFF", (60.0,))
    loop = Loop()
    ran = threading.Event()
    last = Part("two", passes)
    last.reconcile = lambda world: ran.set()  # type: ignore[method-assign]
    loop.start(World, [("one", Part("one", passes, failures=9)), ("two", last)], lambda world: None)
    assert ran.wait(DEADLINE)
    loop.close()
    assert loop.report.errors == {"one": "RuntimeError: one is broken"}
    assert loop.report.parts["one"].failures == 1


def test_a_resource_that_a_part_does_not_serve_keeps_no_other_from_being_followed(
    loop: Loop, passes: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.BACKOFF", (0.01,))
    world = World(vpcs={name: Vpc(name, (), True, True) for name in ("vpc-1", "vpc-2")})
    part = Part("one", passes)
    part.reconcile = lambda world: Apart.end(failing)  # type: ignore[method-assign]
    failing = Apart()
    failing.reasons["vpc-2"] = "no way"
    followed = until_followed(loop, [("one", part), ("two", Part("two", passes))], lambda: world)
    until(lambda: len(passes) >= 3)
    assert followed[0].vpcs.keys() == {"vpc-1"}
    assert loop.report.errors == {"one": "vpc-2: no way"}
    assert caplog.text.count("vpc-2: no way") == 1
    failing.reasons.clear()
    until(lambda: followed[-1] == world)
    assert loop.report.errors == {}


def test_what_cannot_be_read_is_told_and_logged_once(
    loop: Loop, passes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    worlds = [World(unreadable=(Unreadable("subnets", "subnet-1", "LookupError: no"),))]
    until_followed(loop, [("one", Part("one", passes))], lambda: worlds[0])
    loop.changed()
    until(lambda: len(passes) == 2)
    assert [each.id for each in loop.report.unreadable] == ["subnet-1"]
    worlds[0] = World()
    loop.changed()
    until(lambda: "subnet-1 can be read again" in caplog.text)
    assert loop.report.unreadable == ()
    assert caplog.text.count("subnet-1 cannot be read") == caplog.text.count("subnet-1 can be read again") == 1


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_a_broken_snapshot_is_tried_again(loop: Loop, passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.BACKOFF", (0.01,))
    answers = iter([None])

    def snapshot() -> World:
        if next(answers, World) is None:
            raise KeyError("no such subnet")
        return World()

    until_followed(loop, [("one", Part("one", passes))], snapshot)
    assert passes == ["one"]


def test_a_burst_of_changes_is_one_pass(loop: Loop, passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.DEBOUNCE", 0.2)
    until_followed(loop, [("one", Part("one", passes))])
    for _ in range(50):
        loop.changed()
    threading.Event().wait(0.5)
    assert passes == ["one"] * 2


def test_backoff_grows() -> None:
    assert list(BACKOFF) == sorted(BACKOFF)
