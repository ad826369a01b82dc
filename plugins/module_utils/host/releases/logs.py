# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error logs of this server's sites: their last lines, without the secrets of the site."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    Secrets,
    environment_unquoted,
    hide,
    php_fpm_unquoted,
)

LINES = 10  # of each log
LINE_LENGTH = 1000  # characters
WINDOW = 65536  # bytes at the end of a log that are read
DIGITS = re.compile(r"\d+")  # times and process ids, by which repeated lines differ
STDERR = 'said into stderr: "'  # the beginning of a process' error output in php-fpm's log
SETTING = re.compile(r"^env\[(\w+)\] = (.*)$", re.MULTILINE)  # as in a pool's configuration
VARIABLE = re.compile(r'^(\w+)=("(?:[^"\\]|\\.)*")$', re.MULTILINE | re.DOTALL)  # as in a file of variables


@dataclass(frozen=True)
class Log:
    """A log file. The lines with the text `containing` are those of the site."""

    path: str
    containing: str = ""


def sizes(logs: t.Iterable[Log]) -> dict[str, int]:
    """Return the size of each log in bytes, 0 for one that does not exist."""
    return {log.path: _size(Path(log.path)) for log in logs}


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def last_lines(logs: t.Iterable[Log], since: t.Mapping[str, int], secrets: Secrets) -> list[str]:
    """Return the last lines of the logs, each log's name before its lines. A message in two logs is returned once.

    `since` are earlier sizes of the logs. Lines that were written later are returned, or older ones if there are none.
    """
    seen: list[str] = []
    told = []
    for log in logs:
        new = _lines(log, since.get(log.path, 0))
        lines = [line for line in new or _lines(log, 0) if not any(_said(line) in other for other in seen)]
        if lines:
            name = log.path if new else f"{log.path} (nothing new, its last lines)"
            told += [f"{name}:", *(f"  {hide(line, secrets)[:LINE_LENGTH]}" for line in lines)]
            seen += lines
    return told


def _said(line: str) -> str:
    """Return the message of PHP in a line: php-fpm passes it to Apache, and writes it to its own log too."""
    said = line.partition(STDERR)[2]
    return said.removesuffix('"').removeprefix("NOTICE: ") if said else line


def _lines(log: Log, since: int) -> list[str]:
    path = Path(log.path)
    size = _size(path)
    begin = max(since if since <= size else 0, size - WINDOW)  # a log that is smaller now was rotated
    if begin == size:
        return []
    with path.open("rb") as file:
        file.seek(begin)
        lines = file.read(size - begin).decode(errors="replace").splitlines()
    different = {DIGITS.sub("", line): line for line in lines if log.containing in line}
    return list(different.values())[-LINES:]


def secrets_in(paths: t.Iterable[str]) -> dict[str, str]:
    """Return the values in configuration files of pools, and in files of variables, by name."""
    texts = [path.read_text() for path in map(Path, paths) if path.exists()]
    pools = {name: php_fpm_unquoted(value) for text in texts for name, value in SETTING.findall(text)}
    return pools | {name: environment_unquoted(value) for text in texts for name, value in VARIABLE.findall(text)}
