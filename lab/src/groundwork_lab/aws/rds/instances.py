"""DB instances: rules and errors as in the API reference.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.rds import catalog, checks, groups, refused
from groundwork_lab.aws.rds.checks import Members, Request, combination, invalid
from groundwork_lab.aws.rds.state import UNFIT, Backend, Instance, Snapshot, SubnetGroup, new_resource_id
from groundwork_lab.model import DatabaseOrigin

ACCOUNT_OF_INTERFACES = "amazon-rds"
INSTANCES_LIMIT = 40
STOPPED_FOR = timedelta(days=7)  # then RDS starts it again
SERVING = ("available", "storage-full")
REBOOTABLE = (*SERVING, UNFIT)
ENDPOINT_ZONE = "Z1RLNUO7B9Q6NB"  # HostedZoneId of the endpoints in eu-central-1
GROWTH = 110  # per cent of the allocated storage before, which the new one has at least
LAG = timedelta(seconds=1)  # LatestRestorableTime is a whole second that has passed
DEFAULT_PORT = 3306


# Creation


def create_db_instance(backend: Backend, request: Request) -> Members:
    """Create a DB instance. It is available when the data plane serves it and has taken its first backup.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
    """
    catalog.check_engine(request["Engine"])
    refused.check(request)
    for member in ("MasterUsername", "MasterUserPassword", "AllocatedStorage"):
        if request.get(member) is None:
            invalid(f"The parameter {member} must be provided and must not be blank.")
    kind = request.get("StorageType") or ("io1" if request.get("Iops") else "gp2")
    settings = {
        "DBInstanceClass": catalog.check_class(request["DBInstanceClass"]),
        "AllocatedStorage": request["AllocatedStorage"],
        "StorageType": kind,
        "EngineVersion": catalog.version_of(backend.context, request.get("EngineVersion")),
        "MasterUsername": checks.user(request["MasterUsername"]),
        "Port": checks.port(request.get("Port") or DEFAULT_PORT),
        "BackupRetentionPeriod": request.get("BackupRetentionPeriod", 1),
        **_encryption(backend, request),
        **_given(request, "PreferredBackupWindow", "PreferredMaintenanceWindow", "Iops", "StorageThroughput"),
        **_given(request, "MaxAllocatedStorage", "CACertificateIdentifier"),
    }
    if request.get("DBName"):
        settings["DBName"] = checks.schema(request["DBName"])
    password = checks.password(request["MasterUserPassword"])
    instance = build(backend, request, request["DBInstanceIdentifier"], settings, password)
    return {"DBInstance": told(backend, instance)}


def _given(request: Request, *names: str) -> Members:
    return {name: request[name] for name in names if request.get(name) is not None}


def _encryption(backend: Backend, request: Request) -> Members:
    encrypted = bool(request.get("StorageEncrypted"))
    if request.get("KmsKeyId") and not encrypted:
        combination("KmsKeyId can only be specified when StorageEncrypted is true.")
    if not encrypted:
        return {"StorageEncrypted": False}
    key = str(request.get("KmsKeyId") or "alias/aws/rds")
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{backend.region_name}:{backend.account_id}:key/{key}"
    return {"StorageEncrypted": True, "KmsKeyId": arn}


def build(
    backend: Backend,
    request: Request,
    name: str,
    settings: Members,
    password: str,
    *,
    origin: DatabaseOrigin | None = None,
    tags: Mapping[str, str] | None = None,
) -> Instance:
    """Add a DB instance with these settings, which the request completes. `tags` are its tags if that has none."""
    identifier = checks.identifier("DBInstanceIdentifier", name)
    if identifier in backend.instances:
        refuse("DBInstanceAlreadyExists", "DB instance already exists")
    if len(backend.instances) >= INSTANCES_LIMIT:
        refuse("InstanceQuotaExceeded", f"You have reached your limit of {INSTANCES_LIMIT} DB instances.")
    settings = _with_windows(identifier, settings) | {
        "AutoMinorVersionUpgrade": request.get("AutoMinorVersionUpgrade", True),
        "CopyTagsToSnapshot": request.get("CopyTagsToSnapshot", settings.get("CopyTagsToSnapshot", False)),
        "DeletionProtection": request.get("DeletionProtection", False),
        "MultiAZ": bool(request.get("MultiAZ")),
    }
    settings.setdefault("CACertificateIdentifier", catalog.CERTIFICATE)
    check_settings(settings)
    _check_option_group(request, settings["EngineVersion"])
    given = request.get("Tags")
    own = checks.tags(given) if given is not None else dict(tags or {})
    parameter_group = groups.fits(backend, request.get("DBParameterGroupName"), settings["EngineVersion"])
    subnets = _subnet_group(backend, request)
    if settings["MultiAZ"] and request.get("AvailabilityZone"):
        combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    subnet = _subnet(backend, subnets, request.get("AvailabilityZone"))
    instance = Instance(
        identifier=identifier,
        resource_id=new_resource_id(),
        arn=backend.arn("db", identifier),
        settings=settings,
        password=password,
        parameter_group=parameter_group,
        subnet_group=subnets.name,
        interface=None,
        parameters={},
        tags=own,
        origin=origin,
        following=["backing-up", "available"] if settings["BackupRetentionPeriod"] else ["available"],
    )
    security = _security_groups(backend, request.get("VpcSecurityGroupIds") or [], subnets.vpc_id)
    instance.interface = _interface(backend, subnet.id, security, instance.resource_id)
    if settings["MultiAZ"]:
        add_standby(backend, instance)
    instance.parameters = groups.effective(backend, instance)
    backend.instances[identifier] = instance
    return instance


def _with_windows(identifier: str, settings: Members) -> Members:
    """Return the settings with default windows of 30 minutes, as RDS selects them at random.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupWindow.html
    """
    random = hashlib.sha256(identifier.encode()).digest()
    hour, minute = 20 + random[0] % 4, random[1] % 30
    windows = {
        "PreferredBackupWindow": f"{hour}:{minute:02}-{hour}:{minute + 30:02}",
        "PreferredMaintenanceWindow": "{0}:0{1}:{2:02}-{0}:0{1}:{3:02}".format(
            checks.DAYS[random[2] % 7], random[3] % 4, minute % 20, minute % 20 + 30
        ),
    }
    return {**windows, **settings}


def check_settings(settings: Members) -> None:
    """Refuse settings that are not valid, or do not fit each other."""
    kind, gib = settings["StorageType"], settings["AllocatedStorage"]
    checks.storage(kind, gib)
    checks.performance(kind, gib, settings.get("Iops"), settings.get("StorageThroughput"))
    checks.retention(settings["BackupRetentionPeriod"])
    settings["PreferredBackupWindow"] = checks.backup_window(settings["PreferredBackupWindow"])
    settings["PreferredMaintenanceWindow"] = checks.maintenance_window(settings["PreferredMaintenanceWindow"])
    checks.apart(settings["PreferredBackupWindow"], settings["PreferredMaintenanceWindow"])
    if "MaxAllocatedStorage" in settings and settings["MaxAllocatedStorage"] != gib:
        checks.ceiling(settings["MaxAllocatedStorage"], gib)
    if settings["CACertificateIdentifier"] not in catalog.CERTIFICATES:
        refuse("CertificateNotFound", f"Certificate not found: {settings['CACertificateIdentifier']}")


def _check_option_group(request: Request, version: str) -> None:
    name = request.get("OptionGroupName")
    if name and name != catalog.option_group(version):
        refuse("OptionGroupNotFoundFault", f"Specified OptionGroupName: {name} not found.")


def _subnet_group(backend: Backend, request: Request) -> SubnetGroup:
    name = request.get("DBSubnetGroupName")
    return groups.subnet_group(backend, name) if name else groups.default_subnet_group(backend)


def add_standby(backend: Backend, instance: Instance) -> None:
    """Give the instance a network interface for a standby, in another zone than that of the primary."""
    group = backend.subnet_groups[instance.subnet_group]
    subnet = _subnet(backend, group, None, without=instance.interface.subnet.availability_zone)
    instance.standby = _interface(backend, subnet.id, instance.groups, instance.resource_id)


def _subnet(backend: Backend, group: SubnetGroup, zone: str | None, *, without: str = "") -> Any:
    """Return the subnet for a new network interface: in the zone, or in any zone of the group but one."""
    found = [
        each
        for each in backend.context.ec2.describe_subnets()
        if each.id in group.subnets and each.availability_zone != without
    ]
    fitting = sorted(
        (each for each in found if zone in (None, each.availability_zone)),
        key=lambda each: (each.availability_zone, -each.available_ip_address_count),
    )
    if not fitting:
        refuse(
            "InvalidVPCNetworkStateFault",
            f"DB instance cannot be created in the Availability Zone {zone}: "
            f"the DB subnet group {group.name} has no subnet there.",
        )
    free = [each for each in fitting if each.available_ip_address_count]
    if not free:
        refuse("InvalidVPCNetworkStateFault", f"The DB subnet group {group.name} has no free IP address.")
    zones = list(dict.fromkeys(each.availability_zone for each in free))
    chosen = zones[len(backend.instances) % len(zones)]
    return next(each for each in free if each.availability_zone == chosen)


def _security_groups(backend: Backend, given: Iterable[str], vpc_id: str) -> list[str]:
    """Return the security groups of a request, or the default one of the VPC."""
    ec2 = backend.context.ec2
    names = list(dict.fromkeys(given))
    for name in names:
        group = ec2.get_security_group_from_id(name)
        if group is None:
            invalid(f"Invalid security group , groupId= {name}, groupName=.")
        if group.vpc_id != vpc_id:
            combination(
                "The DB instance and EC2 security group are in different VPCs. The DB instance is in "
                f"{vpc_id} and the EC2 security group is in {group.vpc_id}"
            )
    if len(names) > 5:
        invalid("A DB instance has at most 5 VPC security groups.")
    return names or [ec2.get_default_security_group(vpc_id).id]


def _interface(backend: Backend, subnet_id: str, security: list[str], resource_id: str) -> Any:
    return backend.context.create_interface(
        subnet_id=subnet_id,
        group_ids=security,
        owner="database",
        owner_id=resource_id,
        public=False,
        description="RDSNetworkInterface",
        requester_id=ACCOUNT_OF_INTERFACES,
    )


# Descriptions


def found(backend: Backend, name: str) -> Instance:
    """Return the DB instance with this identifier or ARN."""
    wanted = name.rsplit(":", 1)[-1] if name.startswith("arn:") else name
    instance = backend.instances.get(wanted.lower())
    if instance is None:
        refuse("DBInstanceNotFound", f"DBInstance {wanted.lower()} not found.")
    return instance


def describe_db_instances(backend: Backend, request: Request) -> Members:
    known = ("db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine")
    wanted = checks.filters(request, known)
    name = request.get("DBInstanceIdentifier")
    selected = [found(backend, name)] if name else list(backend.instances.values())
    shown = [each for each in selected if _fits(each, wanted)]
    return checks.page(request, "DBInstances", [told(backend, each) for each in shown])


def _fits(instance: Instance, wanted: Mapping[str, list[str]]) -> bool:
    own = {
        "db-instance-id": (instance.identifier, instance.arn),
        "dbi-resource-id": (instance.resource_id,),
        "engine": (catalog.ENGINE,),
    }
    return all(set(own.get(name, ())) & set(values) for name, values in wanted.items())


def told(backend: Backend, instance: Instance) -> Members:
    """Return a DB instance as the API tells it. It has an endpoint and a time once it was created."""
    settings = instance.settings
    version = settings["EngineVersion"]
    interface = instance.interface
    group = backend.subnet_groups[instance.subnet_group]
    return {
        **checks.baseline(settings),
        **settings,
        "DBInstanceIdentifier": instance.identifier,
        "Engine": catalog.ENGINE,
        "DBInstanceStatus": instance.shown,
        **({"InstanceCreateTime": instance.created} if instance.created else {}),
        **(
            {
                "Endpoint": {
                    "Address": endpoint(backend, instance),
                    "Port": settings["Port"],
                    "HostedZoneId": ENDPOINT_ZONE,
                }
            }
            if instance.created
            else {}
        ),
        **({"LatestRestorableTime": latest(instance)} if latest(instance) else {}),
        **({"AutomaticRestartTime": _restart(instance)} if instance.status == "stopped" else {}),
        "DBSecurityGroups": [],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": each, "Status": "active"} for each in instance.groups],
        "DBParameterGroups": [
            {"DBParameterGroupName": instance.parameter_group, "ParameterApplyStatus": instance.parameter_status}
        ],
        "AvailabilityZone": interface.subnet.availability_zone,
        **({"SecondaryAvailabilityZone": instance.standby.subnet.availability_zone} if instance.standby else {}),
        "DBSubnetGroup": groups.told_subnet_group(backend, group),
        "PendingModifiedValues": _pending(instance),
        "ReadReplicaDBInstanceIdentifiers": [],
        "LicenseModel": catalog.LICENSE,
        "OptionGroupMemberships": [{"OptionGroupName": catalog.option_group(version), "Status": "in-sync"}],
        "PubliclyAccessible": False,
        "DbInstancePort": 0,
        "DbiResourceId": instance.resource_id,
        "DomainMemberships": [],
        "MonitoringInterval": 0,
        "DBInstanceArn": instance.arn,
        "IAMDatabaseAuthenticationEnabled": False,
        "DatabaseInsightsMode": "standard",
        "PerformanceInsightsEnabled": False,
        "AssociatedRoles": [],
        "TagList": checks.told_tags(instance.tags),
        "CustomerOwnedIpEnabled": False,
        "NetworkType": "IPV4",
        "ActivityStreamStatus": "stopped",
        "BackupTarget": "region",
        "CertificateDetails": {
            "CAIdentifier": settings["CACertificateIdentifier"],
            "ValidTill": catalog.certificate_ends(backend.context),
        },
        "DedicatedLogVolume": False,
        "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
    }


def endpoint(backend: Backend, instance: Instance) -> str:
    return f"{instance.identifier}.{backend.suffix}"


def _restart(instance: Instance) -> Any:
    return instance.last_known + STOPPED_FOR if instance.last_known else None


def _pending(instance: Instance) -> Members:
    """Return PendingModifiedValues, without the password itself."""
    return {
        name: "****" if name == "MasterUserPassword" else value
        for name, value in instance.pending.items()
        if name != "DBParameterGroupName"
    }


def latest(instance: Instance) -> Any:
    """Return LatestRestorableTime: a second ago, or the time at which the server was stopped; None without backups."""
    if instance.backed_up is None or not instance.retention:
        return None
    until = instance.last_known if instance.stopped and instance.last_known else utcnow() - LAG
    return max(until.replace(microsecond=0), instance.backed_up)


# Changes

DELAYED = ("DBInstanceClass", "AllocatedStorage", "StorageType", "Iops", "StorageThroughput", "MultiAZ")
"""Settings that wait for the maintenance window without ApplyImmediately."""

AT_ONCE = (
    "AutoMinorVersionUpgrade",
    "CACertificateIdentifier",
    "CopyTagsToSnapshot",
    "DeletionProtection",
    "MaxAllocatedStorage",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
)
"""Settings that are changed at once, and that the server does not have."""


def modify_db_instance(backend: Backend, request: Request) -> Members:
    """Change settings: at once, or in the maintenance window, as the API reference tells for each of them.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html. An instance that does not
    start with its parameters is rebooted or deleted: https://repost.aws/knowledge-center/rds-incompatible-parameters
    """
    instance = found(backend, request["DBInstanceIdentifier"])
    if instance.shown not in SERVING and not _only_protects(request):
        refuse("InvalidDBInstanceState", "Database instance is not in available state.")
    refused.check(request)
    _check_moves(backend, instance, request)
    wanted = _wanted(instance.settings, request)
    pending = _changes(backend, instance, request, wanted)
    security = request.get("VpcSecurityGroupIds")
    ids = None if security is None else _security_groups(backend, security, instance.interface.vpc_id)
    group = request.get("DBParameterGroupName")
    if group:
        _change_group(instance, groups.fits(backend, group, instance.settings["EngineVersion"]))
    if ids is not None:
        _set_groups(backend, instance, ids)
    for name in AT_ONCE:
        instance.settings.pop(name, None)
        instance.settings.update(_given(wanted, name))
    # A request for what the DB instance has takes back what was pending:
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html
    for name in DELAYED:
        if request.get(name) is not None and name not in pending:
            instance.pending.pop(name, None)
    instance.pending.update(pending)
    answer = told(backend, instance)
    _begin_changes(backend, instance, at_once=bool(request.get("ApplyImmediately")))
    return {"DBInstance": answer}


def _wanted(current: Members, request: Request) -> Members:
    """Return the settings with those of the request. Refuse invalid ones."""
    wanted = {**current, **_given(request, *DELAYED, *AT_ONCE, "BackupRetentionPeriod")}
    _check_growth(current, request, wanted)
    catalog.check_class(wanted["DBInstanceClass"])
    check_settings(wanted)
    if wanted.get("MaxAllocatedStorage") == wanted["AllocatedStorage"]:
        wanted.pop("MaxAllocatedStorage")  # autoscaling is disabled
    return wanted


def _changes(backend: Backend, instance: Instance, request: Request, wanted: Members) -> Members:
    """Return what a request adds to PendingModifiedValues."""
    current = {**checks.baseline(instance.settings), **instance.settings}
    names = (*DELAYED, "BackupRetentionPeriod")
    pending = {name: wanted[name] for name in names if wanted.get(name) not in (None, current.get(name))}
    if request.get("MasterUserPassword") is not None:
        pending["MasterUserPassword"] = checks.password(request["MasterUserPassword"])
    if request.get("NewDBInstanceIdentifier"):
        pending["DBInstanceIdentifier"] = _new_name(backend, instance, request["NewDBInstanceIdentifier"])
    if request.get("DBPortNumber"):
        pending["Port"] = checks.port(request["DBPortNumber"])
    return pending


def _set_groups(backend: Backend, instance: Instance, ids: Iterable[str]) -> None:
    found_groups = [backend.context.ec2.get_security_group_from_id(each) for each in ids]
    for interface in (instance.interface, instance.standby):
        if interface is not None:
            interface.set_groups(found_groups)


def _only_protects(request: Request) -> bool:
    """Return whether a request changes nothing of the server. RDS accepts such a request in any state."""
    own = ("ApplyImmediately", "DBInstanceIdentifier", "CopyTagsToSnapshot", "DeletionProtection")
    return all(name in own for name, value in request.items() if value not in (None, False))


def _check_moves(backend: Backend, instance: Instance, request: Request) -> None:
    """Refuse another engine, version, subnet group or option group."""
    if request.get("Engine"):
        catalog.check_engine(request["Engine"])
    if request.get("EngineVersion"):
        version = request["EngineVersion"]
        if version not in (backend.context.mariadb, catalog.major(backend.context.mariadb)):
            combination(f"Cannot upgrade mariadb from {instance.settings['EngineVersion']} to {version}")
    name = request.get("DBSubnetGroupName")
    if name:
        group = groups.subnet_group(backend, name)
        if group.name == instance.subnet_group:
            message = "The specified DB instance is already in the target DB subnet group."
        elif group.vpc_id == backend.subnet_groups[instance.subnet_group].vpc_id:
            message = (
                f"You cannot move DB instance {instance.identifier} to subnet group {group.name}. The specified DB "
                "subnet group and DB instance are in the same VPC. Choose a DB subnet group in different VPC than the "
                "specified DB instance and try again."
            )
        else:
            message = "The lab does not move a DB instance to another VPC."
        refuse("InvalidVPCNetworkStateFault", message)
    _check_option_group(request, instance.settings["EngineVersion"])


def _check_growth(current: Members, request: Request, wanted: Members) -> None:
    """Let an allocated storage grow by at least 10 %, and forget IOPS that belong to another type.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    gib = request.get("AllocatedStorage")
    if gib is not None and gib < current["AllocatedStorage"]:
        combination(
            f"Invalid storage size for modification: the allocated storage of {current['AllocatedStorage']} GiB "
            f"cannot be reduced to {gib} GiB."
        )
    if gib is not None and gib > current["AllocatedStorage"]:
        if _has_iops(current) and request.get("Iops") is None and wanted["StorageType"] == current["StorageType"]:
            combination(
                "You must specify both the storage size and iops when modifying the storage size or iops on a DB "
                "instance that has iops."
            )
        wanted["AllocatedStorage"] = max(gib, -(-current["AllocatedStorage"] * GROWTH // 100))
    if wanted["StorageType"] != current["StorageType"]:
        for name in ("Iops", "StorageThroughput"):
            if request.get(name) is None:
                wanted.pop(name, None)


def _has_iops(settings: Members) -> bool:
    """Return whether the storage has IOPS that can be set."""
    kind, gib = settings["StorageType"], settings["AllocatedStorage"]
    return kind in checks.PROVISIONED or (kind == "gp3" and gib >= checks.GP3_STRIPED)


def _new_name(backend: Backend, instance: Instance, name: str) -> str:
    wanted = checks.identifier("NewDBInstanceIdentifier", name)
    if wanted in backend.instances and wanted != instance.identifier:
        refuse("DBInstanceAlreadyExists", "DB instance already exists")
    return wanted


def _change_group(instance: Instance, name: str) -> None:
    """Associate another parameter group, whose parameters the server has after its next reboot."""
    if name != instance.parameter_group:
        instance.parameter_group = name
        instance.parameter_status = "pending-reboot"


def _begin_changes(backend: Backend, instance: Instance, *, at_once: bool) -> None:
    """Carry out what is pending: everything, or what does not wait for the maintenance window."""
    pending = instance.pending
    due = set(pending) if at_once else {"MasterUserPassword", "Port"} & set(pending)
    before = instance.retention
    if "BackupRetentionPeriod" in pending and before and pending["BackupRetentionPeriod"]:
        due.add("BackupRetentionPeriod")
    if not due:
        return
    changes = {name: pending[name] for name in due}
    instance.password = changes.pop("MasterUserPassword", instance.password)
    renamed = changes.pop("DBInstanceIdentifier", None)
    if "StorageType" in changes:
        for name in ("Iops", "StorageThroughput"):
            instance.settings.pop(name, None)
    instance.settings.update(changes)
    if instance.settings["MultiAZ"] and instance.standby is None:
        add_standby(backend, instance)
    if not instance.retention:
        forget_backups(backend, instance)
    if {"DBInstanceClass", "Port"} & set(changes) or (not before) != (not instance.retention):
        restart(backend, instance)
    if renamed:
        del backend.instances[instance.identifier]
        instance.identifier, instance.arn = renamed, backend.arn("db", renamed)
        backend.instances[renamed] = instance
        restart(backend, instance)
    first = ["backing-up"] if instance.retention and not before else []
    begin(instance, "renaming" if renamed else "modifying", *first, "available")


def restart(backend: Backend, instance: Instance) -> None:
    """Let the server start again, with the parameters that waited for that."""
    instance.boots += 1
    instance.parameters = groups.effective(backend, instance)
    instance.parameter_status = "in-sync"


def begin(instance: Instance, *statuses: str) -> None:
    """Begin a change. The states follow each other when the data plane has applied it."""
    instance.status, instance.following = statuses[0], list(statuses[1:])
    instance.generation += 1


def forget_backups(backend: Backend, instance: Instance) -> None:
    """Delete the automated backups of an instance."""
    for name, each in list(backend.snapshots.items()):
        if each.type == "automated" and each.resource_id == instance.resource_id:
            del backend.snapshots[name]
    instance.backed_up = None


# States


def reboot_db_instance(backend: Backend, request: Request) -> Members:
    """Reboot a DB instance, or let its standby become the primary.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RebootInstance.html
    """
    instance = found(backend, request["DBInstanceIdentifier"])
    fails_over = bool(request.get("ForceFailover"))
    if fails_over and not instance.settings["MultiAZ"]:
        combination("Force failover is not valid for a DB instance that is not Multi-AZ.")
    if instance.shown not in REBOOTABLE:
        refuse("InvalidDBInstanceState", f"Instance {instance.identifier} is not in available state.")
    if fails_over:  # parameters that wait for a reboot wait for one without failover
        instance.failovers += 1
    else:
        restart(backend, instance)
    if instance.trouble == UNFIT:
        instance.trouble = ""  # until the server fails again
    begin(instance, "rebooting", "available")
    return {"DBInstance": told(backend, instance)}


def stop_db_instance(backend: Backend, request: Request) -> Members:
    """Stop a DB instance, after a snapshot if the request names one.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_StopInstance.html
    """
    from groundwork_lab.aws.rds.snapshots import take  # noqa: PLC0415 - it needs this module

    instance = found(backend, request["DBInstanceIdentifier"])
    if instance.shown != "available":
        refuse("InvalidDBInstanceState", f"Instance {instance.identifier} is not in available state.")
    if request.get("DBSnapshotIdentifier"):
        take(backend, instance, request["DBSnapshotIdentifier"], "manual", {})
    instance.stopped, instance.last_known = True, utcnow()
    begin(instance, "stopping", "stopped")
    return {"DBInstance": told(backend, instance)}


def start_db_instance(backend: Backend, request: Request) -> Members:
    instance = found(backend, request["DBInstanceIdentifier"])
    if instance.status != "stopped":
        refuse("InvalidDBInstanceState", f"Instance {instance.identifier} is not stopped.")
    instance.stopped = False
    restart(backend, instance)
    begin(instance, "starting", "available")
    return {"DBInstance": told(backend, instance)}


def delete_db_instance(backend: Backend, request: Request) -> Members:
    """Delete a DB instance, after a final snapshot if the request names one.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
    """
    from groundwork_lab.aws.rds.snapshots import take  # noqa: PLC0415 - it needs this module

    instance = found(backend, request["DBInstanceIdentifier"])
    skip, final = bool(request.get("SkipFinalSnapshot")), request.get("FinalDBSnapshotIdentifier")
    if instance.status == "deleting":
        refuse("InvalidDBInstanceState", f"Instance {instance.identifier} is already being deleted.")
    if instance.settings["DeletionProtection"]:
        combination("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    if skip and final:
        combination("FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is true.")
    if not skip and not final:
        combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if request.get("DeleteAutomatedBackups") is False:
        combination("DeleteAutomatedBackups: the lab retains no automated backups of a deleted DB instance.")
    if any(each.origin and each.origin.source == instance.resource_id for each in creating(backend)):
        refuse("InvalidDBInstanceState", f"Instance {instance.identifier} is the source of a restore in progress.")
    if final:
        if instance.shown == "failed":
            message = (
                f"Instance {instance.identifier} is in the failed state, and can be deleted without a final snapshot"
            )
            refuse("InvalidDBInstanceState", f"{message} only.")
        if instance.shown not in (*SERVING, "stopped"):
            message = f"Cannot create a snapshot because the database instance {instance.identifier} is not currently"
            refuse("InvalidDBInstanceState", f"{message} in the available state.")
        take(backend, instance, final, "manual", {})
        instance.final = final.lower()
    begin(instance, "deleting")
    return {"DBInstance": told(backend, instance)}


def creating(backend: Backend) -> list[Instance]:
    return [each for each in backend.instances.values() if each.status == "creating"]


def pending_snapshots(backend: Backend, instance: Instance) -> list[Snapshot]:
    return [each for each in backend.snapshots.values() if each.pending and each.resource_id == instance.resource_id]


OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "CreateDBInstance": create_db_instance,
    "DeleteDBInstance": delete_db_instance,
    "DescribeDBInstances": describe_db_instances,
    "ModifyDBInstance": modify_db_instance,
    "RebootDBInstance": reboot_db_instance,
    "StartDBInstance": start_db_instance,
    "StopDBInstance": stop_db_instance,
}
