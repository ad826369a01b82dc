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
from groundwork_lab.plane.hosts.host import BootError, Wanted
from groundwork_lab.plane.hosts.roots import RootError
from groundwork_lab.settings import Settings


class FakeImages:
    def __init__(self, folder: Path) -> None:
        self.asked: list[int] = []
        self._folder = folder

    def folder(self, version: int) -> Path:
        return self._folder / str(version)

    def ensure(self, version: int, progress: Any) -> Path:
        self.asked.append(version)
        if version == 13:
            raise RootError("no mirror")
        return self.folder(version)


class FakeHost:
    finished = False
    layers: tuple[Path, ...] = ()

    def __init__(self, shared: Any, instance: Any, interface: Any, layers: Any, prepare: Any) -> None:
        if instance.id == "i-bad":
            raise OSError("no disk left")
        self.wanted: list[Wanted] = []
        self.layers, self.prepare = layers, prepare

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
        Settings("test", tmp_path, tmp_path), Journal(tmp_path / "journal"), SimpleNamespace(), FakeImages(tmp_path)
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


def test_a_base_image_is_built_before_the_first_boot_of_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_world: Any
) -> None:
    monkeypatch.setattr(module, "Host", FakeHost)
    monkeypatch.setattr(module.cgroups, "machine_tree", lambda: SimpleNamespace(folders=lambda name: []))
    images = FakeImages(tmp_path)
    manager = HostManager(
        Settings("test", tmp_path, tmp_path), Journal(tmp_path / "journal"), SimpleNamespace(), images
    )
    world = make_world()
    old = world.instances["i-1"]
    instances = {"i-12": replace(old, id="i-12"), "i-13": replace(old, id="i-13", debian=13)}
    manager.reconcile(replace(world, instances=instances))
    bookworm, trixie = manager._hosts["i-12"], manager._hosts["i-13"]
    assert (bookworm.layers, trixie.layers) == ((tmp_path / "12",), (tmp_path / "13",))
    assert images.asked == []
    bookworm.prepare()
    with pytest.raises(BootError, match="no mirror"):
        trixie.prepare()
    assert images.asked == [12, 13]
    manager.close()
