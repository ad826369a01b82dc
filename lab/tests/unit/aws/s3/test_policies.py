"""Bucket policies: permissions, public policies, and invalid policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.s3 import policies, wording
from groundwork_lab.aws.s3.policies import Request

OBJECT = "arn:aws:s3:::site/index.html"
DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL"
EDGE = {"Service": "cloudfront.amazonaws.com"}


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*", **changes}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


PLAIN = {"aws:securetransport": "false", "aws:sourceip": "198.18.0.20"}
SOURCE = {"aws:securetransport": "true", "aws:sourcearn": DISTRIBUTION, "aws:sourceaccount": "123456789012"}
INSECURE = statement(Effect="Deny", Action="s3:*", **when("Bool", "aws:SecureTransport", "false"))


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement()], True),
        ([statement(Principal={"AWS": "*"})], True),
        ([statement(Principal={"AWS": ["*"]})], True),
        ([statement(Action=["s3:Get*"])], True),
        ([statement(Action="s3:getobject")], True),
        ([statement(Action="s3:*", Resource="*")], True),
        ([statement(Resource="arn:aws:s3:::site/index.htm?")], True),
        ([], False),
        ([statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})], False),
        ([statement(Principal=EDGE)], False),
        ([statement(Action="s3:PutObject")], False),
        ([statement(Resource="arn:aws:s3:::site2/*")], False),
        ([statement(Resource="arn:aws:s3:::site")], False),
        ([statement(Resource="arn:aws:s3:::site/INDEX.html")], False),
        ([statement(), statement(Effect="Deny")], False),
        ([statement(Effect="Deny"), statement()], False),
        ([statement(Effect="Deny", Resource="arn:aws:s3:::site/private/*"), statement()], True),
        ([statement(), INSECURE], False),
        ([statement(**when("StringEquals", "aws:SourceArn", DISTRIBUTION))], False),
        ([statement(**when("StringNotEquals", "aws:SourceArn", DISTRIBUTION))], True),
        ([statement(**when("StringEqualsIfExists", "aws:SourceArn", DISTRIBUTION))], True),
        ([statement(**when("IpAddress", "aws:SourceIp", "10.0.0.0/8", "198.18.0.0/24"))], True),
        ([statement(**when("NotIpAddress", "aws:SourceIp", "198.18.0.0/24"))], False),
        ([statement(**when("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"))], False),
        ([statement(), statement(Effect="Deny", **when("Null", "aws:SourceArn", "true"))], False),
    ],
)
def test_what_everyone_may(statements: list[dict[str, Any]], allowed: bool) -> None:
    assert policies.allows({"Statement": statements}, Request("s3:GetObject", OBJECT, context=PLAIN)) is allowed


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([statement(Principal=EDGE)], True),
        ([statement(Principal=EDGE, **when("StringEquals", "AWS:SourceArn", DISTRIBUTION)), INSECURE], True),
        ([statement(Principal=EDGE, **when("ArnEquals", "aws:SourceArn", DISTRIBUTION))], True),
        ([statement(Principal=EDGE, **when("ArnLike", "aws:SourceArn", "arn:aws:cloudfront::*:distribution/*"))], True),
        ([statement(Principal=EDGE, **when("ArnLike", "aws:SourceArn", "arn:aws:cloudfront:*"))], False),
        ([statement(Principal=EDGE, **when("StringLike", "aws:SourceArn", "arn:aws:cloudfront:*"))], True),
        ([statement(Principal=EDGE, **when("StringEquals", "AWS:SourceArn", DISTRIBUTION + "X"))], False),
        ([statement(Principal=EDGE, **when("StringEquals", "aws:SourceAccount", "123456789012"))], True),
        ([statement(Principal=EDGE, **when("StringEquals", "aws:SourceAccount", "210987654321"))], False),
        ([statement(Principal={"Service": "logging.s3.amazonaws.com"})], False),
        ([statement(Principal=EDGE), statement(Effect="Deny", NotPrincipal=EDGE, Principal=None)], True),
        ([statement(Principal=EDGE), statement(Effect="Deny")], False),
    ],
)
def test_what_an_edge_may(statements: list[dict[str, Any]], allowed: bool) -> None:
    for each in statements:
        if each["Principal"] is None:
            del each["Principal"]
    request = Request("s3:GetObject", OBJECT, "cloudfront.amazonaws.com", SOURCE)
    assert policies.allows({"Statement": statements}, request) is allowed


@pytest.mark.parametrize(
    ("element", "action", "resource", "allowed"),
    [
        ({"NotAction": "s3:PutObject"}, "s3:GetObject", OBJECT, True),
        ({"NotAction": "s3:Get*"}, "s3:GetObject", OBJECT, False),
        ({"NotResource": "arn:aws:s3:::site/private/*"}, "s3:GetObject", OBJECT, True),
        ({"NotResource": "arn:aws:s3:::site/*"}, "s3:GetObject", OBJECT, False),
    ],
)
def test_all_but(element: dict[str, Any], action: str, resource: str, allowed: bool) -> None:
    said = {**statement(), **element}
    del said[next(iter(element)).removeprefix("Not")]
    assert policies.allows({"Statement": said}, Request(action, resource)) is allowed


@pytest.mark.parametrize(
    ("said", "public"),
    [
        (statement(), True),
        (statement(Principal={"AWS": ["*"]}), True),
        (statement(Effect="Deny"), False),
        (statement(Principal=EDGE), False),
        (statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}), False),
        (statement(**when("StringEquals", "aws:SourceArn", DISTRIBUTION)), False),
        (statement(**when("StringLike", "aws:SourceArn", "arn:aws:cloudfront::*")), True),
        (statement(**when("StringNotEquals", "aws:SourceArn", DISTRIBUTION)), True),
        (statement(**when("Bool", "aws:SecureTransport", "true")), True),
        (statement(**when("IpAddress", "aws:SourceIp", "198.18.0.0/24")), False),
        (statement(**when("IpAddress", "aws:SourceIp", "0.0.0.0/0")), True),
    ],
)
def test_what_is_public(said: dict[str, Any], public: bool) -> None:
    assert policies.is_public({"Statement": [said]}) is public


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in statement().items() if key != name}


BUCKET = "arn:aws:s3:::site"
MALFORMED: list[tuple[object, str]] = [
    ([], "Policies must be valid JSON and the first byte must be '{'"),
    ({"Version": "2012-10-17"}, "Missing required field Statement"),
    ({"Statement": statement(), "Rules": []}, "Unknown field Rules"),
    ({"Version": "2020-01-01", "Statement": statement()}, "The policy must contain a valid version string"),
    ({"Statement": without("Effect")}, "Missing required field Effect"),
    ({"Statement": without("Principal")}, "Missing required field Principal"),
    ({"Statement": without("Action")}, "Missing required field Action"),
    ({"Statement": without("Resource")}, "Missing required field Resource"),
    ({"Statement": statement(Effect="allow")}, "Invalid effect: allow"),
    ({"Statement": statement(Action="GetObject")}, "Policy has invalid action"),
    ({"Statement": statement(Action="ec2:RunInstances")}, "Policy has invalid action"),
    ({"Statement": statement(Resource="arn:aws:s3:::other/*")}, "Policy has invalid resource"),
    ({"Statement": statement(Resource="site/*")}, "Policy has invalid resource"),
    ({"Statement": statement(Principal={"AWS": "someone"})}, "Invalid principal in policy"),
    ({"Statement": statement(Principal={"User": "*"})}, "Invalid policy syntax."),
    ({"Statement": statement(Resource=BUCKET)}, "Action does not apply to any resource(s) in statement"),
    ({"Statement": statement(Action="s3:ListBucket")}, "Action does not apply to any resource(s) in statement"),
    ({"Statement": statement(**when("StringIs", "aws:SourceArn", "x"))}, "Invalid Condition type : StringIs"),
    ({"Statement": statement(**when("StringEquals", "SourceArn", "x"))}, "Policy has an invalid condition key"),
    ({"Statement": statement(**when("StringEquals", "aws:Moon", "x"))}, "Policy has an invalid condition key"),
    ({"Statement": statement(**when("StringEquals", "s3:SourceIp", "x"))}, "Policy has an invalid condition key"),
    (
        {"Statement": statement(**when("StringEquals", "s3:BucketTag", "x"))},
        "Policy has an invalid condition key",
    ),
]


@pytest.mark.parametrize(("policy", "message"), MALFORMED)
def test_what_is_no_policy(policy: object, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        wording.parsed(json.dumps(policy).encode(), "site")
    assert (caught.value.code, caught.value.message) == ("MalformedPolicy", message)


@pytest.mark.parametrize(
    "said",
    [
        statement(),
        statement(Action="s3:ListBucket", Resource=BUCKET),
        statement(Action=["s3:GetObject", "s3:ListBucket"], Resource=[BUCKET, f"{BUCKET}/*"]),
        statement(Effect="Deny", Action="s3:*", Resource=[BUCKET, f"{BUCKET}/*"]),
        statement(Principal=EDGE, **when("StringEquals", "AWS:SourceArn", DISTRIBUTION)),
        statement(Action="s3:PutLifecycleConfiguration", Resource=BUCKET),
        statement(Sid="Read", Principal={"AWS": ["123456789012", "arn:aws:iam::123456789012:role/publisher"]}),
    ],
)
def test_what_is_one(said: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Id": "site", "Statement": [said]}
    assert wording.parsed(json.dumps(policy).encode(), "site") == policy


def test_the_size_of_a_policy() -> None:
    policy = {"Statement": [statement(Sid="x" * 20480)]}
    with pytest.raises(AwsError) as caught:
        wording.parsed(json.dumps(policy).encode(), "site")
    assert caught.value.code == "PolicyTooLarge"
