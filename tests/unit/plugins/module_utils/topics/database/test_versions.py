"""Versions of MariaDB, and what is told before and after the end of AWS' support."""

from __future__ import annotations

from datetime import date

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.changes import is_version
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.versions import (
    check_version,
    end_of_support,
    ending,
    family_of,
)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("11.4", []),
        ("10.11.14", []),
        ("10.5", ["engine_version: RDS does not have MariaDB 10.5; give one of 10.6, 10.11, 11.4, 11.8."]),
        ("11.7.2", ["engine_version: RDS does not have MariaDB 11.7; give one of 10.6, 10.11, 11.4, 11.8."]),
        ("11", ["engine_version: '11' is not a version of MariaDB; write it as 11.4, or as 11.4.5, in quotes."]),
    ],
)
def test_which_versions_are_accepted(version: str, told: list[str]) -> None:
    problems = Problems()
    check_version(version, problems)
    assert [str(one) for one in problems.found] == told


def test_a_newer_version_is_a_warning() -> None:
    problems = Problems()
    check_version("12.3", problems)
    assert problems.found == []
    assert problems.warnings[0].startswith("engine_version: the end of AWS' support for MariaDB 12.3 is not known here")
    assert end_of_support("12.3.1") is None
    assert ending("12.3.1", date(2040, 1, 1)) == ""


@pytest.mark.parametrize(
    ("version", "today", "begin"),
    [
        ("11.4.5", date(2028, 5, 30), ""),
        ("11.4.5", date(2028, 6, 1), "AWS ends its support for MariaDB 11.4 on 2029-05-31, and then upgrades"),
        ("11.4.5", date(2029, 5, 31), "AWS ends its support"),
        ("11.4.5", date(2029, 6, 1), "AWS has ended its support for MariaDB 11.4 on 2029-05-31, and upgrades"),
        ("10.6.22", date(2026, 11, 30), "AWS has ended its support for MariaDB 10.6 on 2026-08-31"),
    ],
)
def test_the_end_of_the_support_is_told_a_year_before(version: str, today: date, begin: str) -> None:
    told = ending(version, today)
    assert told.startswith(begin)
    assert bool(told) == bool(begin)


@pytest.mark.parametrize(
    ("actual", "wanted", "expected"),
    [
        ("11.4.5", "11.4", True),
        ("11.4.5", "11.4.5", True),
        ("11.4.5", "11.4.8", False),
        ("11.4.5-rds.20260101", "11.4.5", True),
        ("11.40.5", "11.4", False),
    ],
)
def test_a_minor_version_is_one_of_its_major_version(actual: str, wanted: str, expected: bool) -> None:
    assert is_version(actual, wanted) is expected


def test_the_family() -> None:
    assert family_of("11.4.5") == family_of("11.4") == "mariadb11.4"
