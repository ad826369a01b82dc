"""What S3 shows to callers without a signature: only what the bucket's policy opens to everyone.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

ACTIONS = {"GetObject": "s3:GetObject", "HeadObject": "s3:GetObject", "ListObjectsV2": "s3:ListBucket"}
ACTIONS |= {"ListObjects": "s3:ListBucket", "HeadBucket": "s3:ListBucket"}


def allows_everyone(policy: Mapping[str, Any], action: str, resource: str) -> bool:
    """Whether a bucket policy lets `*` do `action` on the ARN `resource`: an Allow without conditions, and no Deny.

    A condition cannot be met by someone unknown, so an Allow with one does not count, and a Deny does.
    """
    allowed = False
    for statement in _list(policy.get("Statement")):
        if not (
            _is_everyone(statement.get("Principal"))
            and _covers(statement.get("Action"), action)
            and _covers(statement.get("Resource"), resource)
        ):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = allowed or not statement.get("Condition")
    return allowed


def _is_everyone(principal: object) -> bool:
    if isinstance(principal, Mapping):
        return "*" in _list(principal.get("AWS"))
    return principal == "*"


def _covers(patterns: object, value: str) -> bool:
    return any(
        re.fullmatch(re.escape(str(pattern)).replace(r"\*", ".*").replace(r"\?", "."), value, re.IGNORECASE)
        for pattern in _list(patterns)
    )


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def may_read(account: str, operation: str, path: str) -> bool:
    """Whether an unsigned request for `/bucket/key` is allowed by the bucket's policy."""
    from moto.s3.models import s3_backends  # noqa: PLC0415 - heavy

    name, _, key = path.lstrip("/").partition("/")
    bucket = s3_backends[account]["aws"].buckets.get(name)
    action = ACTIONS.get(operation)
    if bucket is None or action is None or not bucket.policy:
        return False
    block = bucket.public_access_block
    if block is not None and str(block.restrict_public_buckets).lower() == "true":
        return False
    resource = f"arn:aws:s3:::{name}" + (f"/{key}" if action == "s3:GetObject" else "")
    return allows_everyone(json.loads(bucket.policy), action, resource)
