"""What the manager does without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from groundwork_lab.apart import UnservedError
from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Database, DatabaseSnapshot, World
from groundwork_lab.plane.databases import DatabaseManager
from groundwork_lab.plane.databases.config import Files
from groundwork_lab.plane.databases.pair import Pair, restarts
from groundwork_lab.settings import Settings


def database(**options: object) -> Database:
    given: dict[str, object] = {
        "id": "db-1",
        "name": "site",
        "endpoint": "site.c0.eu-central-1.rds.amazonaws.com",
        "port": 3306,
        "interface_id": "eni-1",
        "gib": 20,
        "stopped": False,
        "generation": 1,
        "boots": 0,
        "user": "admin",
        "password": "secret",
        "schema": "",
        "parameters": {},
        "logged": True,
        **options,
    }
    return Database(**given)  # type: ignore[arg-type] # as the class has them


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("test", tmp_path, tmp_path)


@pytest.fixture
def manager(settings: Settings) -> Iterator[DatabaseManager]:
    ignored: Callable[..., None] = lambda *_: None  # noqa: E731 - a callback
    made = DatabaseManager(
        settings,
        Journal(settings.journal),
        Authority(settings),
        changed=ignored,
        trouble=ignored,
        failed_over=ignored,
    )
    with closing(made):
        yield made


@pytest.mark.parametrize("options", [{}, {"standby_id": "eni-2"}])
def test_an_instance_without_its_interface_is_not_served(manager: DatabaseManager, options: dict[str, str]) -> None:
    with pytest.raises(UnservedError, match="network interface of site"):
        manager.reconcile(World(databases={"db-1": database(**options)}))
    assert manager.pending() == {"db-1"}


def test_a_snapshot_is_pending_until_it_exists(manager: DatabaseManager, settings: Settings) -> None:
    world = World(database_snapshots={"first": DatabaseSnapshot("first", "db-1", pending=True)})
    manager.reconcile(world)
    assert manager.pending() == {"first"}
    (settings.state / "databases/snapshots/first").mkdir(parents=True)
    manager.reconcile(world)
    assert manager.pending() == set()


def test_only_snapshots_of_the_world_stay(manager: DatabaseManager, settings: Settings) -> None:
    folder = settings.state / "databases/snapshots"
    for name in ("kept", "gone", "taken.new"):
        (folder / name).mkdir(parents=True)
    manager.reconcile(World(database_snapshots={"kept": DatabaseSnapshot("kept", "db-1", pending=False)}))
    assert {each.name for each in folder.iterdir()} == {"kept", "taken.new"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"generation": 2, "parameters": {"max_connections": "50"}, "password": "other", "gib": 30}, False),
        ({"interface_id": "eni-2"}, False),
        ({"boots": 1}, True),
        ({"port": 3307}, True),
        ({"endpoint": "shop.c0.eu-central-1.rds.amazonaws.com"}, True),
        ({"logged": False}, True),
        ({"standby_id": "eni-2"}, True),
    ],
)
def test_what_a_server_reads_at_its_start(options: dict[str, object], expected: bool) -> None:
    assert restarts(database(), database(**options)) is expected


def test_each_server_of_a_pair_has_files_of_its_own(settings: Settings) -> None:
    folder = settings.state / "databases/db-1"
    pair = Pair(folder, settings, Journal(settings.journal), Authority(settings))
    assert pair.primary.files == Files(folder / "0")
    assert pair._new().files == Files(folder / "1")
    assert (pair.broken, pair.can_fail_over, pair.servers) == (False, False, [pair.primary])
