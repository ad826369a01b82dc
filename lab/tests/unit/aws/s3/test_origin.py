"""S3 as the origin of CloudFront: access by distribution, and read-only."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.api import Fault
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION

HOST = f"site.s3.{REGION}.amazonaws.com"
DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL"


@pytest.fixture
def s3(lab: Lab) -> Any:
    """Return a bucket with a page that the distribution may read."""
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="site", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="site", Key="site/index.html", Body=b"0123456789", ContentType="text/html")
    s3.put_object(Bucket="site", Key="releases/1.json", Body=b"{}")
    s3.put_bucket_policy(Bucket="site", Policy=policy("s3:GetObject", "s3:ListBucket"))
    lab.plane.calls.reset()
    return s3


def policy(*actions: str, source: str = DISTRIBUTION) -> str:
    resources = {"s3:GetObject": "arn:aws:s3:::site/site/*", "s3:ListBucket": "arn:aws:s3:::site"}
    allowed = [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": action,
            "Resource": resources[action],
            "Condition": {"StringEquals": {"AWS:SourceArn": source}},
        }
        for action in actions
    ]
    insecure = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": list(resources.values()),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [*allowed, insecure]})


def ask(
    lab: Lab, path: str = "/site/index.html", method: str = "GET", port: int = 0, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port or lab.origin_port)
    known = {"Host": HOST, "X-Groundwork-Source-Arn": DISTRIBUTION}
    connection.request(
        method, path, headers={**known, **{name.replace("_", "-"): text for name, text in headers.items()}}
    )
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body, {name.lower(): value for name, value in response.getheaders()}


@pytest.mark.correction(
    "s3:GetObject",
    "A distribution reads what the bucket policy permits it, and no header but those of S3 is in the answer.",
    also=("Bucket.get_permission",),
)
def test_the_distribution_reads(lab: Lab, s3: Any) -> None:
    status, body, headers = ask(lab)
    assert (status, body, headers["content-type"]) == (200, b"0123456789", "text/html")
    assert {name for name in headers if name not in ("date", "server", "content-length")} == {
        "accept-ranges",
        "content-type",
        "etag",
        "last-modified",
        "x-amz-request-id",
        "x-amz-server-side-encryption",
    }
    status, body, headers = ask(lab, method="HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", "10")


def test_what_is_missing_is_told_to_those_who_may_list(lab: Lab, s3: Any) -> None:
    status, body, headers = ask(lab, "/site/missing")
    assert (status, b"<Code>NoSuchKey</Code>" in body, headers["content-type"]) == (404, True, "application/xml")
    s3.put_bucket_policy(Bucket="site", Policy=policy("s3:GetObject"))
    status, body, _ = ask(lab, "/site/missing")
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)
    assert ask(lab)[0] == 200


def test_what_the_policy_does_not_say(lab: Lab, s3: Any) -> None:
    assert ask(lab, "/releases/1.json")[0] == 403
    assert ask(lab, X_Groundwork_Source_Arn=DISTRIBUTION + "X")[0] == 403
    assert ask(lab, X_Groundwork_Source_Arn="")[0] == 403
    s3.put_bucket_policy(Bucket="site", Policy=policy("s3:ListBucket"))
    assert ask(lab)[0] == 403
    s3.delete_bucket_policy(Bucket="site")
    assert ask(lab)[0] == 403
    assert ask(lab, Host=f"nowhere.s3.{REGION}.amazonaws.com")[0] == 404


def test_the_header_is_believed_at_this_door_only(lab: Lab, s3: Any) -> None:
    assert ask(lab, port=lab.s3_port)[0] == 403
    assert ask(lab, port=lab.s3_port, path="/site/site/index.html", Host="127.0.0.1")[0] == 403


def test_a_viewers_signature_means_nothing(lab: Lab, s3: Any) -> None:
    signature = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/s3/aws4_request, Signature=0"
    assert ask(lab, "/releases/1.json", Authorization=signature)[0] == 403
    assert ask(lab, "/releases/1.json", X_Groundwork_Source_Arn="", Authorization=signature)[0] == 403
    assert ask(lab, Authorization=signature)[0] == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_it_is_read_only(lab: Lab, s3: Any, method: str) -> None:
    status, body, _ = ask(lab, method=method)
    assert (status, b"<Code>MethodNotAllowed</Code>" in body) == (405, True)


@pytest.mark.correction(
    "s3:GetObject",
    "A condition on the ETag has precedence over one on the time.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax",
)
def test_conditions_and_ranges(lab: Lab, s3: Any) -> None:
    _, _, headers = ask(lab)
    status, body, again = ask(lab, If_None_Match=headers["etag"], If_Modified_Since=headers["last-modified"])
    assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    assert ask(lab, If_Modified_Since=headers["last-modified"])[0] == 304
    status, body, part = ask(lab, Range="bytes=2-4")
    assert (status, body, part["content-range"]) == (206, b"234", "bytes 2-4/10")
    s3.put_object(Bucket="site", Key="site/index.html", Body=b"changed within the same second")
    status, body, _ = ask(lab, If_None_Match=headers["etag"], If_Modified_Since=headers["last-modified"])
    assert (status, body) == (200, b"changed within the same second")


def test_calls_are_counted_by_a_name_of_their_own(lab: Lab, s3: Any) -> None:
    ask(lab)
    ask(lab, method="HEAD")
    s3.head_bucket(Bucket="site")
    assert lab.plane.calls.counted() == {"origin": {"GetObject": 1, "HeadObject": 1}, "s3": {"HeadBucket": 1}}


def test_faults_befall_the_origin_alone(lab: Lab, s3: Any) -> None:
    lab.plane.faults.set(Fault(service="origin", code="SlowDown", status=503))
    assert ask(lab)[0] == 503
    s3.get_object(Bucket="site", Key="site/index.html")
