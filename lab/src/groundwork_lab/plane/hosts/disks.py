"""The disk of an instance: a writable layer over the layers of its image, mounted while the host runs.

Source: https://docs.kernel.org/filesystems/overlayfs.html
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.undo import umount

FILES_CHANGED = 1  # exit code of tar if a file changed or was removed while it was read


class DiskError(OSError):
    """A disk could not be mounted or copied."""


@dataclass(frozen=True)
class Disk:
    """A disk. Its `layers`, the uppermost first, are read-only. Everything below `folder` belongs to the disk."""

    layers: tuple[Path, ...]
    folder: Path

    @property
    def upper(self) -> Path:
        return self.folder / "upper"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def root(self) -> Path:
        """Return the folder on which the disk is mounted."""
        return self.folder / "root"

    @property
    def mounted(self) -> bool:
        return self.root.is_mount()


def overlay_options(disk: Disk) -> str:
    """Return the options of the overlay mount.

    `volatile` omits each sync. Writing and syncing a small file, as dpkg does thousands of times, takes 0.08 ms instead
    of 1.6 ms. A lab's disks are deleted with the lab, so they need not survive a crash of the machine.
    """
    lower = ":".join(map(_escaped, disk.layers))
    return f"lowerdir={lower},upperdir={_escaped(disk.upper)},workdir={_escaped(disk.work)},volatile"


def _escaped(path: Path) -> str:
    """Escape the characters with which the kernel separates options and lower layers."""
    return str(path).replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def mount(disk: Disk, journal: Journal) -> None:
    """Mount the disk, if it is not mounted, and create it if it is new. Raise DiskError."""
    if disk.mounted:
        return
    for folder in (disk.upper, disk.work, disk.root):
        folder.mkdir(parents=True, exist_ok=True)
    # A volatile overlay leaves this mark, because it may not have been synced before the unmount. That does not matter
    # here: the page cache of this machine has all writes.
    shutil.rmtree(disk.work / "work/incompat/volatile", ignore_errors=True)
    journal.record(Entry("mount", str(disk.root)))
    argv = ["mount", "-t", "overlay", "overlay", "-o", overlay_options(disk), str(disk.root)]
    outcome = subprocess.run(argv, check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        journal.strike(Entry("mount", str(disk.root)))
        message = (
            f"Cannot mount the disk {disk.folder}: {outcome.stderr.strip()}. "
            "The lab's state folder must be on a file system that can be an overlay's upper layer, like ext4 or xfs."
        )
        raise DiskError(message)


def unmount(disk: Disk, journal: Journal) -> None:
    """Unmount the disk and keep its content. Raise OSError if it is in use."""
    umount(str(disk.root))
    journal.strike(Entry("mount", str(disk.root)))


def freeze(disk: Disk, layer: Path) -> Disk:
    """Turn the content of an unmounted disk into the shared layer `layer`. Return the disk, empty on top of it.

    Nothing is copied: the capture takes no time for a disk of any size, and all disks that start from it share it.
    Raise OSError.
    """
    if disk.mounted:
        message = f"{disk.root} is still mounted."
        raise DiskError(message)
    disk.upper.mkdir(parents=True, exist_ok=True)
    disk.upper.rename(layer)
    return replace(disk, layers=(layer, *disk.layers))


def copy(disk: Disk, layer: Path) -> None:
    """Copy the content of a mounted disk to the layer `layer`, with the overlay's marks, while the host runs.

    As with NoReboot on AWS, data that the host has not written yet is missing. Sockets are omitted, because they are
    useless without their server. Raise OSError.
    """
    layer.mkdir()
    marks = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "--sparse"]
    reading = ["tar", "--create", *marks, f"--directory={disk.upper}", "--file=-", "."]
    writing = ["tar", "--extract", "--preserve-permissions", *marks[:-1], f"--directory={layer}", "--file=-"]
    with subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
        written = subprocess.run(writing, check=False, stdin=reader.stdout, capture_output=True)
        words = reader.communicate()[1] + written.stderr
    if reader.returncode > FILES_CHANGED or written.returncode != 0:
        message = f"Cannot copy the disk {disk.folder}: {words.decode(errors='replace').strip()[-500:]}"
        raise DiskError(message)


def delete(disk: Disk) -> None:
    """Delete an unmounted disk and its content."""
    if disk.mounted:
        message = f"{disk.root} is still mounted."
        raise DiskError(message)
    if disk.folder.exists():
        shutil.rmtree(disk.folder)
