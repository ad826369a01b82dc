"""The state of Route 53: hosted zones, their record sets, and changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import moto.route53.urls
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.route53.models import Route53Backend

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.route53.dnsnames import place

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

Key = tuple[str, str]
"""The canonical name and the type of a record set."""


@dataclass(frozen=True)
class RecordSet:
    """A record set with simple routing: a TTL and values, or an alias target as in the API."""

    name: str
    type: str
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: tuple[str, str, bool] | None = None  # hosted zone id, DNS name, EvaluateTargetHealth

    @property
    def key(self) -> Key:
        return self.name, self.type

    @property
    def place(self) -> tuple[str, str]:
        """Return the key by which record sets are sorted."""
        return place(self.name), self.type


@dataclass
class Zone:
    id: str
    name: str  # canonical
    reference: str
    delegation: int
    comment: str | None
    records: dict[Key, RecordSet]
    tags: dict[str, str] = field(default_factory=dict)
    version: int = 1


@dataclass
class Change:
    id: str
    zone_id: str
    version: int  # of the zone, that has the change
    comment: str | None = None
    status: Literal["PENDING", "INSYNC"] = "PENDING"
    submitted: datetime = field(default_factory=utcnow)


class Backend(TaggableResourcesMixin, Route53Backend):
    """The account's Route 53."""

    context: Context  # set by `install`
    _url_module = moto.route53.urls  # moto looks it up beside the class
    SERVICE_NAMESPACE = "route53"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.hosted: dict[str, Zone] = {}
        self.changes: dict[str, Change] = {}

    def changed(self, zone: Zone, comment: str | None = None) -> Change:
        """Return a new change of the zone, which is pending until the name servers have it."""
        change = Change(new_id("C"), zone.id, zone.version, comment)
        self.changes[change.id] = change
        return change

    # the tagging API

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for zone in self.hosted.values():
            yield TaggedResource(arn=self._arn(zone), tags=zone.tags, resource_type="route53:hostedzone")

    def _arn(self, zone: Zone) -> str:
        return f"arn:{self.partition}:route53:::hostedzone/{zone.id}"

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        self.hosted[arn.rsplit("/", 1)[-1]].tags.update(tags)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        for key in tag_keys:
            self.hosted[arn.rsplit("/", 1)[-1]].tags.pop(key, None)


def new_id(prefix: str) -> str:
    """Return an id as Route 53 has them: a prefix, and 20 capital letters and digits."""
    choice: Any = mock_random.choice
    return prefix + "".join(choice(LETTERS) for _ in range(20))
