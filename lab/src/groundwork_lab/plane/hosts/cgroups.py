"""A control group for each host.

systemd-nspawn with `--keep-unit` puts its machine into `<own group>/payload`. Two machines that are started in the same
group would share it, and the systemd of each would treat the other's processes as its own. So the nspawn of each host
starts in its own group, below `<lab>` at the root of the cgroup v2 tree, with a unified or a hybrid hierarchy. Source:
nspawn-cgroup.c, create_subcgroup(); cgroups(7).
"""

from __future__ import annotations

import errno
import os
import select
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


class NoControlGroupsError(Exception):
    """This machine has no cgroup v2 tree."""


@dataclass(frozen=True)
class Tree:
    """The cgroup v2 tree, and on a hybrid machine also systemd's v1 tree.

    systemd-nspawn creates the same folders in both. The v2 tree is used to assign and to kill processes.
    """

    unified: Path
    legacy: Path | None

    def folders(self, *parts: str) -> tuple[Path, ...]:
        """Return the folder of a group in each tree."""
        roots = [self.unified] if self.legacy is None else [self.unified, self.legacy]
        return tuple(root.joinpath(*parts) for root in roots)


def tree(mountinfo: str) -> Tree:
    """Return the trees in the text of /proc/self/mountinfo (proc(5)). Raise NoControlGroupsError without a v2 tree."""
    unified = legacy = None
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point, (kind, _, options) = Path(before.split()[4]), after.split()[:3]
        if kind == "cgroup2":
            unified = unified or point
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            legacy = legacy or point
    if unified is None:
        message = (
            "No cgroup v2 file system is mounted on this machine; the lab's hosts require one. "
            "Mount it with: mount -t cgroup2 none /sys/fs/cgroup/unified"
        )
        raise NoControlGroupsError(message)
    return Tree(unified, legacy)


def machine_tree() -> Tree:
    """Return this machine's trees. Raise NoControlGroupsError."""
    return tree(Path("/proc/self/mountinfo").read_text("utf-8"))


def cpu_seconds(path: Path) -> float | None:
    """Return the CPU time that the processes of a group have used, in seconds, or None if it does not exist.

    Each group of a v2 tree has the file, also without the controller `cpu`.
    """
    try:
        lines = (path / "cpu.stat").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None
    used = dict(line.split() for line in lines)
    return int(used["usage_usec"]) / 1_000_000


def remove(path: Path, *, patience: float = 5.0) -> None:
    """Send SIGKILL to all processes in and below a group, then remove its folders, if they exist.

    Raise TimeoutError if processes remain after `patience` seconds.
    """
    with suppress(FileNotFoundError), (path / "cgroup.kill").open("r+b", buffering=0) as file:
        file.write(b"1")  # a v1 tree does not have this file
    deadline = time.monotonic() + patience
    while not _removed(path):
        if time.monotonic() > deadline:
            message = f"The control group {path} still has processes."
            raise TimeoutError(message)
        select.select([], [], [], 0.02)  # a killed process stays in its group until it is reaped


def _removed(path: Path) -> bool:
    """Remove the folders of the group, the deepest first. Return False while one is busy."""
    for folder, _, _ in os.walk(path, topdown=False):
        try:
            Path(folder).rmdir()
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
    return True
