"""The journal: the list of what the lab created on this machine, so that `down` removes exactly that.

An entry is written and flushed before its resource is created, and struck after the resource is removed. After a crash
at any point there is at most one entry too many, and removing a resource that does not exist is not an error.

A process is identified by its pid and its start time (field 22 of /proc/PID/stat, in clock ticks since boot), so that a
reused pid never gets a signal.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

Kind = Literal["namespace", "mount", "process", "folder", "link"]


@dataclass(frozen=True)
class Entry:
    """An entry. `name` is the name of a namespace or link, the path of a mount or folder, or the pid of a process."""

    kind: Kind
    name: str
    start: int = 0  # start time of a process

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.kind, self.name, self.start)


class Journal:
    """An append-only file with lines `+entry` and `-entry`. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def record(self, entry: Entry) -> None:
        self._append("+", entry)

    def strike(self, entry: Entry) -> None:
        self._append("-", entry)

    def entries(self) -> list[Entry]:
        """Return the entries that are recorded and not struck, oldest first."""
        standing: dict[tuple[str, str, int], Entry] = {}
        for sign, entry in self._lines():
            if sign == "+":
                standing[entry.key] = entry
            else:
                standing.pop(entry.key, None)
        return list(standing.values())

    def _append(self, sign: str, entry: Entry) -> None:
        line = json.dumps([sign, asdict(entry)]).encode() + b"\n"
        with self._lock, self._path.open("ab+") as file:
            file.write(line if _ends_whole(file) else b"\n" + line)

    def _lines(self) -> Iterator[tuple[str, Entry]]:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                sign, fields = json.loads(line)
                yield sign, Entry(**fields)
            except (ValueError, TypeError):
                continue  # an incomplete line after a crash or with a full disk: its resource was not created yet


def _ends_whole(file: IO[bytes]) -> bool:
    """Return whether the last line is complete. The next line must not be appended to an incomplete one."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def boot_id() -> str:
    """Return the id of the machine's current boot (random(4)). Pids and start times are valid for one boot only."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_time(pid: int) -> int | None:
    """Return the start time of a living process in clock ticks since boot, or None if it does not exist.

    A zombie counts as ended: it does not run and holds no resources, and it may never be reaped.
    Source: proc(5), /proc/PID/stat, fields 3 and 22. The command in field 2 may contain spaces and parentheses.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])
