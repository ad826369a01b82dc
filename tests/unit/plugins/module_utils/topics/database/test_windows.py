"""Windows of a day and of a week: their forms, their lengths, and whether they overlap."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.windows import check, overlap


@pytest.mark.parametrize(
    ("backup", "maintenance", "expected"),
    [
        ("02:00-03:00", "sun:03:00-sun:04:00", False),
        ("02:00-03:00", "sun:01:00-sun:02:00", False),
        ("02:00-03:00", "sun:02:59-sun:03:30", True),
        ("02:00-03:00", "sun:01:30-sun:02:01", True),
        ("23:30-00:30", "sat:23:00-sat:23:30", False),
        ("23:30-00:30", "sat:23:50-sun:00:20", True),
        ("23:30-00:30", "sun:00:30-sun:01:00", False),
        ("02:00-03:00", "sun:23:30-mon:02:30", True),
        ("02:00-03:00", "sun:23:30-mon:01:30", False),
    ],
)
def test_whether_windows_overlap(backup: str, maintenance: str, expected: bool) -> None:
    assert overlap(backup, maintenance) is expected


@pytest.mark.parametrize(
    ("backup", "maintenance", "told"),
    [
        ("02:00-02:30", "sun:03:30-sun:04:00", []),
        ("23:45-00:15", "sat:23:00-sat:23:45", []),
        ("2:00-3:00", "sun:03:30-sun:04:00", ["backup_window"]),
        ("02:00-02:29", "sun:03:30-sun:03:59", ["backup_window", "maintenance_window"]),
        ("02:00-02:00", "sun:03:30-sun:03:30", ["backup_window", "maintenance_window"]),
        ("", "", ["backup_window", "maintenance_window"]),
        ("03:00-04:00", "mon:03:30-mon:04:30", ["maintenance_window"]),
    ],
)
def test_what_is_refused(backup: str, maintenance: str, told: list[str]) -> None:
    problems = Problems()
    check(backup, maintenance, problems)
    assert [one.variable for one in problems.found] == told
