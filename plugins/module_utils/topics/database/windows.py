# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The windows of a day and of a week in which AWS makes backups and maintenance, in UTC. These functions are pure."""

from __future__ import annotations

import re

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
BACKUP = re.compile(rf"{_TIME}-{_TIME}")
MAINTENANCE = re.compile(rf"({'|'.join(DAYS)}):{_TIME}-({'|'.join(DAYS)}):{_TIME}")
DAY, WEEK = 24 * 60, 7 * 24 * 60  # minutes
SHORTEST = 30
LONGEST_MAINTENANCE = DAY


def check(backup: str, maintenance: str, problems: Problems) -> None:
    """Add to `problems` windows of a wrong form, that are too short, and that overlap.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
    """
    before = len(problems.found)
    if not BACKUP.fullmatch(backup):
        problems.add("backup_window", f"'{backup}' is not a window of a day", "write it in UTC as 02:00-03:00")
    elif _length(*daily(backup), DAY) < SHORTEST:
        problems.add("backup_window", f"'{backup}' is too short", f"give at least {SHORTEST} minutes")
    if not MAINTENANCE.fullmatch(maintenance):
        right = "write it in UTC as sun:03:30-sun:04:30"
        problems.add("maintenance_window", f"'{maintenance}' is not a window of a week", right)
    else:
        length = _length(*weekly(maintenance), WEEK)
        if not SHORTEST <= length < LONGEST_MAINTENANCE:
            right = f"give at least {SHORTEST} minutes, and less than a day"
            problems.add("maintenance_window", f"'{maintenance}' is {length} minutes long", right)
    if len(problems.found) == before and overlap(backup, maintenance):
        wrong = f"'{maintenance}' overlaps the backups of {backup}, and AWS refuses that"
        problems.add("maintenance_window", wrong, "choose another time for one of the two")


def daily(window: str) -> tuple[int, int]:
    """Return the begin and the end of a backup window, in minutes of the day."""
    begin, end = window.split("-")
    return _minutes(begin), _minutes(end)


def weekly(window: str) -> tuple[int, int]:
    """Return the begin and the end of a maintenance window, in minutes of the week."""
    begin, end = (part.partition(":") for part in window.split("-"))
    return DAYS.index(begin[0]) * DAY + _minutes(begin[2]), DAYS.index(end[0]) * DAY + _minutes(end[2])


def overlap(backup: str, maintenance: str) -> bool:
    """Return whether the backups of a day and the maintenance of the week have a minute in common."""
    begin, end = weekly(maintenance)
    busy = {minute % DAY for minute in range(begin, begin + _length(begin, end, WEEK))}
    first, last = daily(backup)
    return any(minute % DAY in busy for minute in range(first, first + _length(first, last, DAY)))


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _length(begin: int, end: int, whole: int) -> int:
    return (end - begin) % whole
