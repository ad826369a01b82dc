"""Who may read the bucket, against the lab's control plane."""

from __future__ import annotations

import json
import typing as t

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.access import (
    converge_access,
    parse_access,
    statements,
)
from groundwork_lab.aws.cloudfront.state import Backend
from groundwork_lab.aws.cloudfront.world import backend_of

NAME = "dev-site-example"
OPTIONS = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "bucket": NAME,
    "prefix": "site",
    "distribution": "site",
}
THEIRS = {
    "Sid": "Auditors",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "s3:GetBucketPolicy",
    "Resource": f"arn:aws:s3:::{NAME}",
}


def make_bucket(cloud: Cloud) -> None:
    where = {"LocationConstraint": "eu-central-1"}
    cloud.of("s3").create_bucket(Bucket=NAME, CreateBucketConfiguration=where)


def make_distribution(cloud: Cloud, reference: str = "1", name: str = "site") -> str:
    config = {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": False,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "bucket",
                    "DomainName": f"{NAME}.s3.eu-central-1.amazonaws.com",
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "bucket",
            "ViewerProtocolPolicy": "https-only",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }
    tags = {"Items": tag_list(Owner("dev", "static_site").tags(name))}
    whole = {"DistributionConfig": config, "Tags": tags}
    made = cloud.of("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=whole)
    cloud.plane.reconciled(cloud.plane.snapshot())
    return str(made["Distribution"]["ARN"])


def policy(cloud: Cloud) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], json.loads(cloud.of("s3").get_bucket_policy(Bucket=NAME)["Policy"]))


@pytest.fixture
def furnished(cloud: Cloud) -> Cloud:
    make_bucket(cloud)
    make_distribution(cloud)
    return cloud


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud) -> None:
    planned = cloud.run(converge_access, OPTIONS, check_mode=True)
    assert cloud.writes == []
    make_bucket(cloud)
    between = cloud.run(converge_access, OPTIONS, check_mode=True)
    arn = make_distribution(cloud)
    done = cloud.run(converge_access, OPTIONS)
    assert told(planned) == told(between) == told(done) == [f"create bucket policy {NAME}"]
    assert (planned["distribution_arn"], done["distribution_arn"]) == ("(known after apply)", arn)
    shown = planned["diff"][0]["after"]["Statement"][0]["Condition"]["StringEquals"]
    assert shown == {"AWS:SourceArn": "(known after apply)"}
    assert policy(cloud)["Statement"] == [*statements(parse_access(OPTIONS, Problems()), arn)]


def test_the_second_run_changes_nothing_in_two_calls(furnished: Cloud) -> None:
    furnished.run(converge_access, OPTIONS)
    assert furnished.run(converge_access, OPTIONS)["changes"] == []
    assert len(furnished.calls) == 2


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives) -> None:
    def furnish(cloud: Cloud) -> None:
        make_bucket(cloud)
        make_distribution(cloud)

    def look(cloud: Cloud) -> t.Any:
        return [{**one, "Condition": None} for one in policy(cloud)["Statement"]]

    assert survives(converge_access, OPTIONS, look, furnish) == 1


def test_statements_of_others_stay(furnished: Cloud) -> None:
    theirs = {"Version": "2008-10-17", "Id": "theirs", "Statement": THEIRS}
    furnished.of("s3").put_bucket_policy(Bucket=NAME, Policy=json.dumps(theirs))
    assert told(furnished.run(converge_access, OPTIONS)) == [f"update bucket policy {NAME}"]
    whole = policy(furnished)
    assert (whole["Version"], whole["Id"], len(whole["Statement"])) == ("2008-10-17", "theirs", 4)
    assert whole["Statement"][0] == THEIRS
    assert furnished.run(converge_access, OPTIONS)["changes"] == []


def test_what_was_taken_out_by_hand_comes_back(furnished: Cloud) -> None:
    furnished.run(converge_access, OPTIONS)
    kept = policy(furnished)
    broken = {**kept, "Statement": kept["Statement"][1:]}
    furnished.of("s3").put_bucket_policy(Bucket=NAME, Policy=json.dumps(broken))
    assert told(furnished.run(converge_access, OPTIONS)) == [f"update bucket policy {NAME}"]
    assert policy(furnished) == kept


def test_what_aws_writes_in_another_way_is_the_same(furnished: Cloud) -> None:
    furnished.run(converge_access, OPTIONS)
    whole = policy(furnished)
    for one in whole["Statement"]:
        if isinstance(one["Action"], str):
            one["Action"] = [one["Action"]]
        if isinstance(one["Resource"], list):
            one["Resource"].reverse()
    furnished.of("s3").put_bucket_policy(Bucket=NAME, Policy=json.dumps(whole))
    assert furnished.run(converge_access, OPTIONS)["changes"] == []


def test_one_that_the_tags_do_not_tell_of_yet_is_found(furnished: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "iter_tagged_resources", lambda _self: iter(()))
    done = furnished.run(converge_access, OPTIONS)
    assert done["distribution_arn"].startswith("arn:aws:cloudfront::")
    assert furnished.slept == []


def test_the_one_that_exists_is_let_in(furnished: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tagging API still tells of the one that was deleted."""
    remembered = list(Backend.iter_tagged_resources(backend_of(furnished.plane.context)))
    cloudfront = furnished.of("cloudfront")
    (old,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    etag = cloudfront.get_distribution_config(Id=old["Id"])["ETag"]
    cloudfront.delete_distribution(Id=old["Id"], IfMatch=etag)
    new = make_distribution(furnished, "2")
    known = Backend.iter_tagged_resources
    monkeypatch.setattr(Backend, "iter_tagged_resources", lambda self: iter([*remembered, *known(self)]))
    assert furnished.run(converge_access, OPTIONS)["distribution_arn"] == new
    assert old["ARN"] not in json.dumps(policy(furnished))


def test_without_a_distribution_it_is_waited_for_and_told(cloud: Cloud) -> None:
    make_bucket(cloud)
    with pytest.raises(GroundworkError, match="CloudFront to list the distribution dev-site, created by"):
        cloud.run(converge_access, OPTIONS)
    assert cloud.writes == []
    assert 120 <= cloud.now < 130


def test_without_a_bucket_nothing_is_waited_for(cloud: Cloud) -> None:
    make_distribution(cloud)
    with pytest.raises(GroundworkError, match=r"NoSuchBucket: .* Run s3_site_bucket"):
        cloud.run(converge_access, OPTIONS)
    assert cloud.writes == [] and cloud.slept == []


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"bucket": "No"}, "bucket"),
        ({"prefix": "/site"}, "prefix"),
        ({"prefix": "site/"}, "prefix"),
        ({"prefix": ""}, "prefix"),
        ({"prefix": "*"}, "prefix"),
        ({"distribution": "The site"}, "distribution"),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, t.Any], variable: str) -> None:
    problems = Problems()
    parse_access({**OPTIONS, **given}, problems)
    assert [problem.variable for problem in problems.found] == [variable]


def test_the_statements() -> None:
    arn = "arn:aws:cloudfront::123456789012:distribution/E1"
    edge = {"Service": "cloudfront.amazonaws.com"}
    read, missing, tls = statements(parse_access(OPTIONS, Problems()), arn)
    assert (read["Effect"], read["Action"], read["Resource"]) == (
        "Allow",
        "s3:GetObject",
        f"arn:aws:s3:::{NAME}/site/*",
    )
    assert (missing["Effect"], missing["Action"], missing["Resource"]) == (
        "Allow",
        "s3:ListBucket",
        f"arn:aws:s3:::{NAME}",
    )
    for one in (read, missing):
        assert one["Principal"] == edge
        assert one["Condition"] == {"StringEquals": {"AWS:SourceArn": arn}}
    assert (tls["Effect"], tls["Action"]) == ("Deny", "s3:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_distribution_behind_another_one_may_read_too(cloud: Cloud) -> None:
    """The outer one reads the bucket until its change is deployed. It may be missing at first."""
    make_bucket(cloud)
    inner = make_distribution(cloud, "pages", "site-pages")
    both = {**OPTIONS, "distribution": "site-pages", "more_distributions": ["site"]}

    def readers() -> t.Any:
        return policy(cloud)["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceArn"]

    cloud.run(converge_access, both)
    assert readers() == inner
    outer = make_distribution(cloud)
    cloud.run(converge_access, both)
    assert readers() == sorted([inner, outer])
    assert cloud.run(converge_access, both)["changes"] == []


def test_a_former_distribution_of_the_pages_reads_until_it_is_deleted(cloud: Cloud) -> None:
    """Edge locations may still fetch through it. If it does not exist, a run with nothing to do makes two calls."""
    make_bucket(cloud)
    outer, inner = make_distribution(cloud), make_distribution(cloud, "pages", "site-pages")
    cloud.run(converge_access, {**OPTIONS, "distribution": "site-pages", "more_distributions": ["site"]})
    former = {**OPTIONS, "more_distributions": ["site-pages"]}
    assert cloud.run(converge_access, former)["changes"] == []
    readers = policy(cloud)["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceArn"]
    assert readers == sorted([inner, outer])
    cloud.run(converge_access, {**OPTIONS, "more_distributions": ["never-there"]})
    cloud.plane.calls.reset()
    assert cloud.run(converge_access, {**OPTIONS, "more_distributions": ["never-there"]})["changes"] == []
    assert sum(sum(made.values()) for made in cloud.plane.calls.counted().values()) == 2
