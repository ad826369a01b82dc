from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from groundwork_lab.api.requests import Scope, access_key, identify, scope

V4 = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/{}/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("authorization", "query", "expected"),
    [
        (V4.format("eu-central-1/ec2"), "", Scope("eu-central-1", "ec2")),
        (V4.format("us-east-1/S3"), "", Scope("us-east-1", "s3")),
        ("AWS AKIA:signature", "", Scope("", "s3")),
        ("", "X-Amz-Credential=AKIA%2F20260101%2Feu-central-1%2Fs3%2Faws4_request", Scope("eu-central-1", "s3")),
        ("", "AWSAccessKeyId=AKIA&Signature=x&Expires=1", Scope("", "s3")),
        ("", "", None),
        ("Basic dXNlcg==", "", None),
        ("AWS4-HMAC-SHA256 Credential=nonsense", "", None),
    ],
)
def test_scope(authorization: str, query: str, expected: Scope | None) -> None:
    assert scope(authorization, query) == expected
    if expected:
        assert access_key(authorization, query) == "AKIA"


def environ(method: str, path: str, query: str = "", **headers: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "RAW_URI": f"{path}?{query}",
        "QUERY_STRING": query,
        "HTTP_HOST": "198.18.0.4",
        "SERVER_NAME": "198.18.0.4",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **headers,
    }


@pytest.mark.parametrize(
    ("service", "request_", "body", "expected"),
    [
        ("ec2", environ("POST", "/"), b"Action=RunInstances&Version=2016-11-15", ("ec2", "RunInstances")),
        ("ec2", environ("GET", "/", "Action=DescribeVpcs"), b"", ("ec2", "DescribeVpcs")),
        (
            "elasticloadbalancing",
            environ("POST", "/"),
            b"Action=DescribeLoadBalancers&Version=2015-12-01",
            ("elbv2", "DescribeLoadBalancers"),
        ),
        (
            "elasticloadbalancing",
            environ("POST", "/"),
            b"Action=DescribeLoadBalancers&Version=2012-06-01",
            ("elb", "DescribeLoadBalancers"),
        ),
        ("ssm", environ("POST", "/", HTTP_X_AMZ_TARGET="AmazonSSM.GetParameter"), b"{}", ("ssm", "GetParameter")),
        ("s3", environ("GET", "/bucket", "list-type=2"), b"", ("s3", "ListObjectsV2")),
        ("s3", environ("PUT", "/bucket/a/key"), b"text", ("s3", "PutObject")),
        ("s3", environ("GET", "/"), b"", ("s3", "ListBuckets")),
        ("cloudfront", environ("GET", "/2020-05-31/distribution"), b"", ("cloudfront", "ListDistributions")),
        ("ec2", environ("POST", "/"), b"", ("ec2", "")),
    ],
)
def test_identify(service: str, request_: dict[str, Any], body: bytes, expected: tuple[str, str]) -> None:
    call = identify(Scope("eu-central-1", service), request_, body)
    assert call is not None
    assert (call.service.client, call.operation) == expected


def test_a_service_that_the_lab_has_not() -> None:
    assert identify(Scope("eu-central-1", "braket"), environ("GET", "/"), b"") is None


def test_dry_runs_are_told() -> None:
    call = identify(Scope("eu-central-1", "ec2"), environ("POST", "/"), b"Action=CreateVpc&DryRun=true")
    assert call is not None
    assert call.dry_run
