"""Buckets and objects as on AWS: boto3 and the control plane on a socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from control_plane import Lab

from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION

HERE = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}


@pytest.fixture
def s3(lab: Lab) -> Any:
    return lab.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    s3.create_bucket(Bucket="site", **HERE)
    return "site"


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def put(s3: Any, key: str = "index.html", body: bytes = b"one", **options: Any) -> dict[str, Any]:
    return dict(s3.put_object(Bucket="site", Key=key, Body=body, **options))


def read(s3: Any, key: str = "index.html", **options: Any) -> bytes:
    return bytes(s3.get_object(Bucket="site", Key=key, **options)["Body"].read())


def browse(lab: Lab, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Send an unsigned request."""
    connection = HTTPConnection("127.0.0.1", lab.s3_port)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


# Buckets


@pytest.mark.correction(
    "s3:CreateBucket",
    "A bucket can be created with tags.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html",
    also=("BucketsResponses._bucket_response_put",),
)
def test_a_bucket_is_made_with_its_tags(s3: Any) -> None:
    tags = [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d & e"}]
    s3.create_bucket(Bucket="tagged", CreateBucketConfiguration={"LocationConstraint": REGION, "Tags": tags})
    assert s3.get_bucket_tagging(Bucket="tagged")["TagSet"] == tags


@pytest.mark.correction("s3:CreateBucket", "A new bucket blocks public access, has no ACLs and is encrypted.")
@pytest.mark.correction("s3:DeleteBucketEncryption", "The encryption is reset to the default.")
def test_a_new_bucket_is_private(s3: Any, bucket: str) -> None:
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]


@pytest.mark.correction("s3:PutObject", "Objects are encrypted with AES256 by default.")
def test_objects_are_encrypted(s3: Any, bucket: str) -> None:
    assert put(s3)["ServerSideEncryption"] == "AES256"
    assert s3.head_object(Bucket=bucket, Key="index.html")["ServerSideEncryption"] == "AES256"


@pytest.mark.correction(
    "s3:CreateBucket",
    "The name of a bucket follows the naming rules.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
)
@pytest.mark.parametrize(
    "name",
    ["Site", "ab", "a..b", "192.168.1.1", "-site", "site-", "under_score", "xn--site", "site-s3alias", "site--x-s3"],
)
def test_names_that_aws_refuses(lab: Lab, name: str) -> None:
    where = f"<LocationConstraint>{REGION}</LocationConstraint>"
    wanted = f"<CreateBucketConfiguration>{where}</CreateBucketConfiguration>"
    status, body = signed(lab, "PUT", f"/{name}", wanted.encode())
    assert (status, b"<Code>InvalidBucketName</Code>" in body) == (400, True)


def signed(lab: Lab, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send a signed request that botocore would not send."""
    connection = HTTPConnection("127.0.0.1", lab.s3_port)
    scope = f"{ACCESS_KEY}/20260101/{REGION}/s3/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_where_a_bucket_is_made(lab: Lab, s3: Any, bucket: str) -> None:
    lab.refused("BucketAlreadyOwnedByYou", s3.create_bucket, Bucket=bucket, **HERE)
    lab.refused("IllegalLocationConstraintException", s3.create_bucket, Bucket="nowhere")
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    lab.refused("IllegalLocationConstraintException", s3.create_bucket, Bucket="elsewhere", **elsewhere)
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == REGION
    home = lab.client("s3", "us-east-1")
    home.create_bucket(Bucket="home")
    home.create_bucket(Bucket="home")  # in us-east-1, creating it again is not an error


@pytest.mark.correction(
    "s3:GetObject",
    "A request for a bucket is signed for the region of the bucket.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList",
)
def test_the_region_of_a_signature(lab: Lab, s3: Any, bucket: str) -> None:
    put(s3)
    elsewhere = lab.client("s3", "eu-west-1", signature_version="s3v4")
    url = elsewhere.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "index.html"})
    status, told = browse(lab, url.partition(str(lab.s3_port))[2])
    assert (status, f"<Region>{REGION}</Region>".encode() in told) == (400, True)
    scope = f"{ACCESS_KEY}/20261130/eu-west-1/s3/aws4_request"
    signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    status, told = browse(lab, "/site/index.html", Authorization=signature)
    assert (status, b"<Code>AuthorizationHeaderMalformed</Code>" in told) == (400, True)


def test_boto3_follows_to_the_region_of_the_bucket(lab: Lab, s3: Any, bucket: str) -> None:
    put(s3)
    elsewhere = lab.client("s3", "eu-west-1")
    assert read(elsewhere) == b"one"
    assert elsewhere.head_object(Bucket=bucket, Key="index.html")["ContentLength"] == 3


def test_only_an_empty_bucket_goes(lab: Lab, s3: Any, versioned: str) -> None:
    put(s3)
    marker = s3.delete_object(Bucket=versioned, Key="index.html")["VersionId"]
    lab.refused("BucketNotEmpty", s3.delete_bucket, Bucket=versioned)
    for version in (marker, s3.list_object_versions(Bucket=versioned)["Versions"][0]["VersionId"]):
        s3.delete_object(Bucket=versioned, Key="index.html", VersionId=version)
    s3.delete_bucket(Bucket=versioned)
    lab.refused("NoSuchBucket", s3.list_objects_v2, Bucket=versioned)


@pytest.mark.correction(
    "s3:PutObjectAcl",
    "A bucket whose owner enforces the ownership has no ACLs.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
)
def test_there_are_no_acls(lab: Lab, s3: Any, bucket: str) -> None:
    code = "AccessControlListNotSupported"
    put(s3)
    lab.refused(code, s3.put_object_acl, Bucket=bucket, Key="index.html", ACL="public-read")
    lab.refused(code, s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
    lab.refused(code, s3.put_object, Bucket=bucket, Key="a", ACL="public-read")
    lab.refused(code, s3.create_multipart_upload, Bucket=bucket, Key="a", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="a", ACL="bucket-owner-full-control")
    lab.refused("InvalidBucketAclWithObjectOwnership", s3.create_bucket, Bucket="public", ACL="public-read", **HERE)
    s3.create_bucket(Bucket="with-acls", ObjectOwnership="ObjectWriter", **HERE)
    s3.put_object(Bucket="with-acls", Key="a", ACL="private")
    s3.put_bucket_ownership_controls(
        Bucket="with-acls", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    lab.refused(code, s3.put_object, Bucket="with-acls", Key="a", ACL="authenticated-read")


@pytest.mark.correction(
    "s3:GetBucketLifecycleConfiguration",
    "Lifecycle rules are returned as they were put.",
    also=("BucketsResponses.get_bucket_lifecycle",),
)
def test_lifecycle_comes_back(s3: Any, bucket: str) -> None:
    rules = [
        {
            "ID": "old versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "markers",
            "Status": "Enabled",
            "Filter": {"Prefix": "site/"},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules


@pytest.mark.correction("s3:PutBucketLifecycleConfiguration", "A lifecycle rule without an ID gets one.")
def test_a_rule_without_an_id_gets_one(s3: Any, bucket: str) -> None:
    rule = {"Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    kept = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert kept == s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (len(kept), kept[0] | rule, bool(kept[0]["ID"])) == (1, kept[0], True)
    s3.delete_bucket_lifecycle(Bucket=bucket)


# Policies


def policy(**changes: Any) -> str:
    said = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*", **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [said]})


def opened(s3: Any, bucket: str) -> None:
    settings = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    block = dict.fromkeys(settings, False)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)


@pytest.mark.correction(
    "s3:PutBucketPolicy", "A policy is checked, and a public one is refused while public policies are blocked."
)
@pytest.mark.correction(
    "s3:GetBucketPolicyStatus",
    "A policy is public if it permits an unlimited principal.",
    also=("bucket_policy_is_public",),
)
def test_public_policies_are_blocked(lab: Lab, s3: Any, bucket: str) -> None:
    lab.refused("MalformedPolicy", s3.put_bucket_policy, Bucket=bucket, Policy="{}")
    lab.refused("AccessDenied", s3.put_bucket_policy, Bucket=bucket, Policy=policy())
    lab.refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=bucket)

    edge = policy(Principal={"Service": "cloudfront.amazonaws.com"})
    s3.put_bucket_policy(Bucket=bucket, Policy=edge)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(edge)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": False}

    opened(s3, bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy())
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": True}
    s3.delete_bucket_policy(Bucket=bucket)
    lab.refused("NoSuchBucketPolicy", s3.get_bucket_policy_status, Bucket=bucket)


@pytest.mark.correction("s3:PutBucketPolicy", "A list of one text is told as a text, and an account as an ARN.")
def test_a_policy_is_told_in_s3s_form(s3: Any, bucket: str) -> None:
    put_in = policy(
        Principal={"AWS": ["123456789012"]},
        Action=["s3:GetObject"],
        Resource=["arn:aws:s3:::site/a", "arn:aws:s3:::site/b"],
        Condition={"StringEquals": {"aws:SourceVpce": ["vpce-1"]}},
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=put_in)
    [told] = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert told == {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:GetObject",
        "Resource": ["arn:aws:s3:::site/a", "arn:aws:s3:::site/b"],
        "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
    }


def test_strangers_see_what_is_public(lab: Lab, s3: Any, bucket: str) -> None:
    put(s3)
    assert browse(lab, "/site/index.html")[0] == 403
    opened(s3, bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy())
    assert browse(lab, "/site/index.html") == (200, b"one")
    assert browse(lab, "/index.html", Host=f"site.s3.{REGION}.amazonaws.com") == (200, b"one")
    assert browse(lab, "/site/missing")[0] == 403  # without permission to list, a missing key is not disclosed
    assert browse(lab, "/site?list-type=2")[0] == 403
    assert browse(lab, "/site/new", "PUT")[0] == 403
    assert browse(lab, "/nowhere/x")[0] == 404

    both = policy(Action=["s3:GetObject", "s3:ListBucket"], Resource=["arn:aws:s3:::site", "arn:aws:s3:::site/*"])
    s3.put_bucket_policy(Bucket=bucket, Policy=both)
    status, body = browse(lab, "/site/missing")
    assert (status, b"<Code>NoSuchKey</Code>" in body) == (404, True)

    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert browse(lab, "/site/index.html")[0] == 403


# Objects

ODD = ["a b.html", "a+b.html", "ä/ö.html", "a#b?c&d.html", ".well-known/x", "a%20b", "a//b", "日本.html", "x'\"<>y"]


@pytest.mark.parametrize("key", ODD)
def test_odd_keys_survive(lab: Lab, s3: Any, versioned: str, key: str) -> None:
    put(s3, key, key.encode(), Metadata={"sha256": "abc"}, ContentType="text/html; charset=utf-8")
    assert read(s3, key) == key.encode()
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=versioned)["Contents"]] == [key]
    assert [each["Key"] for each in s3.list_object_versions(Bucket=versioned)["Versions"]] == [key]
    s3.copy_object(Bucket=versioned, Key="copy " + key, CopySource={"Bucket": versioned, "Key": key})
    head = s3.head_object(Bucket=versioned, Key="copy " + key)
    assert (head["Metadata"], head["ContentType"]) == ({"sha256": "abc"}, "text/html; charset=utf-8")
    deleted = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": key}]})["Deleted"]
    assert [each["Key"] for each in deleted] == [key]
    opened(s3, versioned)
    s3.put_bucket_policy(Bucket=versioned, Policy=policy())
    assert browse(lab, f"/site/{quote('copy ' + key)}") == (200, key.encode())


@pytest.mark.correction(
    "s3:PutObject",
    "If-None-Match of a write accepts * only.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
    also=("ObjectsResponses._key_response_put",),
)
@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ({"IfNoneMatch": "*"}, "PreconditionFailed"),
        ({"IfMatch": '"0"'}, "PreconditionFailed"),
        ({"IfNoneMatch": '"0"'}, "NotImplemented"),
    ],
)
def test_conditions_of_a_write(lab: Lab, s3: Any, bucket: str, condition: dict[str, str], code: str) -> None:
    put(s3)
    lab.refused(code, s3.put_object, Bucket=bucket, Key="index.html", Body=b"two", **condition)
    assert read(s3) == b"one"


def test_writes_whose_conditions_hold(lab: Lab, s3: Any, versioned: str) -> None:
    missing = {"Bucket": versioned, "Key": "index.html", "Body": b"x", "IfMatch": '"0"'}
    lab.refused("NoSuchKey", s3.put_object, **missing)
    etag = put(s3, IfNoneMatch="*")["ETag"]
    etag = put(s3, body=b"two", IfMatch=etag)["ETag"]
    put(s3, body=b"three", IfMatch=etag.strip('"'))
    s3.delete_object(Bucket=versioned, Key="index.html")
    lab.refused("NoSuchKey", s3.put_object, **missing)  # a delete marker is not an object
    put(s3, body=b"four", IfNoneMatch="*")
    assert read(s3) == b"four"


@pytest.mark.correction(
    "s3:CompleteMultipartUpload",
    "A multipart upload has the conditions of a write.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
    also=("ObjectsResponses._key_response_post",),
)
def test_conditions_of_a_multipart_upload(lab: Lab, s3: Any, bucket: str) -> None:
    def uploaded(key: str) -> dict[str, Any]:
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"part")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        return {"Bucket": bucket, "Key": key, "UploadId": upload, "MultipartUpload": parts}

    etag = put(s3, "big")["ETag"]
    waiting = uploaded("big")
    lab.refused("PreconditionFailed", s3.complete_multipart_upload, IfNoneMatch="*", **waiting)
    lab.refused("PreconditionFailed", s3.complete_multipart_upload, IfMatch='"0"', **waiting)
    s3.complete_multipart_upload(IfMatch=etag, **waiting)
    assert read(s3, "big") == b"part"
    lab.refused("NoSuchKey", s3.complete_multipart_upload, IfMatch=etag, **uploaded("new"))
    s3.complete_multipart_upload(IfNoneMatch="*", **uploaded("other"))


@pytest.mark.correction("s3:PutObject", "The digests of the request must be those of the content.")
@pytest.mark.parametrize(
    "digest",
    [
        {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {"ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
        {"ChecksumCRC32": "AAAAAA=="},
    ],
)
def test_what_arrives_is_what_was_sent(lab: Lab, s3: Any, bucket: str, digest: dict[str, str]) -> None:
    put(s3, body=b"", **digest)  # digests of empty content
    lab.refused("BadDigest", s3.put_object, Bucket=bucket, Key="index.html", Body=b"something", **digest)
    assert read(s3) == b""


@pytest.mark.correction(
    "s3:DeleteObject",
    "Deleting without a version adds a delete marker, and deleting the marker brings the object back.",
)
def test_versions(lab: Lab, s3: Any, versioned: str) -> None:
    first, second = put(s3)["VersionId"], put(s3, body=b"two")["VersionId"]
    assert first != second
    assert s3.head_object(Bucket=versioned, Key="index.html")["VersionId"] == second
    assert read(s3, VersionId=first) == b"one"

    deleted = s3.delete_object(Bucket=versioned, Key="index.html")
    assert deleted["DeleteMarker"] is True
    lab.refused("NoSuchKey", s3.get_object, Bucket=versioned, Key="index.html")
    lab.refused("NoSuchVersion", s3.get_object, Bucket=versioned, Key="index.html", VersionId="none")
    listed = s3.list_object_versions(Bucket=versioned)
    assert [(each["VersionId"], each["IsLatest"]) for each in listed["DeleteMarkers"]] == [(deleted["VersionId"], True)]
    assert [(each["VersionId"], each["IsLatest"]) for each in listed["Versions"]] == [(second, False), (first, False)]
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)

    gone = s3.delete_object(Bucket=versioned, Key="index.html", VersionId=deleted["VersionId"])
    assert (gone["VersionId"], gone["DeleteMarker"]) == (deleted["VersionId"], True)
    assert read(s3) == b"two"


def test_a_version_is_brought_back_by_a_copy(s3: Any, versioned: str) -> None:
    first = put(s3, ContentType="text/html", CacheControl="max-age=60")["VersionId"]
    put(s3, body=b"two")
    source = {"Bucket": versioned, "Key": "index.html", "VersionId": first}
    copied = s3.copy_object(
        Bucket=versioned,
        Key="index.html",
        CopySource=source,
        MetadataDirective="REPLACE",
        ContentType="text/plain",
        CacheControl="no-cache",
        Metadata={"a": "b"},
    )
    assert copied["CopySourceVersionId"] == first
    found = s3.get_object(Bucket=versioned, Key="index.html")
    assert found["VersionId"] == copied["VersionId"] not in (first, None)
    assert (found["Body"].read(), found["ContentType"], found["CacheControl"]) == (b"one", "text/plain", "no-cache")
    assert found["Metadata"] == {"a": "b"}


def test_a_copy_onto_itself_changes_something(lab: Lab, s3: Any, versioned: str) -> None:
    version = put(s3)["VersionId"]
    source = {"Bucket": versioned, "Key": "index.html"}
    lab.refused("InvalidRequest", s3.copy_object, Bucket=versioned, Key="index.html", CopySource=source)
    put(s3, body=b"two")
    s3.copy_object(Bucket=versioned, Key="index.html", CopySource={**source, "VersionId": version})
    assert read(s3) == b"one"
    current = s3.head_object(Bucket=versioned, Key="index.html")["VersionId"]
    s3.copy_object(Bucket=versioned, Key="index.html", CopySource={**source, "VersionId": current})
    assert s3.head_object(Bucket=versioned, Key="index.html")["VersionId"] not in (version, current)


@pytest.mark.correction(
    "s3:CopyObject",
    "A copy has the conditions of a write.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
)
def test_conditions_of_a_copy(lab: Lab, s3: Any, bucket: str) -> None:
    put(s3)
    put(s3, "other", b"two")
    wanted = {"Bucket": bucket, "Key": "other", "CopySource": {"Bucket": bucket, "Key": "index.html"}}
    lab.refused("PreconditionFailed", s3.copy_object, IfNoneMatch="*", **wanted)
    assert read(s3, "other") == b"two"


@pytest.mark.correction(
    "s3:PutObject",
    "With suspended versioning, a write replaces the null version only.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html",
)
def test_suspended_versioning_keeps_the_versions(s3: Any, versioned: str) -> None:
    first = put(s3)["VersionId"]
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    assert put(s3, body=b"two")["VersionId"] == "null"
    put(s3, body=b"three")
    ids = [each["VersionId"] for each in s3.list_object_versions(Bucket=versioned)["Versions"]]
    assert ids == ["null", first]
    s3.delete_object(Bucket=versioned, Key="index.html")
    listed = s3.list_object_versions(Bucket=versioned)
    assert [each["VersionId"] for each in listed["DeleteMarkers"]] == ["null"]
    assert [each["VersionId"] for each in listed["Versions"]] == [first]


@pytest.mark.correction(
    "s3:DeleteObject", "Deleting a key that does not exist adds a delete marker in a versioned bucket."
)
def test_deleting_what_is_not_there(s3: Any, bucket: str) -> None:
    s3.delete_object(Bucket=bucket, Key="missing")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.delete_object(Bucket=bucket, Key="missing")["DeleteMarker"] is True
    assert len(s3.list_object_versions(Bucket=bucket)["DeleteMarkers"]) == 1


@pytest.mark.correction(
    "s3:DeleteObject",
    "A deletion with If-Match: * needs an object, and accepts any.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html",
    also=("ObjectsResponses.delete_object",),
)
def test_conditions_of_a_deletion(lab: Lab, s3: Any, versioned: str) -> None:
    wanted = {"Bucket": versioned, "Key": "index.html"}
    etag = put(s3)["ETag"]
    lab.refused("PreconditionFailed", s3.delete_object, **wanted, IfMatch='"0"')
    s3.delete_object(**wanted, IfMatch=etag)
    lab.refused("NoSuchKey", s3.delete_object, **wanted, IfMatch=etag)  # a delete marker is not an object
    lab.refused("NoSuchKey", s3.delete_object, **wanted, IfMatch="*")
    put(s3)
    assert s3.delete_object(**wanted, IfMatch="*")["DeleteMarker"] is True


@pytest.mark.correction(
    "s3:DeleteObjects",
    "An object is deleted only if it has the ETag of the request.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html",
    also=("ObjectsResponses._bucket_response_delete_keys",),
)
def test_conditions_of_many_deletions(s3: Any, bucket: str) -> None:
    etags = {"same": put(s3, "same")["ETag"], "changed": '"0"', "missing": "*"}
    put(s3, "changed")
    objects = [{"Key": key, "ETag": etag} for key, etag in etags.items()]
    told = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [each["Key"] for each in told["Deleted"]] == ["same"]
    refused = {each["Key"]: each["Code"] for each in told["Errors"]}
    assert refused == {"changed": "PreconditionFailed", "missing": "NoSuchKey"}
    assert read(s3, "changed") == b"one"


@pytest.mark.correction(
    "s3:GetObject",
    "A request that expects another owner of the bucket is refused.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html",
    also=("Responses._key_response", "Responses._bucket_response"),
)
def test_the_expected_owner_of_a_bucket(lab: Lab, s3: Any, bucket: str) -> None:
    put(s3)
    own, other = lab.client("sts").get_caller_identity()["Account"], "012345678901"
    for call, wanted in (
        (s3.get_object, {"Bucket": bucket, "Key": "index.html"}),
        (s3.put_object, {"Bucket": bucket, "Key": "other.html"}),
        (s3.get_bucket_location, {"Bucket": bucket}),
    ):
        call(**wanted, ExpectedBucketOwner=own)
        lab.refused("AccessDenied", call, **wanted, ExpectedBucketOwner=other)
    lab.refused("NoSuchBucket", s3.get_bucket_location, Bucket="missing", ExpectedBucketOwner=other)


@pytest.mark.correction(
    "s3:DeleteObjects",
    "At most 1000 keys are deleted, and the result has their delete markers.",
    also=("ObjectsResponses._bucket_response_delete_keys",),
)
def test_a_thousand_are_deleted_at_once(lab: Lab, s3: Any, versioned: str) -> None:
    put(s3)
    objects = [{"Key": "index.html"}, *({"Key": f"missing {number}"} for number in range(999))]
    deleted = s3.delete_objects(Bucket=versioned, Delete={"Objects": objects})["Deleted"]
    assert len(deleted) == 1000
    assert all(each["DeleteMarker"] and each["DeleteMarkerVersionId"] for each in deleted)
    lab.refused("MalformedXML", s3.delete_objects, Bucket=versioned, Delete={"Objects": [*objects, {"Key": "more"}]})
    quiet = s3.delete_objects(Bucket=versioned, Delete={"Objects": objects[:2], "Quiet": True})
    assert "Deleted" not in quiet


def test_reads_on_conditions_and_of_ranges(s3: Any, bucket: str) -> None:
    etag = put(s3, body=b"0123456789")["ETag"]
    found = s3.get_object(Bucket=bucket, Key="index.html", Range="bytes=2-4")
    assert (found["Body"].read(), found["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert status(lambda: read(s3, IfNoneMatch=etag)) == 304
    assert status(lambda: read(s3, IfMatch='"0"')) == 412
    assert status(lambda: read(s3, Range="bytes=10-")) == 416
    modified = s3.head_object(Bucket=bucket, Key="index.html")["LastModified"]
    assert status(lambda: read(s3, IfModifiedSince=modified)) == 304
    assert status(lambda: s3.head_object(Bucket=bucket, Key="index.html", IfNoneMatch=etag)) == 304
    assert read(s3, IfNoneMatch='"0"', IfModifiedSince=modified) == b"0123456789"  # the ETag has precedence
    assert read(s3) == b"0123456789"  # over the same connection


def status(call: Callable[[], Any]) -> int:
    with pytest.raises(ClientError) as caught:
        call()
    return int(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.mark.correction(
    "s3:PutObject",
    "An answer allows no other origins.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html",
)
def test_answers_allow_no_other_origins(lab: Lab, s3: Any, bucket: str) -> None:
    headers = put(s3)["ResponseMetadata"]["HTTPHeaders"]
    assert "access-control-allow-origin" not in headers
    assert headers["server"] == "AmazonS3"


@pytest.mark.correction(
    "s3:GetObject",
    "The digests of an upload are not headers of the download.",
    also=("metadata_from_headers",),
)
def test_headers_of_an_upload_stay_there(s3: Any, bucket: str) -> None:
    put(s3, body=b"", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==", CacheControl="no-cache")
    found = s3.get_object(Bucket=bucket, Key="index.html")["ResponseMetadata"]["HTTPHeaders"]
    assert found["cache-control"] == "no-cache"
    assert not {"content-md5", "x-amz-content-sha256"} & set(found)


def test_a_write_to_a_bucket_wakes_nobody(lab: Lab, s3: Any, bucket: str) -> None:
    lab.changes.clear()
    put(s3)
    assert lab.changes == []


# Lists


@pytest.mark.correction("s3:ListObjectsV2", "A page has at most 1000 keys.")
@pytest.mark.correction("s3:ListObjectVersions", "A page has at most 1000 versions.")
def test_lists_come_in_pages_of_a_thousand(lab: Lab, s3: Any, versioned: str) -> None:
    for number in range(1005):
        put(s3, f"{number:04}", b"")
    first = s3.list_objects_v2(Bucket=versioned, MaxKeys=5000)
    assert (first["KeyCount"], first["MaxKeys"], first["IsTruncated"]) == (1000, 1000, True)
    second = s3.list_objects_v2(Bucket=versioned, ContinuationToken=first["NextContinuationToken"])
    assert (second["KeyCount"], second["IsTruncated"]) == (5, False)
    assert [each["Key"] for each in (*first["Contents"], *second["Contents"])] == [f"{n:04}" for n in range(1005)]
    after = s3.list_objects_v2(Bucket=versioned, StartAfter="1002")
    assert [each["Key"] for each in after["Contents"]] == ["1003", "1004"]
    assert after["StartAfter"] == "1002"
    lab.refused("InvalidArgument", s3.list_objects_v2, Bucket=versioned, ContinuationToken="?")

    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=versioned))
    assert [len(each["Versions"]) for each in pages] == [1000, 5]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_folders_and_versions_over_pages(s3: Any, versioned: str, size: int) -> None:
    for key in ("a/1", "a/2", "b", "b/", "c/d/1", "c/d/2", "e"):
        put(s3, key)
    put(s3, "b", b"two")
    s3.delete_object(Bucket=versioned, Key="e")
    found: list[str] = []
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=versioned, Delimiter="/", PaginationConfig={"PageSize": size}
    ):
        found += [each["Key"] for each in page.get("Contents", [])]
        found += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
    assert sorted(found) == ["a/", "b", "b/", "c/"]

    seen: list[tuple[str, bool]] = []
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=versioned, PaginationConfig={"PageSize": size}
    ):
        for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            seen.append((each["Key"], each["IsLatest"]))
    assert sorted(seen) == sorted(
        [
            *((key, True) for key in ("a/1", "a/2", "b", "b/", "c/d/1", "c/d/2", "e")),
            *((key, False) for key in ("b", "e")),
        ]
    )


@pytest.mark.correction(
    "s3:ListObjects", "The prefix of the answer is not encoded twice, and a page ends behind a common prefix."
)
def test_lists_of_a_prefix(s3: Any, bucket: str) -> None:
    for key in ("a b/1", "a b/2", "a+b/1", "c"):
        put(s3, key)
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="a b/")
    assert ([each["Key"] for each in listed["Contents"]], listed["Prefix"]) == (["a b/1", "a b/2"], "a b/")
    older = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=1)
    assert [each["Prefix"] for each in older["CommonPrefixes"]] == ["a b/"]
    rest = s3.list_objects(Bucket=bucket, Delimiter="/", Marker=older["NextMarker"])
    assert [each["Prefix"] for each in rest["CommonPrefixes"]] == ["a+b/"]
    assert [each["Key"] for each in rest["Contents"]] == ["c"]
