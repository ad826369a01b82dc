# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a server: releases, services, the units of its sites, and what is left of its disks and its memory."""

from __future__ import annotations

import re
import time
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import RESTORING, known
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import everywhere
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import CURRENT, RELEASES, UNREADY
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import Room

PROPERTIES = "Id,ActiveState,SubState,Result,NRestarts,ActiveEnterTimestamp,LastTriggerUSec,NextElapseUSecRealtime"
SHOW = ("systemctl", "show", "--timestamp=unix", f"--property={PROPERTIES}")
FAILED = ("systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--full")
UNIX = re.compile(r"@\d+")  # a time, by --timestamp=unix
KIB = 1024
ISO = "%Y-%m-%dT%H:%M:%SZ"


def state_of(
    run: Run,
    sites: t.Mapping[str, str],
    services: t.Sequence[str],
    *,
    units: t.Sequence[str],
    rooms: t.Sequence[Room],
    files: str = "",
    backup: str = "",
) -> dict[str, t.Any]:
    """Return the state of this server. `sites` are the folders of the sites by name.

    `units` are what sites have of their own: workers, and the timers of schedules. `files` is the mount point of the
    file system of all servers, and `backup` the file that tells the last backup, each "" without one. Times are in
    ISO 8601 and UTC, sizes in bytes.
    """
    return {
        "sites": {name: site_of(Path(folder)) for name, folder in sites.items()},
        "services": {one["Id"]: one for one in units_in(run([*SHOW, *services]).out)},
        "units": [*units_in(run([*SHOW, *units]).out)] if units else [],
        "failed": [line.split()[0] for line in run(FAILED).out.splitlines() if line.strip()],
        "disks": [{"mount": room.mount, "size": room.size, "free": room.free} for room in rooms],
        "memory": memory_in(Path("/proc/meminfo").read_text()),
        "files": {files: everywhere.state_of(run, files)} if files else {},
        **({"backup": backup_in(Path(backup), time.time())} if backup else {}),
        "load": float(Path("/proc/loadavg").read_text().split()[0]),
    }


def backup_in(path: Path, now: float) -> dict[str, t.Any]:
    """Return the id and the age in seconds of the last backup that a file tells, and the failure since then.

    Without a backup, the id is "" and the age 0. `interrupted` are the backups whose restore is not complete, by site.
    """
    found, marks = known(path), known(path.with_name(RESTORING.name))
    last, failure = found.get("last") or {}, found.get("failure") or {}
    age = int(now - datetime.strptime(last["began"], ISO).replace(tzinfo=UTC).timestamp()) if last else 0
    words = f"{failure['at']}: {failure['message']}" if failure else ""
    interrupted = {site: one["backup"] for site, one in marks.items() if one}
    return {"id": last.get("id", ""), "age": age, "failure": words, "interrupted": interrupted}


def site_of(folder: Path) -> dict[str, t.Any]:
    """Return the current release of a site, since when it is current, all releases, and whether visitors get it.

    A site that has just been added to the server is not ready until its pages have been answered.
    """
    link, releases = folder / CURRENT, folder / RELEASES
    current = link.resolve().name if link.is_symlink() else ""
    since = iso(link.lstat().st_mtime) if current else ""
    kept = sorted(one.name for one in releases.iterdir() if one.is_dir()) if releases.is_dir() else []
    return {
        "release": current,
        "since": since,
        "kept": kept,
        "ready": bool(current) and not (folder / UNREADY).exists(),
    }


def units_in(shown: str) -> t.Iterator[dict[str, str]]:
    """Yield the properties of each unit in the output of `systemctl show`."""
    for block in shown.split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if unit.get("Id"):
            yield {name: iso(float(value[1:])) if UNIX.fullmatch(value) else value for name, value in unit.items()}


def memory_in(text: str) -> dict[str, int]:
    """Return the memory in bytes from the text of /proc/meminfo: all of it, and what new processes can have."""
    found = {line.partition(":")[0]: line.split()[1] for line in text.splitlines() if len(line.split()) > 1}
    return {"size": int(found["MemTotal"]) * KIB, "free": int(found["MemAvailable"]) * KIB}


def iso(seconds: float) -> str:
    """Return a time in UTC as 2026-11-30T03:31:52Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime(ISO)
