"""DB snapshots, automated backups, and the DB instances that are restored from them.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_CommonTasks.BackupRestore.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from moto.core.utils import utcnow

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.rds import catalog, checks, refused
from groundwork_lab.aws.rds.checks import Members, Request, combination, identifier, invalid
from groundwork_lab.aws.rds.instances import SERVING, build, creating, found, latest, pending_snapshots, told
from groundwork_lab.aws.rds.state import Backend, Instance, Snapshot
from groundwork_lab.model import DatabaseOrigin

MANUAL_LIMIT = 100
KEPT = (
    "AllocatedStorage",
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBName",
    "EngineVersion",
    "Iops",
    "KmsKeyId",
    "MasterUsername",
    "Port",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "StorageEncrypted",
    "StorageThroughput",
    "StorageType",
)
"""The settings that an instance restored from a backup has by default."""

TOLD = ("AllocatedStorage", "EngineVersion", "Iops", "KmsKeyId", "MasterUsername", "Port", "StorageType")


# Snapshots


def create_db_snapshot(backend: Backend, request: Request) -> Members:
    """Begin a manual snapshot. The instance is in the state `backing-up` until it is taken, unless it is stopped.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html
    """
    instance = found(backend, request["DBInstanceIdentifier"])
    name = identifier("DBSnapshotIdentifier", request["DBSnapshotIdentifier"], 255)
    _check_new(backend, name)
    if instance.shown not in (*SERVING, "stopped"):
        refuse(
            "InvalidDBInstanceState",
            f"Cannot create a snapshot because the database instance {instance.identifier} is not currently in the "
            "available state.",
        )
    snapshot = take(backend, instance, name, "manual", checks.tags(request.get("Tags") or []))
    if instance.status != "stopped":
        instance.following, instance.status = [instance.status], "backing-up"
    return {"DBSnapshot": _told(snapshot)}


def _check_new(backend: Backend, name: str) -> None:
    if name in backend.snapshots:
        message = f"Cannot create the snapshot because a snapshot with the identifier {name} already exists."
        refuse("DBSnapshotAlreadyExists", message)
    if sum(each.type == "manual" for each in backend.snapshots.values()) >= MANUAL_LIMIT:
        refuse("SnapshotQuotaExceeded", f"You have reached your limit of {MANUAL_LIMIT} manual DB snapshots.")


def take(
    backend: Backend,
    instance: Instance,
    name: str,
    kind: Literal["manual", "automated"],
    tags: Mapping[str, str],
) -> Snapshot:
    """Add a pending snapshot of an instance, which the data plane takes."""
    if kind == "manual":
        name = identifier("DBSnapshotIdentifier", name, 255)
        _check_new(backend, name)
    settings = instance.settings
    members = {each: settings[each] for each in TOLD if each in settings} | {
        "InstanceCreateTime": instance.created,
        "AvailabilityZone": instance.interface.subnet.availability_zone,
        "VpcId": instance.interface.vpc_id,
        "Encrypted": settings["StorageEncrypted"],
        "OptionGroupName": catalog.option_group(settings["EngineVersion"]),
    }
    copied = instance.tags if settings["CopyTagsToSnapshot"] else {}
    snapshot = Snapshot(
        identifier=name,
        arn=backend.arn("snapshot", name),
        type=kind,
        instance=instance.identifier,
        resource_id=instance.resource_id,
        members=members,
        restored={each: settings[each] for each in KEPT if each in settings},
        parameter_group=instance.parameter_group,
        password=instance.password,
        tags={**copied, **tags},
        stored_as=re.sub("[^a-z0-9-]", "-", f"{name}-{len(backend.snapshots)}-{instance.resource_id.lower()}"),
    )
    backend.snapshots[name] = snapshot
    return snapshot


def take_automated(backend: Backend, instance: Instance) -> None:
    """Begin the automated backup of an instance."""
    now = utcnow()
    name = f"rds:{instance.identifier}-{now:%Y-%m-%d-%H-%M}"
    while name in backend.snapshots:
        name += "-1"
    take(backend, instance, name, "automated", {})
    backend.tell(instance, "Backing up DB instance", "backup")


def _told(snapshot: Snapshot) -> Members:
    return {
        **snapshot.members,
        "DBSnapshotIdentifier": snapshot.identifier,
        "DBInstanceIdentifier": snapshot.instance,
        "SnapshotCreateTime": snapshot.taken,
        "OriginalSnapshotCreateTime": snapshot.taken,
        "Engine": catalog.ENGINE,
        "Status": snapshot.status,
        "LicenseModel": catalog.LICENSE,
        "SnapshotType": snapshot.type,
        "PercentProgress": 0 if snapshot.pending else 100,
        "DBSnapshotArn": snapshot.arn,
        "IAMDatabaseAuthenticationEnabled": False,
        "DbiResourceId": snapshot.resource_id,
        "TagList": checks.told_tags(snapshot.tags),
        "SnapshotTarget": "region",
        "ProcessorFeatures": [],
    }


def describe_db_snapshots(backend: Backend, request: Request) -> Members:
    known = ("db-instance-id", "db-snapshot-id", "dbi-resource-id", "snapshot-type", "engine")
    wanted = checks.filters(request, known)
    kind = request.get("SnapshotType")
    if kind not in (None, "automated", "manual", "shared", "public", "awsbackup"):
        invalid(f"Unrecognized snapshot type: {kind}")
    name = request.get("DBSnapshotIdentifier")
    shown = [snapshot(backend, name)] if name else list(backend.snapshots.values())
    instance, resource = request.get("DBInstanceIdentifier"), request.get("DbiResourceId")
    if instance:
        shown = [each for each in shown if each.instance == instance.rsplit(":", 1)[-1].lower()]
    shown = [
        each
        for each in shown
        if kind in (None, each.type) and resource in (None, each.resource_id) and _fits(each, wanted)
    ]
    return checks.page(request, "DBSnapshots", [_told(each) for each in shown])


def _fits(given: Snapshot, wanted: Mapping[str, list[str]]) -> bool:
    own = {
        "db-instance-id": (given.instance,),
        "db-snapshot-id": (given.identifier, given.arn),
        "dbi-resource-id": (given.resource_id,),
        "snapshot-type": (given.type,),
        "engine": (catalog.ENGINE,),
    }
    return all(set(own[name]) & set(values) for name, values in wanted.items())


def snapshot(backend: Backend, name: str) -> Snapshot:
    """Return the snapshot with this identifier or ARN."""
    wanted = name.split(":snapshot:", 1)[-1].lower()
    if wanted not in backend.snapshots:
        refuse("DBSnapshotNotFound", f"DBSnapshot {wanted} not found.")
    return backend.snapshots[wanted]


def delete_db_snapshot(backend: Backend, request: Request) -> Members:
    """Delete a manual snapshot. Automated ones end with their retention.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBSnapshot.html
    """
    given = snapshot(backend, request["DBSnapshotIdentifier"])
    if given.type != "manual":
        refuse("InvalidDBSnapshotState", f"The snapshot {given.identifier} is not a manual snapshot.")
    used = any(each.origin and each.origin.snapshot == given.stored_as for each in creating(backend))
    if given.pending or used:
        refuse("InvalidDBSnapshotState", f"Cannot delete the snapshot {given.identifier} because it is in use.")
    del backend.snapshots[given.identifier]
    return {"DBSnapshot": {**_told(given), "Status": "deleted"}}


def describe_db_snapshot_attributes(backend: Backend, request: Request) -> Members:
    given = snapshot(backend, request["DBSnapshotIdentifier"])
    attributes = [{"AttributeName": "restore", "AttributeValues": []}]
    return {
        "DBSnapshotAttributesResult": {
            "DBSnapshotIdentifier": given.identifier,
            "DBSnapshotAttributes": attributes,
        }
    }


# Restores


def restore_db_instance_from_db_snapshot(backend: Backend, request: Request) -> Members:
    """Create a DB instance with the data of a snapshot, and by default with its settings.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html
    """
    refused.check(request)
    if not request.get("DBSnapshotIdentifier"):
        invalid("The parameter DBSnapshotIdentifier must be provided and must not be blank.")
    given = snapshot(backend, request["DBSnapshotIdentifier"])
    if given.status != "available":
        refuse("InvalidDBSnapshotState", f"The snapshot {given.identifier} is not in the available state.")
    instance = build(
        backend,
        request,
        request["DBInstanceIdentifier"],
        _restored(backend, request, given.restored),
        given.password,
        origin=DatabaseOrigin(given.stored_as),
        tags=given.tags,
    )
    backend.tell(instance, f"Restored from snapshot {given.identifier}", "restoration")
    return {"DBInstance": told(backend, instance)}


def _restored(backend: Backend, request: Request, settings: Members) -> Members:
    """Return the settings of a restored instance: those of its backup, with those of the request."""
    if request.get("Engine"):
        catalog.check_engine(request["Engine"])
    if request.get("DBName"):
        combination("DBName can't be specified for the engine mariadb.")
    own = ("DBInstanceClass", "Port", "StorageType", "Iops", "StorageThroughput", "AllocatedStorage")
    more = ("BackupRetentionPeriod", "PreferredBackupWindow", "CACertificateIdentifier", "MaxAllocatedStorage")
    wanted = {**settings, **{name: request[name] for name in (*own, *more) if request.get(name) is not None}}
    catalog.check_class(wanted["DBInstanceClass"])
    checks.port(wanted["Port"])
    if wanted["AllocatedStorage"] < settings["AllocatedStorage"]:
        invalid(
            f"The allocated storage of {wanted['AllocatedStorage']} GiB is less than that of the backup, "
            f"{settings['AllocatedStorage']} GiB."
        )
    if wanted["StorageType"] != settings["StorageType"]:
        for name in ("Iops", "StorageThroughput"):
            if request.get(name) is None:
                wanted.pop(name, None)
    if settings["EngineVersion"] != backend.context.mariadb:
        combination(f"Cannot find version {settings['EngineVersion']} for mariadb")
    return wanted


def restore_db_instance_to_point_in_time(backend: Backend, request: Request) -> Members:
    """Create a DB instance with the data that another one had at a time within its retention.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html
    """
    refused.check(request)
    source = _source(backend, request)
    time, newest = request.get("RestoreTime"), bool(request.get("UseLatestRestorableTime"))
    if (time is None) != newest:
        combination("Exactly one of RestoreTime and UseLatestRestorableTime must be specified.")
    until = latest(source)
    if not source.retention or until is None:
        refuse("PointInTimeRestoreNotEnabled", f"Point in time restore is not enabled for {source.identifier}.")
    wanted = until if newest else _utc(time)
    if wanted > until:
        invalid(f"The specified instance cannot be restored to a time later than {until:%Y-%m-%dT%H:%M:%SZ}")
    base = _base(backend, source, wanted)
    if base is None:
        invalid(
            "The specified instance cannot be restored to a time earlier than "
            f"{source.backed_up:%Y-%m-%dT%H:%M:%SZ} because its backup begins there."
        )
    settings = {name: source.settings[name] for name in KEPT if name in source.settings}
    instance = build(
        backend,
        request,
        request["TargetDBInstanceIdentifier"],
        _restored(backend, request, settings),
        source.password,
        origin=DatabaseOrigin(base.stored_as, source.resource_id, wanted.replace(tzinfo=UTC)),
    )
    backend.tell(instance, f"Restored from {source.identifier} to {wanted:%Y-%m-%dT%H:%M:%SZ}", "restoration")
    return {"DBInstance": told(backend, instance)}


def _source(backend: Backend, request: Request) -> Instance:
    name, resource = request.get("SourceDBInstanceIdentifier"), request.get("SourceDbiResourceId")
    if (name is None) == (resource is None):
        combination("Exactly one of SourceDBInstanceIdentifier and SourceDbiResourceId must be specified.")
    if name:
        return found(backend, name)
    instance = next((each for each in backend.instances.values() if each.resource_id == resource), None)
    if instance is None:
        refuse("DBInstanceAutomatedBackupNotFound", f"No automated backup of {resource} was found.")
    return instance


def _utc(time: Any) -> datetime:
    """Return a time of a request in UTC, without a zone, as moto's are, in whole seconds."""
    given: datetime = time
    if given.tzinfo is not None:
        given = given.astimezone(UTC).replace(tzinfo=None)
    return given.replace(microsecond=0)


def _base(backend: Backend, source: Instance, until: datetime) -> Snapshot | None:
    """Return the newest automated backup that was taken before the time."""
    return max(
        (
            each
            for each in backend.snapshots.values()
            if each.type == "automated"
            and each.resource_id == source.resource_id
            and not each.pending
            and each.taken.replace(microsecond=0) <= until
        ),
        key=lambda each: each.taken,
        default=None,
    )


# Automated backups


def describe_db_instance_automated_backups(backend: Backend, request: Request) -> Members:
    wanted = checks.filters(request, ("status", "db-instance-id", "dbi-resource-id"))
    name, resource = request.get("DBInstanceIdentifier"), request.get("DbiResourceId")
    shown = []
    for instance in backend.instances.values():
        own = {
            "status": ("active",),
            "db-instance-id": (instance.identifier,),
            "dbi-resource-id": (instance.resource_id,),
        }
        named = name in (None, instance.identifier, instance.arn) and resource in (None, instance.resource_id)
        fits = all(set(own[each]) & set(values) for each, values in wanted.items())
        if named and fits and instance.retention:
            shown.append(_told_backup(backend, instance))
    if (name or resource) and not shown and not wanted:
        refuse("DBInstanceAutomatedBackupNotFound", f"DBInstance automated backup {name or resource} not found.")
    return checks.page(request, "DBInstanceAutomatedBackups", shown)


def _told_backup(backend: Backend, instance: Instance) -> Members:
    settings = instance.settings
    told_settings = {name: settings[name] for name in TOLD if name in settings}
    until = latest(instance)
    window = {"EarliestTime": instance.backed_up, "LatestTime": until} if until else {}
    return {
        **told_settings,
        "DBInstanceArn": instance.arn,
        "DbiResourceId": instance.resource_id,
        "Region": backend.region_name,
        "DBInstanceIdentifier": instance.identifier,
        "RestoreWindow": window,
        "Status": "active" if until else "creating",
        "AvailabilityZone": instance.interface.subnet.availability_zone,
        "VpcId": instance.interface.vpc_id,
        "InstanceCreateTime": instance.created,
        "Engine": catalog.ENGINE,
        "LicenseModel": catalog.LICENSE,
        "OptionGroupName": catalog.option_group(settings["EngineVersion"]),
        "Encrypted": settings["StorageEncrypted"],
        "IAMDatabaseAuthenticationEnabled": False,
        "BackupRetentionPeriod": instance.retention,
        "PreferredBackupWindow": settings["PreferredBackupWindow"],
        "DBInstanceAutomatedBackupsArn": backend.arn("auto-backup", f"ab-{instance.resource_id[3:].lower()}"),
        "BackupTarget": "region",
        "TagList": checks.told_tags(instance.tags),
    }


__all__ = ["OPERATIONS", "pending_snapshots", "take", "take_automated"]

OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "CreateDBSnapshot": create_db_snapshot,
    "DeleteDBSnapshot": delete_db_snapshot,
    "DescribeDBInstanceAutomatedBackups": describe_db_instance_automated_backups,
    "DescribeDBSnapshotAttributes": describe_db_snapshot_attributes,
    "DescribeDBSnapshots": describe_db_snapshots,
    "RestoreDBInstanceFromDBSnapshot": restore_db_instance_from_db_snapshot,
    "RestoreDBInstanceToPointInTime": restore_db_instance_to_point_in_time,
}
