"""DB subnet groups and DB parameter groups as on AWS."""

from __future__ import annotations

from typing import Any

import pytest
from rds_site import Site


def parameter(name: str, value: str | None = None, method: str = "immediate") -> dict[str, str]:
    given = {"ParameterName": name, "ApplyMethod": method}
    return given if value is None else {**given, "ParameterValue": value}


@pytest.fixture
def grouped(site: Site) -> Site:
    """Return the site with a parameter group, and a DB instance that has it."""
    site.rds.create_db_parameter_group(
        DBParameterGroupName="own", DBParameterGroupFamily="mariadb10.11", Description="own"
    )
    site.create(DBParameterGroupName="own")
    return site


def modify(site: Site, *parameters: dict[str, str]) -> None:
    site.rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=list(parameters))


def told(site: Site, name: str) -> dict[str, Any]:
    pages = site.rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName="own")
    return next(each for page in pages for each in page["Parameters"] if each["ParameterName"] == name)


def applied(site: Site) -> str:
    return str(site.told()["DBParameterGroups"][0]["ParameterApplyStatus"])


def served(site: Site) -> dict[str, str]:
    [database] = site.lab.plane.snapshot().databases.values()
    return dict(database.parameters)


# Subnet groups


@pytest.mark.correction("rds:CreateDBSubnetGroup", "The subnets cover two zones of one VPC.")
def test_a_subnet_group_covers_two_zones(site: Site) -> None:
    create = site.rds.create_db_subnet_group
    request = {"DBSubnetGroupName": "other", "DBSubnetGroupDescription": "other"}
    message = site.lab.refused("DBSubnetGroupDoesNotCoverEnoughAZs", create, **request, SubnetIds=site.subnets[:1])
    assert "Current AZ coverage: eu-central-1a. Add subnets to cover at least 2 AZs." in message
    site.lab.refused("InvalidSubnet", create, **request, SubnetIds=["subnet-0123456789abcdef0"])
    elsewhere = site.lab.subnet(site.lab.vpc("10.1.0.0/16"), "10.1.0.0/24", "b")
    site.lab.refused("InvalidSubnet", create, **request, SubnetIds=[site.subnets[0], elsewhere])
    site.lab.refused(
        "DBSubnetGroupAlreadyExists", create, **{**request, "DBSubnetGroupName": "SITE"}, SubnetIds=site.subnets
    )


def test_a_subnet_group_is_told_in_lower_case(site: Site) -> None:
    site.rds.create_db_subnet_group(DBSubnetGroupName="Other", DBSubnetGroupDescription="other", SubnetIds=site.subnets)
    [group] = site.rds.describe_db_subnet_groups(DBSubnetGroupName="OTHER")["DBSubnetGroups"]
    assert (group["DBSubnetGroupName"], group["VpcId"], group["SubnetGroupStatus"]) == ("other", site.vpc, "Complete")
    assert [each["SubnetIdentifier"] for each in group["Subnets"]] == site.subnets
    site.lab.refused("DBSubnetGroupNotFoundFault", site.rds.describe_db_subnet_groups, DBSubnetGroupName="missing")


def test_a_used_subnet_stays_in_its_group(site: Site) -> None:
    site.create(AvailabilityZone="eu-central-1a")
    change = site.rds.modify_db_subnet_group
    site.lab.refused("SubnetAlreadyInUse", change, DBSubnetGroupName="site", SubnetIds=site.subnets[1:])
    change(DBSubnetGroupName="site", SubnetIds=[site.subnets[0], site.subnets[2]])
    message = site.lab.refused(
        "InvalidDBSubnetGroupStateFault", site.rds.delete_db_subnet_group, DBSubnetGroupName="site"
    )
    assert message.endswith("because at least one database instance: site is still using it.")


# Parameter groups


def test_the_default_group_cannot_be_changed(site: Site) -> None:
    name = {"DBParameterGroupName": "default.mariadb10.11"}
    [group] = site.rds.describe_db_parameter_groups(**name)["DBParameterGroups"]
    assert group["DBParameterGroupFamily"] == "mariadb10.11"
    change = {"Parameters": [parameter("max_connections", "50")]}
    site.lab.refused("InvalidDBParameterGroupState", site.rds.modify_db_parameter_group, **name, **change)
    site.lab.refused("InvalidDBParameterGroupState", site.rds.delete_db_parameter_group, **name)
    assert site.create()["DBParameterGroups"][0]["DBParameterGroupName"] == "default.mariadb10.11"


@pytest.mark.correction("rds:DescribeDBParameters", "All parameters are told, with their rules.", data_plane=True)
def test_a_parameter_is_told_with_its_rules(grouped: Site) -> None:
    before = told(grouped, "max_allowed_packet")
    assert (before["ApplyType"], before["DataType"], before["Source"]) == ("dynamic", "integer", "engine-default")
    assert "ParameterValue" not in before
    modify(grouped, parameter("max_allowed_packet", "67108864"))
    after = told(grouped, "max_allowed_packet")
    assert (after["ParameterValue"], after["Source"], after["ApplyMethod"]) == ("67108864", "user", "immediate")
    user = grouped.rds.describe_db_parameters(DBParameterGroupName="own", Source="user")["Parameters"]
    assert [each["ParameterName"] for each in user] == ["max_allowed_packet"]


def test_a_dynamic_parameter_is_applied_at_once(grouped: Site) -> None:
    modify(grouped, parameter("require_secure_transport", "1"))
    assert applied(grouped) == "applying"
    assert served(grouped)["require_secure_transport"] == "1"
    grouped.settle()
    assert (applied(grouped), grouped.status()) == ("in-sync", "available")


@pytest.mark.correction("rds:ModifyDBParameterGroup", "Static parameters wait for a reboot.", data_plane=True)
def test_a_static_parameter_waits_for_a_reboot(grouped: Site) -> None:
    modify(grouped, parameter("performance_schema", "1", "pending-reboot"))
    grouped.settle()
    assert (applied(grouped), "performance_schema" in served(grouped)) == ("pending-reboot", False)
    grouped.rds.reboot_db_instance(DBInstanceIdentifier="site")
    grouped.settle()
    assert (applied(grouped), served(grouped)["performance_schema"]) == ("in-sync", "1")


def test_a_dynamic_parameter_can_wait_for_a_reboot(grouped: Site) -> None:
    modify(grouped, parameter("time_zone", "Europe/Berlin", "pending-reboot"))
    assert (applied(grouped), "time_zone" in served(grouped)) == ("pending-reboot", False)


def test_another_group_waits_for_a_reboot(grouped: Site) -> None:
    modify(grouped, parameter("max_connections", "50"))
    grouped.modify(DBParameterGroupName="default.mariadb10.11", ApplyImmediately=True)
    assert (applied(grouped), served(grouped)["max_connections"]) == ("pending-reboot", "50")
    grouped.rds.reboot_db_instance(DBInstanceIdentifier="site")
    grouped.settle()
    assert (applied(grouped), served(grouped)["max_connections"]) == ("in-sync", "42")


def test_a_formula_is_evaluated_for_the_class(grouped: Site) -> None:
    modify(grouped, parameter("max_connections", "GREATEST({DBInstanceClassMemory/10737418},20)"))
    assert served(grouped)["max_connections"] == "100"


@pytest.mark.correction(
    "rds:ModifyDBParameterGroup", "Parameters must exist, and have permitted values.", data_plane=True
)
@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("InvalidParameterValue", parameter("no_such_parameter", "1")),
        ("InvalidParameterValue", parameter("port", "3306")),
        ("InvalidParameterValue", parameter("max_connections", "many")),
        ("InvalidParameterValue", parameter("max_connections", "1")),
        ("InvalidParameterValue", parameter("require_secure_transport", "maybe")),
        ("InvalidParameterValue", parameter("time_zone", "Mars/Olympus")),
        ("InvalidParameterValue", parameter("sql_mode", "NO_SUCH_MODE")),
        ("InvalidParameterValue", parameter("max_connections", "{NoSuchVariable/2}")),
        ("InvalidParameterCombination", parameter("performance_schema", "1")),
    ],
)
def test_a_value_that_is_not_valid_is_refused(grouped: Site, code: str, given: dict[str, str]) -> None:
    change = grouped.rds.modify_db_parameter_group
    good = parameter("time_zone", "UTC")
    grouped.lab.refused(code, change, DBParameterGroupName="own", Parameters=[good, given])
    assert grouped.rds.describe_db_parameters(DBParameterGroupName="own", Source="user")["Parameters"] == []


def test_parameters_are_reset(grouped: Site) -> None:
    modify(grouped, parameter("max_connections", "50"), parameter("time_zone", "UTC"))
    reset = grouped.rds.reset_db_parameter_group
    reset(DBParameterGroupName="own", ResetAllParameters=False, Parameters=[parameter("time_zone")])
    assert ("time_zone" in served(grouped), served(grouped)["max_connections"]) == (False, "50")
    reset(DBParameterGroupName="own", ResetAllParameters=True)
    assert served(grouped)["max_connections"] == "42"


def test_a_used_group_is_not_deleted(grouped: Site) -> None:
    delete = grouped.rds.delete_db_parameter_group
    grouped.lab.refused("InvalidDBParameterGroupState", delete, DBParameterGroupName="own")
    grouped.rds.delete_db_instance(DBInstanceIdentifier="site", SkipFinalSnapshot=True)
    grouped.settle()
    delete(DBParameterGroupName="own")
    grouped.lab.refused("DBParameterGroupNotFound", delete, DBParameterGroupName="own")


def test_a_group_belongs_to_a_family(site: Site) -> None:
    request = {"DBParameterGroupName": "own", "DBParameterGroupFamily": "mysql8.0", "Description": "own"}
    site.lab.refused("InvalidParameterValue", site.rds.create_db_parameter_group, **request)
