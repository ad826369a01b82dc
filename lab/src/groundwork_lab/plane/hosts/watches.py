"""The limit of inotify(7) instances. A host's systemd, dbus and logind use ten; Debian's kernel allows 128 a user.

The root user of all hosts is this machine's root. So the thirteenth host of a machine, in any lab, would not boot:
"Failed to create control group inotify object: Too many open files". The first lab raises the limit, and the end of the
last one resets it.
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
    """Lock the limit, with its own file, against other labs that start or end."""
    with limit.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def allow(record: Path, limit: Path, wanted: int = WANTED) -> None:
    """Raise the limit if it is too low, and record the former one. Raise OSError if that is not permitted."""
    former = int(limit.read_text("ascii"))
    if former < wanted:
        record.write_text(json.dumps({"boot": boot_id(), "former": former}), "ascii")
        limit.write_text(f"{wanted}\n", "ascii")


def put_back(record: Path, limit: Path, wanted: int = WANTED) -> None:
    """Reset the limit and remove the record. A limit that was changed since then is kept."""
    if not record.exists():
        return
    recorded = json.loads(record.read_text("ascii"))
    if recorded["boot"] == boot_id() and int(limit.read_text("ascii")) == wanted:
        limit.write_text(f"{recorded['former']}\n", "ascii")
    record.unlink()
