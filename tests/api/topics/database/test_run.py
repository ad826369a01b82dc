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
GROUP = "database-mariadb11-4"
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
        found.append((own, one["EngineVersion"][:4], tags, groups, one["DBSubnetGroup"]["DBSubnetGroupName"], group))
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
    assert (facts["port"], facts["state"], facts["waiting"]) == (3306, "available", [])
    assert facts["engine_version"].startswith("11.4")
    assert facts["support_ends"] == "2029-05-31"
    assert PASSWORD not in repr((planned, done))
    [(own, version, tags, groups, subnets, group)], values = look(cloud)
    assert own["StorageEncrypted"] and own["CopyTagsToSnapshot"]
    assert not own["PubliclyAccessible"] and not own["AutoMinorVersionUpgrade"]
    assert (version, groups, subnets, group) == ("11.4", ["dev-database"], "dev-database", f"dev-{GROUP}")
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
