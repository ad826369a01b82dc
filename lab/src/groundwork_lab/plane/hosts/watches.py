"""inotify(7) instances, of which a host's systemd, dbus and logind have ten, and Debian's kernel allows 128 a user.

All hosts' root is this machine's, so the thirteenth host of a machine, of whatever lab, would not boot: "Failed to
create control group inotify object: Too many open files". So the first lab raises the limit, and the last one puts
back what it was.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundwork_lab.journal import boot_id

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
WANTED = 4096


@contextmanager
def alone(limit: Path) -> Iterator[None]:
    """Hold the limit, by its own file, against the labs that come and go meanwhile."""
    with limit.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def allow(record: Path, limit: Path, wanted: int = WANTED) -> None:
    """Raise the limit unless it is high enough, and record what it was. Raises OSError where that is not allowed."""
    former = int(limit.read_text("ascii"))
    if former < wanted:
        record.write_text(json.dumps({"boot": boot_id(), "former": former}), "ascii")
        limit.write_text(f"{wanted}\n", "ascii")


def put_back(record: Path, limit: Path, wanted: int = WANTED) -> None:
    """Put back what the limit was and remove the record; a limit that somebody else has set since stays."""
    if not record.exists():
        return
    recorded = json.loads(record.read_text("ascii"))
    if recorded["boot"] == boot_id() and int(limit.read_text("ascii")) == wanted:
        limit.write_text(f"{recorded['former']}\n", "ascii")
    record.unlink()
