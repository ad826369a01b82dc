"""The state of a server: releases from real folders, units from systemctl's output."""

from __future__ import annotations

import json
import os
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.looking.state import (
    backup_in,
    memory_in,
    site_of,
    state_of,
    units_in,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import Room

UNITS = ["groundwork-shop-queue@1", "groundwork-shop-clean.timer"]
SHOWN = """Id=apache2.service
ActiveState=active
SubState=running
ActiveEnterTimestamp=@1796009512

Id=groundwork-shop-mail@1.service
ActiveState=failed
SubState=failed
Result=exit-code
NRestarts=5
"""


def served(folder: Path) -> Path:
    (folder / "releases" / "b2").mkdir(parents=True)
    (folder / "releases" / "a1").mkdir()
    link = folder / "current"
    link.symlink_to("releases/b2")
    os.utime(link, (1796009512, 1796009512), follow_symlinks=False)
    return folder


def test_the_release_of_a_site(tmp_path: Path) -> None:
    folder = served(tmp_path)
    assert site_of(folder) == {"release": "b2", "since": "2026-11-30T03:31:52Z", "kept": ["a1", "b2"], "ready": True}
    (folder / ".unready").touch()
    assert site_of(folder)["ready"] is False


def test_a_site_without_a_release(tmp_path: Path) -> None:
    assert site_of(tmp_path / "none") == {"release": "", "since": "", "kept": [], "ready": False}


def test_the_properties_of_units() -> None:
    assert [(unit["Id"], unit["ActiveState"]) for unit in units_in(SHOWN)] == [
        ("apache2.service", "active"),
        ("groundwork-shop-mail@1.service", "failed"),
    ]
    assert next(units_in(SHOWN))["ActiveEnterTimestamp"] == "2026-11-30T03:31:52Z"
    assert list(units_in("")) == []


def test_the_last_backup_and_the_failure_since_then(tmp_path: Path) -> None:
    file = tmp_path / "backup.json"
    assert backup_in(file, 0) == {"id": "", "age": 0, "failure": "", "interrupted": {}}
    last = {"id": "20261130T023000Z-private-1", "began": "2026-11-30T02:30:00Z"}
    began = datetime(2026, 11, 30, 2, 30, tzinfo=UTC).timestamp()
    file.write_text(json.dumps({"last": last, "failure": None}))
    (tmp_path / "restoring.json").write_text(json.dumps({"shop": {"backup": "a", "safety": ""}, "blog": None}))
    told = {"id": last["id"], "age": 60, "failure": "", "interrupted": {"shop": "a"}}
    assert backup_in(file, began + 60) == told
    file.write_text(json.dumps({"last": last, "failure": {"at": "12:00", "message": "no"}}))
    assert backup_in(file, began)["failure"] == "12:00: no"


def test_memory_is_in_bytes() -> None:
    assert memory_in("MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\n") == {"size": 2097152, "free": 1048576}


def test_the_state_asks_for_the_services_and_for_the_units_of_each_site(tmp_path: Path) -> None:
    asked: list[t.Sequence[str]] = []

    def run(argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        asked.append(argv)
        return Done(0, SHOWN if "show" in argv else "php8.2-fpm.service loaded failed failed PHP\n", stdin)

    state = state_of(
        run,
        {"shop": str(served(tmp_path))},
        ["apache2"],
        units=UNITS,
        rooms=[Room("/", 100, 5, 9)],
    )
    assert asked[0][-1] == "apache2"
    assert asked[1][-2:] == UNITS
    assert state["failed"] == ["php8.2-fpm.service"]
    assert state["disks"] == [{"mount": "/", "size": 100, "free": 5}]
    assert state["sites"]["shop"]["release"] == "b2"
