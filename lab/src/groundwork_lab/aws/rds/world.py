"""DB instances and snapshots for the data plane, and the states that follow when it has applied them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import moto.rds.models
from moto.core.utils import utcnow

from groundwork_lab import model
from groundwork_lab.aws.context import Context, Sources
from groundwork_lab.aws.rds.instances import endpoint, forget_backups, pending_snapshots
from groundwork_lab.aws.rds.snapshots import take_automated
from groundwork_lab.aws.rds.state import Backend, Instance, Snapshot

ENDED = {
    "creating": ("DB instance created", "creation"),
    "rebooting": ("DB instance restarted", "availability"),
    "starting": ("DB instance started", "notification"),
    "stopping": ("DB instance stopped", "notification"),
    "backing-up": ("Finished DB Instance backup", "backup"),
    "modifying": ("Finished applying modifications to the DB instance", "configuration change"),
    "renaming": ("Renamed the DB instance", "configuration change"),
}
"""The events with which the states end.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
"""


def _backend(context: Context) -> Backend:
    backend: Backend = moto.rds.models.rds_backends[context.account][context.region]
    return backend


def sources(context: Context) -> Sources:
    """Return the World's fields of RDS, without what is deleted. The caller holds the context's lock."""
    backend = _backend(context)
    staying = [
        (each.resource_id, each)
        for each in backend.instances.values()
        if each.status != "deleting" or pending_snapshots(backend, each)
    ]
    kept = [(each.stored_as, each) for each in backend.snapshots.values() if each.status != "failed"]
    return {"databases": (staying, partial(_database, backend)), "database_snapshots": (kept, _snapshot)}


def _database(backend: Backend, instance: Instance) -> model.Database:
    settings = instance.settings
    return model.Database(
        id=instance.resource_id,
        name=instance.identifier,
        endpoint=endpoint(backend, instance),
        port=settings["Port"],
        interface_id=instance.interface.id,
        gib=settings["AllocatedStorage"],
        stopped=instance.stopped,
        generation=instance.generation,
        boots=instance.boots,
        user=settings["MasterUsername"],
        password=instance.password,
        schema=settings.get("DBName", ""),
        parameters=dict(instance.parameters),
        logged=bool(instance.retention),
        origin=instance.origin,
        standby_id=instance.standby.id if instance.standby and settings["MultiAZ"] else "",
        failovers=instance.failovers,
    )


def _snapshot(snapshot: Snapshot) -> model.DatabaseSnapshot:
    return model.DatabaseSnapshot(snapshot.stored_as, snapshot.resource_id, snapshot.pending)


def follow(context: Context, world: model.World) -> None:
    """Let the states follow that `world` confirms. The caller holds the context's lock.

    What follows may be work for the data plane: a first backup, or the end of an instance after its final snapshot.
    """
    backend = _backend(context)
    taken = [each for each in backend.snapshots.values() if each.pending and each.stored_as in world.database_snapshots]
    for snapshot in taken:
        snapshot.status, snapshot.taken = "available", utcnow()
    followed = [_follow(backend, each, world) for each in list(backend.instances.values())]
    if taken or any(followed):
        context.changed()


def _follow(backend: Backend, instance: Instance, world: model.World) -> bool:
    """Let the next state of an instance follow. Return whether one did."""
    applied = world.databases.get(instance.resource_id)
    if instance.status == "deleting":
        if applied is None and not pending_snapshots(backend, instance):
            _delete(backend, instance)
            return True
        return False
    if applied is None or applied.generation != instance.generation:
        return False
    return _settle(backend, instance)


def _delete(backend: Backend, instance: Instance) -> None:
    forget_backups(backend, instance)
    backend.tell(instance, "DB instance deleted", "deletion")
    del backend.instances[instance.identifier]
    for interface in (instance.interface, instance.standby):
        if interface is not None:
            backend.context.delete_interface(interface.id)


def _settle(backend: Backend, instance: Instance) -> bool:
    """End the present state of an instance, if it is one that ends. Return whether it did."""
    if instance.parameter_status == "applying":
        instance.parameter_status = "in-sync"
    if not instance.following or (instance.status == "backing-up" and pending_snapshots(backend, instance)):
        return False
    ended, instance.status = instance.status, instance.following[0]
    instance.following = instance.following[1:]
    if ended in ENDED:
        message, category = ENDED[ended]
        backend.tell(instance, message, category)
    if ended == "creating":
        instance.created = utcnow()
        instance.origin = None
    if ended in ("modifying", "renaming"):
        _forget_applied(instance)
        if instance.standby is not None and not instance.settings["MultiAZ"]:
            backend.context.delete_interface(instance.standby.id)
            instance.standby = None
    if ended == "backing-up" and instance.backed_up is None and instance.retention:
        instance.backed_up = _first_backup(backend, instance)
    if instance.status == "backing-up":
        take_automated(backend, instance)
    return True


def _forget_applied(instance: Instance) -> None:
    """Remove what was applied from PendingModifiedValues."""
    own = {**instance.settings, "DBInstanceIdentifier": instance.identifier, "MasterUserPassword": instance.password}
    for name in [name for name, value in instance.pending.items() if own.get(name) == value]:
        del instance.pending[name]


def _first_backup(backend: Backend, instance: Instance) -> datetime | None:
    taken = [
        each.taken
        for each in backend.snapshots.values()
        if each.type == "automated" and each.resource_id == instance.resource_id
    ]
    return min(taken) if taken else None
