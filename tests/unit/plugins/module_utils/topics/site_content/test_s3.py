"""The requests: where they go, what an answer means."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket, base_url


@pytest.mark.parametrize(
    ("endpoint", "bucket", "style", "expected"),
    [
        ("https://s3.eu-central-1.amazonaws.com", "b", "auto", "https://b.s3.eu-central-1.amazonaws.com/"),
        ("https://s3.eu-central-1.amazonaws.com", "b", "path", "https://s3.eu-central-1.amazonaws.com/b/"),
        ("https://s3.eu-central-1.amazonaws.com", "a.b", "auto", "https://s3.eu-central-1.amazonaws.com/a.b/"),
        ("https://s3.cn-north-1.amazonaws.com.cn", "b", "auto", "https://b.s3.cn-north-1.amazonaws.com.cn/"),
        ("http://127.0.0.1:5000", "b", "auto", "http://127.0.0.1:5000/b/"),
        ("http://minio.example.com:9000", "b", "auto", "http://minio.example.com:9000/b/"),
        ("http://minio.example.com", "b", "virtual", "http://b.minio.example.com/"),
    ],
)
def test_where_a_bucket_is(endpoint: str, bucket: str, style: str, expected: str) -> None:
    meta = SimpleNamespace(endpoint_url=endpoint, config=SimpleNamespace(s3={"addressing_style": style}))
    assert base_url(meta, bucket) == expected


def test_another_region_is_told() -> None:
    answer = SimpleNamespace(
        status_code=301,
        headers={"x-amz-bucket-region": "us-west-2"},
        content=b"<Error><Code>PermanentRedirect</Code><Message>no</Message></Error>",
    )
    with pytest.raises(GroundworkError, match="the bucket b is in us-west-2, not in eu-central-1"):
        answering(answer).get("a")


def test_a_copy_that_fails_after_its_200_has_failed(clock: Clock) -> None:
    failed = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>'
    answer = SimpleNamespace(status_code=200, headers={}, content=failed)
    with pytest.raises(GroundworkError, match="Could not restore a: AWS refused CopyObject with AccessDenied"):
        answering(answer).copy("a", "a", "v1")


def test_an_error_without_xml(clock: Clock) -> None:
    answer = SimpleNamespace(status_code=403, headers={}, content=b"<html>proxy</html")
    with pytest.raises(GroundworkError, match="with 403: S3 returned no message"):
        answering(answer).get("a")


def test_keys_that_were_not_deleted_are_told() -> None:
    left = b"<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    answer = SimpleNamespace(status_code=200, headers={}, content=left)
    with pytest.raises(GroundworkError, match=r"S3 failed to delete 1 objects: a \(AccessDenied\)"):
        answering(answer).delete(["a"])


def answering(answer: t.Any) -> Bucket:
    from botocore.credentials import Credentials

    meta = SimpleNamespace(
        endpoint_url="http://127.0.0.1:1", region_name="eu-central-1", config=SimpleNamespace(s3=None)
    )
    session = SimpleNamespace(send=lambda _request: answer)
    client = SimpleNamespace(
        meta=meta,
        _endpoint=SimpleNamespace(http_session=session),
        _request_signer=SimpleNamespace(_credentials=Credentials("a", "b")),
    )
    return Bucket(client, "b", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _seconds: None))
