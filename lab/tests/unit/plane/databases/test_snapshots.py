"""The copy and the place with which a restore begins."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundwork_lab.model import DatabaseOrigin
from groundwork_lab.plane.databases.programs import DatabaseError
from groundwork_lab.plane.databases.snapshots import Epoch, Place, Snapshots, add_epoch, read_epochs

FIRST = Place("/state/db-1/0", "mysql-bin-changelog.000001", 500)
SECOND = Place("/state/db-1/1", "mysql-bin-changelog.000001", 900)


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    """Return the snapshots of a lab: one with a place in the first server's binary logs."""
    folder = tmp_path / "snapshots"
    (folder / "base").mkdir(parents=True)
    (folder / "base/place.json").write_text(json.dumps(FIRST))
    return Snapshots(folder)


def origin(until: float | None) -> DatabaseOrigin:
    return DatabaseOrigin("base", "db-1" if until else "", datetime.fromtimestamp(until, UTC) if until else None)


def test_a_restore_begins_with_the_snapshot(snapshots: Snapshots, tmp_path: Path) -> None:
    image = tmp_path / "snapshots/base/volume.ext4"
    assert snapshots.base(origin(None), tmp_path) == (image, None)
    assert snapshots.base(origin(1000.0), tmp_path) == (image, FIRST)


@pytest.mark.parametrize(("until", "expected"), [(1999.0, FIRST), (2000.0, SECOND), (3000.0, SECOND)])
def test_after_a_failover_it_begins_with_the_new_primary(
    snapshots: Snapshots, tmp_path: Path, until: float, expected: Place
) -> None:
    add_epoch(tmp_path, Epoch(2000.0, SECOND, "/state/db-1/epoch-2.ext4"))
    image, place = snapshots.base(origin(until), tmp_path)
    assert place == expected
    assert (str(image) == "/state/db-1/epoch-2.ext4") is (expected == SECOND)


def test_a_snapshot_of_the_new_primary_is_taken_itself(snapshots: Snapshots, tmp_path: Path) -> None:
    add_epoch(tmp_path, Epoch(500.0, Place(*FIRST), "/state/db-1/epoch-1.ext4"))
    image, _ = snapshots.base(origin(1000.0), tmp_path)
    assert image.name == "volume.ext4"


def test_epochs_are_read_as_they_were_added(tmp_path: Path) -> None:
    epochs = [Epoch(float(began), SECOND, f"/state/{began}") for began in (1, 2)]
    for each in epochs:
        add_epoch(tmp_path, each)
    assert read_epochs(tmp_path) == epochs


def test_a_snapshot_without_binary_logs(snapshots: Snapshots, tmp_path: Path) -> None:
    (tmp_path / "snapshots/base/place.json").unlink()
    with pytest.raises(DatabaseError, match="without binary logs"):
        snapshots.base(origin(1000.0), tmp_path)


def test_snapshots_are_deleted(snapshots: Snapshots) -> None:
    assert (snapshots.exists("base"), snapshots.names()) == (True, {"base"})
    snapshots.delete("base")
    assert (snapshots.exists("base"), snapshots.names()) == (False, set())
