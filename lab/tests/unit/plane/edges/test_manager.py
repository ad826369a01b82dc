"""The manager's decisions, with a fake nginx."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributions import behavior, counted, distribution, world

from groundwork_lab.apart import UnservedError
from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Certificate, World
from groundwork_lab.plane.edges import manager as module
from groundwork_lab.plane.edges.functions import BROKEN, module_name
from groundwork_lab.plane.edges.manager import EdgeManager
from groundwork_lab.plane.edges.nginx import NginxError
from groundwork_lab.plane.edges.tls import files
from groundwork_lab.settings import Settings

SITE = "EDFDVBD6EXAMPLE"


class FakeNginx:
    def __init__(self, folder: Path, namespace: str, journal: Journal) -> None:
        self.folder = folder
        self.files: Mapping[str, bytes] = {}
        self.applied: list[Mapping[str, bytes]] = []
        self.fails = False
        self.refuses = ""
        self.running = False

    def prepare(self, user: str) -> None:
        for name in ("cache", "tls"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def check(self, files: Mapping[str, bytes]) -> None:
        if self.fails:
            raise NginxError("no")
        if self.refuses and self.refuses in files["nginx.conf"].decode():
            raise NginxError(f"not {self.refuses}")

    def apply(self, files: Mapping[str, bytes]) -> None:
        self.check(files)
        for line in files["nginx.conf"].decode().splitlines():
            if "proxy_cache_path" in line:
                Path(line.split()[1]).mkdir(exist_ok=True)
        self.applied.append(files)
        self.files = files
        self.running = True

    def close(self) -> None:
        self.running = False
        self.files = {}


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(module, "Nginx", FakeNginx)
    settings = Settings("test", tmp_path, tmp_path)
    authority = Authority(settings)
    authority.start()
    made = EdgeManager(settings, Journal(tmp_path / "journal"), authority, lambda *_log: None)
    yield made
    made.close()


def caches(manager: Any) -> list[str]:
    return sorted(each.name for each in (manager._place.folder / "cache").iterdir())


def test_the_same_world_changes_nothing(manager: Any) -> None:
    for _ in range(2):
        manager.reconcile(world())
    assert len(manager._nginx.applied) == 1


def test_an_nginx_that_died_is_started_again(manager: Any) -> None:
    manager.reconcile(world())
    manager._nginx.running = False
    manager.reconcile(world())
    assert len(manager._nginx.applied) == 2


def test_an_invalidation_begins_a_new_cache_once(manager: Any) -> None:
    manager.reconcile(world())
    for _ in range(2):
        manager.reconcile(world(distribution(["/a"])))
    assert caches(manager) == [f"{SITE}-1"]
    manager.reconcile(world(distribution(["/a"], ["/b"])))
    assert caches(manager) == [f"{SITE}-2"]
    manager.reconcile(world())
    assert caches(manager) == [f"{SITE}-2"]
    assert len(manager._nginx.applied) == 3


def test_what_an_old_worker_stores_during_the_reload_is_kept(manager: Any) -> None:
    manager.reconcile(world())
    old = manager._place.cache(f"{SITE}-0")
    apply = manager._nginx.apply

    def store(files: Mapping[str, bytes]) -> None:
        apply(files)
        for name, path in (("01", b"/a"), ("02", b"/b")):
            (old / "aa").mkdir(exist_ok=True)
            (old / "aa" / f"aa{name}").write_bytes(b"\nKEY: " + path + b" []\n")

    manager._nginx.apply = store
    manager.reconcile(world(distribution(["/a"])))
    new = manager._place.cache(f"{SITE}-1")
    assert [each.name for each in new.rglob("*") if each.is_file()] == ["aa02"]


def test_an_invalidation_that_failed_is_tried_again(manager: Any) -> None:
    manager.reconcile(world())
    manager._nginx.fails = True
    with pytest.raises(NginxError):
        manager.reconcile(world(distribution(["/a"])))
    assert (manager._place.folder / "cache" / f"{SITE}-0").exists()
    manager._nginx.fails = False
    manager.reconcile(world(distribution(["/a"])))
    assert caches(manager) == [f"{SITE}-1"]


def other_world() -> World:
    """Return the `World` with one more distribution."""
    one = distribution()
    return replace(world(one), distributions={one.id: one, "EOTHER": replace(one, id="EOTHER")})


def test_a_distribution_that_nginx_refuses_keeps_no_other_from_being_served(manager: Any) -> None:
    manager.reconcile(World())
    manager._nginx.refuses = "EOTHER"
    for _ in range(2):
        with pytest.raises(UnservedError, match=r"^EOTHER: NginxError: not EOTHER$"):
            manager.reconcile(other_world())
        assert "EOTHER" not in manager._nginx.files["nginx.conf"].decode()
        assert SITE in manager._nginx.files["nginx.conf"].decode()
    manager._nginx.refuses = ""
    manager.reconcile(other_world())
    assert "EOTHER" in manager._nginx.files["nginx.conf"].decode()


def test_a_distribution_that_cannot_be_rendered_keeps_no_other_from_being_served(manager: Any) -> None:
    whole = other_world()
    broken = replace(whole.distributions["EOTHER"], config={"Enabled": True})
    with pytest.raises(UnservedError, match=r"^EOTHER: KeyError"):
        manager.reconcile(replace(whole, distributions={**whole.distributions, "EOTHER": broken}))
    assert SITE in manager._nginx.files["nginx.conf"].decode()


def test_a_deleted_distributions_cache_goes(manager: Any) -> None:
    manager.reconcile(world())
    manager.reconcile(World())
    assert caches(manager) == []


def test_certificates_are_secret_files_as_long_as_they_are_used(manager: Any) -> None:
    def names() -> set[str]:
        return {file.name for file in (manager._place.folder / "tls").iterdir()}

    manager.reconcile(world())
    own = names()
    first, second = (Certificate("arn", chain, b"key") for chain in (b"first", b"second"))
    made = distribution(Aliases=counted("www.example.com"), certificate=first)
    manager.reconcile(world(made))
    assert names() == own | set(files(first))
    assert {stat.S_IMODE((manager._place.folder / "tls" / name).stat().st_mode) for name in names()} == {0o600}
    manager.reconcile(world(replace(made, certificate=second)))
    assert names() == own | set(files(second))
    manager.reconcile(world())
    assert names() == own
    assert len(manager._nginx.applied) == 4


def test_refused_code_is_left_out(manager: Any) -> None:
    made = world(distribution(default=behavior(functions={"viewer-request": "f"})), functions={"f": "no code"})
    manager.reconcile(made)
    files = manager._nginx.files
    assert f"js/{module_name(b'no code')}" not in files
    assert f"js/{module_name(BROKEN.encode())}" in files
