"""The buckets of standard logs."""

from __future__ import annotations

from typing import Any

import pytest

from groundwork_lab.aws.cloudfront.world import store_log

DOMAIN = "logs-of-edges.s3.amazonaws.com"


def logging(**given: Any) -> dict[str, Any]:
    return {"Logging": {"Enabled": True, "IncludeCookies": False, "Bucket": DOMAIN, "Prefix": "", **given}}


def bucket(cdn: Any, **options: Any) -> None:
    where = {"LocationConstraint": "eu-central-1"}
    s3 = cdn.lab.client("s3")
    s3.create_bucket(Bucket="logs-of-edges", CreateBucketConfiguration=where, **options)


@pytest.mark.parametrize(("prefix", "key"), [("", "E1.gz"), ("site", "site/E1.gz"), ("site/", "site/E1.gz")])
def test_a_log_is_stored_in_the_bucket(cdn: Any, prefix: str, key: str) -> None:
    bucket(cdn, ObjectOwnership="BucketOwnerPreferred")
    made = cdn.distribution(**logging(Prefix=prefix))["Distribution"]
    cdn.lab.plane.report(lambda context: store_log(context, made["Id"], "E1.gz", b"content"))
    s3 = cdn.lab.client("s3")
    assert s3.get_object(Bucket="logs-of-edges", Key=key)["Body"].read() == b"content"
    grants = s3.get_bucket_acl(Bucket="logs-of-edges")["Grants"]
    assert [each["Permission"] for each in grants].count("FULL_CONTROL") == 2
    cdn.distribution("two", **logging(Prefix=prefix))
    assert s3.get_bucket_acl(Bucket="logs-of-edges")["Grants"] == grants


def test_without_access_control_lists_the_bucket_is_refused(cdn: Any) -> None:
    bucket(cdn)
    refused = cdn.config("one", **logging())
    cdn.lab.refused("InvalidArgument", cdn.api.create_distribution, DistributionConfig=refused)


@pytest.mark.parametrize("given", [{"Bucket": "logs-of-edges"}, {"Bucket": "missing.s3.amazonaws.com"}, {"Bucket": ""}])
def test_a_bucket_that_does_not_exist_is_refused(cdn: Any, given: dict[str, str]) -> None:
    refused = cdn.config("one", **logging(**given))
    cdn.lab.refused("InvalidArgument", cdn.api.create_distribution, DistributionConfig=refused)


def test_a_log_without_a_bucket_is_lost(cdn: Any) -> None:
    bucket(cdn, ObjectOwnership="ObjectWriter")
    made = cdn.distribution(**logging())["Distribution"]
    cdn.lab.client("s3").delete_bucket(Bucket="logs-of-edges")
    cdn.lab.plane.report(lambda context: store_log(context, made["Id"], "E1.gz", b"content"))
    cdn.lab.plane.report(lambda context: store_log(context, "E0", "E1.gz", b"content"))
