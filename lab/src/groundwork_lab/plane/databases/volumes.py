"""The storage of a DB instance: an ext4 file system of the allocated size, in a sparse file.

A snapshot is a copy of the file while the file system is frozen, as a snapshot of a volume of EBS.
Sources: mkfs.ext4(8); mount(8), THE LOOP DEVICE; ioctl_fsfreeze in include/uapi/linux/fs.h.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.plane.databases.config import USER, Files
from groundwork_lab.plane.databases.programs import DatabaseError, run
from groundwork_lab.undo import umount

GIB = 1024**3
PATIENCE = 5.0  # seconds for what a server has left behind to end
FORMAT = ("mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", "-m", "0")
CORRECTED = 1  # e2fsck(8): it has replayed the journal of a volume that was not unmounted
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878


def create(files: Files, gib: int, template: Path, journal: Journal) -> None:
    """Create and mount the volume of a new server, with the data of the `template`. Raise DatabaseError or OSError."""
    unfinished = files.image.with_suffix(".new")
    with unfinished.open("wb") as file:
        file.truncate(gib * GIB)
    run([*FORMAT, str(unfinished)])
    unfinished.rename(files.image)
    mount(files, journal)
    files.temporary.mkdir()
    shutil.chown(files.temporary, USER)
    run(["cp", "--archive", "--no-target-directory", str(template), str(files.data)])


def restore(files: Files, image: Path) -> None:
    """Create the volume with the content of a snapshot."""
    unfinished = files.image.with_suffix(".new")
    copy(image, unfinished)
    unfinished.rename(files.image)


def copy(source: Path, target: Path) -> None:
    """Copy a sparse file without filling its holes."""
    run(["cp", "--sparse=auto", "--reflink=auto", str(source), str(target)])


def mount(files: Files, journal: Journal) -> None:
    """Mount the volume, if it is not mounted. Raise DatabaseError."""
    if files.volume.is_mount():
        return
    files.volume.mkdir(exist_ok=True)
    entry = Entry("mount", str(files.volume))
    journal.record(entry)
    try:
        run(["mount", "-o", "loop,noatime", str(files.image), str(files.volume)])
    except DatabaseError as error:
        journal.strike(entry)
        message = f"{error}. The lab needs a loop device for each DB instance: see mount(8), and /dev/loop-control."
        raise DatabaseError(message) from error
    shutil.chown(files.volume, USER)
    files.volume.chmod(0o700)


def unmount(files: Files, journal: Journal) -> None:
    """Unmount the volume, if it is mounted, when nothing uses it any more. Raise OSError if something does."""
    deadline = time.monotonic() + PATIENCE
    while files.volume.is_mount():
        try:
            umount(str(files.volume))
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            select.select([], [], [], 0.05)  # there is no event for a mount that becomes free
    journal.strike(Entry("mount", str(files.volume)))


def is_small(files: Files, gib: int) -> bool:
    """Return whether the volume has to grow to have `gib` GiB."""
    return files.image.stat().st_size < gib * GIB


def grow(files: Files, gib: int, journal: Journal) -> None:
    """Let the volume, which no server uses, have `gib` GiB, and leave it unmounted. Raise DatabaseError or OSError.

    A mounted file system could grow too, but that needs a right that root does not have in every container. And a
    program in a mount namespace of its own may still have the volume mounted. So a copy of it grows, and replaces it.
    """
    grown = files.image.with_suffix(".grown")
    copy_whole(files, grown)
    unmount(files, journal)
    run(["e2fsck", "-f", "-p", str(grown)], fine=(0, CORRECTED))
    os.truncate(grown, gib * GIB)
    run(["resize2fs", str(grown)])
    grown.rename(files.image)


def copy_whole(files: Files, target: Path) -> None:
    """Copy the file of a volume, with everything that was written to the volume if it is mounted."""
    with ExitStack() as stack:
        if files.volume.is_mount():
            stack.enter_context(frozen(files))
        copy(files.image, target)


@contextmanager
def frozen(files: Files) -> Iterator[None]:
    """Let nothing be written to the volume, and its file have everything that was written before."""
    descriptor = os.open(files.volume, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(descriptor, FIFREEZE, 0)
        try:
            yield
        finally:
            fcntl.ioctl(descriptor, FITHAW, 0)
    finally:
        os.close(descriptor)


def free(files: Files) -> float:
    """Return the part of the volume that is free."""
    try:
        found = os.statvfs(files.volume)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return 1.0
        raise
    return found.f_bavail / found.f_blocks if found.f_blocks else 1.0


__all__ = ["copy", "copy_whole", "create", "free", "frozen", "grow", "is_small", "mount", "restore", "unmount"]
