"""The operations of EFS: rules and errors as in the API reference.

https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address
from typing import Any, NoReturn

from groundwork_lab.aws.context import aws_error, refuse
from groundwork_lab.aws.efs.state import AccessPoint, Backend, FileSystem, MountTarget, new_id

Request = Mapping[str, Any]
Members = dict[str, Any]

GROUPS_LIMIT = 5  # security groups of a mount target
POINTS_LIMIT = 10_000  # access points of a file system
TAGS_LIMIT = 50
EMPTY_BYTES = 6144  # an empty file system is metered with 6 KiB
DEPTH = 4  # folders in the path of an access point
DEFAULT_ITEMS = 100
# https://docs.aws.amazon.com/efs/latest/ug/limits.html
ACCOUNT_OF_TARGETS = "amazon-efs"
MODES = {"generalPurpose": {"bursting", "elastic", "provisioned"}, "maxIO": {"bursting", "provisioned"}}


def bad(message: str) -> NoReturn:
    refuse("BadRequest", message)


def _exists(code: str, message: str, member: str, value: str) -> NoReturn:
    """Refuse what exists, and name it in a member of the error."""
    error = aws_error(code, message)
    setattr(error, member, value)
    error.ErrorCode = code  # type: ignore[attr-defined] # a member of each error of EFS
    raise error


# File systems


def create_file_system(backend: Backend, request: Request) -> Members:
    """Create a file system, once for each creation token.

    https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html
    """
    token = request["CreationToken"]
    if not 1 <= len(token) <= 64:
        bad("The creation token must have 1 to 64 characters.")
    for system in backend.file_systems.values():
        if system.token == token:
            message = f"File system '{system.id}' already exists with creation token '{token}'"
            _exists("FileSystemAlreadyExists", message, "FileSystemId", system.id)
    settings = _settings(backend, request)
    tags = checked_tags(request.get("Tags") or [])
    name = new_id("fs")
    system = FileSystem(name, backend.arn("file-system", name), token, settings, tags)
    backend.file_systems[name] = system
    return _told(backend, system)


def _settings(backend: Backend, request: Request) -> Members:
    performance = request.get("PerformanceMode") or "generalPurpose"
    throughput = request.get("ThroughputMode") or "bursting"
    if throughput not in MODES.get(performance, set()):
        bad(f"The throughput mode '{throughput}' is not supported with the performance mode '{performance}'.")
    if request.get("AvailabilityZoneName"):
        refuse("UnsupportedAvailabilityZone", "The lab has no One Zone file systems.")
    if request.get("Backup"):
        bad("The lab has no AWS Backup: Backup must be false.")
    encrypted = bool(request.get("Encrypted"))
    if request.get("KmsKeyId") and not encrypted:
        bad("A KMS key needs Encrypted.")
    key = request.get("KmsKeyId") or f"arn:aws:kms:{backend.region_name}:{backend.account_id}:key/aws/elasticfilesystem"
    settings: Members = {"PerformanceMode": performance, "Encrypted": encrypted}
    if encrypted:
        settings["KmsKeyId"] = key
    return settings | _throughput(throughput, request.get("ProvisionedThroughputInMibps"))


def _throughput(mode: str, provisioned: float | None) -> Members:
    if mode == "provisioned" and not provisioned:
        bad("ProvisionedThroughputInMibps is required with the throughput mode 'provisioned'.")
    if mode != "provisioned" and provisioned:
        bad("ProvisionedThroughputInMibps needs the throughput mode 'provisioned'.")
    return {"ThroughputMode": mode} | ({"ProvisionedThroughputInMibps": provisioned} if provisioned else {})


def _told(backend: Backend, system: FileSystem) -> Members:
    size = {"Value": EMPTY_BYTES, "ValueInIA": 0, "ValueInStandard": EMPTY_BYTES, "ValueInArchive": 0}
    return {
        "OwnerId": backend.account_id,
        "CreationToken": system.token,
        "FileSystemId": system.id,
        "FileSystemArn": system.arn,
        "CreationTime": system.created,
        "LifeCycleState": system.state,
        "NumberOfMountTargets": len(backend.targets_of(system.id)),
        "SizeInBytes": size,
        "Tags": told_tags(system.tags),
        "FileSystemProtection": {"ReplicationOverwriteProtection": system.overwriting},
        **({"Name": system.tags["Name"]} if "Name" in system.tags else {}),
        **system.settings,
    }


def describe_file_systems(backend: Backend, request: Request) -> Members:
    token, name = request.get("CreationToken"), request.get("FileSystemId")
    if token and name:
        bad("You cannot specify both a creation token and a file system ID.")
    systems = [found(backend, name)] if name else list(backend.file_systems.values())
    told = [_told(backend, each) for each in systems if not token or each.token == token]
    return _page(request, "FileSystems", told, "MaxItems", ("Marker", "NextMarker"))


def update_file_system(backend: Backend, request: Request) -> Members:
    system = found(backend, request["FileSystemId"])
    mode = request.get("ThroughputMode") or system.settings["ThroughputMode"]
    if mode not in MODES[system.settings["PerformanceMode"]]:
        bad(f"The throughput mode '{mode}' is not supported with this performance mode.")
    wanted = _throughput(mode, request.get("ProvisionedThroughputInMibps"))
    system.settings = {**system.settings, **wanted}
    if mode != "provisioned":
        system.settings.pop("ProvisionedThroughputInMibps", None)
    return _told(backend, system)


def delete_file_system(backend: Backend, request: Request) -> Members:
    """Delete a file system without mount targets, with its access points. It ends when the data plane has ended it.

    https://docs.aws.amazon.com/efs/latest/ug/API_DeleteFileSystem.html
    """
    system = found(backend, request["FileSystemId"])
    if backend.targets_of(system.id):
        refuse("FileSystemInUse", f"File system '{system.id}' has mount targets.")
    for point in [each for each in backend.points.values() if each.file_system_id == system.id]:
        del backend.points[point.id]
    system.state = "deleting"
    return {}


def found(backend: Backend, name: str) -> FileSystem:
    """Return a file system by its id or ARN. Refuse one that does not exist."""
    system = backend.file_systems.get(name.rsplit("/", 1)[-1])
    if system is None:
        refuse("FileSystemNotFound", f"File system '{name}' does not exist.")
    return system


def _ready(system: FileSystem) -> FileSystem:
    if system.state != "available":
        refuse("IncorrectFileSystemLifeCycleState", f"File system '{system.id}' is not in the state 'available'.")
    return system


def put_lifecycle_configuration(backend: Backend, request: Request) -> Members:
    system = _ready(found(backend, request["FileSystemId"]))
    policies = list(request["LifecyclePolicies"])
    if any(len(policy) != 1 for policy in policies) or len({next(iter(each)) for each in policies}) != len(policies):
        bad("Each lifecycle policy has one transition, and each transition has one policy.")
    system.lifecycle = policies
    return {"LifecyclePolicies": policies}


def describe_lifecycle_configuration(backend: Backend, request: Request) -> Members:
    return {"LifecyclePolicies": found(backend, request["FileSystemId"]).lifecycle}


def describe_file_system_policy(backend: Backend, request: Request) -> Members:
    system = found(backend, request["FileSystemId"])
    refuse("PolicyNotFound", f"File system '{system.id}' has no policy.")


def describe_backup_policy(backend: Backend, request: Request) -> Members:
    found(backend, request["FileSystemId"])
    return {"BackupPolicy": {"Status": "DISABLED"}}


def describe_replication_configurations(backend: Backend, request: Request) -> Members:
    if request.get("FileSystemId"):
        system = found(backend, request["FileSystemId"])
        refuse("ReplicationNotFound", f"File system '{system.id}' has no replication configuration.")
    return {"Replications": []}


# Mount targets


def create_mount_target(backend: Backend, request: Request) -> Members:
    """Create a mount target: a network interface in a subnet, one in each zone, all in one VPC.

    https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html
    """
    system = _ready(found(backend, request["FileSystemId"]))
    if request.get("IpAddressType", "IPV4_ONLY") != "IPV4_ONLY" or request.get("Ipv6Address"):
        bad("The lab has no IPv6.")
    ec2 = backend.context.ec2
    subnet = next((each for each in ec2.describe_subnets() if each.id == request["SubnetId"]), None)
    if subnet is None:
        refuse("SubnetNotFound", f"The subnet ID '{request['SubnetId']}' does not exist")
    for other in backend.targets_of(system.id):
        if other.interface.vpc_id != subnet.vpc_id:
            message = "requested subnet for new mount target is not in the same VPC as existing mount targets"
            refuse("MountTargetConflict", message)
        if other.interface.subnet.availability_zone == subnet.availability_zone:
            refuse("MountTargetConflict", "mount target already exists in this AZ")
    groups = list(dict.fromkeys(request.get("SecurityGroups") or []))
    _check_groups(backend, groups, subnet.vpc_id)
    address = request.get("IpAddress")
    _check_address(ec2, subnet, address)
    name = new_id("fsmt")
    interface = backend.context.create_interface(
        subnet_id=subnet.id,
        group_ids=groups or [ec2.get_default_security_group(subnet.vpc_id).id],
        owner="mount-target",
        owner_id=name,
        public=False,
        description=f"EFS mount target for {system.id} ({name})",
        interface_type="efs",
        requester_id=ACCOUNT_OF_TARGETS,
        address=address,
    )
    target = MountTarget(name, system.id, interface, subnet.availability_zone_id)
    backend.mount_targets[name] = target
    return _told_target(backend, target)


def _check_groups(backend: Backend, groups: list[str], vpc_id: str) -> None:
    if len(groups) > GROUPS_LIMIT:
        refuse("SecurityGroupLimitExceeded", f"A mount target has at most {GROUPS_LIMIT} security groups.")
    for name in groups:
        group = backend.context.ec2.get_security_group_from_id(name)
        if group is None or group.vpc_id != vpc_id:
            refuse("SecurityGroupNotFound", f"The SecurityGroup ID '{name}' does not exist in VPC {vpc_id}.")


def _check_address(ec2: Any, subnet: Any, address: str | None) -> None:
    if not subnet.available_ip_address_count:
        refuse("NoFreeAddressesInSubnet", f"The subnet '{subnet.id}' has no free address.")
    if address is None:
        return
    if IPv4Address(address) not in subnet.cidr:
        bad("Address does not fall within the subnet's address range")
    if any(each.private_ip_address == address and each.subnet.id == subnet.id for each in ec2.enis.values()):
        refuse("IpAddressInUse", f"The address {address} is in use.")


def _told_target(backend: Backend, target: MountTarget) -> Members:
    subnet = target.interface.subnet
    return {
        "OwnerId": backend.account_id,
        "MountTargetId": target.id,
        "FileSystemId": target.file_system_id,
        "SubnetId": subnet.id,
        "LifeCycleState": target.state,
        "IpAddress": target.interface.private_ip_address,
        "NetworkInterfaceId": target.interface.id,
        "AvailabilityZoneId": target.zone_id,
        "AvailabilityZoneName": subnet.availability_zone,
        "VpcId": target.interface.vpc_id,
    }


def describe_mount_targets(backend: Backend, request: Request) -> Members:
    names = ("FileSystemId", "MountTargetId", "AccessPointId")
    given = [name for name in names if request.get(name)]
    if len(given) != 1:
        bad("Exactly one of FileSystemId, MountTargetId and AccessPointId is required.")
    if given == ["MountTargetId"]:
        targets = [_target(backend, request["MountTargetId"])]
    elif given == ["AccessPointId"]:
        targets = backend.targets_of(_point(backend, request["AccessPointId"]).file_system_id)
    else:
        targets = backend.targets_of(found(backend, request["FileSystemId"]).id)
    told = [_told_target(backend, each) for each in targets]
    return _page(request, "MountTargets", told, "MaxItems", ("Marker", "NextMarker"))


def delete_mount_target(backend: Backend, request: Request) -> Members:
    """Begin to delete a mount target. Its zone and its network interface are free when the data plane has ended it.

    https://docs.aws.amazon.com/efs/latest/ug/API_DeleteMountTarget.html
    """
    _target(backend, request["MountTargetId"]).state = "deleting"
    return {}


def describe_mount_target_security_groups(backend: Backend, request: Request) -> Members:
    return {"SecurityGroups": _target(backend, request["MountTargetId"]).groups}


def modify_mount_target_security_groups(backend: Backend, request: Request) -> Members:
    target = _target(backend, request["MountTargetId"])
    groups = list(dict.fromkeys(request.get("SecurityGroups") or []))
    _check_groups(backend, groups, target.interface.vpc_id)
    ec2 = backend.context.ec2
    groups = groups or [ec2.get_default_security_group(target.interface.vpc_id).id]
    target.interface.set_groups([ec2.get_security_group_from_id(each) for each in groups])
    return {}


def _target(backend: Backend, name: str) -> MountTarget:
    target = backend.mount_targets.get(name)
    if target is None:
        refuse("MountTargetNotFound", f"Mount target '{name}' does not exist.")
    return target


# Access points


def create_access_point(backend: Backend, request: Request) -> Members:
    """Create an access point, once for each client token.

    https://docs.aws.amazon.com/efs/latest/ug/API_CreateAccessPoint.html
    """
    system = _ready(found(backend, request["FileSystemId"]))
    for point in backend.points.values():
        if point.token == request["ClientToken"]:
            message = f"Access point '{point.id}' already exists with client token '{point.token}'"
            _exists("AccessPointAlreadyExists", message, "AccessPointId", point.id)
    if sum(each.file_system_id == system.id for each in backend.points.values()) >= POINTS_LIMIT:
        refuse("AccessPointLimitExceeded", "The file system has too many access points.")
    root = dict(request.get("RootDirectory") or {})
    root.setdefault("Path", "/")
    if not root["Path"].startswith("/") or len([part for part in root["Path"].split("/") if part]) > DEPTH:
        bad(f"The path of an access point begins with / and has at most {DEPTH} folders.")
    if "CreationInfo" in root and not re.fullmatch("[0-7]{3,4}", root["CreationInfo"].get("Permissions", "")):
        bad("The permissions of a root directory are an octal number.")
    name = new_id("fsap")
    point = AccessPoint(
        id=name,
        arn=backend.arn("access-point", name),
        token=request["ClientToken"],
        file_system_id=system.id,
        user=request.get("PosixUser"),
        root=root,
        tags=checked_tags(request.get("Tags") or []),
    )
    backend.points[name] = point
    return _told_point(backend, point)


def _told_point(backend: Backend, point: AccessPoint) -> Members:
    return {
        "ClientToken": point.token,
        "AccessPointId": point.id,
        "AccessPointArn": point.arn,
        "FileSystemId": point.file_system_id,
        "RootDirectory": point.root,
        "OwnerId": backend.account_id,
        "LifeCycleState": point.state,
        "Tags": told_tags(point.tags),
        **({"Name": point.tags["Name"]} if "Name" in point.tags else {}),
        **({"PosixUser": point.user} if point.user else {}),
    }


def describe_access_points(backend: Backend, request: Request) -> Members:
    name, system = request.get("AccessPointId"), request.get("FileSystemId")
    if name and system:
        bad("You cannot specify both an access point ID and a file system ID.")
    points: Iterable[AccessPoint] = backend.points.values()
    if name:
        points = [_point(backend, name)]
    elif system:
        wanted = found(backend, system).id
        points = [each for each in points if each.file_system_id == wanted]
    told = [_told_point(backend, each) for each in points]
    return _page(request, "AccessPoints", told, "MaxResults", ("NextToken", "NextToken"))


def delete_access_point(backend: Backend, request: Request) -> Members:
    del backend.points[_point(backend, request["AccessPointId"]).id]
    return {}


def _point(backend: Backend, name: str) -> AccessPoint:
    point = backend.points.get(name.rsplit("/", 1)[-1])
    if point is None:
        refuse("AccessPointNotFound", f"Access point '{name}' does not exist.")
    return point


# Tags


def checked_tags(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of a request as a dictionary. Refuse invalid, duplicate, and too many ones."""
    given = [(tag["Key"], tag.get("Value", "")) for tag in tags]
    if len(dict(given)) < len(given):
        bad("A tag key was specified more than once.")
    for key, value in given:
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:") or len(value) > 256:
            bad(f"The tag '{key}' is not valid.")
    if len(given) > TAGS_LIMIT:
        bad(f"A resource can have a maximum of {TAGS_LIMIT} tags.")
    return dict(given)


def told_tags(tags: Mapping[str, str]) -> list[Members]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _tagged(backend: Backend, name: str) -> FileSystem | AccessPoint:
    return _point(backend, name) if name.rsplit("/", 1)[-1].startswith("fsap-") else found(backend, name)


def tag_resource(backend: Backend, request: Request) -> Members:
    resource = _tagged(backend, request["ResourceId"])
    tags = resource.tags | checked_tags(request["Tags"])
    if len(tags) > TAGS_LIMIT:
        bad(f"A resource can have a maximum of {TAGS_LIMIT} tags.")
    resource.tags.update(tags)
    return {}


def untag_resource(backend: Backend, request: Request) -> Members:
    resource = _tagged(backend, request["ResourceId"])
    for key in request["TagKeys"]:
        resource.tags.pop(key, None)
    return {}


def list_tags_for_resource(backend: Backend, request: Request) -> Members:
    tags = told_tags(_tagged(backend, request["ResourceId"]).tags)
    return _page(request, "Tags", tags, "MaxResults", ("NextToken", "NextToken"))


def _page(request: Request, member: str, told: list[Members], limit: str, markers: tuple[str, str]) -> Members:
    """Return a part of a list. The marker is the place of the next part."""
    asked, following = markers
    marker = str(request.get(asked) or "0")
    if not marker.isdigit() or int(marker) > len(told):
        bad(f"Invalid {asked}")
    size = int(request.get(limit) or DEFAULT_ITEMS)
    end = int(marker) + min(size, DEFAULT_ITEMS)
    answer: Members = {member: told[int(marker) : end]}
    if end < len(told):
        answer[following] = str(end)
    return answer


OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "CreateAccessPoint": create_access_point,
    "CreateFileSystem": create_file_system,
    "CreateMountTarget": create_mount_target,
    "DeleteAccessPoint": delete_access_point,
    "DeleteFileSystem": delete_file_system,
    "DeleteMountTarget": delete_mount_target,
    "DescribeAccessPoints": describe_access_points,
    "DescribeBackupPolicy": describe_backup_policy,
    "DescribeFileSystemPolicy": describe_file_system_policy,
    "DescribeFileSystems": describe_file_systems,
    "DescribeLifecycleConfiguration": describe_lifecycle_configuration,
    "DescribeMountTargetSecurityGroups": describe_mount_target_security_groups,
    "DescribeMountTargets": describe_mount_targets,
    "DescribeReplicationConfigurations": describe_replication_configurations,
    "ListTagsForResource": list_tags_for_resource,
    "ModifyMountTargetSecurityGroups": modify_mount_target_security_groups,
    "PutLifecycleConfiguration": put_lifecycle_configuration,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateFileSystem": update_file_system,
}
