"""EFS as on AWS: boto3 and the control plane on a socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from control_plane import Lab


@dataclass
class Site:
    """A VPC with subnets in three zones and a security group, and EFS' client."""

    lab: Lab
    efs: Any
    vpc: str
    subnets: list[str]
    group: str

    def system(self, name: str = "site", **options: Any) -> str:
        """Create a file system that is available, and return its id."""
        made = self.efs.create_file_system(CreationToken=name, **options)
        self.settle()
        return str(made["FileSystemId"])

    def target(self, system: str, number: int = 0, **options: Any) -> dict[str, Any]:
        request = {"FileSystemId": system, "SubnetId": self.subnets[number], "SecurityGroups": [self.group], **options}
        return dict(self.efs.create_mount_target(**request))

    def settle(self) -> None:
        """Report that the data plane serves everything. Plain moto completes it at once."""
        if type(self.lab.plane).__name__ == "ControlPlane":
            self.lab.plane.reconciled(self.lab.plane.snapshot())


@pytest.fixture
def site(lab: Lab) -> Site:
    vpc = lab.vpc()
    zones = ("a", "b", "c")
    subnets = [
        lab.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-central-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    group = lab.ec2.create_security_group(GroupName="files", Description="files", VpcId=vpc)["GroupId"]
    return Site(lab, lab.client("efs"), vpc, subnets, group)


def test_a_file_system_is_told_with_its_settings(site: Site) -> None:
    made = site.efs.create_file_system(
        CreationToken="site", Encrypted=True, ThroughputMode="elastic", Tags=[{"Key": "Name", "Value": "files"}]
    )
    [told] = site.efs.describe_file_systems(CreationToken="site")["FileSystems"]
    assert told["FileSystemId"] == made["FileSystemId"]
    assert (told["Encrypted"], told["ThroughputMode"], told["PerformanceMode"]) == (True, "elastic", "generalPurpose")
    assert (told["Name"], told["Tags"]) == ("files", [{"Key": "Name", "Value": "files"}])
    assert told["NumberOfMountTargets"] == 0


@pytest.mark.correction("efs:CreateFileSystem", "The error of a second creation names the existing file system.")
def test_a_creation_token_names_one_file_system(site: Site) -> None:
    name = site.system()
    with pytest.raises(site.efs.exceptions.FileSystemAlreadyExists) as caught:
        site.efs.create_file_system(CreationToken="site", Encrypted=True)
    assert caught.value.response["FileSystemId"] == name
    assert caught.value.response["Error"]["Code"] == "FileSystemAlreadyExists"
    assert len(site.efs.describe_file_systems()["FileSystems"]) == 1


@pytest.mark.correction("efs:CreateFileSystem", "An encrypted file system has a KMS key, by default that of EFS.")
def test_an_encrypted_file_system_has_a_key(site: Site) -> None:
    made = site.efs.create_file_system(CreationToken="site", Encrypted=True)
    assert made["KmsKeyId"].startswith("arn:aws:kms:eu-central-1:")


@pytest.mark.correction("efs:CreateFileSystem", "A new file system is not available at once.", data_plane=True)
def test_a_file_system_is_created_before_it_is_available(site: Site) -> None:
    made = site.efs.create_file_system(CreationToken="site")
    assert made["LifeCycleState"] == "creating"
    site.lab.refused(
        "IncorrectFileSystemLifeCycleState",
        site.efs.create_mount_target,
        FileSystemId=made["FileSystemId"],
        SubnetId=site.subnets[0],
    )
    site.settle()
    assert site.efs.describe_file_systems()["FileSystems"][0]["LifeCycleState"] == "available"


@pytest.mark.correction("efs:CreateFileSystem", "Modes that do not fit each other are refused.")
@pytest.mark.parametrize(
    "options",
    [
        {"PerformanceMode": "maxIO", "ThroughputMode": "elastic"},
        {"ThroughputMode": "provisioned"},
        {"ThroughputMode": "bursting", "ProvisionedThroughputInMibps": 10.0},
        {"KmsKeyId": "alias/mine"},
        {"Tags": [{"Key": "aws:mine", "Value": "x"}]},
    ],
)
def test_settings_that_do_not_fit_are_refused(site: Site, options: dict[str, Any]) -> None:
    site.lab.refused("BadRequest", site.efs.create_file_system, CreationToken="site", **options)
    assert site.efs.describe_file_systems()["FileSystems"] == []


@pytest.mark.correction("efs:CreateFileSystem", "Backups and One Zone file systems are refused by the lab.")
def test_what_the_lab_does_not_have_is_refused(site: Site) -> None:
    site.lab.refused("BadRequest", site.efs.create_file_system, CreationToken="site", Backup=True)
    zone = {"AvailabilityZoneName": "eu-central-1a"}
    site.lab.refused("UnsupportedAvailabilityZone", site.efs.create_file_system, CreationToken="site", **zone)


@pytest.mark.correction("efs:PutFileSystemPolicy", "A policy, which the lab would not apply, is refused.")
def test_policies_are_refused(site: Site) -> None:
    system = site.system()
    site.lab.refused("BadRequest", site.efs.put_file_system_policy, FileSystemId=system, Policy="{}")
    site.lab.refused("PolicyNotFound", site.efs.describe_file_system_policy, FileSystemId=system)


@pytest.mark.correction("efs:CreateMountTarget", "Its network interface is managed by EFS, and in use.")
def test_a_mount_target_has_a_managed_interface(site: Site) -> None:
    system = site.system()
    target = site.target(system)
    [interface] = site.lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[target["NetworkInterfaceId"]])[
        "NetworkInterfaces"
    ]
    assert interface["PrivateIpAddress"] == target["IpAddress"]
    assert interface["Description"] == f"EFS mount target for {system} ({target['MountTargetId']})"
    assert [group["GroupId"] for group in interface["Groups"]] == [site.group]
    assert (interface["Status"], interface["RequesterManaged"]) == ("in-use", True)
    delete = site.lab.ec2.delete_network_interface
    site.lab.refused("InvalidParameterValue", delete, NetworkInterfaceId=target["NetworkInterfaceId"])


@pytest.mark.correction("efs:CreateMountTarget", "The data plane serves each mount target.", data_plane=True)
def test_a_mount_target_is_available_when_it_is_served(site: Site) -> None:
    system = site.system()
    target = site.target(system)
    assert target["LifeCycleState"] == "creating"
    [served] = site.lab.plane.snapshot().file_systems[system].mount_targets
    assert (served.id, served.interface_id) == (target["MountTargetId"], target["NetworkInterfaceId"])
    site.settle()
    [told] = site.efs.describe_mount_targets(FileSystemId=system)["MountTargets"]
    assert told["LifeCycleState"] == "available"


def test_each_zone_has_one_mount_target(site: Site) -> None:
    system = site.system()
    first, second = site.target(system), site.target(system, 1)
    assert first["AvailabilityZoneName"] != second["AvailabilityZoneName"]
    site.lab.refused("MountTargetConflict", site.efs.create_mount_target, FileSystemId=system, SubnetId=site.subnets[0])
    other = site.lab.vpc("10.1.0.0/16")
    elsewhere = site.lab.ec2.create_subnet(VpcId=other, CidrBlock="10.1.0.0/24", AvailabilityZone="eu-central-1c")
    where = {"FileSystemId": system, "SubnetId": elsewhere["Subnet"]["SubnetId"]}
    site.lab.refused("MountTargetConflict", site.efs.create_mount_target, **where)


@pytest.mark.correction("efs:CreateMountTarget", "Without security groups it has the default one of the VPC.")
def test_a_mount_target_has_the_default_group(site: Site) -> None:
    target = site.target(site.system(), SecurityGroups=[])
    told = site.efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])["SecurityGroups"]
    found = site.lab.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [site.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )
    assert told == [found["SecurityGroups"][0]["GroupId"]]


@pytest.mark.correction("efs:CreateMountTarget", "A given address is taken, if it is free and in the subnet.")
def test_an_address_can_be_given(site: Site) -> None:
    system = site.system()
    create = site.efs.create_mount_target
    other = site.target(site.system("other"), IpAddress="10.0.0.77")
    assert other["IpAddress"] == "10.0.0.77"
    for code, address in (("IpAddressInUse", "10.0.0.77"), ("BadRequest", "10.0.9.1")):
        site.lab.refused(code, create, FileSystemId=system, SubnetId=site.subnets[0], IpAddress=address)


@pytest.mark.correction("efs:ModifyMountTargetSecurityGroups", "Groups must exist in the VPC, and be at most five.")
def test_security_groups_can_be_changed(site: Site) -> None:
    target = site.target(site.system())
    modify, name = site.efs.modify_mount_target_security_groups, target["MountTargetId"]
    other = site.lab.ec2.create_security_group(GroupName="b", Description="b", VpcId=site.vpc)["GroupId"]
    modify(MountTargetId=name, SecurityGroups=[other])
    [interface] = site.lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[target["NetworkInterfaceId"]])[
        "NetworkInterfaces"
    ]
    assert [group["GroupId"] for group in interface["Groups"]] == [other]
    foreign = site.lab.ec2.create_security_group(GroupName="c", Description="c", VpcId=site.lab.vpc("10.1.0.0/16"))
    site.lab.refused("SecurityGroupNotFound", modify, MountTargetId=name, SecurityGroups=[foreign["GroupId"]])
    many = [f"sg-{number:017x}" for number in range(6)]
    site.lab.refused("SecurityGroupLimitExceeded", modify, MountTargetId=name, SecurityGroups=many)


def test_mount_targets_are_deleted_before_the_file_system(site: Site) -> None:
    system = site.system()
    target = site.target(system)
    site.lab.refused("FileSystemInUse", site.efs.delete_file_system, FileSystemId=system)
    site.efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    site.settle()
    assert site.efs.describe_mount_targets(FileSystemId=system)["MountTargets"] == []
    site.efs.delete_file_system(FileSystemId=system)
    site.settle()
    site.lab.refused("FileSystemNotFound", site.efs.describe_file_systems, FileSystemId=system)
    site.lab.refused("MountTargetNotFound", site.efs.delete_mount_target, MountTargetId=target["MountTargetId"])


@pytest.mark.correction("efs:DeleteMountTarget", "Its network interface is deleted with it.")
def test_a_deleted_mount_target_frees_its_subnet(site: Site) -> None:
    target = site.target(site.system())
    site.lab.refused("DependencyViolation", site.lab.ec2.delete_subnet, SubnetId=site.subnets[0])
    site.lab.refused("DependencyViolation", site.lab.ec2.delete_security_group, GroupId=site.group)
    site.efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    site.settle()
    site.lab.ec2.delete_subnet(SubnetId=site.subnets[0])
    site.lab.ec2.delete_security_group(GroupId=site.group)


@pytest.mark.correction("efs:DeleteMountTarget", "It keeps its zone until it is deleted.", data_plane=True)
def test_a_mount_target_is_deleted_after_a_while(site: Site) -> None:
    system = site.system()
    target = site.target(system)
    site.settle()
    site.efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    [told] = site.efs.describe_mount_targets(FileSystemId=system)["MountTargets"]
    assert told["LifeCycleState"] == "deleting"
    request = {"FileSystemId": system, "SubnetId": site.subnets[0]}
    site.lab.refused("MountTargetConflict", site.efs.create_mount_target, **request)
    site.settle()
    assert site.efs.create_mount_target(**request)["LifeCycleState"] == "creating"


@pytest.mark.correction("efs:DeleteFileSystem", "It keeps its creation token until it is deleted.", data_plane=True)
def test_a_file_system_is_deleted_after_a_while(site: Site) -> None:
    system = site.system("site")
    site.efs.delete_file_system(FileSystemId=system)
    assert site.efs.describe_file_systems()["FileSystems"][0]["LifeCycleState"] == "deleting"
    site.lab.refused("FileSystemAlreadyExists", site.efs.create_file_system, CreationToken="site")
    site.settle()
    assert site.efs.create_file_system(CreationToken="site")["FileSystemId"] != system


@pytest.mark.correction("efs:CreateAccessPoint", "A client token names one access point; paths are checked.")
def test_an_access_point_is_created_once(site: Site) -> None:
    system = site.system()
    root = {"Path": "/site", "CreationInfo": {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "0750"}}
    request = {"FileSystemId": system, "ClientToken": "one", "PosixUser": {"Uid": 1000, "Gid": 1000}}
    point = site.efs.create_access_point(**request, RootDirectory=root)
    assert (point["RootDirectory"], point["PosixUser"]) == (root, {"Uid": 1000, "Gid": 1000})
    with pytest.raises(site.efs.exceptions.AccessPointAlreadyExists) as caught:
        site.efs.create_access_point(**request)
    assert caught.value.response["AccessPointId"] == point["AccessPointId"]
    deep = {"RootDirectory": {"Path": "/a/b/c/d/e"}}
    site.lab.refused("BadRequest", site.efs.create_access_point, FileSystemId=system, ClientToken="two", **deep)
    site.efs.delete_access_point(AccessPointId=point["AccessPointId"])
    site.lab.refused("AccessPointNotFound", site.efs.delete_access_point, AccessPointId=point["AccessPointId"])


@pytest.mark.correction("efs:DeleteFileSystem", "Its access points are deleted with it.")
def test_access_points_end_with_the_file_system(site: Site) -> None:
    system = site.system()
    site.efs.create_access_point(FileSystemId=system, ClientToken="one")
    site.efs.delete_file_system(FileSystemId=system)
    assert site.efs.describe_access_points()["AccessPoints"] == []


@pytest.mark.correction("efs:TagResource", "Only resources that exist have tags.")
def test_tags_are_those_of_a_resource(site: Site) -> None:
    system = site.system(Tags=[{"Key": "a", "Value": "1"}])
    site.efs.tag_resource(ResourceId=system, Tags=[{"Key": "b", "Value": "2"}])
    site.efs.untag_resource(ResourceId=system, TagKeys=["a"])
    assert site.efs.list_tags_for_resource(ResourceId=system)["Tags"] == [{"Key": "b", "Value": "2"}]
    missing = "fs-0123456789abcdef0"
    site.lab.refused("FileSystemNotFound", site.efs.tag_resource, ResourceId=missing, Tags=[])


def test_tagged_file_systems_are_found(site: Site) -> None:
    site.system(Tags=[{"Key": "environment", "Value": "prod"}])
    site.system("other")
    tagging = site.lab.client("resourcegroupstaggingapi")
    found = tagging.get_resources(TagFilters=[{"Key": "environment", "Values": ["prod"]}])
    assert [":file-system/fs-" in each["ResourceARN"] for each in found["ResourceTagMappingList"]] == [True]


@pytest.mark.correction("efs:DescribeAccessPoints", "Long lists are paged.")
def test_lists_are_paged(site: Site) -> None:
    system = site.system()
    for number in range(5):
        site.efs.create_access_point(FileSystemId=system, ClientToken=str(number))
        site.system(f"site-{number}")
    first = site.efs.describe_access_points(FileSystemId=system, MaxResults=2)
    assert len(first["AccessPoints"]) == 2
    pages = site.efs.get_paginator("describe_access_points").paginate(PaginationConfig={"PageSize": 2})
    assert [each["ClientToken"] for page in pages for each in page["AccessPoints"]] == list("01234")
    systems = site.efs.get_paginator("describe_file_systems").paginate(PaginationConfig={"PageSize": 4})
    assert len({each["FileSystemId"] for page in systems for each in page["FileSystems"]}) == 6


@pytest.mark.correction("efs:UpdateFileSystem", "The throughput mode can be changed.")
def test_the_throughput_mode_can_be_changed(site: Site) -> None:
    system = site.system()
    told = site.efs.update_file_system(
        FileSystemId=system, ThroughputMode="provisioned", ProvisionedThroughputInMibps=5
    )
    assert (told["ThroughputMode"], told["ProvisionedThroughputInMibps"]) == ("provisioned", 5)
    told = site.efs.update_file_system(FileSystemId=system, ThroughputMode="elastic")
    assert told["ThroughputMode"] == "elastic"
    assert "ProvisionedThroughputInMibps" not in told
