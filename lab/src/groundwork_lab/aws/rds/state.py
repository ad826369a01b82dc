"""The state of RDS: DB instances, subnet groups, parameter groups, snapshots and events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import moto.rds.urls
from moto.core.base_backend import BaseBackend
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from groundwork_lab.aws.context import Context
from groundwork_lab.model import DatabaseOrigin

ApplyStatus = Literal["in-sync", "pending-reboot", "applying"]
QUIET = frozenset({"deleting", "stopped", "stopping"})  # the states without a server
UNFIT = "incompatible-parameters"  # the server does not start with its parameters
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


TROUBLES = {
    "failed": "The DB instance has failed",
    UNFIT: "The DB instance could not be started with the parameters of its parameter group",
    "storage-full": "The DB instance has no free storage",
}
"""The events of the states that a server in trouble causes.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
"""


@dataclass
class SubnetGroup:
    name: str
    arn: str
    description: str
    vpc_id: str
    subnets: list[str]
    tags: dict[str, str]


@dataclass
class ParameterGroup:
    """A DB parameter group. `values` are those that differ from the family's; `waiting` are applied by a reboot."""

    name: str
    arn: str
    family: str
    description: str
    tags: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)  # the apply methods of the values


@dataclass
class Snapshot:
    """A DB snapshot. `members` are those of the API that were the instance's when it was taken."""

    identifier: str
    arn: str
    type: Literal["manual", "automated"]
    instance: str
    resource_id: str
    members: dict[str, Any]
    restored: dict[str, Any]  # the settings that an instance restored from it has
    parameter_group: str
    password: str
    tags: dict[str, str]
    status: Literal["creating", "available", "failed"] = "creating"
    taken: datetime = field(default_factory=utcnow)
    stored_as: str = ""  # the name under which the data plane keeps it

    @property
    def pending(self) -> bool:
        return self.status == "creating"


@dataclass
class Instance:
    """A DB instance. `settings` are the members of the API that a request sets."""

    identifier: str
    resource_id: str
    arn: str
    settings: dict[str, Any]
    password: str
    parameter_group: str
    subnet_group: str
    interface: Any  # moto's class
    parameters: dict[str, str]  # those that the server has to have now
    tags: dict[str, str]
    origin: DatabaseOrigin | None = None
    status: str = "creating"
    following: list[str] = field(default_factory=list)  # the states after this one
    generation: int = 1  # incremented by each change that the data plane has to apply
    boots: int = 0  # incremented by each reboot
    stopped: bool = False
    pending: dict[str, Any] = field(default_factory=dict)  # PendingModifiedValues
    parameter_status: ApplyStatus = "in-sync"
    created: datetime | None = None
    backed_up: datetime | None = None  # the oldest time that can be restored
    last_known: datetime | None = None  # when its server stopped
    failovers: int = 0
    standby: Any = None  # the network interface of the standby
    final: str = ""  # the identifier of the final snapshot while it is deleted
    trouble: str = ""  # what keeps its server from its work, as a state of DBInstanceStatus

    @property
    def groups(self) -> list[str]:
        return [group.id for group in self.interface.group_set]

    @property
    def shown(self) -> str:
        """Return DBInstanceStatus. A server in trouble is in that state, whatever it was about to do."""
        return self.trouble if self.trouble and self.status not in QUIET else self.status

    @property
    def retention(self) -> int:
        return int(self.settings["BackupRetentionPeriod"])


@dataclass
class Event:
    source: str
    source_type: str
    source_arn: str
    message: str
    categories: list[str]
    date: datetime = field(default_factory=utcnow)


class Backend(BaseBackend, TaggableResourcesMixin):
    """RDS in one region."""

    context: Context  # set by `install`
    _url_module = moto.rds.urls  # moto looks it up beside the class
    SERVICE_NAMESPACE = "rds"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.instances: dict[str, Instance] = {}
        self.subnet_groups: dict[str, SubnetGroup] = {}
        self.parameter_groups: dict[str, ParameterGroup] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.events: list[Event] = []

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:rds:{self.region_name}:{self.account_id}:{kind}:{name}"

    @property
    def suffix(self) -> str:
        """Return what all endpoints of the account have after the identifier of the DB instance.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ConnectToMariaDBInstance.EndpointAndPort.html
        """
        digest = hashlib.sha256(f"{self.account_id}/{self.region_name}".encode()).digest()
        letters = "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:11])
        return f"c{letters}.{self.region_name}.rds.amazonaws.com"

    def tell(self, instance: Instance, message: str, *categories: str) -> None:
        """Add an event of a DB instance."""
        told = Event(instance.identifier, "db-instance", instance.arn, message, list(categories))
        self.events.append(told)

    def failed_over(self, resource_id: str, interface_id: str) -> bool:
        """Note the network interface of the new primary. Names have to follow that."""
        for instance in self.instances.values():
            if instance.resource_id == resource_id and instance.standby and instance.standby.id == interface_id:
                instance.interface, instance.standby = instance.standby, instance.interface
                self.tell(instance, "Multi-AZ instance failover started", "failover")
                self.tell(instance, "Multi-AZ instance failover completed", "failover", "notification")
                return True
        return False

    def report(self, resource_id: str, trouble: str) -> bool:
        """Note what the data plane tells of a server: the state that it causes, or "". Nothing has to follow that."""
        for instance in self.instances.values():
            if instance.resource_id == resource_id:
                instance.trouble = trouble
                if trouble:
                    self.tell(instance, TROUBLES[trouble], "failure")
        return False

    # the tagging API

    def tagged(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yield the ARN, the type and the tags of each resource."""
        for instance in self.instances.values():
            yield instance.arn, "rds:db", instance.tags
        for subnets in self.subnet_groups.values():
            yield subnets.arn, "rds:subgrp", subnets.tags
        for parameters in self.parameter_groups.values():
            yield parameters.arn, "rds:pg", parameters.tags
        for snapshot in self.snapshots.values():
            yield snapshot.arn, "rds:snapshot", snapshot.tags

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for arn, kind, tags in self.tagged():
            yield TaggedResource(arn=arn, tags=tags, resource_type=kind)

    def _tags(self, arn: str) -> dict[str, str]:
        return next(tags for each, _, tags in self.tagged() if each == arn)

    def tag_resource(self, arn: str, tags: Mapping[str, str]) -> None:
        self._tags(arn).update(tags)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        for key in tag_keys:
            self._tags(arn).pop(key, None)


def new_resource_id() -> str:
    """Return a DbiResourceId: `db-` and 26 upper-case letters and digits."""
    return "db-" + "".join(mock_random.choice(LETTERS.upper()) for _ in range(26))
