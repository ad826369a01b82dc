"""Plans of a distribution that the lab's edge cannot serve: certificates, servers, firewalls, logs."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import THIS_HOUR, Change, Ids, Token, shown
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.canonical import merged
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import function_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    CACHE_POLICY,
    ORIGIN_ACCESS_CONTROL,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.changes import (
    Observed,
    plan_distribution,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import Found
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import (
    Distribution,
    parse_distribution,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.remembering import ids_told, names_told

Make = t.Callable[..., dict[str, t.Any]]
OWNER = Owner("dev", "static_site")
IDS: Ids = {ORIGIN_ACCESS_CONTROL.ref("site"): "E0AC", function_ref("site"): "arn:function/dev-site"}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
WITH_NAMES: dict[str, t.Any] = {"aliases": ["www.example.org"], "certificate_arn": CERTIFICATE}
SERVER = {"name": "s", "domain": "app.example.org", "headers": {"X-Origin-Key": "correct horse"}}


def wish(options: dict[str, t.Any]) -> Distribution:
    distribution = parse_distribution(options, Problems())
    assert distribution
    return distribution


def existing(distribution: Distribution, **more: t.Any) -> Observed:
    """What AWS would tell of it."""
    tags = {**OWNER.tags("site"), **shown(names_told(distribution.uses), IDS)}
    known = merged({}, distribution.config)
    for origin in known["Origins"]:
        origin["OriginAccessControlId"] = origin["OriginAccessControlId"] and IDS[origin["OriginAccessControlId"]]
    for one in known["DefaultCacheBehavior"]["FunctionAssociations"]:
        one["FunctionARN"] = IDS[one["FunctionARN"]]
    found = Found("arn:aws:cloudfront::123456789012:distribution/E1", tags)
    return Observed(found, {**known, "CallerReference": "r", **more}, "ETAG", "Deployed", "d1.cloudfront.net")


def plan(options: dict[str, t.Any], observed: Observed | None) -> list[Change]:
    return plan_distribution(OWNER, wish(options), observed, IDS)


@pytest.mark.parametrize(
    "given",
    [
        {},
        WITH_NAMES,
        {"origins": [SERVER], "behavior": {}},
        {"log_bucket": "logs-example", "log_prefix": "site/"},
        {"error_pages": [{"code": 404, "page": "/404.html"}]},
    ],
)
def test_what_is_as_it_should_be_is_left(options: Make, given: dict[str, t.Any]) -> None:
    assert plan(options(**given), existing(wish(options(**given)))) == []


def test_an_update_says_all_of_the_version_that_was_read(options: Make) -> None:
    observed = existing(wish(options()), Restrictions={"GeoRestriction": {"RestrictionType": "none", "Items": []}})
    (change,) = plan(options(comment="new", behaviors=[{"path": "/a/*"}]), observed)
    (call,) = change.calls
    assert (call.arguments["Id"], call.arguments["IfMatch"]) == ("E1", "ETAG")
    config = call.arguments["DistributionConfig"]
    assert config["CallerReference"] == "r"
    assert config["Restrictions"] == {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0, "Items": []}}
    (behavior,) = config["CacheBehaviors"]["Items"]
    assert behavior["LambdaFunctionAssociations"] == {"Quantity": 0, "Items": []}
    assert (behavior["SmoothStreaming"], behavior["FieldLevelEncryptionId"]) == (False, "")
    assert change.before["Comment"] == "" and change.after["Comment"] == "new"


def test_from_a_certificate_back_to_cloudfronts_own(options: Make) -> None:
    observed = existing(wish(options(**WITH_NAMES)))
    (change,) = plan(options(), observed)
    certificate = change.calls[0].arguments["DistributionConfig"]["ViewerCertificate"]
    assert certificate == {"CloudFrontDefaultCertificate": True}


def test_a_firewall_that_somebody_else_put_in_front_stays(options: Make) -> None:
    acl = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/all/a1b2c3d4-5678-90ab-cdef-111111111111"
    observed = existing(wish(options()), WebACLId=acl)
    assert plan(options(), observed) == []
    (taken,) = plan(options(web_acl_arn=""), observed)
    assert (taken.before, taken.after) == ({"WebACLId": acl}, {"WebACLId": ""})


def test_an_origin_that_becomes_a_server(options: Make) -> None:
    server = {**SERVER, "name": "bucket"}
    (change,) = plan(options(origins=[server]), existing(wish(options())))
    (origin,) = change.calls[0].arguments["DistributionConfig"]["Origins"]["Items"]
    assert "S3OriginConfig" not in origin
    assert origin["OriginAccessControlId"] == ""
    assert origin["CustomOriginConfig"]["OriginSslProtocols"] == {"Quantity": 1, "Items": ["TLSv1.2"]}


def test_headers_for_an_origin_are_in_no_diff(options: Make) -> None:
    given = options(origins=[SERVER], behavior={})
    other = options(origins=[{**SERVER, "headers": {"X-Origin-Key": "battery staple"}}], behavior={})
    (made,) = plan(given, None)
    (changed,) = plan(other, existing(wish(given)))
    for change in (made, changed):
        told = str((change.before, change.after))
        assert "X-Origin-Key" in told
        assert "horse" not in told and "staple" not in told


@pytest.mark.parametrize(
    ("given", "rest"),
    [
        ({}, (ORIGIN_ACCESS_CONTROL.ref("site"),)),
        ({"origins": [SERVER], "behavior": {}}, (THIS_HOUR,)),
    ],
)
def test_what_a_repeated_creation_is_refused_by(options: Make, given: dict[str, t.Any], rest: tuple[t.Any]) -> None:
    (change,) = plan(options(**given), None)
    config = change.calls[0].arguments["DistributionConfigWithTags"]["DistributionConfig"]
    assert config["CallerReference"] == Token(("dev-site", *rest))


def test_tags_tell_the_names_of_what_is_used() -> None:
    ids: Ids = {ORIGIN_ACCESS_CONTROL.ref("site"): "E0AC", CACHE_POLICY.ref("a"): "1-2", CACHE_POLICY.ref("b"): "3-4"}
    tags = shown(names_told(ids), ids)
    assert tags == {"groundwork:origin-access-control": "site=E0AC", "groundwork:cache-policy": "a=1-2 b=3-4"}
    assert ids_told(tags, {"Origins": [{"OriginAccessControlId": "E0AC"}], "CachePolicyId": "3-4"}) == {
        ORIGIN_ACCESS_CONTROL.ref("site"): "E0AC",
        CACHE_POLICY.ref("b"): "3-4",
    }


@pytest.mark.parametrize(("policies", "told"), [(3, True), (4, False)])
def test_a_tag_has_room_for_three(policies: int, told: bool) -> None:
    ids: Ids = {CACHE_POLICY.ref(f"{number:032}"): f"{number:036}" for number in range(policies)}
    tags = shown(names_told(ids), ids)
    assert bool(tags) == told
    assert all(len(value) <= 256 for value in tags.values())
