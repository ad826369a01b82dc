"""The buckets of standard logs, and what the edge delivers to them.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import moto.s3.models
from moto.s3.models import FakeGrant, FakeGrantee

from groundwork_lab.aws.cloudfront.state import Distribution
from groundwork_lab.aws.context import Context, refuse

DOMAIN = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")
# The account of CloudFront's log delivery, as the page says.
DELIVERY = FakeGrantee(grantee_id="c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0")
LONGEST_PREFIX = 256

_log = logging.getLogger(__name__)


def check(context: Context, given: Mapping[str, Any]) -> None:
    """Refuse a bucket that does not exist, or that has no access control lists. Grant CloudFront to write to it."""
    if not given["Enabled"]:
        return
    matched = DOMAIN.fullmatch(given["Bucket"])
    bucket = _buckets(context).get(matched["bucket"]) if matched else None
    if bucket is None:
        message = f"The S3 bucket that you specified for CloudFront logs doesn't exist: {given['Bucket']}"
        refuse("InvalidArgument", message)
    if not bucket.has_acls:
        message = f"The S3 bucket that you specified for CloudFront logs does not enable ACL access: {given['Bucket']}"
        refuse("InvalidArgument", message)
    if len(given["Prefix"]) > LONGEST_PREFIX or given["Prefix"].startswith("/"):
        refuse("InvalidArgument", "The parameter Prefix is not valid.")
    if not any(DELIVERY in grant.grantees for grant in bucket.acl.grants):
        bucket.acl.grants.append(FakeGrant([DELIVERY], ["FULL_CONTROL"]))


def store(context: Context, distribution: Distribution | None, name: str, content: bytes) -> bool:
    """Store a log file in the bucket of the distribution. Return False: no other part of the lab has to follow.

    The caller holds the context's lock. Without the bucket or its permission the file is lost, as on AWS.
    """
    given: Mapping[str, Any] = distribution.config["Logging"] if distribution else {"Enabled": False}
    matched = DOMAIN.fullmatch(given["Bucket"]) if given["Enabled"] else None
    bucket = _buckets(context).get(matched["bucket"]) if matched else None
    if bucket is None or not bucket.has_acls:
        _log.warning("The log %s has no bucket, and is lost.", name)
    else:
        _backend(context).put_object(bucket.name, _key(given["Prefix"], name), content)
    return False


def _key(prefix: str, name: str) -> str:
    return f"{prefix.removesuffix('/')}/{name}" if prefix else name


def _backend(context: Context) -> Any:
    return moto.s3.models.s3_backends[context.account]["aws"]


def _buckets(context: Context) -> Mapping[str, Any]:
    buckets: Mapping[str, Any] = _backend(context).buckets
    return buckets
