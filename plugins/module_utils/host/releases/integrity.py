# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a release as they were unpacked: what was changed by hand since is found, and put back.

releases/.<id>.files       a record of each member, and of the folders that the site can write, for root only
releases/.<id>.set-aside/  what was at the changed paths

A file whose size and change time (ctime) are those of the record is not read. No program can set the change time.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import is_within, parents

Record = dict[str, t.Any]
FOLDERS = "/"  # in the record: the folders that the site could write (`Folders.told`)


class Known(t.NamedTuple):
    """The record of a release: its members, and the folders that the site could write."""

    members: dict[str, Record]
    folders: dict[str, t.Any]


def record_of(folder: Path) -> Path:
    """Return the path of the record of the release in `folder`."""
    return folder.with_name(f".{folder.name}.files")


def aside_of(folder: Path) -> Path:
    """Return the folder for what was at the changed paths of the release in `folder`."""
    return folder.with_name(f".{folder.name}.set-aside")


def record(folder: Path, at: Path, ignored: t.Collection[str], folders: t.Mapping[str, t.Any]) -> None:
    """Write the record of the release in `folder` to the path `at`.

    `ignored` are paths that are not part of it. `folders` are those that the site can write.
    """
    members = {path: _seen(folder / path, status) for path, status in _members(folder, ignored)}
    _write(at, Known(members, dict(folders)))


def amend(folder: Path, ignored: t.Collection[str], folders: t.Mapping[str, t.Any], *, rights: bool = False) -> None:
    """Record the folders that the site can write now. Changes that were made by hand are still found.

    With `rights`, the owner, group and mode of each member are recorded again.
    """
    seen = known(folder)
    if seen is None:
        return
    kept = {path: one for path, one in seen.members.items() if not is_within(path, ignored)}
    above = {parent for path in ignored for parent in parents(path) if parent not in kept}
    for path in [*above, *(kept if rights else ())]:
        if (folder / path).exists() or (folder / path).is_symlink():
            new = {"rights": _rights((folder / path).lstat())}
            kept[path] = {**kept.get(path, {}), **new}
    _write(record_of(folder), Known(kept, dict(folders)))


def _write(at: Path, seen: Known) -> None:
    content = json.dumps({FOLDERS: seen.folders, **seen.members}).encode()
    files.put(Entry(str(at), "file", content, mode=0o600))


def known(folder: Path) -> Known | None:
    """Return what is recorded about a release, or None for one of an earlier version of this collection."""
    try:
        members: dict[str, Record] = json.loads(record_of(folder).read_bytes())
    except FileNotFoundError:
        return None
    return Known(members, members.pop(FOLDERS, {}))


def changed(folder: Path, seen: Known, ignored: t.Collection[str]) -> tuple[str, ...]:
    """Return the members that were changed, added or removed since the record was written, sorted."""
    found = dict(_members(folder, ignored))
    differing = (path for path, status in found.items() if not _same(folder / path, status, seen.members.get(path)))
    removed = (path for path in seen.members.keys() - found.keys() if not is_within(path, ignored))
    return tuple(sorted({*differing, *removed}))


def _members(folder: Path, ignored: t.Collection[str]) -> t.Iterator[tuple[str, os.stat_result]]:
    """Yield each member of a folder, with its status. Links are not followed."""
    pending = [""]
    while pending:
        below = pending.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                path = f"{below}/{entry.name}" if below else entry.name
                if path in ignored:
                    continue
                yield path, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)


def _seen(path: Path, status: os.stat_result) -> Record:
    seen: Record = {"rights": _rights(status)}
    if stat.S_ISREG(status.st_mode):
        seen |= {"size": status.st_size, "changed": status.st_ctime_ns, "digest": _digest(path)}
    elif stat.S_ISLNK(status.st_mode):
        seen["target"] = str(path.readlink())
    return seen


def _rights(status: os.stat_result) -> list[int]:
    return [status.st_uid, status.st_gid, status.st_mode]


def _same(path: Path, status: os.stat_result, known: Record | None) -> bool:
    if known is None or known["rights"] != _rights(status):
        return False
    if "target" in known:
        return bool(known["target"] == str(path.readlink()))
    if "size" not in known or (known["size"], known["changed"]) == (status.st_size, status.st_ctime_ns):
        return True
    return bool(known["size"] == status.st_size and known["digest"] == _digest(path))


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def set_aside(folder: Path, members: t.Sequence[str], wanted: t.Mapping[str, str]) -> None:
    """Put what is at these paths into the folder `aside_of`, so that nothing is lost.

    `wanted` are the kinds of the members that the release should have. A file that will be replaced stays until then.
    """
    for member in members:
        path, aside = folder / member, aside_of(folder) / member
        is_folder = path.is_dir() and not path.is_symlink()
        if not os.path.lexists(path) or (is_folder and wanted.get(member) == "directory"):
            continue
        aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = next(name for name in _numbered(aside) if not os.path.lexists(name))
        if member in wanted and not is_folder and wanted[member] != "directory":
            os.link(path, free, follow_symlinks=False)
        else:
            path.rename(free)


def _numbered(path: Path) -> t.Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.name}.{number}")
        number += 1
