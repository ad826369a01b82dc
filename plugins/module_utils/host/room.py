# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The free space on a server's file systems: checked before anything is changed, and explained when it is used up.

A run that fills a disk fails in the middle, and MariaDB then waits for free space without an end:
https://dev.mysql.com/doc/refman/8.4/en/full-disk.html
"""

from __future__ import annotations

import errno
import os
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run

FOLDERS = ("/", "/tmp", "/var/lib", "/var/tmp", "/srv")  # noqa: S108 - where a run writes; nothing is written here
MIB, GIB = 1024**2, 1024**3
FEWEST = 64 * MIB  # bytes for a run's own files: staged configuration, dpkg's status, archives of releases
FEWEST_FILES = 1000
NEARLY_FULL = 0.9
NO_SPACE = os.strerror(errno.ENOSPC)
SHOWN = 5  # folders
DF = ("df", "--block-size=1", "--output=target,size,avail")
LOOK = 30  # seconds for du
ROOT_VOLUME = "the root volume and its file system: aws ec2 modify-volume, then growpart and resize2fs on the server"
ROOT = Path("/")


class Room(t.NamedTuple):
    """A file system by its mount point: its size and its free space in bytes, and how many files it can still take."""

    mount: str
    size: int
    free: int
    files: int


def room_of(folder: Path) -> Room:
    """Return the file system of an existing folder, given by its absolute path."""
    found = os.statvfs(folder)
    mount = next((place for place in (folder, *folder.parents) if place.is_mount()), ROOT)
    files = found.f_favail if found.f_files else FEWEST_FILES  # some file systems count no files
    return Room(str(mount), found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize, files)


def parse_df(listing: str) -> list[Room]:
    """Return the file systems in the output of `DF`, each once. Lines that do not describe one are left out."""
    lines = [line.rsplit(None, 2) for line in listing.splitlines()[1:]]
    found = [Room(line[0], int(line[1]), int(line[2]), FEWEST_FILES) for line in lines if _describes_room(line)]
    return list({room.mount: room for room in found}.values())


def _describes_room(line: t.Sequence[str]) -> bool:
    return len(line) == 3 and line[1].isdigit() and line[2].isdigit()


def rooms(folders: t.Iterable[str] = FOLDERS) -> list[Room]:
    """Return the file systems of the folders that exist, each once."""
    found = [room_of(Path(folder).resolve()) for folder in folders if Path(folder).exists()]
    return list({room.mount: room for room in found}.values())


def remedy(room: Room) -> str:
    """Return what to do about a file system that is full, without a full stop."""
    return f"Remove what is not needed, or enlarge {ROOT_VOLUME if room.mount == '/' else 'that file system'}"


def shortage(room: Room, content: int = 0) -> str:
    """Return what is missing on a file system for a run that stores `content` bytes there, or ""."""
    needed = content + min(FEWEST, room.size // 2)  # a small file system, as a /tmp in memory, has never FEWEST
    if room.free < needed:
        return (
            f"The file system {room.mount} has {_amount(room.free)} of {_amount(room.size)} free, and this run needs "
            f"{_amount(needed)}."
        )
    if room.files < FEWEST_FILES:
        return f"The file system {room.mount} can take only {room.files} more files: it has no free inodes."
    return ""


def nearly_full(room: Room) -> str:
    """Return a warning about a file system that will soon be full, or ""."""
    if room.free > room.size * (1 - NEARLY_FULL):
        return ""
    return (
        f"The file system {room.mount} is {1 - room.free / room.size:.0%} full: {_amount(room.free)} of "
        f"{_amount(room.size)} are free. {remedy(room)}."
    )


def require_room(run: Run, found: t.Sequence[Room]) -> list[str]:
    """Raise GroundworkError if a file system has no room for a run. Return warnings about those with little."""
    short = [room for room in found if shortage(room)]
    if short:
        words = "\n".join(f"{shortage(room)}{largest(run, room.mount)} {remedy(room)}." for room in short)
        raise GroundworkError(f"{words}\nNothing was changed. Then run again.")
    return [warning for room in found if (warning := nearly_full(room))]


def require_for(folder: Path, needed: int) -> None:
    """Raise GroundworkError if `needed` bytes do not fit into a folder, beside what a run needs."""
    room = room_of(folder)
    if wrong := shortage(room, needed):
        raise GroundworkError(f"{wrong} {remedy(room)}; then run again.")


def largest(run: Run, mount: str) -> str:
    """Return a sentence with the largest folders of a file system, or "" if du cannot read it in time."""
    du = ["du", "--one-file-system", "--block-size=1", "--max-depth=3", mount]
    sizes = _parsed(run(["timeout", str(LOOK), *du]).out)
    shown = _largest(sizes, mount)
    return f" Its largest folders: {', '.join(f'{name} ({_amount(sizes[name])})' for name in shown)}." if shown else ""


def _parsed(listing: str) -> dict[str, int]:
    pairs = (line.split("\t", 1) for line in listing.splitlines() if "\t" in line)
    return {name: int(size) for size, name in pairs}


def _largest(sizes: t.Mapping[str, int], mount: str) -> list[str]:
    """Return the largest folders. A folder whose content is mostly in one that is shown is left out."""
    shown: list[str] = []
    for name in sorted(sizes, key=lambda name: (sizes[name], len(name)), reverse=True):
        within = [other for other in sizes if other != name and Path(other).is_relative_to(name)]
        mostly = any(sizes[other] > sizes[name] / 2 for other in within)
        if name != mount and not mostly and not any(Path(name).is_relative_to(one) for one in shown):
            shown.append(name)
        if len(shown) == SHOWN:
            break
    return shown


def _amount(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size / MIB:.0f} MiB"
