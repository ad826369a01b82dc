"""Multi-AZ deployments as on AWS."""

from __future__ import annotations

from typing import Any

import pytest
from rds_site import Site

from groundwork_lab.model import Database


def served(site: Site) -> Database:
    [database] = site.lab.plane.snapshot().databases.values()
    return database


def interfaces(site: Site) -> list[dict[str, Any]]:
    owned = [{"Name": "description", "Values": ["RDSNetworkInterface"]}]
    return list(site.lab.ec2.describe_network_interfaces(Filters=owned)["NetworkInterfaces"])


def fail_over(site: Site) -> None:
    """Report what the data plane does when the standby becomes the primary."""
    database = served(site)
    site.lab.plane.report(lambda context: bool(context.rds.failed_over(database.id, database.standby_id)))


def test_the_standby_is_in_another_zone(site: Site) -> None:
    told = site.create(MultiAZ=True)
    zones = {told["AvailabilityZone"], told["SecondaryAvailabilityZone"]}
    assert (told["MultiAZ"], zones) == (True, {"eu-central-1a", "eu-central-1b"})
    assert {each["NetworkInterfaceId"] for each in interfaces(site)} == {
        served(site).interface_id,
        served(site).standby_id,
    }
    assert [[group["GroupId"] for group in each["Groups"]] for each in interfaces(site)] == [[site.group]] * 2


def test_a_zone_cannot_be_selected(site: Site) -> None:
    site.refused("InvalidParameterCombination", MultiAZ=True, AvailabilityZone="eu-central-1a")


@pytest.mark.correction("rds:RebootDBInstance", "A failover exchanges primary and standby.", data_plane=True)
def test_a_failover_moves_the_primary(site: Site) -> None:
    before = site.create(MultiAZ=True)
    reboot = site.rds.reboot_db_instance(DBInstanceIdentifier="site", ForceFailover=True)["DBInstance"]
    assert reboot["DBInstanceStatus"] == "rebooting"
    database = served(site)
    assert (database.failovers, database.boots) == (1, 0)
    fail_over(site)
    site.settle()
    told = site.told()
    assert told["DBInstanceStatus"] == "available"
    assert (told["AvailabilityZone"], told["SecondaryAvailabilityZone"]) == (
        before["SecondaryAvailabilityZone"],
        before["AvailabilityZone"],
    )
    assert told["Endpoint"] == before["Endpoint"]
    assert (served(site).interface_id, served(site).standby_id) == (database.standby_id, database.interface_id)
    events = site.rds.describe_events(SourceType="db-instance", EventCategories=["failover"])["Events"]
    assert [each["Message"] for each in events] == [
        "Multi-AZ instance failover started",
        "Multi-AZ instance failover completed",
    ]


def test_a_failover_that_the_data_plane_begins(site: Site) -> None:
    site.create(MultiAZ=True)
    before = served(site)
    changes = len(site.lab.changes)
    fail_over(site)
    assert (served(site).interface_id, served(site).standby_id) == (before.standby_id, before.interface_id)
    assert len(site.lab.changes) > changes  # names follow
    assert site.status() == "available"


def test_a_deployment_is_changed(site: Site) -> None:
    site.create()
    assert site.modify(MultiAZ=True)["PendingModifiedValues"] == {"MultiAZ": True}
    assert served(site).standby_id == ""
    site.modify(ApplyImmediately=True)
    assert served(site).standby_id != ""
    site.settle()
    assert (site.told()["MultiAZ"], len(interfaces(site))) == (True, 2)
    site.modify(MultiAZ=False, ApplyImmediately=True)
    assert (served(site).standby_id, len(interfaces(site))) == ("", 2)  # until the standby has ended
    site.settle()
    assert ("SecondaryAvailabilityZone" in site.told(), len(interfaces(site))) == (False, 1)


def test_both_interfaces_end_with_the_instance(site: Site) -> None:
    site.create(MultiAZ=True)
    site.rds.delete_db_instance(DBInstanceIdentifier="site", SkipFinalSnapshot=True)
    site.settle()
    assert interfaces(site) == []
    site.rds.delete_db_subnet_group(DBSubnetGroupName="site")


def test_a_server_in_trouble_is_told(site: Site) -> None:
    site.create()
    name = served(site).id

    def report(trouble: str) -> str:
        site.lab.plane.report(lambda context: bool(context.rds.report(name, trouble)))
        return site.status()

    assert report("storage-full") == "storage-full"
    site.modify(AllocatedStorage=30, ApplyImmediately=True)
    assert report("") == "modifying"
    site.settle()
    assert report("incompatible-parameters") == "incompatible-parameters"
    assert site.rds.describe_events(EventCategories=["failure"], SourceType="db-instance")["Events"]
    modify = site.rds.modify_db_instance
    site.lab.refused("InvalidDBInstanceState", modify, DBInstanceIdentifier="site", BackupRetentionPeriod=9)
    site.rds.reboot_db_instance(DBInstanceIdentifier="site")
    assert site.status() == "rebooting"
    assert report("incompatible-parameters") == "incompatible-parameters"
    site.rds.reboot_db_instance(DBInstanceIdentifier="site")
    site.settle()
    assert site.status() == "available"
