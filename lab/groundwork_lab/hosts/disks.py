"""An instance's disk: a writable layer of its own over its image, mounted while the host runs.

Source: https://docs.kernel.org/filesystems/overlayfs.html
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.undo import umount


class DiskError(OSError):
    """A disk could not be mounted."""


@dataclass(frozen=True)
class Disk:
    """`image` is only read; everything below `folder` is the disk's."""

    image: Path
    folder: Path

    @property
    def upper(self) -> Path:
        return self.folder / "upper"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def root(self) -> Path:
        """Where the whole tree is seen while the disk is mounted."""
        return self.folder / "root"

    @property
    def mounted(self) -> bool:
        return self.root.is_mount()


def overlay_options(disk: Disk) -> str:
    """The options of the overlay mount.

    `volatile` leaves out every sync: a small file written and synced, as dpkg writes thousands, took 0.08 ms instead of
    1.6 ms. A lab's disks end with the lab, so there is no crash of the machine that they would have to outlive.
    """
    layers = {"lowerdir": disk.image, "upperdir": disk.upper, "workdir": disk.work}
    return ",".join([*(f"{name}={_escaped(path)}" for name, path in layers.items()), "volatile"])


def _escaped(path: Path) -> str:
    """The kernel splits the options at commas and the lower layers at colons."""
    return str(path).replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def mount(disk: Disk, journal: Journal) -> None:
    """Mount the disk, making it first if it is new. Does nothing when it is mounted. Raises DiskError."""
    if disk.mounted:
        return
    for folder in (disk.upper, disk.work, disk.root):
        folder.mkdir(parents=True, exist_ok=True)
    # A volatile overlay leaves this mark to tell that its last life may have ended without a sync; the page
    # cache of this machine, which is what counts here, lived on.
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
    """Unmount the disk; what it holds stays. Raises OSError while something uses it."""
    umount(str(disk.root))
    journal.strike(Entry("mount", str(disk.root)))


def delete(disk: Disk) -> None:
    """Remove an unmounted disk with all it holds."""
    if disk.mounted:
        message = f"{disk.root} is still mounted."
        raise DiskError(message)
    if disk.folder.exists():
        shutil.rmtree(disk.folder)
