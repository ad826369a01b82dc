"""Which backup is meant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.choosing import (
    Choice,
    chosen,
    kept_in,
    parse_choice,
)

FOLDER = "private/private-1"
OLD, NEW, HALF = (f"{time}-private-1" for time in ("20261129T023000Z", "20261130T023000Z", "20261130T120000Z"))
SAFETY = "20261130T060000Z-private-1-safety"
KEYS = [
    *(f"{FOLDER}/{identity}/{name}" for identity in (NEW, OLD) for name in ("manifest.json", "app.sql.gz")),
    f"{FOLDER}/{HALF}/app.sql.gz",
    f"{FOLDER}/{SAFETY}/manifest.json",
    f"{FOLDER}/notes/manifest.json",
]
LATER = datetime(2026, 12, 1, tzinfo=UTC)
OBJECTS = [{"Key": key, "LastModified": LATER} for key in KEYS]


def test_a_backup_without_its_manifest_does_not_count() -> None:
    found = kept_in(OBJECTS)
    assert [one.id for one in found] == [OLD, NEW, SAFETY]
    assert found[0].objects == ("app.sql.gz", "manifest.json")
    assert found[0].began == datetime(2026, 11, 29, 2, 30, tzinfo=UTC)


def test_a_backup_of_a_fast_clock_does_not_stay_the_newest() -> None:
    fast = {
        "Key": f"{FOLDER}/20990101T000000Z-private-1/manifest.json",
        "LastModified": datetime(2026, 11, 28, tzinfo=UTC),
    }
    found = kept_in([*OBJECTS, fast])
    assert found[0].began == fast["LastModified"]
    assert chosen(Choice(newest=True), found) == next(one for one in found if one.id == NEW)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("newest", NEW),
        (OLD, OLD),
        (HALF, None),
        (SAFETY, SAFETY),
        ("2026-11-30T12:00:00Z", NEW),
        ("2026-11-30T02:29:59Z", OLD),
        ("2026-11-30T02:30:00Z", NEW),
        ("2026-11-30 02:29", OLD),
        ("20261130T022959Z", OLD),
        ("2026-11-01T00:00:00Z", None),
    ],
)
def test_the_choice(text: str, wanted: str | None) -> None:
    problems = Problems()
    found = chosen(parse_choice(text, "from", problems), kept_in(OBJECTS))
    assert problems.found == []
    assert (found and found.id) == wanted


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("", "is missing"), ("yesterday", "'yesterday' is neither"), ("2026-11-31 00:00", "'2026-11-31")],
)
def test_what_is_no_choice(text: str, wrong: str) -> None:
    problems = Problems()
    assert parse_choice(text, "from", problems) == Choice()
    [problem] = problems.found
    assert problem.variable == "from"
    assert problem.wrong.startswith(wrong)
