"""The disk of an instance: a writable layer over the layers of its image, mounted while the host runs.

The writable layer is on a volume: an ext4 file system of the root volume's size, in a sparse file. So a host can fill
its disk, and no other's. A reserved file on the volume has the size of the image's files, so that they count as used.

Sources: https://docs.kernel.org/filesystems/overlayfs.html; mkfs.ext4(8); mount(8), THE LOOP DEVICE.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.undo import umount

_log = logging.getLogger(__name__)

COPY_ATTEMPTS = 3
FILES_CHANGED = 1  # exit code of tar if a file changed or was removed while it was read
GIB = 1024**3
# The volume is deleted with the lab, so it needs no journal. Its tables are written when they are used. All writes of
# an overlay are made with this machine's rights, so blocks that are reserved for root would be reserved for nothing.
FORMAT = ("mkfs.ext4", "-q", "-O", "^has_journal", "-E", "nodiscard,lazy_itable_init=1", "-m", "0")

_SIZES: dict[tuple[Path, ...], int] = {}  # of the files of images, by their layers, which never change


class DiskError(OSError):
    """A disk could not be mounted or copied."""


@dataclass(frozen=True)
class Disk:
    """A disk of `gib` GiB. Its `layers`, the uppermost first, are read-only. All below `folder` belongs to the disk."""

    layers: tuple[Path, ...]
    folder: Path
    gib: int

    @property
    def file(self) -> Path:
        """Return the file with the content of the volume. It exists when the volume is formatted."""
        return self.folder / "volume.ext4"

    @property
    def volume(self) -> Path:
        """Return the folder on which the volume is mounted."""
        return self.folder / "volume"

    @property
    def upper(self) -> Path:
        return self.volume / "upper"

    @property
    def work(self) -> Path:
        return self.volume / "work"

    @property
    def root(self) -> Path:
        """Return the folder on which the disk is mounted."""
        return self.folder / "root"

    @property
    def mounted(self) -> bool:
        return self.root.is_mount()

    @property
    def exists(self) -> bool:
        """Return whether the disk has a volume, and so the content of an earlier mount."""
        return self.file.exists()


def overlay_options(disk: Disk) -> str:
    """Return the options of the overlay mount.

    `volatile` omits each sync. Writing and syncing a small file, as dpkg does thousands of times, takes 0.08 ms instead
    of 1.6 ms. A lab's disks are deleted with the lab, so they need not survive a crash of the machine.

    `xino` gives all files one device number, though the layers are on different file systems: programs that stay on one
    file system, as `du -x`, would leave files out.
    """
    lower = ":".join(map(_escaped, disk.layers))
    return f"lowerdir={lower},upperdir={_escaped(disk.upper)},workdir={_escaped(disk.work)},xino=on,volatile"


def _escaped(path: Path) -> str:
    """Escape the characters with which the kernel separates options and lower layers."""
    return str(path).replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def mount(disk: Disk, journal: Journal) -> None:
    """Mount the disk, if it is not mounted, and create it if it is new. Raise DiskError."""
    if disk.mounted:
        return
    _mount_volume(disk, journal)
    disk.root.mkdir(exist_ok=True)
    # A volatile overlay leaves this mark, because it may not have been synced before the unmount. That does not matter
    # here: the page cache of this machine has all writes.
    shutil.rmtree(disk.work / "work/incompat/volatile", ignore_errors=True)
    hint = "The lab's state folder must be on a file system that stores extended attributes, like ext4 or xfs."
    _mount(disk.root, journal, ["-t", "overlay", "overlay", "-o", overlay_options(disk)], hint)
    _reserve(disk)


def _mount_volume(disk: Disk, journal: Journal) -> None:
    """Mount the volume, if it is not mounted, and format it if it is new. Raise DiskError."""
    if disk.volume.is_mount():
        return
    disk.volume.mkdir(parents=True, exist_ok=True)
    if not disk.exists:
        _format(disk)
    hint = "The lab needs a loop device for each of its servers: see mount(8), and /dev/loop-control."
    _mount(disk.volume, journal, ["-o", "loop,noatime", str(disk.file)], hint)
    for folder in (disk.upper, disk.work):
        folder.mkdir(exist_ok=True)


def _format(disk: Disk) -> None:
    """Create the volume's file. It has its name only when it is complete."""
    unfinished = disk.file.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.truncate(disk.gib * GIB)
    outcome = subprocess.run([*FORMAT, str(unfinished)], check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        message = f"Cannot format a volume of {disk.gib} GiB in {disk.folder}: {outcome.stderr.strip()}"
        raise DiskError(message)
    unfinished.rename(disk.file)


def _reserve(disk: Disk) -> None:
    """Allocate a file of the size of the image's files on a new volume, which no data is written to: fallocate(2)."""
    reserved = disk.volume / "image"
    if reserved.exists():
        return
    if disk.layers not in _SIZES:
        _SIZES[disk.layers] = size(disk.root)  # nothing but the image's files are on a new disk
    unfinished = reserved.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, _SIZES[disk.layers])
    unfinished.rename(reserved)


def size(folder: Path) -> int:
    """Return the bytes that the files of a file system below a folder occupy, as du(1) counts them. Raise DiskError."""
    du = ["du", "--one-file-system", "--summarize", "--block-size=1", str(folder)]
    outcome = subprocess.run(du, check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        message = f"Cannot tell the size of {folder}: {outcome.stderr.strip()}"
        raise DiskError(message)
    return int(outcome.stdout.split()[0])


def _mount(point: Path, journal: Journal, options: list[str], hint: str) -> None:
    """Mount something on the folder `point`. Raise DiskError with mount's message and the hint."""
    journal.record(Entry("mount", str(point)))
    outcome = subprocess.run(["mount", *options, str(point)], check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        journal.strike(Entry("mount", str(point)))
        message = f"Cannot mount the disk {point}: {outcome.stderr.strip()}. {hint}"
        raise DiskError(message)


def unmount(disk: Disk, journal: Journal) -> None:
    """Unmount the disk and keep its content. Raise OSError if it is in use."""
    for point in (disk.root, disk.volume):
        umount(str(point))
        journal.strike(Entry("mount", str(point)))


@contextmanager
def opened(disk: Disk, journal: Journal) -> Iterator[None]:
    """Have the content of a disk below its `upper`, also if its host does not run. Raise OSError."""
    if disk.mounted:
        yield
        return
    _mount_volume(disk, journal)
    try:
        yield
    finally:
        unmount(disk, journal)


def copy(disk: Disk, layer: Path) -> None:
    """Copy the content of an open disk to the layer `layer`, with the overlay's marks.

    If the host runs, as with NoReboot on AWS, data that it has not written yet is missing, and its files change while
    they are read: a copy that fails is repeated. Sockets are omitted, because they are useless without their server.
    Raise OSError.
    """
    for attempt in range(1, COPY_ATTEMPTS + 1):
        layer.mkdir()
        words = _copy_once(disk.upper, layer)
        if not words:
            return
        _log.warning("The copy %d of the disk %s failed: %s", attempt, disk.folder, words)
        shutil.rmtree(layer)
    message = f"Cannot copy the disk {disk.folder}: {words}"
    raise DiskError(message)


def _copy_once(source: Path, layer: Path) -> str:
    """Copy the files of `source` to the empty folder `layer`. Return what failed, or ""."""
    marks = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "--sparse"]
    reading = ["tar", "--create", *marks, f"--directory={source}", "--file=-", "."]
    writing = ["tar", "--extract", "--preserve-permissions", *marks[:-1], f"--directory={layer}", "--file=-"]
    with subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
        written = subprocess.run(writing, check=False, stdin=reader.stdout, capture_output=True)
        words = reader.communicate()[1] + written.stderr
    if reader.returncode <= FILES_CHANGED and written.returncode == 0:
        return ""
    last = words.decode(errors="replace").strip()[-500:]
    return f"tar ended with {reader.returncode} and {written.returncode}: {last}"


def delete(disk: Disk) -> None:
    """Delete an unmounted disk and its content."""
    if disk.volume.is_mount():
        message = f"{disk.volume} is still mounted."
        raise DiskError(message)
    if disk.folder.exists():
        shutil.rmtree(disk.folder)
