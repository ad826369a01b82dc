"""The manager when a host cannot be created, with fake hosts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from groundwork_lab.apart import UnservedError
from groundwork_lab.journal import Journal
from groundwork_lab.model import World
from groundwork_lab.plane import hosts as module
from groundwork_lab.plane.hosts import HostManager
from groundwork_lab.plane.hosts.host import Wanted
from groundwork_lab.settings import Settings


class FakeHost:
    finished = False
    layers = ()

    def __init__(self, shared: Any, instance: Any, interface: Any, layers: Any) -> None:
        if instance.id == "i-bad":
            raise OSError("no disk left")
        self.wanted: list[Wanted] = []

    def want(self, want: Wanted) -> None:
        self.wanted.append(want)

    def close(self) -> None:
        """Do nothing: no process runs."""

    join = close


def test_a_host_that_cannot_be_made_keeps_no_other_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_world: Any
) -> None:
    monkeypatch.setattr(module, "Host", FakeHost)
    monkeypatch.setattr(module.cgroups, "machine_tree", lambda: SimpleNamespace(folders=lambda name: []))
    manager = HostManager(
        Settings("test", tmp_path, tmp_path), Journal(tmp_path / "journal"), SimpleNamespace(), tmp_path
    )
    world = make_world()
    world = replace(world, instances={name: replace(world.instances["i-1"], id=name) for name in ("i-bad", "i-good")})
    for _ in range(2):
        with pytest.raises(UnservedError) as caught:
            manager.reconcile(world)
        assert caught.value.reasons == {"i-bad": "OSError: no disk left"}
    good = manager._hosts["i-good"]
    assert [each.power for each in good.wanted] == ["on"]
    manager.reconcile(World())
    assert [each.power for each in good.wanted] == ["on", "gone"]
    manager.close()
