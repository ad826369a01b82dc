"""An instance's disk: a writable layer of its own over its image's layers, mounted while the host runs.

Source: https://docs.kernel.org/filesystems/overlayfs.html
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.undo import umount

FILES_CHANGED = 1  # tar's exit code when a file changed or went away while it was read


class DiskError(OSError):
    """A disk could not be mounted."""


@dataclass(frozen=True)
class Disk:
    """`layers`, the uppermost first, are only read; everything below `folder` is the disk's."""

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
    lower = ":".join(map(_escaped, disk.layers))
    return f"lowerdir={lower},upperdir={_escaped(disk.upper)},workdir={_escaped(disk.work)},volatile"


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


def freeze(disk: Disk, layer: Path) -> Disk:
    """Make what an unmounted disk holds the layer `layer`, to be shared; the disk goes on empty, on top of it.

    Nothing is copied: a disk of any size is captured in no time, and is there once however many start from it.
    Raises OSError.
    """
    if disk.mounted:
        message = f"{disk.root} is still mounted."
        raise DiskError(message)
    disk.upper.mkdir(parents=True, exist_ok=True)
    disk.upper.rename(layer)
    return replace(disk, layers=(layer, *disk.layers))


def copy(disk: Disk, layer: Path) -> None:
    """Copy what a mounted disk holds to the layer `layer`, with the overlay's own marks, while its host goes on.

    As with NoReboot on AWS, what the host has not written yet is missing. Sockets are left out, as they are of no
    use without their server. Raises OSError.
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
    """Remove an unmounted disk with all it holds."""
    if disk.mounted:
        message = f"{disk.root} is still mounted."
        raise DiskError(message)
    if disk.folder.exists():
        shutil.rmtree(disk.folder)
