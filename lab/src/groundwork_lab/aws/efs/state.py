"""The state of EFS: file systems, mount targets and access points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import moto.efs.urls
from moto.core.resource_tagging import TaggedResource
from moto.core.utils import utcnow
from moto.efs.models import EFSBackend
from moto.moto_api._internal import mock_random

from groundwork_lab.aws.context import Context

LifeCycle = Literal["creating", "available", "deleting"]


def new_id(prefix: str) -> str:
    """Return an id with 17 hexadecimal digits."""
    return f"{prefix}-{mock_random.get_random_hex(17)}"


@dataclass
class FileSystem:
    id: str
    arn: str
    token: str
    settings: dict[str, Any]  # the members of the request that are told again
    tags: dict[str, str]
    lifecycle: list[dict[str, str]] = field(default_factory=list)
    state: LifeCycle = "creating"
    overwriting: str = "ENABLED"  # replication overwrite protection
    created: datetime = field(default_factory=utcnow)


@dataclass
class MountTarget:
    id: str
    file_system_id: str
    interface: Any  # moto's class
    zone_id: str
    state: LifeCycle = "creating"

    @property
    def groups(self) -> list[str]:
        return [group.id for group in self.interface.group_set]


@dataclass
class AccessPoint:
    id: str
    arn: str
    token: str
    file_system_id: str
    user: dict[str, Any] | None
    root: dict[str, Any]
    tags: dict[str, str]
    state: LifeCycle = "creating"


class Backend(EFSBackend):
    """EFS in one region."""

    context: Context  # set by `install`
    _url_module = moto.efs.urls  # moto looks it up beside the class

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.file_systems: dict[str, FileSystem] = {}
        self.mount_targets: dict[str, MountTarget] = {}
        self.points: dict[str, AccessPoint] = {}

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:elasticfilesystem:{self.region_name}:{self.account_id}:{kind}/{name}"

    def targets_of(self, file_system_id: str) -> list[MountTarget]:
        return [each for each in self.mount_targets.values() if each.file_system_id == file_system_id]

    # the tagging API

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for system in self.file_systems.values():
            yield TaggedResource(arn=system.arn, tags=system.tags, resource_type="elasticfilesystem:file-system")
        for point in self.points.values():
            yield TaggedResource(arn=point.arn, tags=point.tags, resource_type="elasticfilesystem:access-point")

    def _tags(self, arn: str) -> dict[str, str]:
        name = arn.rsplit("/", 1)[-1]
        found = self.file_systems.get(name) or self.points[name]
        return found.tags

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        self._tags(arn).update(tags)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        for key in tag_keys:
            self._tags(arn).pop(key, None)
