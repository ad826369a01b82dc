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
    """Return the World's field of EFS. The caller holds the context's lock."""
    backend = _backend(context)
    return {"file_systems": (backend.file_systems.items(), partial(_file_system, backend))}


def follow(context: Context, world: model.World) -> None:
    """Make available what `world` contains: the data plane serves it. The caller holds the context's lock."""
    backend = _backend(context)
    served = {target.id for system in world.file_systems.values() for target in system.mount_targets}
    for name in world.file_systems.keys() & backend.file_systems.keys():
        backend.file_systems[name].state = "available"
        for point in backend.points.values():
            if point.file_system_id == name:
                point.state = "available"
    for name in served & backend.mount_targets.keys():
        backend.mount_targets[name].state = "available"


def _file_system(backend: Backend, system: FileSystem) -> model.FileSystem:
    targets = (model.MountTarget(each.id, each.interface.id) for each in backend.targets_of(system.id))
    return model.FileSystem(id=system.id, mount_targets=tuple(targets))
