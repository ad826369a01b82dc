"""DB snapshots and restores as on AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rds_site import Site

TAGS = [{"Key": "environment", "Value": "prod"}]


def snapshot(site: Site, name: str = "first", **options: Any) -> dict[str, Any]:
    """Take a snapshot and return it when it is available."""
    site.rds.create_db_snapshot(DBInstanceIdentifier="site", DBSnapshotIdentifier=name, **options)
    site.settle()
    return dict(site.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0])


def restore(site: Site, **options: Any) -> dict[str, Any]:
    request = {
        "DBInstanceIdentifier": "copy",
        "DBSnapshotIdentifier": "first",
        "DBSubnetGroupName": "site",
        **options,
    }
    return dict(site.rds.restore_db_instance_from_db_snapshot(**request)["DBInstance"])


def to_time(site: Site, **options: Any) -> dict[str, Any]:
    request = {
        "SourceDBInstanceIdentifier": "site",
        "TargetDBInstanceIdentifier": "copy",
        "DBSubnetGroupName": "site",
        **options,
    }
    return dict(site.rds.restore_db_instance_to_point_in_time(**request)["DBInstance"])


def test_a_snapshot_is_taken_while_the_instance_backs_up(site: Site) -> None:
    site.create()
    request = {"DBInstanceIdentifier": "site", "DBSnapshotIdentifier": "First"}
    made = site.rds.create_db_snapshot(**request)["DBSnapshot"]
    assert (made["DBSnapshotIdentifier"], made["Status"], made["PercentProgress"]) == ("first", "creating", 0)
    assert site.status() == "backing-up"
    site.lab.refused("DBSnapshotAlreadyExists", site.rds.create_db_snapshot, **request)
    [pending] = [each for each in site.lab.plane.snapshot().database_snapshots.values() if each.pending]
    assert pending.database_id == site.told()["DbiResourceId"]
    site.settle()
    assert site.status() == "available"
    [told] = site.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert (told["Status"], told["MasterUsername"], told["AllocatedStorage"]) == ("available", "admin", 20)


def test_tags_are_copied_if_the_instance_says_so(site: Site) -> None:
    site.create(Tags=TAGS)
    assert snapshot(site, "without")["TagList"] == []
    site.modify(CopyTagsToSnapshot=True)
    assert snapshot(site, "with", Tags=[{"Key": "own", "Value": "1"}])["TagList"] == [
        *TAGS,
        {"Key": "own", "Value": "1"},
    ]


def test_a_snapshot_needs_an_available_instance(site: Site) -> None:
    site.rds.create_db_instance(**site.request())
    request = {"DBInstanceIdentifier": "site", "DBSnapshotIdentifier": "first"}
    site.lab.refused("InvalidDBInstanceState", site.rds.create_db_snapshot, **request)
    missing = {**request, "DBInstanceIdentifier": "other"}
    site.lab.refused("DBInstanceNotFound", site.rds.create_db_snapshot, **missing)


def test_a_manual_snapshot_is_deleted(site: Site) -> None:
    site.create()
    snapshot(site)
    delete = site.rds.delete_db_snapshot
    assert delete(DBSnapshotIdentifier="first")["DBSnapshot"]["Status"] == "deleted"
    site.lab.refused("DBSnapshotNotFound", delete, DBSnapshotIdentifier="first")
    [automated] = site.rds.describe_db_snapshots()["DBSnapshots"]
    name = automated["DBSnapshotIdentifier"]
    site.lab.refused("InvalidDBSnapshotState", delete, DBSnapshotIdentifier=name)


def test_a_restore_makes_a_new_instance(site: Site) -> None:
    source = site.create(DBName="shop", Port=3307, Tags=TAGS, CopyTagsToSnapshot=True, DeletionProtection=True)
    taken = snapshot(site)
    made = restore(site)
    assert (made["DBInstanceStatus"], made["MasterUsername"], made["DBName"]) == ("creating", "admin", "shop")
    assert made["DbiResourceId"] != source["DbiResourceId"]
    assert (made["DeletionProtection"], made["TagList"]) == (False, TAGS)
    databases = site.lab.plane.snapshot().databases
    origin = databases[made["DbiResourceId"]].origin
    assert origin is not None
    assert site.lab.plane.snapshot().database_snapshots[origin.snapshot].database_id == source["DbiResourceId"]
    assert (databases[made["DbiResourceId"]].port, databases[made["DbiResourceId"]].password) == (
        3307,
        "correct-horse",
    )
    site.lab.refused("InvalidDBSnapshotState", site.rds.delete_db_snapshot, DBSnapshotIdentifier="first")
    site.settle()
    assert site.status("copy") == "available"
    site.rds.delete_db_snapshot(DBSnapshotIdentifier=taken["DBSnapshotIdentifier"])


@pytest.mark.correction("rds:RestoreDBInstanceFromDBSnapshot", "A restored DB instance has the default groups.")
def test_a_restore_has_the_default_groups(site: Site) -> None:
    site.create()
    snapshot(site)
    told = restore(site)
    assert told["VpcSecurityGroups"][0]["VpcSecurityGroupId"] != site.group
    assert told["DBParameterGroups"][0]["DBParameterGroupName"] == "default.mariadb10.11"
    own = restore(site, DBInstanceIdentifier="own", VpcSecurityGroupIds=[site.group], Tags=[])
    assert (own["VpcSecurityGroups"][0]["VpcSecurityGroupId"], own["TagList"]) == (site.group, [])


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("DBSnapshotNotFound", {"DBSnapshotIdentifier": "missing"}),
        ("DBInstanceAlreadyExists", {"DBInstanceIdentifier": "site"}),
        ("InvalidParameterValue", {"AllocatedStorage": 20}),
        ("InvalidParameterValue", {"Engine": "mysql"}),
        ("InvalidParameterCombination", {"PubliclyAccessible": True}),
    ],
)
def test_a_restore_that_is_not_valid_is_refused(site: Site, code: str, options: dict[str, Any]) -> None:
    site.create(AllocatedStorage=30)
    snapshot(site)
    site.lab.refused(code, restore, site=site, **options)


def test_a_restore_to_a_time(site: Site) -> None:
    source = site.create()
    made = to_time(site, UseLatestRestorableTime=True)
    origin = site.lab.plane.snapshot().databases[made["DbiResourceId"]].origin
    assert origin is not None
    assert origin.until is not None
    assert origin.source == source["DbiResourceId"]
    assert origin.until.tzinfo is UTC
    site.lab.refused(
        "InvalidDBInstanceState", site.rds.delete_db_instance, DBInstanceIdentifier="site", SkipFinalSnapshot=True
    )
    site.settle()
    assert site.status("copy") == "available"


@pytest.mark.correction("rds:RestoreDBInstanceToPointInTime", "The time is within the backups.")
def test_a_time_is_within_the_backups(site: Site) -> None:
    site.create()
    now = datetime.now(UTC)
    for time in (now + timedelta(hours=1), now - timedelta(hours=1)):
        site.lab.refused("InvalidParameterValue", to_time, site=site, RestoreTime=time)
    site.lab.refused("InvalidParameterCombination", to_time, site=site)
    both = {"RestoreTime": now, "UseLatestRestorableTime": True}
    site.lab.refused("InvalidParameterCombination", to_time, site=site, **both)


def test_a_restore_to_a_time_needs_backups(site: Site) -> None:
    site.create(BackupRetentionPeriod=0)
    site.lab.refused("PointInTimeRestoreNotEnabled", to_time, site=site, UseLatestRestorableTime=True)


def test_automated_backups_are_told(site: Site) -> None:
    told = site.create(BackupRetentionPeriod=3)
    [backup] = site.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    assert (backup["Status"], backup["BackupRetentionPeriod"]) == ("active", 3)
    window = backup["RestoreWindow"]
    assert window["EarliestTime"] <= window["LatestTime"]
    assert backup["DbiResourceId"] == told["DbiResourceId"]
    site.lab.refused(
        "DBInstanceAutomatedBackupNotFound",
        site.rds.describe_db_instance_automated_backups,
        DBInstanceIdentifier="other",
    )


def test_a_stopped_instance_has_snapshots(site: Site) -> None:
    site.create()
    site.rds.stop_db_instance(DBInstanceIdentifier="site", DBSnapshotIdentifier="before")
    site.settle()
    assert snapshot(site)["Status"] == "available"
    assert site.status() == "stopped"
    names = [each["DBSnapshotIdentifier"] for each in site.rds.describe_db_snapshots()["DBSnapshots"]]
    assert {"before", "first"} <= set(names)
