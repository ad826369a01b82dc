"""The nodes and their servers."""

from __future__ import annotations

from typing import Any

import pytest

from groundwork_lab.apart import Apart
from groundwork_lab.model import World
from groundwork_lab.plane.balancers.nodes import nodes


def _servers(world: World, node: str) -> list[str]:
    return [server.name for pool in nodes(world, Apart())[node].pools for server in pool.servers]


def test_each_node_sends_to_the_targets_of_all_enabled_zones(build: Any) -> None:
    world = build.world([build.group("web", [11, 12, 13])], [build.listener(build.forward(("web", 1)))])
    assert _servers(world, "eni-a") == _servers(world, "eni-b") == ["10.0.0.11:80", "10.0.0.12:80"]


def test_without_cross_zone_each_sends_to_its_own_zone(build: Any) -> None:
    group = build.group("web", [11, 12], attributes={"load_balancing.cross_zone.enabled": "false"})
    world = build.world([group], [build.listener(build.forward(("web", 1)))])
    assert (_servers(world, "eni-a"), _servers(world, "eni-b")) == (["10.0.0.11:80"], ["10.0.0.12:80"])


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down"])
def test_an_instance_that_does_not_run_gets_nothing(build: Any, state: Any) -> None:
    build.instances[12] = ("subnet-b", state)
    world = build.world([build.group("web", [11, 12])], [build.listener(build.forward(("web", 1)))])
    assert _servers(world, "eni-a") == ["10.0.0.11:80"]


def test_a_group_that_nothing_forwards_to_has_no_pool(build: Any) -> None:
    world = build.world([build.group("web", [11])], [])
    assert nodes(world, Apart())["eni-a"].pools == ()


def test_a_group_in_several_places_has_one_pool(build: Any) -> None:
    listeners = [build.listener(build.forward(("web", 1)), port=port) for port in (80, 81)]
    world = build.world([build.group("web", [11])], listeners)
    assert [pool.name for pool in nodes(world, Apart())["eni-a"].pools] == ["web.wwww"]


def test_an_interface_that_is_gone_has_no_node(build: Any) -> None:
    world = build.world([], [])
    interfaces = {name: each for name, each in world.interfaces.items() if name != "eni-b"}
    assert set(
        nodes(World(subnets=world.subnets, interfaces=interfaces, load_balancers=world.load_balancers), Apart())
    ) == {"eni-a"}
