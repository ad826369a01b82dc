"""File systems for the data plane."""

from __future__ import annotations

from functools import partial

import moto.efs.models

from groundwork_lab import model
from groundwork_lab.aws.context import Context, Sources
from groundwork_lab.aws.efs.state import Backend, FileSystem


def _backend(context: Context) -> Backend:
    backend: Backend = moto.efs.models.efs_backends[context.account][context.region]
    return backend


def sources(context: Context) -> Sources:
    """Return the World's field of EFS, without what is deleted. The caller holds the context's lock."""
    backend = _backend(context)
    staying = [(name, each) for name, each in backend.file_systems.items() if each.state != "deleting"]
    return {"file_systems": (staying, partial(_file_system, backend))}


def follow(context: Context, world: model.World) -> None:
    """Make available what `world` contains, and delete what it does not. The caller holds the context's lock."""
    backend = _backend(context)
    targets = {target.id for system in world.file_systems.values() for target in system.mount_targets}
    for target in list(backend.mount_targets.values()):
        if target.state == "creating" and target.id in targets:
            target.state = "available"
        elif target.state == "deleting" and target.id not in targets:
            del backend.mount_targets[target.id]
            context.delete_interface(target.interface.id)
    for system in list(backend.file_systems.values()):
        if system.state == "creating" and system.id in world.file_systems:
            system.state = "available"
        elif system.state == "deleting" and system.id not in world.file_systems:
            del backend.file_systems[system.id]
    for point in backend.points.values():
        if point.file_system_id in world.file_systems:
            point.state = "available"


def _file_system(backend: Backend, system: FileSystem) -> model.FileSystem:
    staying = (each for each in backend.targets_of(system.id) if each.state != "deleting")
    return model.FileSystem(
        id=system.id, mount_targets=tuple(model.MountTarget(each.id, each.interface.id) for each in staying)
    )
