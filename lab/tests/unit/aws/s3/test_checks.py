"""S3 checks the values of headers, bodies, forms and presigned requests, whatever a bucket contains."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlparse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.s3 import checks, forms, subresources
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION

HERE = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
NOT_XML = "MalformedXML"


@pytest.fixture
def s3(lab: Lab) -> Any:
    made = lab.client("s3", parameter_validation=False)
    made.create_bucket(Bucket="site", **HERE)
    return made


def send(lab: Lab, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    request = AWSRequest(method, f"http://127.0.0.1:{lab.s3_port}{path}", data=body, headers=headers)
    SigV4Auth(Credentials(ACCESS_KEY, "secret"), "s3", REGION).add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", lab.s3_port)
    connection.request(method, path, body, dict(request.headers))
    response = connection.getresponse()
    return response.status, response.read()


@pytest.mark.correction(
    "s3:PutObject", "The ACL private is taken where ACLs are disabled.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
)  # fmt: skip
def test_private_says_what_holds(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="site", Key="a", Body=b"one", ACL="private")
    s3.copy_object(Bucket="site", Key="b", CopySource="site/a", ACL="private")
    upload = s3.create_multipart_upload(Bucket="site", Key="c", ACL="private")["UploadId"]
    s3.abort_multipart_upload(Bucket="site", Key="c", UploadId=upload)
    lab.refused("AccessControlListNotSupported", s3.put_object, Bucket="site", Key="a", ACL="public-read")


@pytest.mark.correction(
    "s3:PutBucketRequestPayment",
    "Who pays can be set, and is not a bucket to create.",
    also=("BucketsResponses._bucket_response_get",),
)
def test_who_pays(lab: Lab, s3: Any) -> None:
    assert s3.get_bucket_request_payment(Bucket="site")["Payer"] == "BucketOwner"
    s3.put_bucket_request_payment(Bucket="site", RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket="site")["Payer"] == "Requester"
    call = s3.put_bucket_request_payment
    lab.refused(NOT_XML, call, Bucket="site", RequestPaymentConfiguration={"Payer": "Visitor"})


@pytest.mark.correction(
    "s3:DeleteBucketInventoryConfiguration", "An inventory is deleted, and not its bucket.",
    also=("BucketsResponses._bucket_response_delete", "BucketsResponses.get_bucket_inventory_configuration"),
)  # fmt: skip
def test_inventories(lab: Lab, s3: Any) -> None:
    destination = {"S3BucketDestination": {"Bucket": "arn:aws:s3:::site", "Format": "CSV"}}
    wanted = {
        **{"Destination": destination, "IsEnabled": True, "Id": "one", "IncludedObjectVersions": "All"},
        "Schedule": {"Frequency": "Daily"},
    }
    s3.put_bucket_inventory_configuration(Bucket="site", Id="one", InventoryConfiguration=wanted)
    assert s3.get_bucket_inventory_configuration(Bucket="site", Id="one")["InventoryConfiguration"] == wanted
    lab.refused("NoSuchConfiguration", s3.delete_bucket_inventory_configuration, Bucket="site", Id="two")
    s3.delete_bucket_inventory_configuration(Bucket="site", Id="one")
    for call in (s3.get_bucket_inventory_configuration, s3.delete_bucket_inventory_configuration):
        lab.refused("NoSuchConfiguration", call, Bucket="site", Id="one")
    assert "InventoryConfigurationList" not in s3.list_bucket_inventory_configurations(Bucket="site")
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["site"]


@pytest.mark.correction(
    "s3:ListBucketMetricsConfigurations", "A bucket without configurations of a kind has an empty list of them."
)
@pytest.mark.parametrize("kind", ["analytics", "intelligent_tiering", "metrics"])
def test_configurations_that_a_bucket_does_not_have(lab: Lab, s3: Any, kind: str) -> None:
    listed = getattr(s3, f"list_bucket_{kind}_configurations")
    told = listed(Bucket="site")
    del told["ResponseMetadata"]
    assert told == {"IsTruncated": False}
    lab.refused("NoSuchBucket", listed, Bucket="another")
    status, body = send(lab, "GET", f"/site?{kind.replace('_', '-')}&id=one")
    assert (status, b"<Code>NoSuchConfiguration</Code>" in body) == (404, True)


def test_unknown_elements_of_a_body(lab: Lab, s3: Any) -> None:
    status, body = send(lab, "PUT", "/site?versioning", b"<VersioningConfiguration><Colour/></VersioningConfiguration>")
    assert (status, NOT_XML.encode() in body) == (400, True)
    assert send(lab, "PUT", "/site?versioning", b"<VersioningConfiguration>")[0] == 400


def test_no_subresource_is_taken_for_another_request(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="site", Key="a", Body=b"one")
    unknown = [
        (key, method, name)
        for key, method, name in subresources.operations()
        if name not in subresources.KNOWN.get((key, method), ())
    ]
    assert (False, "DELETE", "metrics") in unknown
    for key, method, name in unknown:
        status, _ = send(lab, method, f"/site{'/a' if key else ''}?{name}=1", b"x" if method == "PUT" else b"")
        assert status == 501, (key, method, name)
    assert s3.get_object(Bucket="site", Key="a")["Body"].read() == b"one"


@pytest.mark.correction("s3:PutObject", "A header with values has one of them.")
def test_headers_have_values_that_exist(lab: Lab, s3: Any) -> None:
    assert {"x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-metadata-directive"} <= {
        *checks.header_values()
    }
    for name in checks.header_values():
        status, body = send(lab, "PUT", "/site/a", b"one", **{name: "rot13"})
        assert status == 400, (name, body)
    assert "Contents" not in s3.list_objects_v2(Bucket="site")


TAGS = {"TagSet": [{"Key": "a", "Value": "1"}]}
RULE = {"ID": "one", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}


def lifecycle(*rules: Any) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": list(rules)}}


def encryption(algorithm: str) -> dict[str, Any]:
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    return {"ServerSideEncryptionConfiguration": {"Rules": [default]}}


BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("put_bucket_versioning", NOT_XML, {"VersioningConfiguration": {"Status": "Banana"}}),
    ("put_bucket_encryption", NOT_XML, encryption("rot13")),
    ("put_bucket_accelerate_configuration", NOT_XML, {"AccelerateConfiguration": {"Status": "Fast"}}),
    (
        "put_bucket_ownership_controls",
        NOT_XML,
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "Nobody"}]}},
    ),
    ("put_bucket_lifecycle_configuration", NOT_XML, lifecycle()),
    ("put_bucket_lifecycle_configuration", NOT_XML, lifecycle({**RULE, "Status": "Banana"})),
    ("put_bucket_lifecycle_configuration", NOT_XML, lifecycle({**RULE, "Filter": None})),
    ("put_bucket_lifecycle_configuration", "InvalidRequest", lifecycle({**RULE, "Expiration": None})),
    ("put_bucket_lifecycle_configuration", "InvalidArgument", lifecycle({**RULE, "Expiration": {"Days": 0}})),
    ("put_bucket_lifecycle_configuration", "InvalidArgument", lifecycle(RULE, RULE)),
    ("put_bucket_tagging", "InvalidTag", {"Tagging": {"TagSet": [*TAGS["TagSet"], *TAGS["TagSet"]]}}),
    ("put_bucket_tagging", "InvalidTag", {"Tagging": {"TagSet": [{"Key": "k" * 129, "Value": ""}]}}),
    ("put_bucket_tagging", "InvalidTag", {"Tagging": {"TagSet": [{"Key": "aws:k", "Value": ""}]}}),
]


@pytest.mark.correction(
    "s3:PutBucketVersioning", "A body follows the schema of the operation, and its further rules.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
)  # fmt: skip
@pytest.mark.parametrize(("operation", "code", "given"), BODIES)
def test_bodies_that_s3_refuses(lab: Lab, s3: Any, operation: str, code: str, given: dict[str, Any]) -> None:
    given = json.loads(json.dumps(given))
    for each in (given.get("LifecycleConfiguration") or {}).get("Rules", []):
        for name in [name for name, value in each.items() if value is None]:
            del each[name]
    lab.refused(code, getattr(s3, operation), Bucket="site", **given)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
        ("put_bucket_encryption", encryption("aws:kms")),
        ("put_bucket_lifecycle_configuration", lifecycle(RULE, {**RULE, "ID": "two"})),
        ("put_bucket_tagging", {"Tagging": TAGS}),
        (
            "put_bucket_cors",
            {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}},
        ),
        ("put_bucket_website", {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}}),
        ("put_bucket_logging", {"BucketLoggingStatus": {}}),
    ],
)
def test_bodies_that_s3_takes(s3: Any, operation: str, given: dict[str, Any]) -> None:
    getattr(s3, operation)(Bucket="site", **given)


@pytest.mark.correction(
    "s3:PutObject", "A key has at most 1024 bytes, and metadata 2048.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html",
)  # fmt: skip
def test_lengths(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="site", Key="k" * 1024, Metadata={"m": "v" * 2047})
    lab.refused("KeyTooLongError", s3.put_object, Bucket="site", Key="k" * 1023 + "ä")
    lab.refused("MetadataTooLarge", s3.put_object, Bucket="site", Key="a", Metadata={"m": "v" * 2048})


@pytest.mark.correction(
    "s3:PutObjectAcl", "A bucket that blocks public ACLs refuses them.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
)  # fmt: skip
def test_public_acls_are_blocked(lab: Lab, s3: Any) -> None:
    s3.create_bucket(Bucket="acls", ObjectOwnership="ObjectWriter", **HERE)
    s3.put_object(Bucket="acls", Key="a", ACL="private")
    everyone = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
    lab.refused("AccessDenied", s3.put_object, Bucket="acls", Key="a", ACL="public-read")
    lab.refused("AccessDenied", s3.put_object_acl, Bucket="acls", Key="a", ACL="public-read-write")
    lab.refused("AccessDenied", s3.put_object_acl, Bucket="acls", Key="a", GrantRead=everyone)
    lab.refused("AccessDenied", s3.put_bucket_acl, Bucket="acls", ACL="public-read")
    s3.delete_public_access_block(Bucket="acls")
    s3.put_object(Bucket="acls", Key="a", ACL="public-read")


@pytest.mark.correction(
    "s3:UploadPart",
    "An upload that does not exist is refused with NoSuchUpload.",
    also=("ObjectsBackend.upload_part_copy",),
)
@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("upload_part", {"PartNumber": 1, "Body": b"one"}),
        ("upload_part_copy", {"PartNumber": 1, "CopySource": "site/a"}),
        ("complete_multipart_upload", {"MultipartUpload": {"Parts": [{"ETag": "e", "PartNumber": 1}]}}),
        ("list_parts", {}),
        ("abort_multipart_upload", {}),
    ],
)
def test_unknown_uploads(lab: Lab, s3: Any, operation: str, given: dict[str, Any]) -> None:
    s3.put_object(Bucket="site", Key="a", Body=b"one")
    lab.refused("NoSuchUpload", getattr(s3, operation), Bucket="site", Key="a", UploadId="unknown", **given)


def test_the_condition_is_named(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="site", Key="a", Body=b"one")
    for name, value in (("If-None-Match", "*"), ("If-Match", '"other"')):
        status, body = send(lab, "PUT", "/site/a", b"two", **{name: value})
        assert (status, f"<Condition>{name}</Condition>".encode() in body) == (412, True)


@pytest.mark.correction("s3:HeadObject", "A checksum has its type.")
def test_checksums_have_a_type(s3: Any) -> None:
    s3.put_object(Bucket="site", Key="a", Body=b"one", ChecksumAlgorithm="SHA256")
    assert s3.head_object(Bucket="site", Key="a", ChecksumMode="ENABLED")["ChecksumType"] == "FULL_OBJECT"


def visit(url: str, method: str = "GET", body: bytes = b"", **headers: str) -> int:
    parsed = urlparse(url)
    connection = http.client.HTTPConnection(str(parsed.hostname), parsed.port)
    connection.request(method, f"{parsed.path}?{parsed.query}", body, headers)
    return connection.getresponse().status


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_requests_expire(lab: Lab, s3: Any, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="site", Key="a", Body=b"one")
    signer = lab.client("s3", signature_version=version)
    asked = {"Bucket": "site", "Key": "a"}
    assert visit(signer.generate_presigned_url("get_object", asked, ExpiresIn=60)) == 200
    assert visit(signer.generate_presigned_url("get_object", asked, ExpiresIn=-60)) == (403 if version == "s3" else 400)
    if version == "s3v4":
        assert visit(signer.generate_presigned_url("get_object", asked, ExpiresIn=604801)) == 400
        old = signer.generate_presigned_url("get_object", asked, ExpiresIn=60)
        day = old.partition("X-Amz-Date=")[2][:4]
        assert visit(old.replace(f"X-Amz-Date={day}", f"X-Amz-Date={int(day) - 1}")) == 403


def upload(posted: dict[str, Any], content: bytes = b"one", **changes: str) -> int:
    fields = {**posted["fields"], **changes}
    head = "--x\r\nContent-Disposition: form-data; name="
    parts = [f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    file = f'{head}"file"; filename="photo.jpg"\r\n\r\n'
    body = "".join([*parts, file]).encode() + content + b"\r\n--x--\r\n"
    return visit(posted["url"], "POST", body, **{"Content-Type": "multipart/form-data; boundary=x"})


@pytest.mark.correction(
    "s3:PutObject", "A form with a signed policy uploads its file.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html",
    also=("ObjectsResponses._bucket_response_post",),
)  # fmt: skip
def test_forms_upload(lab: Lab, s3: Any) -> None:
    conditions: list[Any] = [["content-length-range", 1, 5], ["starts-with", "$Content-Type", "image/"]]
    signer: Callable[..., dict[str, Any]] = lab.client("s3").generate_presigned_post
    posted = signer("site", "up/${filename}", Conditions=conditions)
    assert upload(posted, **{"Content-Type": "image/jpeg"}) == 204
    kept = s3.get_object(Bucket="site", Key="up/photo.jpg")
    assert (kept["Body"].read(), kept["ContentType"]) == (b"one", "image/jpeg")
    assert upload(posted, **{"Content-Type": "text/html"}) == 403
    assert upload(posted, b"too long", **{"Content-Type": "image/jpeg"}) == 400
    assert upload(posted, **{"Content-Type": "image/jpeg", "x-amz-meta-extra": "1"}) == 403
    assert upload(signer("site", "a", ExpiresIn=-5)) == 403
    assert (
        upload(
            signer("site", "a", Fields={"success_action_status": "201"}, Conditions=[{"success_action_status": "201"}])
        )
        == 201
    )


MALFORMED: list[Any] = [
    *({"bucket": "site", "key": "a"}, {}, {"bucket": None}, {"bucket": ["site"]}),
    *(["eq", "$key"], ["eq", "$key", "a", "b"], ["eq", "key", "a"], ["eq", "$key", {}], ["ends-with", "$key", "a"], []),
    *(["content-length-range", "x", "y"], ["content-length-range", 1.5, 2], ["content-length-range", -1, True]),
    *("key", 5, None, [["eq", "$key", "a"]]),
]


@pytest.mark.parametrize("conditions", [None, 5, "x", True, *([each] for each in MALFORMED)], ids=str)
def test_malformed_policies_of_forms(conditions: Any) -> None:
    until = "2999-01-01T00:00:00Z"
    assert refusal_of_form({"expiration": until, "conditions": conditions}) == "InvalidPolicyDocument"


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00+14:00", "2020-01-01T00:00:00", "2020-01-01"])
def test_times_of_forms(until: str) -> None:
    assert refusal_of_form({"expiration": until, "conditions": []}) == "AccessDenied"


def test_a_malformed_policy_is_refused_over_http(lab: Lab, s3: Any) -> None:
    policy = b64encode(json.dumps({"expiration": "2999-01-01T00:00:00Z", "conditions": None}).encode()).decode()
    posted = lab.client("s3").generate_presigned_post("site", "a")
    assert upload(posted, policy=policy) == 400


def refusal_of_form(policy: Any) -> str:
    form = forms.Form({"policy": b64encode(json.dumps(policy).encode()).decode(), "key": "a"}, "", b"")
    with pytest.raises(AwsError) as caught:
        forms.check(form, "site", datetime.now(UTC))
    return str(caught.value.code)


@pytest.mark.parametrize("days", ["--5", "-", "\u00b2", "1.5", ""])
def test_integers_of_a_body(lab: Lab, s3: Any, days: str) -> None:
    rule = f"<ID>one</ID><Status>Enabled</Status><Prefix/><Expiration><Days>{days}</Days></Expiration>"
    body = f"<LifecycleConfiguration><Rule>{rule}</Rule></LifecycleConfiguration>".encode()
    status, told = send(lab, "PUT", "/site?lifecycle", body)
    assert (status, NOT_XML.encode() in told) == (400, True)
