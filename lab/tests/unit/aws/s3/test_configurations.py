"""What a bucket's configurations and access control lists tell of what was put."""

from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.settings import REGION

OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
GROUPS = "http://acs.amazonaws.com/groups"
INVENTORY = {
    "Destination": {
        "S3BucketDestination": {
            **{"Bucket": "arn:aws:s3:::site", "Format": "CSV", "Prefix": "p", "Encryption": {"SSES3": {}}}
        }
    },
    **{"IsEnabled": False, "Filter": {"Prefix": "x"}, "Id": "one", "IncludedObjectVersions": "Current"},
    **{"OptionalFields": ["Size", "ETag"], "Schedule": {"Frequency": "Weekly"}},
}


@pytest.fixture
def s3(lab: Lab) -> Any:
    client = lab.client("s3")
    options = {"ObjectLockEnabledForBucket": True, "ObjectOwnership": "ObjectWriter"}
    client.create_bucket(Bucket="site", CreateBucketConfiguration={"LocationConstraint": REGION}, **options)
    return client


def retention(**period: int) -> dict[str, Any]:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", **period}}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}


def as_put(s3: Any, subject: str, put: dict[str, Any]) -> bool:
    """Put a configuration of the bucket, and return whether the bucket tells the same."""
    getattr(s3, f"put_{subject}")(Bucket="site", **put)
    told = getattr(s3, f"get_{subject}")(Bucket="site")
    told.pop("ResponseMetadata")
    [wanted] = put.items()
    return bool(told in (dict([wanted]), wanted[1]))


CORS = [
    {"ID": "one", "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://a.example"], "MaxAgeSeconds": 300},
    {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"]},
]
WEBSITE = {
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "error.html"},
    "RoutingRules": [
        {
            "Condition": {"KeyPrefixEquals": "a/"},
            "Redirect": {"ReplaceKeyPrefixWith": "b/", "HttpRedirectCode": "301"},
        }
    ],
}


@pytest.mark.parametrize(
    ("subject", "put"),
    [
        ("bucket_cors", {"CORSConfiguration": {"CORSRules": CORS}}),
        ("bucket_website", {"WebsiteConfiguration": WEBSITE}),
        ("bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}}),
        ("bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Enabled"}}),
        ("bucket_request_payment", {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
        ("object_lock_configuration", {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}),
    ],
)
def test_what_was_put_is_told(s3: Any, subject: str, put: dict[str, Any]) -> None:
    assert as_put(s3, subject, put)


@pytest.mark.correction(
    "s3:PutBucketTagging", "The value of a tag can be empty.", also=("BucketsResponses._bucket_tagging_from_body",)
)
def test_a_tag_without_a_value(s3: Any) -> None:
    tags = {"TagSet": [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": ""}]}
    assert as_put(s3, "bucket_tagging", {"Tagging": tags})


@pytest.mark.correction(
    "s3:GetObjectLockConfiguration",
    "A default retention is in days or in years.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html",
)
def test_a_default_retention(s3: Any) -> None:
    assert as_put(s3, "object_lock_configuration", retention(Days=1))
    assert as_put(s3, "object_lock_configuration", retention(Years=2))


@pytest.mark.correction(
    "s3:PutObjectLockConfiguration",
    "The default retention of a bucket with objects can be changed.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html",
)
def test_the_default_retention_of_a_bucket_with_objects(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="site", Key="a", Body=b"")
    assert as_put(s3, "object_lock_configuration", retention(Days=1))
    s3.create_bucket(Bucket="plain", CreateBucketConfiguration={"LocationConstraint": REGION})
    lab.refused("InvalidBucketState", s3.put_object_lock_configuration, Bucket="plain", **retention(Days=1))


@pytest.mark.correction(
    "s3:ListBucketInventoryConfigurations",
    "An inventory is told as it was put.",
    also=("BucketsResponses.get_bucket_inventory_configuration",),
)
def test_inventories(s3: Any) -> None:
    s3.put_bucket_inventory_configuration(Bucket="site", Id="one", InventoryConfiguration=INVENTORY)
    assert s3.get_bucket_inventory_configuration(Bucket="site", Id="one")["InventoryConfiguration"] == INVENTORY
    assert s3.list_bucket_inventory_configurations(Bucket="site")["InventoryConfigurationList"] == [INVENTORY]


@pytest.mark.correction("s3:ListBucketInventoryConfigurations", "A page has 100 inventories.")
def test_inventories_come_in_pages(s3: Any) -> None:
    names = [f"{number:03}" for number in range(101)]
    for each in names:
        s3.put_bucket_inventory_configuration(Bucket="site", Id=each, InventoryConfiguration=INVENTORY | {"Id": each})
    first = s3.list_bucket_inventory_configurations(Bucket="site")
    assert (len(first["InventoryConfigurationList"]), first["IsTruncated"]) == (100, True)
    token = first["NextContinuationToken"]
    second = s3.list_bucket_inventory_configurations(Bucket="site", ContinuationToken=token)
    assert ([each["Id"] for each in second["InventoryConfigurationList"]], second["IsTruncated"]) == (
        names[100:],
        False,
    )


CANNED = {
    "private": [],
    "public-read": [("global/AllUsers", "READ")],
    "public-read-write": [("global/AllUsers", "READ"), ("global/AllUsers", "WRITE")],
    "authenticated-read": [("global/AuthenticatedUsers", "READ")],
    "log-delivery-write": [("s3/LogDelivery", "READ_ACP"), ("s3/LogDelivery", "WRITE")],
}
"""The grants of each canned ACL besides the owner's, as (group, permission)."""


def told(acl: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the grants of an ACL besides the owner's."""
    first, *others = acl["Grants"]
    assert first == {"Grantee": {"Type": "CanonicalUser", "ID": OWNER}, "Permission": "FULL_CONTROL"}
    assert acl["Owner"] == {"ID": OWNER}
    return [(each["Grantee"]["URI"].removeprefix(f"{GROUPS}/"), each["Permission"]) for each in others]


@pytest.mark.correction(
    "s3:GetBucketAcl",
    "An ACL has a grant for each grantee and permission.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl",
    also=("BucketsResponses._acl_to_dict",),
)
def test_the_grants_of_a_canned_acl(s3: Any) -> None:
    s3.delete_public_access_block(Bucket="site")
    s3.put_object(Bucket="site", Key="a", Body=b"")
    for name, grants in CANNED.items():
        s3.put_bucket_acl(Bucket="site", ACL=name)
        assert told(s3.get_bucket_acl(Bucket="site")) == grants
        if name != "log-delivery-write":  # for buckets only
            s3.put_object_acl(Bucket="site", Key="a", ACL=name)
            assert told(s3.get_object_acl(Bucket="site", Key="a")) == grants


@pytest.mark.correction(
    "s3:ListBuckets",
    "An account has one canonical ID and no display name.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/API/API_Owner.html",
    also=("BucketsResponses.serialized",),
)
def test_the_owner(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket="site", Key="b")["UploadId"]
    parts = s3.list_parts(Bucket="site", Key="b", UploadId=upload)
    [listed] = s3.list_multipart_uploads(Bucket="site")["Uploads"]
    owners = [s3.list_buckets(), s3.get_bucket_acl(Bucket="site"), parts, listed]
    assert [each["Owner"] for each in owners] == [{"ID": OWNER}] * len(owners)
    assert parts["Initiator"] == listed["Initiator"] == {"ID": OWNER}


@pytest.mark.correction(
    "s3:SelectObjectContent",
    "S3 Select is not available to new customers.",
    page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/selecting-content-from-objects.html",
)
def test_there_is_no_s3_select(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="site", Key="a.csv", Body=b"a,b\n1,2\n")
    question = {
        **{"Expression": "SELECT * FROM S3Object", "ExpressionType": "SQL"},
        **{"InputSerialization": {"CSV": {}}, "OutputSerialization": {"CSV": {}}},
    }
    lab.refused("MethodNotAllowed", s3.select_object_content, Bucket="site", Key="a.csv", **question)
