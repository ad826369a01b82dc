"""The list of what the lab made on this machine, so that `down` undoes exactly that.

An entry is written (and flushed) before the thing is made and struck after it is gone, so a crash at any
point leaves at most an entry too many; undoing something that is not there is no error.
A process is known by its pid *and* start time (field 22 of /proc/PID/stat, in clock ticks since boot), so a
recycled pid is never signalled.
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
    """`name` is a namespace's name, a mount's or folder's path, a link's name, or a process' pid."""

    kind: Kind
    name: str
    start: int = 0  # of a process

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.kind, self.name, self.start)


class Journal:
    """An append-only file of `+entry` and `-entry` lines; thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def record(self, entry: Entry) -> None:
        self._append("+", entry)

    def strike(self, entry: Entry) -> None:
        self._append("-", entry)

    def entries(self) -> list[Entry]:
        """What is recorded and not struck, oldest first."""
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
                continue  # a line that a crash or a full disk cut short: its thing was not made yet


def _ends_whole(file: IO[bytes]) -> bool:
    """Whether the last line is complete; a torn one must not swallow the next."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def boot_id() -> str:
    """What tells this boot of the machine from every other (random(4)): pids and start times are of one boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_time(pid: int) -> int | None:
    """A living process' start time in clock ticks since boot, None when there is no such process.

    A zombie counts as gone: it runs nothing and holds nothing, and who must reap it may be a PID 1 that never does.
    Source: proc(5), /proc/PID/stat, fields 3 and 22; the command in field 2 may hold spaces and parentheses.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])
