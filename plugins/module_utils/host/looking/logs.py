# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a site's logs on this server, each with its time, so that those of several servers can be ordered."""

from __future__ import annotations

import json
import re
import typing as t
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import Secrets, hide
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.logs import LINE_LENGTH, secrets_in

WINDOW = 4 * 1024**2  # bytes at the end of a log that are read at most
JOURNAL = ("journalctl", "--output=json", "--no-pager", "--quiet")
MICROSECONDS = 1_000_000
MOST_LINES = 10_000
MOST_MINUTES = 60 * 24 * 366
TIME = "time"


@dataclass(frozen=True)
class Log:
    """A log file. Lines that contain `containing` belong to the site. `name` is what the lines are shown with."""

    name: str
    path: str
    containing: str = ""


@dataclass(frozen=True)
class Wish:
    """The lines to read: `count` at most, from `begin` on. `hide` are files of php-fpm pools."""

    logs: tuple[Log, ...]
    units: tuple[str, ...]
    hide: tuple[str, ...]
    count: int
    minutes: int
    begin: t.Mapping[str, t.Any]


def parse_wish(options: t.Mapping[str, t.Any], problems: Problems) -> Wish:
    """Return the options. Add to `problems` what is wrong with them."""
    check_range("lines", options["lines"], 1, MOST_LINES, problems)
    check_range("minutes", options["minutes"], 0, MOST_MINUTES, problems)
    check_range("follow", options["follow"], 0, MOST_MINUTES * 60, problems)
    return Wish(
        logs=tuple(Log(one["name"], one["path"], one.get("containing") or "") for one in options["logs"]),
        units=tuple(options["units"]),
        hide=tuple(options["hide"]),
        count=options["lines"],
        minutes=options["minutes"],
        begin=options["begin"],
    )


class Line(t.NamedTuple):
    """A line of a log. `time` is in seconds since the epoch."""

    time: float
    log: str
    text: str


# How each daemon writes the time. A line without one, as of a stack trace, belongs to the line before it.
# https://httpd.apache.org/docs/2.4/mod/mod_log_config.html, mod/core.html#errorlogformat, php-fpm's zlog.c
FORMATS = (
    (re.compile(r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]"), "%d/%b/%Y:%H:%M:%S %z"),
    (re.compile(r"^\[(\w{3} \w{3} \d\d \d\d:\d\d:\d\d\.\d{6} \d{4})\]"), "%a %b %d %H:%M:%S.%f %Y"),
    (re.compile(r"^\[(\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d)\]"), "%d-%b-%Y %H:%M:%S"),
)


def time_of(line: str) -> float | None:
    """Return the time of a line in seconds since the epoch, None if it has none. Without a zone it is the server's."""
    for pattern, form in FORMATS:
        found = pattern.search(line)
        if found:
            try:
                return datetime.strptime(found.group(1), form).astimezone().timestamp()
            except ValueError:
                continue
    return None


def lines_of(log: Log, begin: int, secrets: Secrets) -> tuple[list[Line], int]:
    """Return the complete lines of a log from the byte `begin`, and where the next one begins.

    A log that is smaller than `begin` was rotated, and is read from its beginning.
    """
    path = Path(log.path)
    size = path.stat().st_size if path.exists() else 0
    begin = max(begin if begin <= size else 0, size - WINDOW)
    if begin == size:
        return [], size
    with path.open("rb") as file:
        file.seek(begin)
        content = file.read(size - begin)
    complete = content[: content.rfind(b"\n") + 1]
    found: list[Line] = []
    time, ours = 0.0, False
    for text in complete.decode(errors="replace").splitlines():
        written = time_of(text)
        if written is not None:
            time, ours = written, log.containing in text
        if ours:
            found.append(Line(time, log.name, hide(text, secrets)[:LINE_LENGTH]))
    return found, begin + len(complete)


def journal_of(run: Run, units: t.Sequence[str], since: t.Sequence[str], secrets: Secrets) -> list[Line]:
    """Return what the units wrote, by patterns of their names. `since` are arguments of journalctl."""
    if not units:
        return []
    argv = [*JOURNAL, *(f"--unit={unit}" for unit in units), *since]
    return [line for text in run(argv).out.splitlines() if (line := _entry(text, secrets))]


def _entry(text: str, secrets: Secrets) -> Line | None:
    """Return a line of the journal, None if it has no message. A message that is not text is a list of bytes."""
    entry = json.loads(text)
    message = entry.get("MESSAGE")
    if isinstance(message, list):
        message = bytes(message).decode(errors="replace")
    if not isinstance(message, str):
        return None
    unit = str(entry.get("_SYSTEMD_UNIT") or entry.get("UNIT") or "journal").removesuffix(".service")
    return Line(int(entry["__REALTIME_TIMESTAMP"]) / MICROSECONDS, unit, hide(message, secrets)[:LINE_LENGTH])


def latest(lines: t.Iterable[Line], count: int) -> list[Line]:
    """Return the last lines in the order of time. Lines of the same time keep their order."""
    return list(deque(sorted(lines, key=lambda line: line.time), maxlen=count))


def read(run: Run, wish: Wish, now: float) -> tuple[list[Line], dict[str, t.Any]]:
    """Return the lines in the order of time, and where to continue: the next byte of each log, and the time.

    `now` is in seconds since the epoch.
    """
    secrets = secrets_in(wish.hide)
    oldest = now - 60 * wish.minutes if wish.minutes else 0.0
    found: list[Line] = []
    following: dict[str, t.Any] = {TIME: now}
    for log in wish.logs:
        lines, following[log.path] = lines_of(log, int(wish.begin.get(log.path, 0)), secrets)
        found += lines
    if TIME in wish.begin:
        since = [f"--since=@{float(wish.begin[TIME]):.6f}", f"--until=@{now:.6f}"]
    else:
        since = [f"--lines={wish.count}", *([f"--since=@{oldest:.6f}"] if oldest else [])]
    found += journal_of(run, wish.units, since, secrets)
    return latest((line for line in found if line.time >= oldest), wish.count), following


def merged(servers: t.Mapping[str, t.Sequence[t.Sequence[t.Any]]], count: int) -> list[str]:
    """Return the last lines of several servers, by their names, in the order of time, for a person to read."""
    lines = [(Line(*line), server) for server, some in servers.items() for line in some]
    return [shown(line, server) for line, server in sorted(lines, key=lambda one: one[0].time)[-count:]]


def shown(line: Line, server: str) -> str:
    """Return a line for a person, with its time in UTC."""
    time = datetime.fromtimestamp(line.time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{time} {server} {line.log}: {line.text}"
