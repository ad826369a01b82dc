"""A control group for each host.

systemd-nspawn with `--keep-unit` puts its machine into `<own group>/payload`: two machines started from the same
group would share it, and the systemd of each would take the other's processes for its own. So each host's
nspawn starts in a group of its own, below `<lab>` at the root of the cgroup v2 tree, whichever way (unified or
hybrid) this machine has mounted it. Source: nspawn-cgroup.c, create_subcgroup(); cgroups(7).
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
    """Where control groups live: the cgroup v2 tree, and on a hybrid machine systemd's own v1 tree beside it.

    systemd-nspawn makes the same folders in both; processes are put and killed by the first.
    """

    unified: Path
    legacy: Path | None

    def folders(self, *parts: str) -> tuple[Path, ...]:
        """A group's folder in each tree."""
        roots = [self.unified] if self.legacy is None else [self.unified, self.legacy]
        return tuple(root.joinpath(*parts) for root in roots)


def tree(mountinfo: str) -> Tree:
    """The trees in the text of /proc/self/mountinfo (proc(5)). Raises NoControlGroupsError without a v2 tree."""
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
            "This machine has no cgroup v2 file system mounted; the lab's hosts need one. "
            "Mount it with: mount -t cgroup2 none /sys/fs/cgroup/unified"
        )
        raise NoControlGroupsError(message)
    return Tree(unified, legacy)


def machine_tree() -> Tree:
    """This machine's trees. Raises NoControlGroupsError."""
    return tree(Path("/proc/self/mountinfo").read_text("utf-8"))


def remove(path: Path, *, patience: float = 5.0) -> None:
    """SIGKILL whatever is in a group and below it, then remove its folders; a group that is gone is no error.

    Raises TimeoutError when processes are still there after `patience` seconds.
    """
    with suppress(FileNotFoundError), (path / "cgroup.kill").open("r+b", buffering=0) as file:
        file.write(b"1")  # a v1 tree has no such file
    deadline = time.monotonic() + patience
    while not _removed(path):
        if time.monotonic() > deadline:
            message = f"The control group {path} still has processes."
            raise TimeoutError(message)
        select.select([], [], [], 0.02)  # a killed process leaves its group only when it is reaped


def _removed(path: Path) -> bool:
    """Remove the group's folders, the deepest first (their files go with them); False while one is busy."""
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
