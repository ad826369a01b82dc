"""inotify(7) instances, of which a host's systemd, dbus and logind have ten, and Debian's kernel allows 128 a user.

All hosts' root is this machine's, so the thirteenth host of a machine, of whatever lab, would not boot: "Failed to
create control group inotify object: Too many open files". The limit is raised and stays so: it costs nothing, and
lowering it again could end hosts of another lab.
"""

from __future__ import annotations

from pathlib import Path

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
WANTED = 4096


def allow(limit: Path = LIMIT, wanted: int = WANTED) -> None:
    """Raise the limit unless it is high enough. Raises OSError where that is not allowed."""
    if int(limit.read_text("ascii")) < wanted:
        limit.write_text(f"{wanted}\n", "ascii")
