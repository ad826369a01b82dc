# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shared folder of a site on a file system that all servers mount.

<path>/shared           a link to <files>/<site>, where <files> is the mount point
<path>/shared.moving    what the server had in its own folder, until all of it is copied
<path>/shared.local     the same afterwards

Several servers begin at the same time. So nothing that exists on the file system is replaced: whatever a server puts
there is written beside its place, and gets its name in one step that fails if the name is taken.
"""

from __future__ import annotations

import filecmp
import itertools
import os
import pwd
import shutil
import stat
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import DeadlineError, GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import Clock, wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import SHARED
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.rights import acting_as

MOUNTS = Path("/proc/self/mountinfo")
PROBE = ("timeout", "--signal=KILL", "5", "stat", "--file-system", "--format=%T")
DEADLINE = 60.0  # seconds; the service that mounts the file system needs half of it for a try
LOCAL = f"{SHARED}.local"
MOVING = f"{SHARED}.moving"
SHOWN = 10  # files

Mounted = t.Literal["mounted", "not mounted", "does not answer"]


def state_of(run: Run, folder: str, mounts: Path = MOUNTS) -> Mounted:
    """Return whether a file system is mounted at a folder, and answers within seconds."""
    points = [line.split()[4] for line in mounts.read_text().splitlines() if line]
    if folder not in points:
        return "not mounted"
    return "does not answer" if run([*PROBE, folder]).code else "mounted"


def require_mounted(run: Run, folder: str, clock: Clock) -> None:
    """Wait until the file system at a folder answers. Raise GroundworkError if it does not."""
    try:
        wait_until(
            lambda: state_of(run, folder),
            lambda state: state == "mounted",
            until=f"the files of all servers at {folder}",
            deadline=DEADLINE,
            interval=1.0,
            clock=clock,
        )
    except DeadlineError as error:
        unit = run(["systemd-escape", "--path", "--suffix=mount", folder]).out.strip()
        log = run(["journalctl", f"--unit={unit}", "--lines=5", "--no-pager", "--output=cat"]).out.strip()
        raise GroundworkError(
            f"The file system at {folder} {_words(error.seen)} for {DEADLINE:.0f} s, so no release was changed. Check "
            f"its mount targets and their security group; then run again. The end of the journal of {unit}:\n{log}"
        ) from error


def _words(state: t.Any) -> str:
    return "was not mounted" if state == "not mounted" else "did not answer"


def data_of(release: Release) -> Path:
    """Return the folder of a site on the file system."""
    return Path(release.folders.files) / release.name


def is_moved(release: Release) -> bool:
    """Return whether the shared folder of a site is where it should be, with the mode that it should have."""
    place = Path(release.path) / SHARED
    if not release.folders.files:
        return True
    data = data_of(release)
    if os.path.lexists(place.with_name(MOVING)) or not (place.is_symlink() and place.readlink() == data):
        return False
    return data.is_dir() and stat.S_IMODE(data.stat().st_mode) == release.folders.shared_mode


def move(release: Release) -> list[str]:
    """Make the shared folder of a site a link to the file system, and copy there what the server has in its own.

    Return what to tell. The own folder stays under another name. What is written to it during the copy is copied after
    the link has taken its place. A run that was interrupted in between is continued.
    """
    place, data, account = Path(release.path) / SHARED, data_of(release), release.folders.account
    moving = place.with_name(MOVING)
    try:
        _create(data, account, release.folders.shared_mode)
        if place.is_dir() and not place.is_symlink():
            with acting_as(account):
                copy_missing(place, data)
            place.rename(moving)
        files.discard(str(place))
        place.symlink_to(data)
        if not os.path.lexists(moving):
            return []
        with acting_as(account):
            left = copy_missing(moving, data)
        local = next(one for one in _names(place.with_name(LOCAL)) if not os.path.lexists(one))
        moving.rename(local)
    except OSError as error:
        raise GroundworkError(f"Could not copy {place} of {release.name} to {data}: {error}. Run again.") from error
    return [
        f"The shared files of {release.name} on this server were copied to the file system of all servers. They are "
        f"kept in {local}; remove it when it is not needed.",
        *_told(local, left),
    ]


def _told(local: Path, left: t.Sequence[str]) -> t.Iterator[str]:
    if left:
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        yield (
            f"{len(left)} files in {local} were not copied, because the file system has others with these names: "
            f"{', '.join(left[:SHOWN])}{more}."
        )


def _names(place: Path) -> t.Iterator[Path]:
    yield place
    yield from (place.with_name(f"{place.name}-{number}") for number in itertools.count(2))


def _create(data: Path, account: str, mode: int) -> None:
    """Create the folder of a site on the file system. Its parent belongs to root.

    Without the file system it would be created on the disk of the server, below the place of the mount.
    """
    if not os.path.ismount(data.parent):
        raise GroundworkError(
            f"The file system at {data.parent} has just gone away. Nothing was moved there; run again."
        )
    data.mkdir(mode=0o700, exist_ok=True)
    found, status = pwd.getpwnam(account), data.stat()
    if (status.st_uid, status.st_gid) != (found.pw_uid, found.pw_gid):
        os.chown(data, found.pw_uid, found.pw_gid)
    data.chmod(mode)


def copy_missing(source: Path, target: Path) -> list[str]:
    """Copy to a folder what it does not have. Return the paths at which it has something else.

    Files keep their modes and times.
    """
    left: list[str] = []
    for place, folders, names in os.walk(source):
        inner = Path(place).relative_to(source)
        if not (target / inner).is_dir():
            try:
                (target / inner).mkdir(mode=0o700)
            except FileExistsError:
                left.append(str(inner))
                folders.clear()
                continue
            shutil.copystat(place, target / inner)
        links = [name for name in folders if Path(place, name).is_symlink()]
        left += [str(inner / name) for name in (*names, *links) if not _copy(Path(place, name), target / inner / name)]
    return left


def _copy(source: Path, target: Path) -> bool:
    """Copy a file or a link to a path that does not exist. Return whether the path then has the same content."""
    if not os.path.lexists(target):
        if not source.is_symlink() and not source.is_file():
            return False
        new = target.with_name(partial(""))
        files.discard(str(new))
        shutil.copy2(source, new, follow_symlinks=False)
        give_name(new, target)
    if source.is_symlink() or target.is_symlink():
        return source.is_symlink() and target.is_symlink() and source.readlink() == target.readlink()
    return target.is_file() and filecmp.cmp(source, target, shallow=False)


def partial(name: str) -> str:
    """Return the name under which this server prepares something that several servers can create."""
    return f".{name}.groundwork-{os.uname().nodename}"


def give_name(new: Path, place: Path) -> bool:
    """Move a prepared file, link or folder to its name. Return whether no other server had put something there."""
    try:
        if new.is_dir() and not new.is_symlink():
            new.rename(place)
        else:
            os.link(new, place, follow_symlinks=False)
            new.unlink()
        return True
    except OSError:
        if not os.path.lexists(place):
            raise
        if new.is_dir() and not new.is_symlink():
            shutil.rmtree(new)
        else:
            files.discard(str(new))
        return False
