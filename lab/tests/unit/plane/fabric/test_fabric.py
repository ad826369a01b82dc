"""The fabric when steps fail, with a fake kernel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from groundwork_lab.apart import UnservedError
from groundwork_lab.journal import Journal
from groundwork_lab.model import World
from groundwork_lab.plane.fabric import Fabric, FabricError, compute, fabric
from groundwork_lab.plane.fabric.apply import Failure
from groundwork_lab.plane.fabric.kernel import Difference, End, Kernel, Link
from groundwork_lab.plane.fabric.observation import present_links
from groundwork_lab.plane.fabric.topology import Network
from groundwork_lab.plane.fabric.uplink import argv
from groundwork_lab.settings import Settings


class Machine:
    """Records what was applied. `errors` are the results of the next steps, in order."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.changes: list[Difference] = []
        self.readings = 0
        self.where = "lab-vpc-1"

    def apply(self, change: Difference, _journal: Journal) -> list[Failure]:
        self.changes.append(change)
        error = self.errors.pop(0) if self.errors else ""
        return [Failure("configure", self.where, OSError(error))] if error else []

    def observe(self, _settings: Settings, _wanted: Kernel) -> Kernel:
        self.readings += 1
        return Kernel()


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a fabric with its backbone, on a machine with the given errors."""

    def start(*errors: str) -> tuple[Fabric, Machine]:
        machine = Machine(*errors)
        monkeypatch.setattr(fabric.apply, "apply", machine.apply)
        monkeypatch.setattr(fabric, "observe", machine.observe)
        settings = Settings("lab", tmp_path, tmp_path)
        return Fabric(settings, Journal(settings.journal)), machine

    return start


def test_the_same_world_again_is_not_even_compared(started, world: World) -> None:
    part, machine = started()
    part.reconcile(world)
    part.reconcile(world)
    assert (len(machine.changes), machine.readings) == (1, 1)


def test_a_change_is_compared_with_what_was_applied(started, world: World) -> None:
    part, machine = started()
    part.reconcile(world)
    part.reconcile(World())
    assert machine.readings == 1
    assert "lab-vpc-1" in machine.changes[-1].removed


def test_a_failed_step_is_tried_again_on_what_is_there(started, world: World) -> None:
    part, machine = started("File exists")
    part.reconcile(world)
    assert (len(machine.changes), machine.readings) == (2, 2)


def test_a_step_that_keeps_failing_is_told_and_tried_with_the_next_call(started, world: World) -> None:
    part, machine = started("no", "still no")
    with pytest.raises(UnservedError, match="vpc-1: FabricError: configure lab-vpc-1: still no"):
        part.reconcile(world)
    part.reconcile(world)
    assert (len(machine.changes), machine.readings) == (3, 3)


def test_a_step_outside_of_all_vpcs_that_keeps_failing_is_nobodys_alone(started, world: World) -> None:
    part, machine = started("no", "still no")
    machine.where = "lab-internet"
    with pytest.raises(FabricError, match="configure lab-internet: still no"):
        part.reconcile(world)


def test_a_vpc_that_cannot_be_built_stays_as_it_is_and_others_follow(
    started, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, machine = started()
    part.reconcile(world)
    build_gateway = compute._gateway
    monkeypatch.setattr(
        compute, "_gateway", lambda settings, network, *rest: build_gateway(settings, unless(network), *rest)
    )
    second = replace(world.internet_gateways["igw-1"], id="igw-2", vpc_id="vpc-2")
    more = replace(
        world,
        vpcs={**world.vpcs, "vpc-2": replace(world.vpcs["vpc-1"], id="vpc-2")},
        internet_gateways={**world.internet_gateways, "igw-2": second},
    )
    for _ in range(2):  # the error is raised as long as it persists
        with pytest.raises(UnservedError, match="vpc-1: ValueError: vpc-1 cannot be built"):
            part.reconcile(more)
    assert "lab-vpc-2" in {each.name for each in machine.changes[1].created}
    assert machine.changes[1].removed == ()
    monkeypatch.undo()
    monkeypatch.setattr(fabric.apply, "apply", machine.apply)
    part.reconcile(more)


def unless(network: Network) -> Network:
    """Build the network, unless it is the one that cannot be built."""
    if network.vpc.id == "vpc-1":
        raise ValueError("vpc-1 cannot be built")
    return network


LEFT, RIGHT = End("left", "a"), End("right", "b", "02:00:00:00:00:01")
LINK = Link(LEFT, RIGHT)


@pytest.mark.parametrize(
    ("devices", "present"),
    [
        ({"left": {"a": "x"}, "right": {"b": "02:00:00:00:00:01"}}, {LINK}),
        (
            {"left": {"a": "x"}, "right": {"b": "02:00:00:00:00:02"}},
            {Link(LEFT, LEFT), Link(*2 * (End("right", "b"),))},
        ),
        ({"left": {"a": "x"}}, {Link(LEFT, LEFT)}),
        ({"left": {"a": "x", "c": "y"}, "right": {"b": "02:00:00:00:00:01"}}, {LINK, Link(*2 * (End("left", "c"),))}),
        ({}, set()),
    ],
)
def test_a_link_is_there_with_both_ends_only(devices: dict[str, dict[str, str]], present: set[Link]) -> None:
    """Test that a device that is not the end of a complete wanted link is deleted."""
    assert present_links(frozenset([LINK]), devices) == present


def test_the_uplink_cannot_reach_the_machines_loopback() -> None:
    command = argv("lab-internet", 7)
    assert "--disable-host-loopback" in command
    assert command[-2:] == ["/run/netns/lab-internet", "tap0"]
