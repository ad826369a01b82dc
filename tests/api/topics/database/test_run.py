"""The managed database against the lab's control plane: plan = run, nothing twice, calls counted, data kept."""

from __future__ import annotations

import typing as t

import pytest
from accounts.teardown import TearDown
from cloud import Cloud, Survives, told
from topic_options.database import PARAMETER, PASSWORD

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.run import converge_database

Make = t.Callable[..., dict[str, t.Any]]
Build = t.Callable[[Cloud], None]
UNKNOWN = "(known after apply)"
GROUP = "database-mariadb10-11"
CREATED = [
    "create DB subnet group database",
    f"create DB parameter group {GROUP}",
    f"update parameters {GROUP}",
    "create DB instance database",
]
BUDGET = 8


def instance(cloud: Cloud) -> dict[str, t.Any]:
    [found] = cloud.of("rds").describe_db_instances()["DBInstances"]
    return dict(found)


def parameters(cloud: Cloud) -> dict[str, str]:
    group = cloud.of("rds").describe_db_parameters(DBParameterGroupName=f"dev-{GROUP}", Source="user")
    return {one["ParameterName"]: one["ParameterValue"] for one in group["Parameters"]}


def look(cloud: Cloud) -> t.Any:
    """Return the DB instance with its groups, tags and parameters, without ids and times."""
    rds = cloud.of("rds")
    names = {group["GroupId"]: group["GroupName"] for group in cloud.ec2.describe_security_groups()["SecurityGroups"]}
    found = []
    for one in rds.describe_db_instances()["DBInstances"]:
        settings = (
            "DBInstanceIdentifier",
            "DBInstanceClass",
            "Engine",
            "AllocatedStorage",
            "MaxAllocatedStorage",
            "StorageType",
            "StorageEncrypted",
            "MultiAZ",
            "PubliclyAccessible",
            "BackupRetentionPeriod",
            "PreferredBackupWindow",
            "PreferredMaintenanceWindow",
            "AutoMinorVersionUpgrade",
            "DeletionProtection",
            "CopyTagsToSnapshot",
            "MasterUsername",
        )
        tags = {tag["Key"]: tag["Value"] for tag in one["TagList"]}
        groups = sorted(names[group["VpcSecurityGroupId"]] for group in one["VpcSecurityGroups"])
        group = one["DBParameterGroups"][0]["DBParameterGroupName"]
        own = {name: one.get(name) for name in settings}
        found.append((own, one["EngineVersion"], tags, groups, one["DBSubnetGroup"]["DBSubnetGroupName"], group))
    return found, parameters(cloud)


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, options: Make, build: Build) -> None:
    planned = cloud.run(converge_database, options(secrets={PARAMETER: UNKNOWN}), check_mode=True)
    assert cloud.writes == []
    build(cloud)
    done = cloud.run(converge_database, options())
    assert told(planned) == told(done) == CREATED
    assert (planned["database"]["address"], planned["database"]["state"]) == (UNKNOWN, "absent")
    facts = done["database"]
    assert facts["address"].startswith("dev-database.")
    assert facts["address"].endswith(".eu-central-1.rds.amazonaws.com")
    assert (facts["port"], facts["waiting"]) == (3306, [])
    assert facts["state"] in ("available", "backing-up")
    assert facts["engine_version"].startswith("10.11.")
    assert facts["support_ends"] == "2028-02-29"
    assert PASSWORD not in repr((planned, done))
    [(own, _version, tags, groups, subnets, group)], values = look(cloud)
    assert own["StorageEncrypted"] and own["CopyTagsToSnapshot"]
    assert not own["PubliclyAccessible"] and not own["AutoMinorVersionUpgrade"]
    assert (groups, subnets, group) == (["dev-database"], "dev-database", f"dev-{GROUP}")
    assert tags["groundwork:environment"] == "dev"
    assert values["require_secure_transport"] == "1"


def test_the_second_run_changes_nothing_within_its_budget(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    first = cloud.run(converge_database, options())
    again = cloud.run(converge_database, options())
    assert told(again) == []
    assert again["database"]["address"] == first["database"]["address"]
    assert len(cloud.calls) == BUDGET


def test_killed_anywhere_it_converges(survives: Survives, options: Make, build: Build) -> None:
    assert survives(converge_database, options(), look, build) == 4


def made(cloud: Cloud, options: Make, build: Build, **given: t.Any) -> None:
    """The network and the database, after its first backup."""
    build(cloud)
    cloud.run(converge_database, options(**given))
    settle(cloud)


def settle(cloud: Cloud) -> None:
    """Let AWS finish what it does."""
    for _pass in range(6):
        cloud.sleep(10)


def test_settings_are_changed_at_once(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    changed = options(
        backup_retention_days=14,
        backup_window="04:00-05:00",
        maintenance_window="mon:01:00-mon:02:00",
        deletion_protection=True,
        security_groups=["others"],
        max_storage_gib=200,
        tags={"team": "web"},
    )
    planned = cloud.run(converge_database, changed, check_mode=True)
    done = cloud.run(converge_database, changed)
    assert told(planned) == told(done)
    assert told(done) == [
        "update tags DB subnet group database",
        f"update tags DB parameter group {GROUP}",
        "update DB instance database",
        "update tags DB instance database",
    ]
    assert told(cloud.run(converge_database, changed)) == []
    found = instance(cloud)
    assert (found["BackupRetentionPeriod"], found["DeletionProtection"]) == (14, True)
    assert (found["MaxAllocatedStorage"], found["PreferredMaintenanceWindow"]) == (200, "mon:01:00-mon:02:00")


def test_backups_that_were_switched_off_begin_again(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    cloud.of("rds").modify_db_instance(
        DBInstanceIdentifier="dev-database", BackupRetentionPeriod=0, ApplyImmediately=True
    )
    settle(cloud)
    done = cloud.run(converge_database, options())
    assert told(done) == ["update DB instance database: begin of its backups"]
    assert (instance(cloud)["BackupRetentionPeriod"], instance(cloud)["PendingModifiedValues"]) == (7, {})
    assert told(cloud.run(converge_database, options())) == []


def test_storage_only_grows(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    done = cloud.run(converge_database, options(storage_gib=40))
    assert told(done) == ["update DB instance database: storage and standby"]
    assert done["database"]["storage_gib"] == 40
    assert told(cloud.run(converge_database, options(storage_gib=40))) == []
    assert told(cloud.run(converge_database, options(storage_gib=20))) == []
    assert instance(cloud)["AllocatedStorage"] == 40
    with pytest.raises(InputError, match="30 is less than the 40 GiB that the DB instance dev-database has by now"):
        cloud.run(converge_database, options(storage_gib=20, max_storage_gib=30))


def test_large_storage_grows_with_its_iops(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build, storage_gib=390, max_storage_gib=0)
    for size in (400, 500):
        done = cloud.run(converge_database, options(storage_gib=size, max_storage_gib=1000))
        assert told(done) == ["update DB instance database: storage and standby"]
        assert told(cloud.run(converge_database, options(storage_gib=size, max_storage_gib=1000))) == []
    found = instance(cloud)
    assert (found["AllocatedStorage"], found["Iops"], found["StorageThroughput"]) == (500, 12000, 500)


def test_storage_that_does_not_grow(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build, max_storage_gib=0)
    assert "MaxAllocatedStorage" not in instance(cloud)
    assert told(cloud.run(converge_database, options(max_storage_gib=0))) == []
    assert told(cloud.run(converge_database, options(max_storage_gib=60))) == ["update DB instance database"]
    assert told(cloud.run(converge_database, options(max_storage_gib=0))) == ["update DB instance database"]
    assert told(cloud.run(converge_database, options(max_storage_gib=0))) == []


CLASS = "update DB instance database: instance class, with an interruption,"
WINDOW = f"{CLASS} in the maintenance window sun:03:30-sun:04:30"


def test_another_class_waits_for_the_window_and_says_so(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    larger = options(instance_class="db.t4g.medium")
    assert told(cloud.run(converge_database, larger, check_mode=True)) == [WINDOW]
    done = cloud.run(converge_database, larger)
    assert told(done) == [WINDOW]
    [waits] = done["database"]["waiting"]
    assert waits.startswith("The instance class of the DB instance dev-database will change in the maintenance window")
    assert cloud.warnings == [f"{waits}."]
    assert instance(cloud)["DBInstanceClass"] == "db.t4g.small"
    again = cloud.run(converge_database, larger)
    assert (told(again), cloud.warnings) == ([], [f"{waits}."])
    # Storage would bring the class with it at once, so it waits too.
    growing = {**larger, "storage_gib": 40}
    queued = "update DB instance database: storage and standby, with an interruption, in the maintenance window"
    assert told(cloud.run(converge_database, growing)) == [f"{queued} sun:03:30-sun:04:30"]
    assert instance(cloud)["DBInstanceClass"] == "db.t4g.small"
    assert told(cloud.run(converge_database, growing)) == []
    at_once = {**growing, "apply_immediately": True}
    assert told(cloud.run(converge_database, at_once)) == [f"{CLASS} at once"]
    found = instance(cloud)
    assert (found["DBInstanceClass"], found["AllocatedStorage"]) == ("db.t4g.medium", 40)
    assert told(cloud.run(converge_database, at_once)) == []


def test_a_name_that_others_gave_is_not_made_with_a_change(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    cloud.of("rds").modify_db_instance(DBInstanceIdentifier="dev-database", NewDBInstanceIdentifier="shop")
    given = options(instance_class="db.t4g.medium", storage_gib=40, apply_immediately=True)
    done = cloud.run(converge_database, given)
    assert [one.endswith("together with DBInstanceIdentifier, which others have changed") for one in told(done)] == [
        True,
        True,
    ]
    assert told(cloud.run(converge_database, given)) == []
    assert instance(cloud)["DBInstanceIdentifier"] == "dev-database"
    assert [one for one in cloud.warnings if one.startswith("Others have changed DBInstanceIdentifier to shop")]
    with pytest.raises(
        InputError, match=r"instance_class: db\.t4g\.medium waits for the maintenance window, and cannot"
    ):
        cloud.run(converge_database, options())
    assert cloud.writes == []


def test_a_class_that_waits_can_be_taken_back(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    cloud.run(converge_database, options(instance_class="db.t4g.medium"))
    back = "update DB instance database: instance class, which stays as it is"
    assert told(cloud.run(converge_database, options())) == [back]
    assert told(cloud.run(converge_database, options())) == []
    assert (cloud.warnings, instance(cloud)["DBInstanceClass"]) == ([], "db.t4g.small")


def test_parameters_at_once_and_at_the_next_restart(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    given = {"max_connections": 200, "innodb_log_buffer_size": 16777216}
    planned = cloud.run(converge_database, options(parameters=given), check_mode=True)
    done = cloud.run(converge_database, options(parameters=given))
    waits = f"update parameters {GROUP}: innodb_log_buffer_size, at the next restart"
    assert told(planned) == told(done) == [f"update parameters {GROUP}", waits]
    assert parameters(cloud)["max_connections"] == "200"
    settle(cloud)
    again = cloud.run(converge_database, options(parameters=given))
    assert told(again) == []
    assert len(cloud.calls) == BUDGET
    [warning] = cloud.warnings
    assert warning.startswith("Parameters of the DB instance dev-database wait for a restart")
    restart = "update DB instance database: restart for its parameters, with an interruption, at once"
    assert told(cloud.run(converge_database, options(parameters=given, apply_immediately=True))) == [restart]
    assert told(cloud.run(converge_database, options(parameters=given, apply_immediately=True))) == []
    assert cloud.warnings == []
    less = cloud.run(converge_database, options())
    assert told(less) == [f"update parameters {GROUP}", waits]
    assert set(parameters(cloud)) == {
        "character_set_server",
        "collation_server",
        "local_infile",
        "require_secure_transport",
    }


def unfit(cloud: Cloud, trouble: str = "incompatible-parameters") -> None:
    """Let the server fail to start, or do so again."""
    name = instance(cloud)["DbiResourceId"]
    cloud.plane.report(lambda context: bool(context.rds.report(name, trouble)))


def test_parameters_with_which_it_does_not_start_are_corrected(cloud: Cloud, options: Make, build: Build) -> None:
    given = {"parameters": {"innodb_buffer_pool_size": 64 * 2**30}, "apply_immediately": True}
    made(cloud, options, build, **given)
    unfit(cloud)
    # A server with its parameters in the state of the moment is looked at, as status.yml does.
    [told_of] = cloud.run(converge_database, options(**given), check_mode=True)["database"]["waiting"]
    assert "Correct or remove what is wrong in database_parameters" in told_of
    restart = "update DB instance database: restart with its parameters, with which it did not start before"
    planned = cloud.run(converge_database, options(backup_retention_days=9), check_mode=True)
    done = cloud.run(converge_database, options(backup_retention_days=9))
    changed = [f"update parameters {GROUP}", restart, "update DB instance database"]
    assert told(planned) == told(done) == changed
    assert cloud.writes == ["ResetDBParameterGroup", "RebootDBInstance", "ModifyDBInstance"]
    assert (instance(cloud)["BackupRetentionPeriod"], done["database"]["waiting"]) == (9, [])
    assert told(cloud.run(converge_database, options(backup_retention_days=9))) == []


def test_parameters_that_do_not_help_are_told(
    cloud: Cloud, options: Make, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(cloud, options, build)
    unfit(cloud)
    monkeypatch.setattr(cloud.plane, "reconciled", lambda _world: unfit(cloud))
    with pytest.raises(GroundworkError) as caught:
        cloud.run(converge_database, options())
    assert "Correct or remove what is wrong in database_parameters" in str(caught.value)
    monkeypatch.undo()
    assert told(cloud.run(converge_database, options())) != []
    assert told(cloud.run(converge_database, options())) == []


def test_static_parameters_before_the_database_wait_for_nothing(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    given = options(parameters={"innodb_log_buffer_size": 16777216})
    done = cloud.run(converge_database, given)
    assert told(done) == [*CREATED[:3], f"update parameters {GROUP}", CREATED[3]]
    assert done["database"]["waiting"] == []
    assert told(cloud.run(converge_database, given)) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_conections": 200}, "parameters.max_conections: mariadb10.11 has no parameter of this name; remove it"),
        ({"datadir": "/data"}, "parameters.datadir: AWS sets it for mariadb10.11; remove it"),
        ({"innodb_flush_log_at_trx_commit": 9}, "innodb_flush_log_at_trx_commit: '9' is not allowed; give one of 0-3"),
        ({"event_scheduler": "perhaps"}, "parameters.event_scheduler: 'perhaps' is not allowed; give one of ON,OFF"),
    ],
)
def test_wrong_parameters_are_told_before_the_first_write(
    cloud: Cloud, options: Make, build: Build, given: dict[str, t.Any], message: str
) -> None:
    build(cloud)
    with pytest.raises(InputError) as caught:
        cloud.run(converge_database, options(parameters=given))
    assert message in str(caught.value)
    assert cloud.writes == []


def test_a_rotated_password_is_set(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    rotated = options(password_version=2, secrets={PARAMETER: PASSWORD[::-1]})
    planned = cloud.run(converge_database, rotated, check_mode=True)
    done = cloud.run(converge_database, rotated)
    assert told(planned) == told(done) == ["update DB instance database: master password"]
    assert PASSWORD[::-1] not in repr((planned, done))
    assert told(cloud.run(converge_database, rotated)) == []
    assert told(cloud.run(converge_database, options(password_version=0, secrets={}), check_mode=True)) == []


def test_a_rotation_that_was_killed_is_completed(survives: Survives, options: Make, build: Build) -> None:
    def prepare(cloud: Cloud) -> None:
        made(cloud, options, build)

    rotated = options(password_version=2, backup_retention_days=9, storage_gib=30)
    assert survives(converge_database, rotated, look, prepare, recent=False) == 4


def test_a_database_in_deletion_is_replaced(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    cloud.of("rds").delete_db_instance(DBInstanceIdentifier="dev-database", SkipFinalSnapshot=True)
    assert told(cloud.run(converge_database, options(), check_mode=True)) == [CREATED[3]]
    assert told(cloud.run(converge_database, options())) == [CREATED[3]]


def test_a_stopped_database_is_started(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    cloud.of("rds").stop_db_instance(DBInstanceIdentifier="dev-database")
    settle(cloud)
    assert told(cloud.run(converge_database, options())) == ["update DB instance database: start"]
    assert told(cloud.run(converge_database, options())) == []


def test_what_is_missing_is_told_before_the_first_write(cloud: Cloud, options: Make, build: Build) -> None:
    with pytest.raises(InputError) as caught:
        cloud.run(converge_database, options(secrets={}))
    assert "the network has no subnet private-a" in str(caught.value)
    assert "the security group database does not exist" in str(caught.value)
    assert "secrets: does not contain the master password" in str(caught.value)
    assert cloud.writes == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"engine_version": "11.4"}, "runs 10.11.14, and another major version is not made by this collection"),
        ({"engine_version": "10.11.9"}, "runs 10.11.14, and AWS makes no version older; give 10.11.14, or 10.11"),
        (
            {"kms_key_id": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
            "and AWS cannot change that; give that key, or none",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused(
    cloud: Cloud, options: Make, build: Build, given: dict[str, t.Any], message: str
) -> None:
    made(cloud, options, build)
    with pytest.raises(InputError) as caught:
        cloud.run(converge_database, options(**given))
    assert message in str(caught.value)
    assert cloud.writes == []


def test_the_version_that_runs_is_no_change(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    assert told(cloud.run(converge_database, options(engine_version="10.11.14"))) == []


def subnets(cloud: Cloud) -> list[str]:
    own = [{"Name": "tag:groundwork:environment", "Values": ["dev"]}]
    return [one["SubnetId"] for one in cloud.ec2.describe_subnets(Filters=own)["Subnets"]]


def test_another_database_with_the_name_is_refused(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    cloud.of("rds").create_db_subnet_group(
        DBSubnetGroupName="dev-database",
        DBSubnetGroupDescription="of others",
        SubnetIds=subnets(cloud),
    )
    with pytest.raises(InputError, match="its tags are not this environment's"):
        cloud.run(converge_database, options())


def snapshots(cloud: Cloud) -> list[str]:
    found = cloud.of("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    return [one["DBSnapshotIdentifier"] for one in found]


def rest(cloud: Cloud) -> list[t.Any]:
    rds = cloud.of("rds")
    groups = [
        one for one in rds.describe_db_parameter_groups()["DBParameterGroups"] if "dev" in one["DBParameterGroupName"]
    ]
    return [rds.describe_db_instances()["DBInstances"], rds.describe_db_subnet_groups()["DBSubnetGroups"], groups]


def test_the_teardown_keeps_the_data_unless_asked(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    tear_down = TearDown()
    planned = tear_down(cloud, check_mode=True)
    kept = tear_down(cloud)
    [snapshot] = snapshots(cloud)
    assert snapshot.startswith("dev-database-final-")
    says = f"delete DB instance database, whose data stay in the DB snapshot {snapshot}"
    assert says in told(planned) and says in told(kept)
    assert sorted(told(planned)) == sorted(told(kept))
    assert rest(cloud) == [[], [], []]
    assert cloud.ec2.describe_vpcs(Filters=[{"Name": "tag:groundwork:environment", "Values": ["dev"]}])["Vpcs"] == []
    assert (kept["found"]["DB snapshot"], kept["found"]["DB instance"], kept["keepers"]) == (1, 0, [])
    assert told(tear_down(cloud)) == []
    gone = tear_down(cloud, databases=True)
    assert told(gone) == [f"delete DB snapshot {snapshot.removeprefix('dev-')}"]
    assert snapshots(cloud) == []


def test_the_teardown_makes_no_snapshot_if_that_is_asked_for(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    assert "delete DB instance database" in told(TearDown()(cloud, databases=True))
    assert (snapshots(cloud), rest(cloud)) == ([], [[], [], []])


def test_the_teardown_says_which_state_has_no_final_snapshot(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    unfit(cloud, "failed")
    for check_mode in (True, False):
        with pytest.raises(GroundworkError) as caught:
            TearDown()(cloud, check_mode=check_mode)
        assert "in the state failed AWS deletes it only without a final snapshot, with its backups" in str(caught.value)
        assert "aws rds delete-db-instance --db-instance-identifier dev-database --skip-final" in str(caught.value)
        assert cloud.writes == []
    assert "delete DB instance database" in told(TearDown()(cloud, databases=True))
    assert rest(cloud) == [[], [], []]


def test_a_long_backup_delays_a_change(
    cloud: Cloud, options: Make, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(cloud, options, build)
    follow, until, before = cloud.plane.reconciled, cloud.monotonic() + 1200, cloud.before

    def slowly(world: t.Any) -> None:
        if cloud.monotonic() > until:
            follow(world)

    def backing_up(operation: str) -> None:
        """Let AWS begin a backup after the run has looked."""
        if operation == "ModifyDBInstance" and instance(cloud)["DBInstanceStatus"] == "available":
            cloud.of("rds").create_db_snapshot(DBInstanceIdentifier="dev-database", DBSnapshotIdentifier="nightly")
            monkeypatch.setattr(cloud, "before", before)
        before(operation)

    monkeypatch.setattr(cloud.plane, "reconciled", slowly)
    monkeypatch.setattr(cloud, "before", backing_up)
    cloud.run(converge_database, options(multi_az=True))
    assert cloud.calls.count("ModifyDBInstance") > 1
    assert instance(cloud)["MultiAZ"]


def test_the_teardown_removes_no_protected_database(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build, deletion_protection=True)
    for check_mode in (True, False):
        with pytest.raises(GroundworkError) as caught:
            TearDown()(cloud, check_mode=check_mode)
        assert "deletion protection is enabled. Set database_deletion_protection to false" in str(caught.value)
        assert "aws rds modify-db-instance --db-instance-identifier dev-database --no-deletion-pr" in str(caught.value)
        assert cloud.writes == []


def test_databases_of_others_keep_what_they_need(cloud: Cloud, options: Make, build: Build) -> None:
    made(cloud, options, build)
    rds = cloud.of("rds")
    group = {"DBSubnetGroupName": "others", "DBSubnetGroupDescription": "others"}
    rds.create_db_subnet_group(**group, SubnetIds=subnets(cloud))
    rds.create_db_instance(
        DBInstanceIdentifier="others",
        Engine="mariadb",
        DBInstanceClass="db.t4g.small",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword=PASSWORD,
        DBSubnetGroupName="others",
    )
    settle(cloud)
    with pytest.raises(
        GroundworkError, match=r"DB instance others .* is not part of the environment, prevents the removal"
    ):
        TearDown()(cloud)
    [kept] = rds.describe_db_instances()["DBInstances"]
    assert kept["DBInstanceIdentifier"] == "others"
