# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of this host: reading, atomic writing and removal."""

from __future__ import annotations

import grp
import itertools
import os
import pwd
import stat
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import Actual

ASIDE = ".set-aside"


def look(path: str) -> Actual:
    """Return what is at a path. A link is not followed."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Actual()
    rights: dict[str, t.Any] = {
        "owner": _user_name(status.st_uid),
        "group": _group_name(status.st_gid),
        "mode": stat.S_IMODE(status.st_mode),
    }
    if stat.S_ISLNK(status.st_mode):
        return Actual("link", target=str(Path(path).readlink()), **rights)
    if stat.S_ISDIR(status.st_mode):
        return Actual("directory", **rights)
    if stat.S_ISREG(status.st_mode):
        return Actual("file", content=Path(path).read_bytes(), **rights)
    return Actual("other", **rights)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def put(entry: Entry) -> None:
    """Put the path into the state of the entry. Files and links are replaced atomically.

    Raise GroundworkError with the path and the error of the system.
    """
    try:
        PUT[entry.kind](entry)
    except (OSError, KeyError) as error:
        raise GroundworkError(f"Could not set {entry.path} to the state '{entry.kind}': {error}") from error


def beside(path: str) -> str:
    """Return the hidden temporary path to which a file is written first. Daemons do not include hidden files."""
    place = Path(path)
    return str(place.with_name(f".{place.name}.groundwork"))


def discard(path: str) -> None:
    """Remove a file or link if it exists."""
    Path(path).unlink(missing_ok=True)


def _remove(entry: Entry) -> None:
    discard(entry.path)


def _set_aside(entry: Entry) -> None:
    Path(entry.path).rename(next(name for name in _names_aside(entry.path) if not os.path.lexists(name)))


def _names_aside(path: str) -> t.Iterator[str]:
    """Return names beside a path, by which no daemon includes a file."""
    yield f"{path}{ASIDE}"
    yield from (f"{path}{ASIDE}-{number}" for number in itertools.count(2))


def _link(entry: Entry) -> None:
    new = beside(entry.path)
    discard(new)
    Path(new).symlink_to(entry.target)
    Path(new).replace(entry.path)


def _directory(entry: Entry) -> None:
    Path(entry.path).mkdir(mode=0o700, exist_ok=True)
    os.chown(entry.path, *_ids(entry))
    Path(entry.path).chmod(entry.mode)


def _file(entry: Entry) -> None:
    new = beside(entry.path)
    discard(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            os.fchown(descriptor, *_ids(entry))
            os.fchmod(descriptor, entry.mode)
            handle.write(entry.content)
            handle.flush()
            os.fsync(descriptor)
        Path(new).replace(entry.path)
    except (OSError, KeyError):
        discard(new)  # it may contain a secret
        raise


def _ids(entry: Entry) -> tuple[int, int]:
    uid = int(entry.owner) if entry.owner.isdigit() else pwd.getpwnam(entry.owner).pw_uid
    gid = int(entry.group) if entry.group.isdigit() else grp.getgrnam(entry.group).gr_gid
    return uid, gid


PUT: t.Mapping[str, t.Callable[[Entry], None]] = {
    "absent": _remove,
    "aside": _set_aside,
    "link": _link,
    "directory": _directory,
    "file": _file,
}
