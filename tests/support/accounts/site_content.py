"""A site's bucket on the lab's control plane, and a distribution in front of it that remembers what it is told."""

from __future__ import annotations

import threading
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace

from cloud import Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_content import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.run import converge_content
from groundwork_lab.settings import REGION

BUCKET = "dev-site"


class Wire:
    """The network: counts requests, and can end the process right after one of them was answered."""

    def __init__(self, session: t.Any, killed: type[BaseException]) -> None:
        self.session = session
        self.killed = killed
        self.requests: list[str] = []
        self.killed_after: int | None = None
        self.earlier = 0  # seconds by which S3's clock seems to be slow
        self.before: t.Callable[[str], None] = lambda _request: None
        self._lock = threading.Lock()

    def send(self, request: t.Any) -> t.Any:
        with self._lock:  # one at a time, so that the moment of death is exact
            if self.killed_after is not None and len(self.requests) > self.killed_after:
                raise self.killed
            told = f"{request.method} {request.url.split('/', 3)[3].partition('/')[2]}"
            self.before(told)
            self.requests.append(told)
            answer = self.session.send(request)
            answer.content  # noqa: B018 - the body is read while the wire is ours
            if self.earlier:
                date = parsedate_to_datetime(answer.headers["Date"]) - timedelta(seconds=self.earlier)
                answer.headers["Date"] = format_datetime(date, usegmt=True)
            if self.killed_after is not None and len(self.requests) > self.killed_after:
                raise self.killed
            return answer


@dataclass
class Distribution:
    """CloudFront and the tagging API, as far as publishing asks them. An invalidation takes two looks."""

    killed: type[BaseException]
    made: list[dict[str, t.Any]] = field(default_factory=list)
    looks: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    exists: bool = True
    killed_at: str = ""

    meta: t.Any = None

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if operation == self.killed_at:
            raise self.killed

    def can_paginate(self, _operation: str) -> bool:
        return False

    def get_resources(self, **arguments: t.Any) -> dict[str, t.Any]:
        self.calls.append("GetResources")
        tags = [{"Key": one["Key"], "Value": one["Values"][0]} for one in arguments["TagFilters"]]
        tags.append({"Key": "Name", "Value": "dev-site"})
        arn = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD632BHDS5"
        return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags}] if self.exists else []}

    def list_distributions(self) -> dict[str, t.Any]:
        self.calls.append("ListDistributions")
        return {"DistributionList": {"Quantity": 0}}

    def create_invalidation(self, **arguments: t.Any) -> dict[str, t.Any]:
        assert arguments["DistributionId"] == "EDFDVBD632BHDS5"
        self.made.append(arguments["InvalidationBatch"])
        self._called("CreateInvalidation")
        return {"Invalidation": {"Id": f"I{len(self.made)}", "Status": "InProgress"}}

    def get_invalidation(self, **arguments: t.Any) -> dict[str, t.Any]:
        self._called("GetInvalidation")
        self.looks[arguments["Id"]] += 1
        return {"Invalidation": {"Status": "Completed" if self.looks[arguments["Id"]] > 1 else "InProgress"}}

    @property
    def paths(self) -> list[str]:
        """Of the last invalidation."""
        return list(self.made[-1]["Paths"]["Items"]) if self.made else []


class Site:
    """A folder, its bucket and its distribution."""

    def __init__(self, cloud: Cloud, source: Path) -> None:
        self.cloud = cloud
        self.source = source
        self.s3 = cloud._watched.client("s3", watched=False)
        self.edge = Distribution(cloud.Killed)
        self.wire = Wire(self.s3._endpoint.http_session, cloud.Killed)
        self.warnings: list[str] = []
        self.given: dict[str, t.Any] = {}
        source.mkdir()

    def client(self, service: str, /, **_extra: t.Any) -> t.Any:
        if service != "s3":
            return self.edge
        meta = SimpleNamespace(endpoint_url=self.cloud.endpoint, region_name=REGION, config=SimpleNamespace(s3=None))
        endpoint = SimpleNamespace(http_session=self.wire)
        return SimpleNamespace(meta=meta, _endpoint=endpoint, _request_signer=self.s3._request_signer)

    def make_bucket(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def write(self, **files: str) -> None:
        """Files by name; `__` stands for a slash and `_dot_` for a dot."""
        for name, text in files.items():
            self.put(name.replace("__", "/").replace("_dot_", "."), text)

    def put(self, path: str, text: str | bytes) -> None:
        place = self.source / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def remove(self, path: str) -> None:
        (self.source / path).unlink()

    def publish(self, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        """One run of the module."""
        defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
        options = {
            **defaults,
            "environment_name": "dev",
            "tags": {},
            "bucket": BUCKET,
            "distribution": "site",
            "source": str(self.source),
            **self.given,
            **given,
        }
        self.wire.requests, self.edge.calls, self.warnings = [], [], []
        run = Run(options, self, self.warnings.append, check_mode=check_mode, clock=self.cloud)
        return converge_content(run)

    def content(self, prefix: str = "site/") -> dict[str, bytes]:
        """What is in the bucket."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            one["Key"].removeprefix(prefix): self.s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
            for one in listed
        }

    def head(self, path: str) -> dict[str, t.Any]:
        return t.cast(dict[str, t.Any], self.s3.head_object(Bucket=BUCKET, Key=f"site/{path}"))

    @property
    def writes(self) -> list[str]:
        """The last run's writes to the bucket."""
        return [one for one in self.wire.requests if not one.startswith("GET ")]


def fill(site: Site) -> None:
    site.put("index.html", '<link rel="stylesheet" href="/app.3f2a9c1b.css"><img src="logo.svg">')
    site.put("guide/index.html", '<script src="../app.4e5d6c7b.js"></script>')
    site.put("app.3f2a9c1b.css", "body { color: black }")
    site.put("app.4e5d6c7b.js", "go()")
    site.put("logo.svg", "<svg/>")
