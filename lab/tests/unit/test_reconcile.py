"""The loop runs the network's parts in order and the others beside them, and continues when a part fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from groundwork_lab.apart import Apart
from groundwork_lab.model import Distribution, NatGateway, Unreadable, Vpc, World
from groundwork_lab.reconcile import BACKOFF, Loop, Part

DEADLINE = 5.0


class Fake:
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


def until_followed(loop: Loop, parts: list[tuple[str, Fake]], snapshot: Callable[[], World] = World) -> list[World]:
    """Start the loop, and return the applied `World` values when there is one."""
    followed: list[World] = []
    done = threading.Event()
    loop.start(snapshot, parts, lambda world: (followed.append(world), done.set()))
    assert done.wait(DEADLINE)
    return followed


def test_parts_follow_the_same_world_in_order(loop: Loop, passes: list[str]) -> None:
    world = World()
    assert until_followed(loop, [(name, Fake(name, passes)) for name in ("one", "two")], lambda: world) == [world]
    assert passes == ["one", "two"]
    assert loop.report.errors == {}


def test_a_failing_part_keeps_nobody_and_is_tried_again(
    loop: Loop, passes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.BACKOFF", (0.01,))
    until_followed(loop, [("one", Fake("one", passes, failures=2)), ("two", Fake("two", passes))])
    assert passes == ["one", "two"] * 3
    assert loop.report.parts["one"].failures == 0


def test_a_failure_is_told_with_its_message_and_count(passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.BACKOFF", (60.0,))
    loop = Loop()
    ran = threading.Event()
    last = Fake("two", passes)
    last.reconcile = lambda world: ran.set()  # type: ignore[method-assign]
    loop.start(World, [("one", Fake("one", passes, failures=9)), ("two", last)], lambda world: None)
    assert ran.wait(DEADLINE)
    loop.close()
    assert loop.report.errors == {"one": "RuntimeError: one is broken"}
    assert loop.report.parts["one"].failures == 1


def test_a_resource_that_a_part_does_not_serve_keeps_no_other_from_being_followed(
    loop: Loop, passes: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.BACKOFF", (0.01,))
    world = World(vpcs={name: Vpc(name, (), True, True) for name in ("vpc-1", "vpc-2")})
    part = Fake("one", passes)
    part.reconcile = lambda world: Apart.end(failing)  # type: ignore[method-assign]
    failing = Apart()
    failing.reasons["vpc-2"] = "no way"
    followed = until_followed(loop, [("one", part), ("two", Fake("two", passes))], lambda: world)
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
    until_followed(loop, [("one", Fake("one", passes))], lambda: worlds[0])
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

    until_followed(loop, [("one", Fake("one", passes))], snapshot)
    assert passes == ["one"]


def test_a_burst_of_changes_is_one_pass(loop: Loop, passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwork_lab.reconcile.DEBOUNCE", 0.2)
    until_followed(loop, [("one", Fake("one", passes))])
    for _ in range(50):
        loop.changed()
    threading.Event().wait(0.5)
    assert passes == ["one"] * 2


def test_backoff_grows() -> None:
    assert list(BACKOFF) == sorted(BACKOFF)


class TestOthers:
    """Parts with a thread of their own."""

    @staticmethod
    def held(name: str, passes: list[str], release: threading.Event) -> Fake:
        part = Fake(name, passes)

        def wait(world: World) -> None:
            passes.append(name)
            assert release.wait(DEADLINE)

        part.reconcile = wait  # type: ignore[method-assign]
        return part

    def test_a_part_that_takes_long_keeps_no_other_part_waiting(self, loop: Loop, passes: list[str]) -> None:
        release = threading.Event()
        slow, quick = Part("slow", self.held("slow", passes, release)), Part("quick", Fake("quick", passes))
        loop.start(World, [("network", Fake("network", passes))], lambda world: None, [slow, quick])
        for number in range(1, 4):
            until(lambda number=number: (passes.count("network"), passes.count("quick")) == (number, number))
            loop.changed()
        assert passes.count("slow") == 1
        release.set()
        until(lambda: passes.count("slow") == 2)

    def test_the_latest_world_is_next(self, loop: Loop, passes: list[str]) -> None:
        release, seen = threading.Event(), []
        slow = self.held("slow", passes, release)
        wait = slow.reconcile
        slow.reconcile = lambda world: (seen.append(world), wait(world))  # type: ignore[method-assign]
        worlds = [World(vpcs={name: Vpc(name, (), True, True)}) for name in ("vpc-1", "vpc-2", "vpc-3")]
        given = iter(worlds)
        loop.start(
            lambda: next(given), [("network", Fake("network", passes))], lambda world: None, [Part("slow", slow)]
        )
        for number in (1, 2, 3):
            until(lambda number=number: passes.count("network") == number and "slow" in passes)
            if number < 3:
                loop.changed()
        release.set()
        until(lambda: len(seen) == 2)
        assert seen == [worlds[0], worlds[2]]

    def test_each_part_confirms_its_own_resources(self, loop: Loop, passes: list[str]) -> None:
        release, followed = threading.Event(), []
        world = World(
            nat_gateways={"nat-1": NatGateway("nat-1", "vpc-1", "subnet-1", "eni-1", None)},
            distributions={"E1": Distribution("E1", "arn", "d1.cloudfront.net", {})},
        )
        edges = Part("edges", self.held("edges", passes, release), ("distributions",))
        loop.start(lambda: world, [("network", Fake("network", passes))], followed.append, [edges])
        until(lambda: bool(followed))
        assert followed == [World(nat_gateways=world.nat_gateways)]
        release.set()
        until(lambda: len(followed) == 2)
        assert followed[-1] == world

    @pytest.mark.parametrize("network_fails", [True, False])
    def test_what_is_not_served_is_not_confirmed(self, loop: Loop, passes: list[str], network_fails: bool) -> None:
        world = World(distributions={name: Distribution(name, "arn", name, {}) for name in ("E1", "E2")})
        refused, followed = Apart(), []
        refused.reasons["E2"] = "no way"
        edges = Fake("edges", passes)
        edges.reconcile = lambda world: (passes.append("edges"), refused.end())  # type: ignore[method-assign]
        network = Fake("network", passes, failures=9 if network_fails else 0)
        loop.start(lambda: world, [("network", network)], followed.append, [Part("edges", edges, ("distributions",))])
        until(lambda: passes.count("edges") >= 2)
        seen = {name for each in followed for name in each.distributions}
        assert seen == (set() if network_fails else {"E1"})
        assert loop.report.errors["edges"] == "E2: no way"

    def test_what_a_part_works_on_is_not_confirmed(self, loop: Loop, passes: list[str]) -> None:
        world = World(distributions={name: Distribution(name, "arn", name, {}) for name in ("E1", "E2")})
        working, followed = {"E2"}, []
        edges = Part("edges", Fake("edges", passes), ("distributions",), lambda: tuple(working))
        loop.start(lambda: world, [("network", Fake("network", passes))], followed.append, [edges])
        until(lambda: bool(followed) and bool(followed[-1].distributions))
        assert (set(followed[-1].distributions), loop.report.errors) == ({"E1"}, {})
        working.clear()
        loop.changed()
        until(lambda: set(followed[-1].distributions) == {"E1", "E2"})

    def test_a_failure_with_a_world_that_is_outdated_is_not_shown(
        self, loop: Loop, passes: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        release, part = threading.Event(), Fake("hosts", passes)

        def fail_at_first(world: World) -> None:
            passes.append("hosts")
            if passes.count("hosts") == 1:
                assert release.wait(DEADLINE)
                raise OSError("the namespace was removed")

        part.reconcile = fail_at_first  # type: ignore[method-assign]
        loop.start(World, [("network", Fake("network", passes))], lambda world: None, [Part("hosts", part)])
        until(lambda: "hosts" in passes)
        loop.changed()
        until(lambda: loop.report.passes == 2)
        release.set()
        until(lambda: passes.count("hosts") == 2)
        assert loop.report.errors == {}
        assert "was removed" not in caplog.text
