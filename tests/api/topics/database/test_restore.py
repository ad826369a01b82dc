"""A restore of the managed database: beside it, exchanged with it, completed after any interruption."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from accounts.teardown import TearDown
from cloud import Cloud, Killed, NewCloud, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.run import converge_database

Make = t.Callable[..., dict[str, t.Any]]
Build = t.Callable[[Cloud], None]
NAME = "dev-database"
NEW = "update DB instance database: the restored data, which end the interruption"


def settle(cloud: Cloud) -> None:
    for _pass in range(6):
        cloud.sleep(10)


def made(cloud: Cloud, options: Make, build: Build, snapshot: str = "before", **given: t.Any) -> None:
    """The database, after its first backup, with a snapshot."""
    build(cloud)
    cloud.run(converge_database, options(**given))
    settle(cloud)
    if snapshot:
        cloud.of("rds").create_db_snapshot(DBInstanceIdentifier=NAME, DBSnapshotIdentifier=snapshot)
        settle(cloud)


def instances(cloud: Cloud) -> dict[str, dict[str, t.Any]]:
    return {one["DBInstanceIdentifier"]: one for one in cloud.of("rds").describe_db_instances()["DBInstances"]}


def tags(cloud: Cloud, name: str = NAME) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in instances(cloud)[name]["TagList"]}


def former(cloud: Cloud) -> str:
    [name] = [one for one in instances(cloud) if "-former-" in one]
    return name


def test_a_snapshot_becomes_the_database(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build, deletion_protection=True)
    before = instances(cloud)[NAME]
    planned = cloud.run(converge_database, options(restore_from="before"), check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge_database, options(restore_from="before"))
    kept = former(cloud)
    assert (
        told(planned)
        == told(done)
        == [
            "create DB instance database-restored from the DB snapshot before",
            f"update DB instance database: kept as {kept}, with an interruption",
            NEW,
        ]
    )
    now = instances(cloud)
    assert set(now) == {NAME, kept}
    assert (now[kept]["DbiResourceId"], now[kept]["DeletionProtection"]) == (before["DbiResourceId"], True)
    assert now[NAME]["DbiResourceId"] != before["DbiResourceId"]
    # The name at which the servers reach it is the same, and so are its groups.
    same = ("Endpoint", "DBSubnetGroup", "VpcSecurityGroups", "DBInstanceClass", "StorageEncrypted", "KmsKeyId")
    assert [now[NAME][name] for name in same] == [before[name] for name in same]
    assert done["database"]["address"] == before["Endpoint"]["Address"]
    again, warning = cloud.warnings
    assert again.startswith("The database has the data of before, and what was written since. The same restore_from")
    assert f"aws rds delete-db-instance --db-instance-identifier {kept} --skip-final-snapshot" in warning
    # A run without it gives the database what the inventory says, with the password of Parameter Store.
    after = cloud.run(converge_database, options(deletion_protection=True))
    assert "update DB instance database: master password" in told(after)
    assert instances(cloud)[NAME]["DeletionProtection"]
    assert told(cloud.run(converge_database, options(deletion_protection=True))) == []
    assert told(cloud.run(converge_database, options(restore_from="before"))) == []
    cloud.of("rds").remove_tags_from_resource(
        ResourceName=instances(cloud)[NAME]["DBInstanceArn"], TagKeys=["groundwork:restored-from"]
    )
    assert told(cloud.run(converge_database, options(restore_from="before"), check_mode=True))[-1] == NEW


@pytest.mark.parametrize("newest", [True, False])
def test_a_time_becomes_the_database(cloud: Cloud, options: Make, build: Build, newest: bool) -> None:
    made(cloud, options, build, snapshot="")
    until = cloud.of("rds").describe_db_instances()["DBInstances"][0]["LatestRestorableTime"]
    asked = "newest" if newest else until.strftime("%Y-%m-%dT%H:%M:%SZ")
    done = cloud.run(converge_database, options(restore_from=asked))
    assert told(done)[0] == f"create DB instance database-restored from {NAME} as of {asked}"
    assert told(done)[2:] == [NEW]
    assert told(cloud.run(converge_database, options(restore_from=asked))) == []


def test_a_restore_that_was_killed_anywhere_is_completed(new_cloud: NewCloud, options: Make, build: Build) -> None:
    position = 0
    while True:
        cloud = new_cloud()
        made(cloud, options, build)
        original = instances(cloud)[NAME]["DbiResourceId"]
        cloud.killed_after = position
        try:
            cloud.run(converge_database, options(restore_from="before"))
        except Killed:
            pass
        else:
            break
        finally:
            cloud.killed_after = None
        if NAME not in instances(cloud):  # no other run makes an empty database in the gap
            with pytest.raises(InputError, match=r"restore_database\.yml -e restore_from=before"):
                cloud.run(converge_database, options())
        cloud.run(converge_database, options(restore_from="before"))
        now = instances(cloud)
        assert sorted(one["DbiResourceId"] == original for one in now.values()) == [False, True], position
        assert now[NAME]["DbiResourceId"] != original, position
        assert tags(cloud)["groundwork:restored-from"] == "before", position
        position += 1
    assert position > 8


def test_the_final_snapshot_of_a_teardown_comes_back(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build, snapshot="")
    TearDown()(cloud)
    [final] = cloud.of("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    name = final["DBSnapshotIdentifier"]
    made(cloud, options, build, snapshot="")
    cloud.run(converge_database, options(restore_from=name))
    cloud.run(converge_database, options())
    assert told(cloud.run(converge_database, options())) == []
    settle(cloud)
    # A teardown finds the former database too, and keeps the data of both.
    TearDown()(cloud)
    kept = {one["DBSnapshotIdentifier"] for one in cloud.of("rds").describe_db_snapshots()["DBSnapshots"]}
    assert instances(cloud) == {}
    assert name in kept and len(kept) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"restore_from": "missing"}, "restore_from: the DB snapshot missing does not exist; give one of 'aws rds"),
        ({"restore_from": "2020-01-01T00:00:00Z"}, "restore_from: the backups have no 2020-01-01T00:00:00Z; give a ti"),
        (
            {"restore_from": "2026-13-01T00:00:00Z"},
            "restore_from: the time 2026-13-01T00:00:00Z does not exist; give newest",
        ),
        ({"restore_from": "yesterday at noon"}, "restore_from: 'yesterday at noon' is neither a time nor the id of a"),
        (
            {"restore_from": "before", "kms_key_id": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"},
            "kms_key_id: the DB snapshot before is encrypted with",
        ),
        (
            {"restore_from": "before", "engine_version": "11.4"},
            "engine_version: the DB snapshot before has MariaDB 10.11",
        ),
    ],
)
def test_what_cannot_be_restored_is_told_before_the_first_write(
    cloud: Cloud, options: Make, build: Build, given: dict[str, t.Any], message: str
) -> None:
    made(cloud, options, build)
    with pytest.raises(InputError) as caught:
        cloud.run(converge_database, options(**given))
    assert message in str(caught.value)
    assert cloud.writes == []


def test_a_database_that_failed_is_restored_beside_and_replaced(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    name = instances(cloud)[NAME]["DbiResourceId"]
    cloud.plane.report(lambda context: bool(context.rds.report(name, "failed")))
    for _run in range(2):
        with pytest.raises(
            GroundworkError, match=r"restored to the DB instance dev-database-restored, but dev-database"
        ):
            cloud.run(converge_database, options(restore_from="before"))
    assert set(instances(cloud)) == {NAME, f"{NAME}-restored"}
    cloud.of("rds").delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)
    settle(cloud)
    assert told(cloud.run(converge_database, options(restore_from="before"))) == [NEW]
    assert set(instances(cloud)) == {NAME}


def test_another_restore_does_not_take_over_an_interrupted_one(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    cloud.of("rds").restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=f"{NAME}-restored",
        DBSnapshotIdentifier="before",
        DBSubnetGroupName=NAME,
        Tags=[*instances(cloud)[NAME]["TagList"], {"Key": "groundwork:restored-from", "Value": "before"}],
    )
    settle(cloud)
    later = (datetime.now(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with pytest.raises(
        InputError, match=r"give restore_from=before to complete it, or give it up with 'aws rds delete"
    ):
        cloud.run(converge_database, options(restore_from=later))
    done = cloud.run(converge_database, options(restore_from="before"))
    assert told(done)[1:] == [NEW]
