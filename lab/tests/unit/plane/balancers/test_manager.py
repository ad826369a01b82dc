"""The manager's decisions, with a fake HAProxy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from groundwork_lab.apart import UnservedError
from groundwork_lab.journal import Journal
from groundwork_lab.plane.balancers import manager as module
from groundwork_lab.plane.balancers.haproxy import HaproxyError
from groundwork_lab.plane.balancers.manager import BalancerManager
from groundwork_lab.settings import Settings

HEADER = "# pxname,svname,status,check_status,check_code,req_tot,"


class FakeHaproxy:
    made: list[FakeHaproxy] = []  # noqa: RUF012 - reset by the fixture

    def __init__(self, folder: Path, namespace: str, journal: Journal) -> None:
        self.namespace = namespace
        self.config = ""
        self.applied: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.cut: list[Any] = []
        self.stats: dict[tuple[str, str], str] = {}
        self.requests: dict[str, int] = {}  # by backend
        self.answers = True
        self.closed = False
        self.made.append(self)

    @property
    def running(self) -> bool:
        return bool(self.applied) and not self.closed

    def apply(self, config: str, state: str, secrets: Mapping[str, bytes]) -> str:
        assert all(name in config or name.endswith(".pem") for name in secrets)
        counted = self.ask("show stat") if self.applied else ""
        self.requests = dict.fromkeys(self.requests, 0)  # a new worker counts from the beginning
        self.applied.append((config, state))
        self.config = config
        return counted

    def ask(self, command: str) -> str:
        self.asked.append(command)
        if command == "show servers state":
            return self.applied[-1][1] if self.applied else ""
        if command == "show stat":
            checks = (",".join([f"{key[0]}.checks", key[1], line, "", ""]) for key, line in self.stats.items())
            counts = (f"{pool},10.0.0.11:80,no check,,,{number}," for pool, number in self.requests.items())
            return "\n".join([HEADER, *checks, *counts]) if self.answers else ""
        return ""

    def cut_old_sessions(self, servers: Collection[Any]) -> None:
        self.cut += servers

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BalancerManager]:
    FakeHaproxy.made.clear()
    monkeypatch.setattr(module, "Haproxy", FakeHaproxy)
    monkeypatch.setattr(module, "LOOK_AT_NEW", 0.01)
    made = BalancerManager(Settings("test", tmp_path, tmp_path), Journal(tmp_path / "journal"))
    yield made
    made.close()


def _world(build: Any, targets: list[int], draining: tuple[int, ...] = ()) -> Any:
    return build.world([build.group("web", targets, draining=draining)], [build.listener(build.forward(("web", 1)))])


def test_one_haproxy_per_node(manager: BalancerManager, build: Any) -> None:
    manager.reconcile(_world(build, [11]))
    assert sorted(each.namespace for each in FakeHaproxy.made) == ["test-eni-a", "test-eni-b"]


def with_second_balancer(world: Any) -> Any:
    """Return the `World` with another load balancer on two interfaces of its own."""
    [one] = world.load_balancers.values()
    other = replace(one, arn="arn:other", interface_ids=("eni-x", "eni-y"))
    interfaces = {
        name: replace(world.interfaces[like], id=name) for name, like in (("eni-x", "eni-a"), ("eni-y", "eni-b"))
    }
    return replace(
        world,
        interfaces={**interfaces, **world.interfaces},
        load_balancers={other.arn: other, **world.load_balancers},
    )


@pytest.mark.parametrize("number", [0, 1])
def test_a_node_that_fails_keeps_no_other_balancer_from_being_followed(
    manager: BalancerManager, build: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    world = with_second_balancer(_world(build, [11]))
    apply = FakeHaproxy.apply

    def refuse(haproxy: FakeHaproxy, config: str, state: str, secrets: Mapping[str, bytes]) -> str:
        if haproxy.namespace == ("test-eni-x", "test-eni-a")[number]:
            raise HaproxyError("not this one")
        return apply(haproxy, config, state, secrets)

    monkeypatch.setattr(FakeHaproxy, "apply", refuse)
    failing = list(world.load_balancers)[number]
    for _ in range(2):
        with pytest.raises(UnservedError) as caught:
            manager.reconcile(world)
        assert caught.value.reasons == {failing: "HaproxyError: not this one"}
    assert sum(bool(each.applied) for each in FakeHaproxy.made) == 3
    monkeypatch.undo()
    monkeypatch.setattr(module, "LOOK_AT_NEW", 0.01)
    manager.reconcile(world)
    assert all(each.applied for each in FakeHaproxy.made)


def test_a_balancer_that_cannot_be_derived_serves_on_as_it_does(manager: BalancerManager, build: Any) -> None:
    world = with_second_balancer(_world(build, [11]))
    manager.reconcile(world)
    lost = replace(world.interfaces["eni-x"], subnet_id="subnet-gone")
    with pytest.raises(UnservedError, match="arn:other: KeyError: 'subnet-gone'"):
        manager.reconcile(replace(world, interfaces={**world.interfaces, "eni-x": lost}))
    assert not any(each.closed for each in FakeHaproxy.made)


def test_the_same_world_changes_nothing(manager: BalancerManager, build: Any) -> None:
    for _ in range(2):
        manager.reconcile(_world(build, [11]))
    assert [len(each.applied) for each in FakeHaproxy.made] == [1, 1]


def test_a_balancer_that_is_gone_is_ended(manager: BalancerManager, build: Any) -> None:
    manager.reconcile(_world(build, [11]))
    world = _world(build, [11])
    manager.reconcile(type(world)())
    assert all(each.closed for each in FakeHaproxy.made)


def test_what_is_under_way_with_a_server_that_leaves_is_cut_after_its_delay(
    manager: BalancerManager, build: Any
) -> None:
    key = ("web.wwww", "10.0.0.12:80")
    manager.reconcile(_world(build, [11, 12]))
    manager.reconcile(_world(build, [11], draining=(12,)))
    one = FakeHaproxy.made[0]
    assert one.cut == []
    manager.reconcile(_world(build, [11]))
    assert one.cut == [key]


def test_one_passed_check_makes_a_new_server_healthy(manager: BalancerManager, build: Any, arn_of: Any) -> None:
    key = ("web.wwww", "10.0.0.11:80")
    manager.reconcile(_world(build, [11]))
    target = ("i-11", 80)
    assert manager.target_health(arn_of("web"))[target].state == "initial"
    for each in FakeHaproxy.made:
        each.stats[key] = "DOWN,L7OK,200"
    for running in manager._all():
        running.look_at_new()
    assert all("set server web.wwww.checks/10.0.0.11:80 health up" in each.asked for each in FakeHaproxy.made)
    for each in FakeHaproxy.made:
        each.stats[key] = "UP,L7OK,200"
    assert manager.target_health(arn_of("web"))[target].state == "healthy"


def test_a_target_that_one_node_cannot_reach_is_unhealthy(manager: BalancerManager, build: Any, arn_of: Any) -> None:
    key = ("web.wwww", "10.0.0.11:80")
    manager.reconcile(_world(build, [11]))
    for running in manager._all():
        running.fresh.clear()
    FakeHaproxy.made[0].stats[key] = "UP,L7OK,200"
    FakeHaproxy.made[1].stats[key] = "DOWN,L4TOUT,"
    assert manager.target_health(arn_of("web"))[("i-11", 80)].reason == "Target.Timeout"


def test_requests_are_counted_over_nodes_and_replaced_workers(manager: BalancerManager, build: Any) -> None:
    world = _world(build, [11])
    [arn] = world.target_groups
    manager.reconcile(world)
    first, second = FakeHaproxy.made
    first.requests, second.requests = {"web.wwww": 3, "web.wwww.open": 2, "other.oooo": 8}, {"web.wwww": 1}
    assert manager.requests(arn) == 6
    manager.reconcile(_world(build, [11, 12]))
    assert (first.requests["web.wwww"], manager.requests(arn)) == (0, 6)
    first.requests["web.wwww"] = 4
    assert manager.requests(arn) == 10
    second.answers = False
    assert manager.requests(arn) is None
    second.answers = True
    manager.reconcile(type(world)())
    assert manager.requests(arn) == 10
