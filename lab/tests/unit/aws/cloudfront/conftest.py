"""CloudFront's client for the lab's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from control_plane import Lab

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"


@dataclass
class Cdn:
    """CloudFront's client, and helpers for its tests."""

    lab: Lab
    api: Any

    def config(self, reference: str = "one", **changes: Any) -> dict[str, Any]:
        """Return the minimal configuration for CreateDistribution."""
        origin = {"Id": "s3", "DomainName": "bucket.s3.eu-central-1.amazonaws.com"}
        return {
            "CallerReference": reference,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{**origin, "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
            "DefaultCacheBehavior": self.behavior(),
            **changes,
        }

    def behavior(self, **changes: Any) -> dict[str, Any]:
        least = {"TargetOriginId": "s3", "ViewerProtocolPolicy": "redirect-to-https"}
        return {**least, "CachePolicyId": CACHING_OPTIMIZED, **changes}

    def origin(self, **changes: Any) -> dict[str, Any]:
        """Return the Origins of a configuration, with one origin changed."""
        origin = self.config()["Origins"]["Items"][0]
        return {"Quantity": 1, "Items": [{**origin, **changes}]}

    def distribution(self, reference: str = "one", **changes: Any) -> dict[str, Any]:
        return dict(self.api.create_distribution(DistributionConfig=self.config(reference, **changes)))

    def followed(self) -> None:
        """Report the current `World` as applied by the data plane."""
        self.lab.plane.reconciled(self.lab.plane.snapshot())

    def update(self, distribution: str, **changes: Any) -> dict[str, Any]:
        found = self.api.get_distribution_config(Id=distribution)
        config = {**found["DistributionConfig"], **changes}
        return dict(self.api.update_distribution(Id=distribution, IfMatch=found["ETag"], DistributionConfig=config))

    def access_control(self, name: str = "site") -> dict[str, Any]:
        config = {"Name": name, "SigningProtocol": "sigv4", "SigningBehavior": "always"}
        made = self.api.create_origin_access_control(
            OriginAccessControlConfig={**config, "OriginAccessControlOriginType": "s3"}
        )
        return dict(made)

    def function(
        self, name: str = "rewrite", code: bytes = b"function handler(e) { return e.request }"
    ) -> dict[str, Any]:
        config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
        return dict(self.api.create_function(Name=name, FunctionConfig=config, FunctionCode=code))

    def live_function(self, name: str = "rewrite") -> str:
        """Return the ARN of a published function."""
        made = self.function(name)
        self.api.publish_function(Name=name, IfMatch=made["ETag"])
        return str(made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])

    def associations(self, arn: str, event: str = "viewer-request") -> dict[str, Any]:
        return {"Quantity": 1, "Items": [{"FunctionARN": arn, "EventType": event}]}


@pytest.fixture
def cdn(lab: Lab) -> Cdn:
    return Cdn(lab, lab.client("cloudfront", "us-east-1"))
