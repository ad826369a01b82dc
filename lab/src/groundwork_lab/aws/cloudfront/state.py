"""The state of CloudFront: a backend in moto's registries that keeps the API's own structures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import moto.cloudfront.urls
from moto.cloudfront.models import CloudFrontBackend
from moto.core.resource_tagging import TaggedResource
from moto.core.utils import utcnow

from groundwork_lab.aws.cloudfront.versions import Kept, new_id
from groundwork_lab.aws.context import Context

Status = Literal["InProgress", "Deployed"]
Stage = Literal["DEVELOPMENT", "LIVE"]


@dataclass
class Invalidation:
    id: str
    batch: dict[str, Any]
    status: Literal["InProgress", "Completed"] = "InProgress"
    created: datetime = field(default_factory=utcnow)

    @property
    def paths(self) -> list[str]:
        return list(self.batch["Paths"]["Items"])


@dataclass
class Distribution(Kept):
    arn: str = ""
    domain_name: str = ""
    status: Status = "InProgress"
    invalidations: dict[str, Invalidation] = field(default_factory=dict)

    @property
    def behaviors(self) -> list[dict[str, Any]]:
        """Return all cache behaviors, the default one first."""
        return behaviors_of(self.config)

    @property
    def aliases(self) -> list[str]:
        return list(self.config["Aliases"].get("Items", []))

    @property
    def in_progress(self) -> list[Invalidation]:
        return [each for each in self.invalidations.values() if each.status == "InProgress"]


def behaviors_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cache behaviors of a distribution's configuration, the default one first."""
    return [config["DefaultCacheBehavior"], *(config.get("CacheBehaviors") or {}).get("Items", [])]


@dataclass
class StageOfFunction:
    config: dict[str, Any]
    code: bytes
    etag: str = field(default_factory=new_id)
    created: datetime = field(default_factory=utcnow)
    modified: datetime = field(default_factory=utcnow)


@dataclass
class Function:
    name: str
    arn: str
    stages: dict[Stage, StageOfFunction]

    @property
    def published(self) -> bool:
        """Return whether the LIVE stage equals the DEVELOPMENT stage."""
        live, development = self.stages.get("LIVE"), self.stages["DEVELOPMENT"]
        return live is not None and (live.config, live.code) == (development.config, development.code)


class Backend(CloudFrontBackend):
    """The account's CloudFront. `settings` holds the reusable resources by kind (`reusable.KINDS`)."""

    context: Context  # set by `install`
    _url_module = moto.cloudfront.urls  # moto looks it up beside the class
    SERVICE_NAMESPACE = "cloudfront"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.distributions: dict[str, Distribution] = {}
        self.functions: dict[str, Function] = {}
        self.settings: dict[str, dict[str, Kept]] = {}

    def arn(self, kind: str, name: str) -> str:
        return f"arn:{self.partition}:cloudfront::{self.account_id}:{kind}/{name}"

    def function_by_arn(self, arn: str) -> Function | None:
        return next((each for each in self.functions.values() if each.arn == arn), None)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for distribution in self.distributions.values():
            tags = self.tagger.get_tag_dict_for_resource(distribution.arn)
            yield TaggedResource(arn=distribution.arn, tags=tags, resource_type="cloudfront:distribution")
        for function in self.functions.values():
            tags = self.tagger.get_tag_dict_for_resource(function.arn)
            yield TaggedResource(arn=function.arn, tags=tags, resource_type="cloudfront:function")
