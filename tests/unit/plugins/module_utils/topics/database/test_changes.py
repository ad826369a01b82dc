"""What the lab does not have: a standby, another storage type, a minor version, and states that do not end well."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from topic_options.database import PASSWORD

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.changes import is_ready, plan_database
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.observed import (
    PASSWORD_VERSION,
    Observed,
    allows,
    check,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import Database, parse_database
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.removal import final_snapshot
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.run import check_queue, facts, notices

Make = t.Callable[..., dict[str, t.Any]]
OWNER = Owner("dev", "database")
SUBNETS = {"private-a": "subnet-1", "private-b": "subnet-2"}
GROUP = {"DBParameterGroupName": "dev-database-mariadb10-11", "ParameterApplyStatus": "in-sync"}


def tags(**more: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in {**OWNER.tags("database"), **more}.items()]


def instance(**given: t.Any) -> dict[str, t.Any]:
    """A DB instance as AWS describes it, with nothing to change."""
    return {
        "DBInstanceIdentifier": "dev-database",
        "DBInstanceArn": "arn:aws:rds:eu-central-1:111122223333:db:dev-database",
        "DbiResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "DBInstanceStatus": "available",
        "DBInstanceClass": "db.t4g.small",
        "Engine": "mariadb",
        "EngineVersion": "10.11.14",
        "AllocatedStorage": 20,
        "MaxAllocatedStorage": 100,
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "MultiAZ": False,
        "PubliclyAccessible": False,
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "02:00-03:00",
        "PreferredMaintenanceWindow": "sun:03:30-sun:04:30",
        "AutoMinorVersionUpgrade": False,
        "DeletionProtection": False,
        "CopyTagsToSnapshot": True,
        "DBParameterGroups": [GROUP],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
        "TagList": tags(**{PASSWORD_VERSION: "1"}),
        **given,
    }


def seen(**given: t.Any) -> Observed:
    """Everything as it was created, with these members of the DB instance."""
    parameters = ("character_set_server", "collation_server", "local_infile", "require_secure_transport")
    values = ("utf8mb4", "utf8mb4_unicode_ci", "0", "1")
    own = {"arn:s": OWNER.tags("database"), "arn:p": OWNER.tags("database-mariadb10-11")}
    return Observed(
        instance(**given),
        {"DBSubnetGroupArn": "arn:s", "Subnets": [{"SubnetIdentifier": one} for one in SUBNETS.values()]},
        {"DBParameterGroupArn": "arn:p"},
        own,
        {name: {"ParameterValue": value} for name, value in zip(parameters, values, strict=True)},
        {},
        SUBNETS,
        {"database": "sg-1"},
    )


def desired(options: Make, **given: t.Any) -> Database:
    found = parse_database(options(**given), Problems())
    assert found is not None
    return found


def plan(options: Make, observed: Observed, **given: t.Any) -> list[Change]:
    return plan_database(desired(options, **given), observed, OWNER)


def asked(change: Change) -> dict[str, t.Any]:
    return {name: value for name, value in change.calls[0].arguments.items() if name != "DBInstanceIdentifier"}


def test_nothing_to_change(options: Make) -> None:
    assert plan(options, seen()) == []


def test_a_standby_interrupts_nothing(options: Make) -> None:
    [change] = plan(options, seen(), multi_az=True)
    assert str(change) == "update DB instance database: storage and standby"
    assert asked(change) == {"ApplyImmediately": True, "MultiAZ": True}


def test_large_storage_grows_with_the_iops_that_it_has(options: Make) -> None:
    own = {"Iops": 16000, "StorageThroughput": 600}
    sizes = {"storage_gib": 500, "max_storage_gib": 1000}
    [change] = plan(options, seen(AllocatedStorage=400, MaxAllocatedStorage=1000, **own), **sizes)
    assert asked(change) == {
        "ApplyImmediately": True,
        "AllocatedStorage": 500,
        "MaxAllocatedStorage": 1000,
        **own,
    }
    small = {"AllocatedStorage": 399, "MaxAllocatedStorage": 1000, "Iops": 3000, "StorageThroughput": 125}
    [change] = plan(options, seen(**small), **sizes)
    assert asked(change) == {"ApplyImmediately": True, "AllocatedStorage": 500, "MaxAllocatedStorage": 1000}


def test_another_storage_type_becomes_gp3(options: Make) -> None:
    [change] = plan(options, seen(StorageType="gp2"))
    assert asked(change) == {"ApplyImmediately": True, "StorageType": "gp3"}


@pytest.mark.parametrize(
    ("at_once", "when"), [(True, "at once"), (False, "in the maintenance window sun:03:30-sun:04:30")]
)
def test_a_newer_minor_version_is_made_if_it_is_given(options: Make, at_once: bool, when: str) -> None:
    given = {"engine_version": "10.11.16", "instance_class": "db.m7g.large", "apply_immediately": at_once}
    [change] = plan(options, seen(), **given)
    assert change.name == f"database: instance class and minor version, with an interruption, {when}"
    assert asked(change) == {
        "ApplyImmediately": at_once,
        "DBInstanceClass": "db.m7g.large",
        "EngineVersion": "10.11.16",
    }
    assert bool(change.wait) == at_once


def test_what_waits_is_told_and_asked_for_once(options: Make) -> None:
    waiting = seen(PendingModifiedValues={"EngineVersion": "10.11.16"})
    assert plan(options, waiting, engine_version="10.11.16") == []
    assert plan(options, waiting) == []
    [back] = plan(options, waiting, engine_version="10.11.14")
    assert back.name == "database: minor version, which stays as it is"
    assert asked(back) == {"ApplyImmediately": True, "EngineVersion": "10.11.14"}
    [told] = notices(instance(PendingModifiedValues={"EngineVersion": "10.11.16"}))
    assert told.startswith("The minor version of the DB instance dev-database will change in the maintenance window")


@pytest.mark.parametrize(
    "others", [{"DBInstanceIdentifier": "shop"}, {"Port": 3307}, {"DBSubnetGroupName": "x"}, {"StorageType": "io1"}]
)
@pytest.mark.parametrize("at_once", [True, False])
def test_what_others_have_queued_is_not_made_at_once(options: Make, others: dict[str, t.Any], at_once: bool) -> None:
    [name], [value] = others.keys(), others.values()
    waiting = seen(PendingModifiedValues=others)
    given = {"apply_immediately": at_once, "instance_class": "db.m7g.large", "multi_az": True}
    changes = plan(options, waiting, **given)
    together = f"in the maintenance window sun:03:30-sun:04:30, together with {name}, which others have changed"
    assert [change.name.endswith(together) for change in changes] == [True, True]
    assert {asked(change)["ApplyImmediately"] for change in changes} == {False}
    assert [change.wait for change in changes] == [None, None]
    [told] = notices(instance(PendingModifiedValues=others))
    assert told.startswith(f"Others have changed {name} to {value} for the DB instance dev-database. AWS makes that in")


def test_backups_begin_at_once_unless_something_interrupts(options: Make) -> None:
    [change] = plan(options, seen(BackupRetentionPeriod=0))
    assert (change.name, change.wait is None) == ("database: begin of its backups", False)
    assert asked(change) == {"ApplyImmediately": True, "BackupRetentionPeriod": 7}
    # What a run has left for the window, or another one has asked for, does not wait longer than it must.
    [again] = plan(options, seen(BackupRetentionPeriod=0, PendingModifiedValues={"BackupRetentionPeriod": 7}))
    assert asked(again) == asked(change)
    waits = {"DBInstanceClass": "db.m7g.large"}
    given = {"instance_class": "db.m7g.large"}
    [queued] = plan(options, seen(BackupRetentionPeriod=0, PendingModifiedValues=waits), **given)
    assert queued.name.startswith("database: begin of its backups, with an interruption, in the maintenance window")
    assert (asked(queued)["ApplyImmediately"], queued.wait) == (False, None)
    both = {**waits, "BackupRetentionPeriod": 7}
    assert plan(options, seen(BackupRetentionPeriod=0, PendingModifiedValues=both), **given) == []
    _class, told = notices(instance(BackupRetentionPeriod=0, PendingModifiedValues=both))
    assert told.startswith("The DB instance dev-database has no backups. They begin in the maintenance window")


def test_what_interrupts_nothing_does_not_hold_up(options: Make) -> None:
    harmless = {"MultiAZ": True, "AllocatedStorage": 40, "StorageType": "gp3", "BackupRetentionPeriod": 9}
    waiting = seen(PendingModifiedValues=harmless, StorageType="gp2")
    given = {"multi_az": True, "storage_gib": 50, "backup_retention_days": 9}
    [change] = plan(options, waiting, **given)
    assert asked(change)["ApplyImmediately"]


def test_a_class_is_not_taken_back_together_with_what_others_have_queued(options: Make) -> None:
    waits = {"DBInstanceClass": "db.m7g.large", "DBInstanceIdentifier": "shop"}
    problems = Problems()
    check_queue(desired(options), seen(PendingModifiedValues=waits), problems)
    [problem] = problems.found
    assert str(problem).startswith("instance_class: db.m7g.large waits for the maintenance window, and cannot be taken")
    assert "(DBInstanceIdentifier to shop); take back that change first, or give db.m7g.large" in str(problem)


def test_a_major_version_that_waits_is_left_and_told(options: Make) -> None:
    waits = {"EngineVersion": "11.4.5"}
    group = {"DBParameterGroupName": "default.mariadb11.4", "ParameterApplyStatus": "in-sync"}
    waiting = seen(PendingModifiedValues=waits, DBParameterGroups=[group])
    assert plan(options, waiting) == []
    [change] = plan(options, waiting, multi_az=True)
    assert "together with EngineVersion, which others have changed" in change.name
    queued, told = notices(instance(PendingModifiedValues=waits))
    assert queued.startswith("Others have changed EngineVersion to 11.4.5 for the DB instance dev-database.")
    assert "Take it back with 'aws rds modify-db-instance --db-instance-identifier dev-database --engine-v" in told
    both = seen(PendingModifiedValues={**waits, "DBInstanceClass": "db.m7g.large"})
    problems = Problems()
    check_queue(desired(options), both, problems)
    assert [str(one).partition(":")[0] for one in problems.found] == ["instance_class"]


def test_after_a_major_version_it_gets_its_own_parameters_with_one_restart(options: Make) -> None:
    group = {"DBParameterGroupName": "default.mariadb11.4", "ParameterApplyStatus": "in-sync"}
    upgraded = replace(seen(EngineVersion="11.4.5", DBParameterGroups=[group]), parameter_group=None, values={})
    changes = plan(options, upgraded, engine_version="11.4", apply_immediately=True)
    assert [str(one) for one in changes] == [
        "create DB parameter group database-mariadb11-4",
        "update parameters database-mariadb11-4",
        "update DB instance database",
        "update DB instance database: restart for its parameters, with an interruption, at once",
    ]


def test_a_public_database_is_made_private(options: Make) -> None:
    [change] = plan(options, seen(PubliclyAccessible=True, AutoMinorVersionUpgrade=True, CopyTagsToSnapshot=False))
    assert asked(change) == {
        "ApplyImmediately": False,
        "AutoMinorVersionUpgrade": False,
        "CopyTagsToSnapshot": True,
        "PubliclyAccessible": False,
    }


def test_a_plan_and_its_changes_do_not_have_the_password(options: Make) -> None:
    created = plan(options, Observed(subnets=SUBNETS))
    rotated = plan(options, seen(), password_version=2)
    assert created[-1].calls[0].arguments["MasterUserPassword"] == PASSWORD
    assert rotated[0].calls[0].arguments["MasterUserPassword"] == PASSWORD
    assert PASSWORD not in repr([(one.name, one.before, one.after) for one in (*created, *rotated)])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"DBInstanceStatus": "failed"}, "is in the state failed, from which it does not recover by itself"),
        ({"DBInstanceStatus": "failed"}, "find the cause with 'aws rds describe-events --source-type db-instance"),
        (
            {"DBInstanceStatus": "inaccessible-encryption-credentials-recoverable", "KmsKeyId": "arn:key"},
            "enable its KMS key arn:key, or cancel the deletion of the key, then 'aws rds start-db-instance --db-",
        ),
        ({"DBInstanceStatus": "inaccessible-encryption-credentials"}, "of the key, and restore a backup"),
        ({"StorageEncrypted": False}, "is not encrypted, and AWS cannot change that"),
        ({"Engine": "mysql"}, "is mysql, not MariaDB"),
        ({"TagList": []}, "its tags are not this environment's"),
        ({"AllocatedStorage": 120}, "100 is less than the 120 GiB that the DB instance dev-database has by now"),
    ],
)
def test_what_is_refused(options: Make, given: dict[str, t.Any], told: str) -> None:
    problems = Problems()
    check(desired(options), seen(**given), OWNER, problems, planning=True, today=date(2026, 11, 30))
    [problem] = problems.found
    assert told in str(problem)


def test_parameters_with_which_it_does_not_start_are_corrected_first(options: Make) -> None:
    unfit = seen(DBInstanceStatus="incompatible-parameters")
    problems = Problems()
    check(desired(options), unfit, OWNER, problems, planning=False, today=date(2026, 11, 30))
    assert problems.found == []
    given = {"backup_retention_days": 9, "parameters": {"innodb_buffer_pool_size": 1073741824}}
    parameters, restart, settings = plan(options, unfit, **given)
    assert str(parameters) == "update parameters database-mariadb10-11"
    assert restart.name == "database: restart with its parameters, with which it did not start before"
    assert (restart.calls[0].operation, settings.awaits[0].name) == ("reboot_db_instance", restart.name)
    assert restart.wait is not None
    assert restart.wait.broken({"DBInstances": [instance(DBInstanceStatus="rebooting")]}) is None
    reason = restart.wait.broken({"DBInstances": [unfit.instance]})
    assert reason is not None and "Correct or remove what is wrong in database_parameters" in reason
    assert [
        one for one in notices(instance(DBInstanceStatus="incompatible-parameters")) if "database_parameters" in one
    ]


@pytest.mark.parametrize(
    ("status", "busy", "serves"),
    [
        ("storage-initialization", False, True),
        ("storage-config-upgrade", False, True),
        ("storage-optimization", False, True),
        ("inaccessible-encryption-credentials-recoverable", False, False),
        ("modifying", True, False),
    ],
)
def test_states(status: str, busy: bool, serves: bool) -> None:
    assert (seen(DBInstanceStatus=status).is_busy, is_ready(instance(DBInstanceStatus=status))) == (busy, serves)


def test_a_change_waits_for_a_backup_as_long_as_it_may_take(options: Make) -> None:
    for given in ({"multi_az": True}, {"backup_retention_days": 9}, {"password_version": 2}):
        [change] = plan(options, seen(), deadline=7200, **given)
        assert (change.calls[0].passing, change.calls[0].patience) == (("InvalidDBInstanceState",), 7200.0)


def test_only_what_has_a_class_or_a_version_is_told_of_them(options: Make) -> None:
    code = "InvalidParameterCombination"
    [created] = plan(options, Observed(subnets=SUBNETS))[-1:]
    [another] = plan(options, seen(), instance_class="db.m7g.large")
    assert "instance class" in created.calls[0].remedies[code] and "instance class" in another.calls[0].remedies[code]
    for given in ({"multi_az": True}, {"storage_gib": 40}, {"backup_retention_days": 9}, {"max_storage_gib": 200}):
        [change] = plan(options, seen(), **given)
        assert code not in change.calls[0].remedies


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"AllocatedStorage": 95, "MaxAllocatedStorage": 200}, True),
        ({"AllocatedStorage": 95, "MaxAllocatedStorage": 100}, False),  # it has grown to there by itself
        ({"AllocatedStorage": 100, "MaxAllocatedStorage": 200}, False),  # it ends the growth
        ({"AllocatedStorage": 90, "MaxAllocatedStorage": 200}, False),
    ],
)
def test_a_maximum_has_room(options: Make, given: dict[str, t.Any], refused: bool) -> None:
    problems = Problems()
    check(desired(options), seen(**given), OWNER, problems, planning=True, today=date(2026, 11, 30))
    expected = (
        "max_storage_gib: 100 is less than 10 % more than the 95 GiB that the DB instance dev-database has by now"
    )
    assert [str(one).startswith(expected) for one in problems.found] == ([True] if refused else [])


def test_a_version_without_support_is_not_created(options: Make) -> None:
    problems = Problems()
    wanted = desired(options, engine_version="10.6")
    check(wanted, Observed(subnets=SUBNETS), OWNER, problems, planning=True, today=date(2026, 11, 30))
    [problem] = problems.found
    assert str(problem).startswith("engine_version: AWS has ended its support for MariaDB 10.6 on 2026-08-31")


@pytest.mark.parametrize(
    ("allowed", "value", "expected"),
    [
        ("", "anything", True),
        ("0,1", "1", True),
        ("0,1", "2", False),
        ("ON,OFF", "ON", True),
        ("1-100000", "200", True),
        ("1-100000", "0", False),
        ("1-100000", "{DBInstanceClassMemory/12582880}", True),
        ("1-100, 200", "200", True),
        ("text with blanks, for people", "x", True),
    ],
)
def test_allowed_values(allowed: str, value: str, expected: bool) -> None:
    assert allows(allowed, value) is expected


def test_the_facts_of_a_database(options: Make) -> None:
    until = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    found = instance(Endpoint={"Address": "dev-database.c1.rds.test", "Port": 3306}, LatestRestorableTime=until)
    told = facts(found, desired(options), OWNER, {})
    assert (told["address"], told["support_ends"]) == ("dev-database.c1.rds.test", "2028-02-29")
    assert told["restorable_until"] == "2026-11-30T12:00:00+00:00"


def test_the_final_snapshot_is_of_one_instance() -> None:
    assert final_snapshot(instance()) == "dev-database-final-abcdefghijkl"
