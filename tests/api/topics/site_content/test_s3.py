"""The requests: all pages of an answer, and when they are repeated."""

from __future__ import annotations

import pytest
from accounts.site_content import Site

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import s3
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket
from groundwork_lab.api import Fault


@pytest.fixture
def bucket(site: Site) -> Bucket:
    return Bucket(site.client("s3"), "dev-site", site.cloud)


def test_a_listing_has_all_pages_and_odd_keys(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE", 3)
    keys = sorted(f"site/{name}" for name in ("a b", "a+b", "ü", "%41", "a&b", "x/y", "z"))
    for key in keys:
        bucket.put(key, b"x", {})
    bucket.put("site2/a", b"x", {})
    found = bucket.list("site/")
    assert found and sorted(found) == keys and bucket.calls["ListObjectsV2"] == 3
    assert sorted(key for key, _version in bucket.versions("site/")) == keys
    assert bucket.calls["ListObjectVersions"] == 3


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("ServiceUnavailable", 503)])
def test_a_busy_service_is_asked_again(site: Site, bucket: Bucket, code: str, status: int) -> None:
    site.cloud.plane.faults.set(Fault("s3", "PutObject", code=code, status=status, times=3))
    assert bucket.put("site/a", b"x", {}).etag
    assert bucket.calls["PutObject"] == 4 and len(site.cloud.slept) == 3


def test_it_is_not_asked_for_ever(site: Site, bucket: Bucket) -> None:
    site.cloud.plane.faults.set(Fault("s3", "PutObject", code="SlowDown", status=503))
    with pytest.raises(GroundworkError, match="Could not upload site/a: AWS refused PutObject with SlowDown"):
        bucket.put("site/a", b"x", {})
    assert bucket.calls["PutObject"] == 10


def test_a_refusal_is_told_with_its_remedy(site: Site, bucket: Bucket) -> None:
    site.cloud.plane.faults.set(Fault("s3", "PutObject", code="AccessDenied", message="Access Denied", status=403))
    with pytest.raises(GroundworkError, match="Allow s3:PutObject to the credentials in use"):
        bucket.put("site/a", b"x", {})
    assert bucket.calls["PutObject"] == 1
