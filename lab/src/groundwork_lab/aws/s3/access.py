"""Who may ask S3 for what. A signed request is the account's own, which may do everything
(but see `permissions` for an instance's role).

Somebody anonymous may do what the bucket's policy opens to everyone, and an edge of CloudFront what it opens to the
distribution that it asks for. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
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
    """(service, condition keys) of an unsigned request: with `source_arn` an edge's, which speaks TLS, as on AWS."""
    if not source_arn:
        return "", {"aws:securetransport": "false", "aws:sourceip": client}
    account = source_arn.split(":")[4] if source_arn.count(":") >= 5 else ""
    return CLOUDFRONT, {
        "aws:securetransport": "true",
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": account,
    }


def may(bucket: Any, action: str, address: Address, who: Caller) -> bool:
    """Whether the policy of moto's `bucket` lets an unsigned caller (from `caller`) do `action`."""
    if bucket is None or not bucket.policy:
        return False
    service, context = who
    policy = json.loads(bucket.policy)
    if not service and is_set(bucket.public_access_block, "restrict_public_buckets") and is_public(policy):
        return False
    return allows(policy, Request(action, address.arn, service, context))


def action_of(operation: str, query: str) -> str | None:
    """The permission that an operation asks for; None for those that nobody without a signature has."""
    action = ACTIONS.get(operation)
    return "s3:GetObjectVersion" if action == "s3:GetObject" and "versionId=" in query else action


def is_set(block: Any, setting: str) -> bool:
    """Whether a public access block has the setting on; moto keeps words and truths."""
    return block is not None and str(getattr(block, setting)).lower() == "true"
