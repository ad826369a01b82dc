"""Permissions of requests to S3.

A signed request has all permissions (except for an instance's role, see `permissions`). An anonymous request has the
permissions that the bucket policy grants to everyone. A request of a CloudFront edge has those that it grants to the
distribution.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from groundwork_lab.aws.s3.addressing import Address
from groundwork_lab.aws.s3.policies import Request, allows, is_public

CLOUDFRONT = "cloudfront.amazonaws.com"
ACTIONS: Mapping[str, str] = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}


Caller = tuple[str, Mapping[str, str]]


def caller(source_arn: str, client: str) -> Caller:
    """Return (service, condition keys) of an unsigned request.

    A request with `source_arn` is from a CloudFront edge. It counts as sent over TLS, as on AWS.
    """
    if not source_arn:
        return "", {"aws:securetransport": "false", "aws:sourceip": client}
    account = source_arn.split(":")[4] if source_arn.count(":") >= 5 else ""
    return CLOUDFRONT, {
        "aws:securetransport": "true",
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": account,
    }


def may(bucket: Any, action: str, address: Address, who: Caller) -> bool:
    """Return whether the policy of moto's `bucket` allows `action` to an unsigned caller (from `caller`)."""
    if bucket is None or not bucket.policy:
        return False
    service, context = who
    policy = json.loads(bucket.policy)
    if not service and is_set(bucket.public_access_block, "restrict_public_buckets") and is_public(policy):
        return False
    return allows(policy, Request(action, address.arn, service, context))


def action_of(operation: str, query: str) -> str | None:
    """Return the permission that an operation requires, or None if unsigned requests cannot have it."""
    action = ACTIONS.get(operation)
    return "s3:GetObjectVersion" if action == "s3:GetObject" and "versionId=" in query else action


def is_set(block: Any, setting: str) -> bool:
    """Return whether the setting of a public access block is on. moto keeps strings and booleans."""
    return block is not None and str(getattr(block, setting)).lower() == "true"
