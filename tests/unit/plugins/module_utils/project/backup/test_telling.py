"""What a drill and a restore tell."""

from __future__ import annotations

from ansible_collections.groundwork.aws.plugins.module_utils.project.backup.telling import (
    age_of,
    drill_lines,
    restore_lines,
)

SITES = {"shop": {"tables": 4, "rows": 120, "files": 17}}


def test_ages() -> None:
    assert [age_of(seconds) for seconds in (0, 59, 3599, 3600, 90061)] == [
        "0 min",
        "0 min",
        "59 min",
        "1 h 0 min",
        "25 h 1 min",
    ]


def test_a_drill() -> None:
    assert drill_lines({"id": "a", "seconds": 12.5, "sites": SITES}, 12000) == [
        "The backup a, 3 h 20 min old, was restored in isolation in 12.5 s. All is as it was recorded.",
        "  shop: 4 tables, 120 rows, 17 files",
    ]
    assert drill_lines({"id": "a", "sites": {}}, 60) == [
        "The backup a, 1 min old, would be restored in isolation and checked."
    ]


def test_a_restore() -> None:
    changes = [{"action": "update", "resource": "database", "name": "shop"}]
    assert restore_lines({"id": "a", "sites": SITES, "kept": ["/srv/x.before-restore"]}, changes) == [
        "From the backup a:",
        "  shop: 4 tables, 120 rows, 17 files",
        "  database shop",
        "  The former files are in /srv/x.before-restore. Remove it when it is not needed.",
    ]
