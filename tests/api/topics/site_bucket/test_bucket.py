"""The bucket against the lab's control plane: plan = run, nothing twice, nothing of others lost."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.bucket import (
    RULE,
    Bucket,
    Observed,
    converge_bucket,
    parse_bucket,
    plan,
)

NAME = "dev-site-example"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OPTIONS = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "bucket": NAME,
    "keep_versions_days": 30,
    "kms_key_arn": "",
}
CREATED = ["create bucket dev-site-example", "update bucket versioning dev-site-example"]
CREATED += ["update bucket lifecycle dev-site-example"]


def look(cloud: Cloud) -> t.Any:
    s3 = cloud.of("s3")
    return {
        "tags": sorted((tag["Key"], tag["Value"]) for tag in s3.get_bucket_tagging(Bucket=NAME)["TagSet"]),
        "versioning": s3.get_bucket_versioning(Bucket=NAME)["Status"],
        "blocks": s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"],
        "ownership": s3.get_bucket_ownership_controls(Bucket=NAME)["OwnershipControls"]["Rules"],
        "encryption": s3.get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"]["Rules"],
        "lifecycle": s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"],
        "region": s3.get_bucket_location(Bucket=NAME)["LocationConstraint"],
    }


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud) -> None:
    planned = cloud.run(converge_bucket, OPTIONS, check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge_bucket, OPTIONS)
    assert told(planned) == told(done) == CREATED
    assert planned["diff"] == done["diff"]
    assert done["arn"] == f"arn:aws:s3:::{NAME}"
    seen = look(cloud)
    assert set(seen["blocks"].values()) == {True}
    assert seen["ownership"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert (seen["versioning"], seen["region"]) == ("Enabled", "eu-central-1")
    assert seen["encryption"][0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (rule,) = seen["lifecycle"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rule["Expiration"] == {"ExpiredObjectDeleteMarker": True}


@pytest.mark.parametrize("given", [{}, {"kms_key_arn": KEY}, {"tags": {"team": "web"}}, {"keep_versions_days": 7}])
def test_the_second_run_changes_nothing_in_five_calls(cloud: Cloud, given: dict[str, t.Any]) -> None:
    cloud.run(converge_bucket, {**OPTIONS, **given})
    assert cloud.run(converge_bucket, {**OPTIONS, **given})["changes"] == []
    assert len(cloud.calls) == 5


@pytest.mark.parametrize(("given", "writes"), [({}, 3), ({"kms_key_arn": KEY}, 4)])
@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives, given: dict[str, t.Any], writes: int) -> None:
    assert survives(converge_bucket, {**OPTIONS, **given}, look) == writes


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"keep_versions_days": 7}, f"update bucket lifecycle {NAME}"),
        ({"kms_key_arn": KEY}, f"update bucket encryption {NAME}"),
        ({"tags": {"team": "web"}}, f"update tags bucket {NAME}"),
    ],
)
def test_what_changes_is_changed_alone(cloud: Cloud, given: dict[str, t.Any], sentence: str) -> None:
    cloud.run(converge_bucket, OPTIONS)
    assert told(cloud.run(converge_bucket, {**OPTIONS, **given})) == [sentence]
    assert cloud.run(converge_bucket, {**OPTIONS, **given})["changes"] == []


def test_what_somebody_opened_is_closed(cloud: Cloud) -> None:
    cloud.run(converge_bucket, OPTIONS)
    kept, s3 = look(cloud), cloud.of("s3")
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=NAME)
    s3.delete_bucket_lifecycle(Bucket=NAME)
    assert told(cloud.run(converge_bucket, OPTIONS)) == [
        f"update bucket versioning {NAME}",
        f"update public access block {NAME}",
        f"update bucket lifecycle {NAME}",
    ]
    assert look(cloud) == kept


def test_rules_and_tags_of_others_stay(cloud: Cloud) -> None:
    cloud.run(converge_bucket, OPTIONS)
    s3 = cloud.of("s3")
    theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}
    rules = [theirs, *look(cloud)["lifecycle"]]
    s3.put_bucket_lifecycle_configuration(Bucket=NAME, LifecycleConfiguration={"Rules": rules})
    tags = [*s3.get_bucket_tagging(Bucket=NAME)["TagSet"], {"Key": "cost", "Value": "17"}]
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": tags})
    assert cloud.run(converge_bucket, OPTIONS)["changes"] == []
    cloud.run(converge_bucket, {**OPTIONS, "keep_versions_days": 7, "tags": {"team": "web"}})
    seen = look(cloud)
    assert [rule["ID"] for rule in seen["lifecycle"]] == ["theirs", RULE]
    assert seen["lifecycle"][0] == theirs
    assert {("cost", "17"), ("team", "web")} < set(seen["tags"])


def test_a_bucket_without_our_tags_is_refused(cloud: Cloud) -> None:
    where = {"LocationConstraint": "eu-central-1"}
    cloud.of("s3").create_bucket(Bucket=NAME, CreateBucketConfiguration=where)
    for check_mode in (True, False):
        right = "put back groundwork:environment=dev and groundwork:component=static_site"
        with pytest.raises(GroundworkError, match=f"The bucket dev-site-example exists, and its tags .* {right}"):
            cloud.run(converge_bucket, OPTIONS, check_mode=check_mode)
        assert cloud.writes == []


@pytest.mark.parametrize(("region", "where"), [("us-east-1", {}), ("eu-west-1", {"LocationConstraint": "eu-west-1"})])
def test_the_region_is_said_where_it_has_to_be(region: str, where: dict[str, str]) -> None:
    create = plan(Owner("dev", "static_site"), Bucket(NAME, region, 30), Observed())[0].calls[0]
    configuration = dict(create.arguments["CreateBucketConfiguration"])
    tags = {tag["Key"] for tag in configuration.pop("Tags")}
    assert configuration == where
    assert tags == {"Name", "groundwork:component", "groundwork:environment"}


def test_what_else_the_encryption_says_stays() -> None:
    theirs = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
    }
    seen = Observed(tags=Owner("dev", "static_site").tags(NAME), versioning="Enabled", encryption=theirs)
    changes = plan(Owner("dev", "static_site"), Bucket(NAME, "eu-central-1", 30, KEY), seen)
    (put,) = (change.calls[0] for change in changes if change.resource == "bucket encryption")
    (rule,) = put.arguments["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["BlockedEncryptionTypes"] == theirs["BlockedEncryptionTypes"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == KEY


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"bucket": "Upper"}, "bucket"),
        ({"bucket": "ab"}, "bucket"),
        ({"bucket": "a.b.c"}, "bucket"),
        ({"bucket": "-ab"}, "bucket"),
        ({"bucket": "xn--abc"}, "bucket"),
        ({"bucket": "a" * 64}, "bucket"),
        ({"region": None}, "region"),
        ({"kms_key_arn": "alias/site"}, "kms_key_arn"),
        ({"keep_versions_days": 0}, "keep_versions_days"),
        ({"keep_versions_days": 3651}, "keep_versions_days"),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, t.Any], variable: str) -> None:
    problems = Problems()
    parse_bucket({**OPTIONS, **given}, problems)
    assert [problem.variable for problem in problems.found] == [variable]
