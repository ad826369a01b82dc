"""DB instances as on AWS: boto3 and the control plane on a socket."""

from __future__ import annotations

from typing import Any

import pytest
from rds_site import Site

from groundwork_lab.model import Database


def served(site: Site) -> Database:
    [database] = site.lab.plane.snapshot().databases.values()
    return database


@pytest.mark.correction("rds:CreateDBInstance", "A DB instance is available after its first backup.", data_plane=True)
def test_a_db_instance_is_created_in_steps(site: Site) -> None:
    made = site.rds.create_db_instance(**site.request(DBName="shop", Tags=[{"Key": "environment", "Value": "dev"}]))
    told = made["DBInstance"]
    assert (told["DBInstanceStatus"], "Endpoint" in told, "InstanceCreateTime" in told) == ("creating", False, False)
    assert (told["DBName"], told["MasterUsername"], told["StorageType"]) == ("shop", "admin", "gp2")
    assert "MasterUserPassword" not in str(made)
    assert told["TagList"] == [{"Key": "environment", "Value": "dev"}]
    changes = len(site.lab.changes)
    site.lab.plane.reconciled(site.lab.plane.snapshot())
    assert site.status() == "backing-up"
    assert len(site.lab.changes) > changes  # the data plane has to take the backup
    site.lab.plane.reconciled(site.lab.plane.snapshot())
    told = site.told()
    assert told["DBInstanceStatus"] == "available"
    assert told["Endpoint"]["Address"].startswith("site.")
    assert told["Endpoint"]["Address"].endswith(".eu-central-1.rds.amazonaws.com")
    assert told["LatestRestorableTime"] >= told["InstanceCreateTime"]
    [backup] = site.rds.describe_db_snapshots(DBInstanceIdentifier="site", SnapshotType="automated")["DBSnapshots"]
    assert backup["DBSnapshotIdentifier"].startswith("rds:site-")


def test_the_data_plane_gets_what_it_has_to_serve(site: Site) -> None:
    told = site.create(DBName="shop", Port=3307, BackupRetentionPeriod=0)
    database = served(site)
    assert (database.endpoint, database.port) == (told["Endpoint"]["Address"], told["Endpoint"]["Port"])
    assert (database.user, database.password, database.schema) == ("admin", "correct-horse", "shop")
    assert (database.gib, database.stopped, database.logged) == (20, False, False)
    assert database.parameters["max_connections"] == "42"
    assert database.password not in repr(database)


@pytest.mark.correction("rds:CreateDBInstance", "Its network interface is managed by RDS, and keeps the subnet.")
def test_its_interface_is_managed_by_rds(site: Site) -> None:
    site.create()
    interfaces = site.lab.ec2.describe_network_interfaces(
        Filters=[{"Name": "description", "Values": ["RDSNetworkInterface"]}]
    )["NetworkInterfaces"]
    [interface] = interfaces
    assert interface["RequesterManaged"]
    assert [each["GroupId"] for each in interface["Groups"]] == [site.group]
    assert interface["SubnetId"] in site.subnets[:2]
    site.lab.refused("DependencyViolation", site.lab.ec2.delete_subnet, SubnetId=interface["SubnetId"])
    site.lab.refused("DependencyViolation", site.lab.ec2.delete_security_group, GroupId=site.group)


@pytest.mark.correction("rds:CreateDBInstance", "Values that are not valid, or do not fit each other, are refused.")
@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("InvalidParameterValue", {"DBInstanceIdentifier": "1site"}),
        ("InvalidParameterValue", {"DBInstanceIdentifier": "si--te"}),
        ("InvalidParameterValue", {"DBInstanceIdentifier": "site-"}),
        ("InvalidParameterValue", {"DBInstanceIdentifier": "s" * 64}),
        ("InvalidParameterValue", {"MasterUsername": "rdsadmin"}),
        ("InvalidParameterValue", {"MasterUsername": "a" * 17}),
        ("InvalidParameterValue", {"MasterUsername": None}),
        ("InvalidParameterValue", {"MasterUserPassword": "short"}),
        ("InvalidParameterValue", {"MasterUserPassword": "x" * 42}),
        ("InvalidParameterValue", {"MasterUserPassword": "with@at-sign"}),
        ("InvalidParameterValue", {"MasterUserPassword": "with a space"}),
        ("InvalidParameterValue", {"DBName": "my-shop"}),
        ("InvalidParameterValue", {"DBName": "mysql"}),
        ("InvalidParameterValue", {"DBInstanceClass": "db.t9.micro"}),
        ("InvalidParameterValue", {"AllocatedStorage": 10}),
        ("InvalidParameterValue", {"AllocatedStorage": 70000}),
        ("InvalidParameterValue", {"StorageType": "gp9"}),
        ("InvalidParameterCombination", {"StorageType": "gp3", "Iops": 3000}),
        ("InvalidParameterCombination", {"StorageType": "io1", "AllocatedStorage": 100}),
        ("InvalidParameterCombination", {"MaxAllocatedStorage": 21}),
        ("InvalidParameterValue", {"Port": 1000}),
        ("InvalidParameterValue", {"BackupRetentionPeriod": 36}),
        ("InvalidParameterValue", {"PreferredBackupWindow": "02:00-02:10"}),
        ("InvalidParameterValue", {"PreferredMaintenanceWindow": "Sun:02:00"}),
        (
            "InvalidParameterValue",
            {"PreferredBackupWindow": "02:00-03:00", "PreferredMaintenanceWindow": "Sun:02:30-Sun:03:30"},
        ),
        ("InvalidParameterCombination", {"EngineVersion": "10.6.1"}),
        ("InvalidParameterValue", {"Engine": "postgres"}),
        ("InvalidParameterValue", {"Engine": "aurora-mysql"}),
        ("InvalidParameterCombination", {"KmsKeyId": "mine"}),
        ("InvalidParameterCombination", {"PubliclyAccessible": True}),
        ("InvalidParameterCombination", {"ManageMasterUserPassword": True}),
        ("InvalidParameterCombination", {"EnablePerformanceInsights": True}),
        ("InvalidParameterValue", {"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}),
        ("DBSubnetGroupNotFoundFault", {"DBSubnetGroupName": "other"}),
        ("DBParameterGroupNotFound", {"DBParameterGroupName": "other"}),
        ("OptionGroupNotFoundFault", {"OptionGroupName": "other"}),
        ("InvalidVPCNetworkStateFault", {"AvailabilityZone": "eu-central-1c"}),
        ("CertificateNotFound", {"CACertificateIdentifier": "rds-ca-2019"}),
        ("InvalidParameterValue", {"Tags": [{"Key": "aws:mine", "Value": "x"}]}),
    ],
)
def test_what_is_not_valid_is_refused(site: Site, code: str, options: dict[str, Any]) -> None:
    site.refused(code, **options)
    assert site.rds.describe_db_instances()["DBInstances"] == []


def test_security_groups_are_those_of_the_vpc(site: Site) -> None:
    other = site.lab.group(site.lab.vpc("10.1.0.0/16"))
    assert "different VPCs" in site.refused("InvalidParameterCombination", VpcSecurityGroupIds=[other])
    told = site.create(VpcSecurityGroupIds=None)
    [default] = site.lab.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [site.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    assert told["VpcSecurityGroups"] == [{"VpcSecurityGroupId": default["GroupId"], "Status": "active"}]


def test_a_zone_can_be_selected(site: Site) -> None:
    assert site.create(AvailabilityZone="eu-central-1b")["AvailabilityZone"] == "eu-central-1b"


def test_an_identifier_is_unique_and_in_lower_case(site: Site) -> None:
    assert site.create(DBInstanceIdentifier="Site")["DBInstanceIdentifier"] == "site"
    assert site.refused("DBInstanceAlreadyExists", DBInstanceIdentifier="SITE") == "DB instance already exists"
    describe = site.rds.describe_db_instances
    assert site.lab.refused("DBInstanceNotFound", describe, DBInstanceIdentifier="x") == "DBInstance x not found."


def test_a_major_version_means_its_newest_minor_version(site: Site) -> None:
    [offered] = site.rds.describe_db_engine_versions(Engine="mariadb")["DBEngineVersions"]
    assert site.create(EngineVersion="10.11")["EngineVersion"] == offered["EngineVersion"]
    assert offered["DBParameterGroupFamily"] == "mariadb10.11"


def test_the_storage_of_a_request_for_iops(site: Site) -> None:
    told = site.create(StorageType="gp3", AllocatedStorage=400, Iops=12000, StorageThroughput=500)
    assert (told["StorageType"], told["Iops"], told["StorageThroughput"]) == ("gp3", 12000, 500)


# Changes


def test_a_password_is_changed_at_once(site: Site) -> None:
    site.create()
    answer = site.modify(MasterUserPassword="another-horse")
    assert answer["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    assert site.status() == "modifying"
    assert served(site).password == "another-horse"
    site.settle()
    told = site.told()
    assert (told["DBInstanceStatus"], told["PendingModifiedValues"]) == ("available", {})


@pytest.mark.correction(
    "rds:ModifyDBInstance", "Settings wait for the maintenance window without ApplyImmediately.", data_plane=True
)
def test_what_waits_for_the_maintenance_window_is_pending(site: Site) -> None:
    site.create()
    site.modify(AllocatedStorage=30, DBInstanceClass="db.t3.small")
    told = site.told()
    assert told["PendingModifiedValues"] == {"AllocatedStorage": 30, "DBInstanceClass": "db.t3.small"}
    assert (told["AllocatedStorage"], told["DBInstanceStatus"]) == (20, "available")
    before = served(site)
    site.modify(ApplyImmediately=True)
    site.settle()
    told = site.told()
    assert (told["AllocatedStorage"], told["DBInstanceClass"]) == (30, "db.t3.small")
    assert told["PendingModifiedValues"] == {}
    after = served(site)
    assert (after.gib, after.boots - before.boots) == (30, 1)
    assert after.parameters["max_connections"] == "85"


def test_a_storage_grows_by_a_tenth_and_never_shrinks(site: Site) -> None:
    site.create(AllocatedStorage=100)
    modify = site.rds.modify_db_instance
    site.lab.refused("InvalidParameterCombination", modify, DBInstanceIdentifier="site", AllocatedStorage=50)
    site.modify(AllocatedStorage=101, ApplyImmediately=True)
    site.settle()
    assert site.told()["AllocatedStorage"] == 110


@pytest.mark.correction("rds:ModifyDBInstance", "Storage with IOPS grows together with them.")
def test_storage_with_iops_grows_together_with_them(site: Site) -> None:
    small = site.create(StorageType="gp3", AllocatedStorage=20)
    assert (small["Iops"], small["StorageThroughput"]) == (3000, 125)
    modify = site.rds.modify_db_instance
    less = {"DBInstanceIdentifier": "site", "ApplyImmediately": True}
    site.lab.refused("InvalidParameterCombination", modify, **less, AllocatedStorage=100, Iops=3000)
    site.modify(AllocatedStorage=400, ApplyImmediately=True)
    site.settle()
    assert (site.told()["Iops"], site.told()["StorageThroughput"]) == (12000, 500)
    message = site.lab.refused("InvalidParameterCombination", modify, **less, AllocatedStorage=500)
    assert message.startswith("You must specify both the storage size and iops")
    site.lab.refused("InvalidParameterValue", modify, **less, AllocatedStorage=500, Iops=3000)
    site.modify(AllocatedStorage=500, Iops=12000, ApplyImmediately=True)
    site.settle()
    assert (site.told()["AllocatedStorage"], site.told()["PendingModifiedValues"]) == (500, {})


def test_only_an_available_instance_is_changed(site: Site) -> None:
    site.rds.create_db_instance(**site.request())
    modify = site.rds.modify_db_instance
    message = site.lab.refused("InvalidDBInstanceState", modify, DBInstanceIdentifier="site", AllocatedStorage=30)
    assert message == "Database instance is not in available state."
    assert site.modify(DeletionProtection=True)["DeletionProtection"]


def test_security_groups_are_changed(site: Site) -> None:
    site.create()
    other = site.lab.group(site.vpc, "other")
    site.modify(VpcSecurityGroupIds=[other])
    [group] = site.told()["VpcSecurityGroups"]
    assert group["VpcSecurityGroupId"] == other
    site.lab.ec2.delete_security_group(GroupId=site.group)


def test_an_instance_is_renamed(site: Site) -> None:
    before = site.create()
    site.modify(NewDBInstanceIdentifier="shop", ApplyImmediately=True)
    site.settle()
    told = site.told("shop")
    assert told["DBInstanceStatus"] == "available"
    assert told["Endpoint"]["Address"] == before["Endpoint"]["Address"].replace("site.", "shop.")
    assert told["DbiResourceId"] == before["DbiResourceId"]
    site.lab.refused("DBInstanceNotFound", site.rds.describe_db_instances, DBInstanceIdentifier="site")


def test_backups_begin_and_end_with_their_retention(site: Site) -> None:
    site.create(BackupRetentionPeriod=0)
    assert "LatestRestorableTime" not in site.told()
    site.modify(BackupRetentionPeriod=7, ApplyImmediately=True)
    site.settle()
    assert (site.told()["BackupRetentionPeriod"], "LatestRestorableTime" in site.told()) == (7, True)
    site.modify(BackupRetentionPeriod=0, ApplyImmediately=True)
    site.settle()
    assert site.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"] == []
    assert "LatestRestorableTime" not in site.told()


def test_a_subnet_group_of_the_same_vpc_is_refused(site: Site) -> None:
    site.create()
    modify = site.rds.modify_db_instance
    message = site.lab.refused(
        "InvalidVPCNetworkStateFault", modify, DBInstanceIdentifier="site", DBSubnetGroupName="site"
    )
    assert "already in the target" in message


# States


def test_a_reboot_applies_what_waits_for_it(site: Site) -> None:
    site.create()
    before = served(site).boots
    assert site.rds.reboot_db_instance(DBInstanceIdentifier="site")["DBInstance"]["DBInstanceStatus"] == "rebooting"
    assert served(site).boots == before + 1
    site.settle()
    assert site.status() == "available"
    reboot = site.rds.reboot_db_instance
    site.lab.refused("InvalidParameterCombination", reboot, DBInstanceIdentifier="site", ForceFailover=True)


def test_an_instance_is_stopped_and_started(site: Site) -> None:
    site.create()
    site.lab.refused("InvalidDBInstanceState", site.rds.start_db_instance, DBInstanceIdentifier="site")
    stopped = site.rds.stop_db_instance(DBInstanceIdentifier="site")["DBInstance"]
    assert stopped["DBInstanceStatus"] == "stopping"
    assert served(site).stopped
    site.settle()
    assert site.status() == "stopped"
    for call in (site.rds.stop_db_instance, site.rds.reboot_db_instance):
        site.lab.refused("InvalidDBInstanceState", call, DBInstanceIdentifier="site")
    site.rds.start_db_instance(DBInstanceIdentifier="site")
    assert site.status() == "starting"
    site.settle()
    assert (site.status(), served(site).stopped) == ("available", False)


@pytest.mark.correction("rds:DeleteDBInstance", "A final snapshot is taken, or skipped explicitly.")
def test_deletion_needs_a_decision_about_the_final_snapshot(site: Site) -> None:
    site.create(DeletionProtection=True)
    delete = site.rds.delete_db_instance
    protected = site.lab.refused(
        "InvalidParameterCombination", delete, DBInstanceIdentifier="site", SkipFinalSnapshot=True
    )
    assert "disable deletion protection" in protected
    site.modify(DeletionProtection=False)
    site.lab.refused("InvalidParameterCombination", delete, DBInstanceIdentifier="site")
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"}
    site.lab.refused("InvalidParameterCombination", delete, DBInstanceIdentifier="site", **both)
    assert site.status() == "available"


def test_a_deleted_instance_frees_its_subnet(site: Site) -> None:
    site.create()
    told = site.rds.delete_db_instance(DBInstanceIdentifier="site", SkipFinalSnapshot=True)["DBInstance"]
    assert told["DBInstanceStatus"] == "deleting"
    delete = site.rds.delete_db_instance
    site.lab.refused("InvalidDBInstanceState", delete, DBInstanceIdentifier="site", SkipFinalSnapshot=True)
    site.settle()
    site.lab.refused("DBInstanceNotFound", site.rds.describe_db_instances, DBInstanceIdentifier="site")
    assert site.rds.describe_db_snapshots()["DBSnapshots"] == []
    site.rds.delete_db_subnet_group(DBSubnetGroupName="site")
    for subnet in site.subnets:
        site.lab.ec2.delete_subnet(SubnetId=subnet)


def test_the_final_snapshot_outlives_the_instance(site: Site) -> None:
    site.create()
    site.rds.delete_db_instance(DBInstanceIdentifier="site", FinalDBSnapshotIdentifier="Last")
    assert served(site).name == "site"  # until the snapshot is taken
    site.settle()
    [left] = site.rds.describe_db_snapshots()["DBSnapshots"]
    assert (left["DBSnapshotIdentifier"], left["Status"], left["SnapshotType"]) == ("last", "available", "manual")
    assert site.rds.describe_db_instances()["DBInstances"] == []


# What else is told


def test_filters_and_pages(site: Site) -> None:
    for number in range(21):
        site.rds.create_db_instance(**site.request(DBInstanceIdentifier=f"site-{number:02}"))
    first = site.rds.describe_db_instances(MaxRecords=20)
    assert (len(first["DBInstances"]), "Marker" in first) == (20, True)
    [last] = site.rds.describe_db_instances(Marker=first["Marker"])["DBInstances"]
    assert last["DBInstanceIdentifier"] == "site-20"
    site.lab.refused("InvalidParameterValue", site.rds.describe_db_instances, MaxRecords=5)
    by = site.rds.describe_db_instances(Filters=[{"Name": "db-instance-id", "Values": ["site-03"]}])["DBInstances"]
    assert [each["DBInstanceIdentifier"] for each in by] == ["site-03"]


def test_events_tell_what_happened(site: Site) -> None:
    site.create()
    events = site.rds.describe_events(SourceIdentifier="site", SourceType="db-instance")["Events"]
    assert [each["Message"] for each in events] == [
        "DB instance created",
        "Backing up DB instance",
        "Finished DB Instance backup",
    ]


def test_tags_are_found_by_the_tagging_api(site: Site) -> None:
    arn = site.create()["DBInstanceArn"]
    site.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "environment", "Value": "prod"}])
    assert site.rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "environment", "Value": "prod"}]
    tagging = site.lab.client("resourcegroupstaggingapi")
    found = tagging.get_resources(
        TagFilters=[{"Key": "environment", "Values": ["prod"]}], ResourceTypeFilters=["rds:db"]
    )
    assert [each["ResourceARN"] for each in found["ResourceTagMappingList"]] == [arn]
    site.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["environment"])
    assert site.told()["TagList"] == []
    missing = arn.replace(":site", ":other")
    site.lab.refused("DBInstanceNotFound", site.rds.list_tags_for_resource, ResourceName=missing)


def test_what_rds_offers(site: Site) -> None:
    assert site.rds.describe_db_engine_versions(Engine="mariadb", EngineVersion="10.6")["DBEngineVersions"] == []
    options = site.rds.describe_orderable_db_instance_options(Engine="mariadb", DBInstanceClass="db.t4g.micro")
    assert {each["StorageType"] for each in options["OrderableDBInstanceOptions"]} >= {"gp2", "gp3"}
    site.lab.refused("InvalidParameterValue", site.rds.describe_orderable_db_instance_options, Engine="postgres")
    names = {each["CertificateIdentifier"] for each in site.rds.describe_certificates()["Certificates"]}
    assert "rds-ca-rsa2048-g1" in names
    assert site.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []


def test_what_the_lab_does_not_have_is_refused(site: Site) -> None:
    site.create()
    replica = {"DBInstanceIdentifier": "copy", "SourceDBInstanceIdentifier": "site"}
    site.lab.refused("UnsupportedOperation", site.rds.create_db_instance_read_replica, **replica)
    cluster = {"DBClusterIdentifier": "site", "Engine": "aurora-mysql"}
    site.lab.refused("UnsupportedOperation", site.rds.create_db_cluster, **cluster)
