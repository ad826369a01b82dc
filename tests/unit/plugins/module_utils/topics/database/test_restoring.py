"""The choice of a backup, and what a restore refuses."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.observed import RESTORED_FROM, Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import Database, parse_database
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.restoring import (
    Backups,
    check_restore,
    is_busy,
    plan_restore,
    source_of,
    telling,
)

Make = t.Callable[..., dict[str, t.Any]]
OWNER = Owner("dev", "database")
FORMER = "dev-database-former-old"
SNAPSHOT = {
    "DBSnapshotIdentifier": "before",
    "Engine": "mariadb",
    "EngineVersion": "10.11.14",
    "Status": "available",
    "Encrypted": True,
    "KmsKeyId": "arn:key",
}


def instance(name: str, resource: str, status: str = "available", **tags: str) -> dict[str, t.Any]:
    return {
        "DBInstanceIdentifier": name,
        "DBInstanceArn": f"arn:aws:rds:eu-central-1:111122223333:db:{name}",
        "DbiResourceId": resource,
        "DBInstanceStatus": status,
        "EngineVersion": "10.11.14",
        "TagList": [{"Key": key, "Value": value} for key, value in {**OWNER.tags("database"), **tags}.items()],
    }


def at(hour: int) -> datetime:
    return datetime(2026, 11, 30, hour, 0, 0, 500000, tzinfo=UTC)


def backups(*more: dict[str, t.Any], **given: t.Any) -> Backups:
    """The database, whose backups begin at noon, and the one before it."""
    both = [instance("dev-database", "db-NEW"), instance(FORMER, "db-OLD"), *more]
    windows = {"db-NEW": (at(12), at(15)), "db-OLD": (at(3), at(12))}
    return Backups(**{"instances": {one["DBInstanceIdentifier"]: one for one in both}, "windows": windows, **given})


def desired(options: Make, restore_from: str, **given: t.Any) -> Database:
    found = parse_database(options(restore_from=restore_from, **given), Problems())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("asked", "source"),
    [
        ("newest", "dev-database"),
        ("2026-11-30T14:00:00Z", "dev-database"),
        ("2026-11-30T12:00:00Z", "dev-database"),  # AWS tells fractions of a second, and takes whole ones
        ("2026-11-30T04:00:00Z", FORMER),
        ("2026-11-30T16:00:00Z", None),
        ("2026-11-30T02:00:00Z", None),
    ],
)
def test_the_source_of_a_time(options: Make, asked: str, source: str | None) -> None:
    found = source_of(desired(options, asked), backups(), OWNER)
    assert (found or {}).get("DBInstanceIdentifier") == source


def wrong(options: Make, asked: str, found: Backups, **given: t.Any) -> list[str]:
    problems = Problems()
    check_restore(desired(options, asked, **given), found, OWNER, problems)
    return [str(one) for one in problems.found]


@pytest.mark.parametrize(
    ("snapshot", "told"),
    [
        (SNAPSHOT, ""),
        ({**SNAPSHOT, "Status": "creating"}, "restore_from: the DB snapshot before is creating; run again when it is"),
        ({**SNAPSHOT, "Engine": "mysql"}, "restore_from: the DB snapshot before is of mysql, not MariaDB"),
        ({**SNAPSHOT, "Encrypted": False}, "restore_from: the DB snapshot before is not encrypted, and AWS cannot"),
        ({**SNAPSHOT, "EngineVersion": "11.4.5"}, "engine_version: the DB snapshot before has MariaDB 11.4.5, and the"),
    ],
)
def test_snapshots_that_are_refused(options: Make, snapshot: dict[str, t.Any], told: str) -> None:
    found = wrong(options, "before", backups(snapshot=snapshot))
    assert [one.startswith(told) for one in found] == ([True] if told else [])


def test_times_that_are_told(options: Make) -> None:
    [told] = wrong(options, "2026-11-30T16:00:00Z", backups())
    assert "give a time from 2026-11-30T12:00:00Z to 2026-11-30T15:00:00Z or from 2026-11-30T03:00:00Z to" in told
    [told] = wrong(options, "newest", Backups())
    assert told == "restore_from: dev-database has no backups; give the id of a DB snapshot."


def test_a_restored_instance_that_failed_is_told(options: Make) -> None:
    beside = instance("dev-database-restored", "db-THIRD", "incompatible-restore", **{RESTORED_FROM: "before"})
    [told] = wrong(options, "before", backups(beside))
    assert "is incompatible-restore; delete it with 'aws rds delete-db-instance --db-instance-identifier dev-d" in told


@pytest.mark.parametrize("status", ["failed", "incompatible-parameters"])
def test_a_database_that_aws_does_not_rename_is_restored_beside(options: Make, status: str) -> None:
    broken = instance("dev-database", "db-NEW", status)
    planned = plan_restore(desired(options, "newest"), Observed(), backups(broken), OWNER)
    assert [one.action for one in planned if one.resource == "DB instance"] == ["create"]
    beside = instance("dev-database-restored", "db-THIRD", **{RESTORED_FROM: "newest"})
    [told] = wrong(options, "newest", backups(broken, beside))
    assert (
        f"but dev-database is {status}, and AWS does not change its name; delete it with 'aws rds delete-db-i" in told
    )
    found = Backups({"dev-database-restored": beside})
    assert wrong(options, "newest", found) == []
    assert len([one for one in plan_restore(desired(options, "newest"), Observed(), found, OWNER) if one.wait]) == 1


def test_a_stopped_database_is_started_first(options: Make) -> None:
    [told] = wrong(options, "newest", backups(instance("dev-database", "db-NEW", "stopped")))
    assert "start it with 'aws rds start-db-instance --db-instance-identifier dev-database'" in told


def test_what_is_busy_is_awaited() -> None:
    assert not is_busy(backups())
    assert is_busy(backups(instance("dev-database-restored", "db-THIRD", "creating")))
    assert is_busy(Backups({"dev-database": instance("dev-database", "db-NEW", "renaming")}))


def test_each_step_awaits_the_one_before(options: Make) -> None:
    changes = plan_restore(desired(options, "newest"), Observed(), backups(), OWNER)
    *_groups, restore, keep, take = changes
    assert restore.calls[0].arguments["UseLatestRestorableTime"] is True
    assert restore.calls[0].arguments["SourceDbiResourceId"] == "db-NEW"
    assert [ref.name for ref in keep.awaits] == [restore.name]
    assert [ref.name for ref in take.awaits] == [restore.name, keep.name]
    assert keep.calls[0].arguments["NewDBInstanceIdentifier"] == "dev-database-former-new"


def test_what_is_done_is_not_done_twice(options: Make) -> None:
    done = instance("dev-database", "db-THIRD", **{RESTORED_FROM: "newest"})
    found = Backups({"dev-database": done})
    wanted = desired(options, "newest")
    assert [one for one in plan_restore(wanted, Observed(), found, OWNER) if one.resource == "DB instance"] == []
    [told] = telling(wanted, found, OWNER)
    assert "to restore it once more, run 'aws rds remove-tags-from-resource --resource-name arn:aws:rds:" in told
