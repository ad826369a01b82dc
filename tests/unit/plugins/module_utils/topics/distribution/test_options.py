"""What is wrong with a distribution's options is told at once, and what is right becomes AWS' words."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront import reusable
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import function_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import (
    Distribution,
    parse_distribution,
)

Make = t.Callable[..., dict[str, t.Any]]
Given = dict[str, t.Any]
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/a1b2c3d4-5678-90ab-cdef-EXAMPLE11111".lower()
BUCKET = {"name": "b", "bucket": "dev-site-example"}
SERVER = {"name": "s", "domain": "app.example.org"}


def parsed(options: Given) -> tuple[Distribution | None, list[str]]:
    problems = Problems()
    distribution = parse_distribution(options, problems)
    assert (distribution is None) is bool(problems.found)
    return distribution, [problem.variable for problem in problems.found]


def config(options: Given) -> t.Mapping[str, t.Any]:
    distribution, problems = parsed(options)
    assert distribution and not problems
    return distribution.config


def test_a_secret_takes_its_place_in_a_header(options: Make) -> None:
    secret = {**SERVER, "headers": {"X-Key": "Key @groundwork(parameter:/key)@"}}
    (origin,) = config(options(origins=[secret], behavior={}, secrets={"/key": "correct horse"}))["Origins"]
    assert origin["CustomHeaders"] == [{"HeaderName": "X-Key", "HeaderValue": "Key correct horse"}]
    assert parsed(options(origins=[secret], behavior={}))[1] == ["origins[0].headers.X-Key"]
    assert parsed(options(secrets={"/key": "short"}))[1] == ["secrets./key"]


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ({}, []),
        ({"name": "The site"}, ["name"]),
        ({"origins": []}, ["origins", "behavior.origin"]),
        ({"origins": [BUCKET, BUCKET]}, ["origins[1].name"]),
        ({"origins": [{**BUCKET, "name": "a b"}]}, ["origins[0].name"]),
        ({"origins": [{**BUCKET, "bucket": "No"}]}, ["origins[0].bucket"]),
        ({"origins": [{**BUCKET, "domain": "a.example"}]}, ["origins[0]"]),
        ({"origins": [{**BUCKET, "path": "site"}]}, ["origins[0].path"]),
        ({"origins": [{**BUCKET, "path": "/site/"}]}, ["origins[0].path"]),
        ({"origins": [{**SERVER, "domain": "https://a.example"}]}, ["origins[0].domain"]),
        ({"origins": [{**SERVER, "origin_access_control": "site"}]}, ["origins[0].origin_access_control"]),
        ({"origins": [{**SERVER, "http_port": 81}]}, ["origins[0].http_port"]),
        ({"origins": [{**SERVER, "https_port": 65536}]}, ["origins[0].https_port"]),
        ({"behavior": {"origin": "x"}}, ["behavior.origin"]),
        ({"behavior": {"functions": {"origin-request": "site"}}}, ["behavior.functions.origin-request"]),
        ({"behavior": {"functions": {"viewer-request": "The site"}}}, ["behavior.functions.viewer-request"]),
        ({"behavior": {"cache_policy": ""}}, ["behavior.cache_policy"]),
        ({"behavior": {"cache_policy": "Caching Optimized"}}, ["behavior.cache_policy"]),
        ({"behavior": {"origin_request_policy": "a b"}}, ["behavior.origin_request_policy"]),
        ({"behaviors": [{"path": "/a b"}]}, ["behaviors[0].path"]),
        ({"behaviors": [{"path": "/a"}, {"path": "a"}]}, ["behaviors[1].path"]),
        ({"behaviors": [{"path": f"/{number}"} for number in range(76)]}, ["behaviors"]),
        ({"error_pages": [{"code": 418}]}, ["error_pages[0].code"]),
        ({"error_pages": [{"code": 404}, {"code": 404}]}, ["error_pages[1].code"]),
        ({"error_pages": [{"code": 404, "page": "404.html"}]}, ["error_pages[0].page"]),
        ({"error_pages": [{"code": 404, "response_code": 200}]}, ["error_pages[0].response_code"]),
        ({"error_pages": [{"code": 404, "page": "/", "response_code": 302}]}, ["error_pages[0].response_code"]),
        ({"error_pages": [{"code": 404, "ttl": -1}]}, ["error_pages[0].ttl"]),
        ({"default_root_object": "/index.html"}, ["default_root_object"]),
        ({"aliases": ["www.example.org"]}, ["certificate_arn"]),
        ({"aliases": ["localhost"], "certificate_arn": CERTIFICATE}, ["aliases[0]"]),
        ({"certificate_arn": CERTIFICATE.replace("us-east-1", "eu-central-1")}, ["certificate_arn"]),
        ({"web_acl_arn": WEB_ACL.replace("global", "regional")}, ["web_acl_arn"]),
        ({"log_bucket": "No"}, ["log_bucket"]),
        ({"log_bucket": "logs-example", "log_prefix": "/site"}, ["log_prefix"]),
        ({"comment": "x" * 129}, ["comment"]),
        ({"deadline": 0}, ["deadline"]),
    ],
)
def test_what_is_wrong_is_told(options: Make, given: Given, variables: list[str]) -> None:
    assert parsed(options(**given))[1] == variables


def test_a_bucket_needs_its_region(options: Make) -> None:
    assert parsed({**options(), "region": None})[1] == ["region"]
    assert parsed({**options(origins=[SERVER]), "region": None})[1] == []


def test_all_problems_are_told_at_once(options: Make) -> None:
    given = options(origins=[{**BUCKET, "path": "x"}], error_pages=[{"code": 1}], comment="x" * 200)
    assert parsed(given)[1] == ["origins[0].path", "error_pages[0].code", "comment"]


def test_a_bucket_in_aws_words(options: Make) -> None:
    (origin,) = config(options())["Origins"]
    assert (origin["DomainName"], origin["OriginPath"]) == ("dev-site-example.s3.eu-central-1.amazonaws.com", "/site")
    assert origin["OriginAccessControlId"] == reusable.ORIGIN_ACCESS_CONTROL.ref("site")
    assert (origin["S3OriginConfig"], origin["CustomOriginConfig"]) == ({"OriginAccessIdentity": ""}, None)


def test_a_server_in_aws_words(options: Make) -> None:
    (origin,) = config(options(origins=[{**SERVER, "headers": {"X-B": 2, "X-A": "1"}}]))["Origins"]
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origin["CustomHeaders"] == [
        {"HeaderName": "X-A", "HeaderValue": "1"},
        {"HeaderName": "X-B", "HeaderValue": "2"},
    ]


@pytest.mark.parametrize(
    ("given", "member", "value"),
    [
        ({}, "CachePolicyId", "658327ea-f89d-4fab-a63d-7e88639e58f6"),
        ({"cache_policy": "Managed-CachingDisabled"}, "CachePolicyId", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
        ({"cache_policy": "mine"}, "CachePolicyId", reusable.CACHE_POLICY.ref("mine")),
        (
            {"response_headers_policy": "SecurityHeadersPolicy"},
            "ResponseHeadersPolicyId",
            "67f7725c-6f97-4210-82d7-5512b31e9d03",
        ),
        ({"response_headers_policy": "site"}, "ResponseHeadersPolicyId", reusable.RESPONSE_HEADERS_POLICY.ref("site")),
        ({}, "ResponseHeadersPolicyId", None),
        ({"origin_request_policy": "CORS-S3Origin"}, "OriginRequestPolicyId", "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"),
        ({}, "ForwardedValues", None),
        ({}, "ViewerProtocolPolicy", "redirect-to-https"),
        (
            {"functions": {"viewer-response": "b", "viewer-request": "a"}},
            "FunctionAssociations",
            [
                {"EventType": "viewer-request", "FunctionARN": function_ref("a")},
                {"EventType": "viewer-response", "FunctionARN": function_ref("b")},
            ],
        ),
    ],
)
def test_a_behavior_in_aws_words(options: Make, given: Given, member: str, value: t.Any) -> None:
    assert config(options(behavior=given))["DefaultCacheBehavior"][member] == value
    (behavior,) = config(options(behaviors=[{"path": "/a/*", **given}]))["CacheBehaviors"]
    assert behavior[member] == value


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ({"code": 404, "page": "/404.html"}, ("/404.html", "404", 10)),
        ({"code": 404, "page": "/index.html", "response_code": 200, "ttl": 0}, ("/index.html", "200", 0)),
        ({"code": 500, "ttl": 1}, ("", "", 1)),
    ],
)
def test_error_pages_in_aws_words(options: Make, given: Given, page: tuple[str, str, int]) -> None:
    (one,) = config(options(error_pages=[given]))["CustomErrorResponses"]
    assert (one["ResponsePagePath"], one["ResponseCode"], one["ErrorCachingMinTTL"]) == page


def test_names_of_ones_own_in_aws_words(options: Make) -> None:
    whole = config(options(aliases=["www.example.org", "*.example.org"], certificate_arn=CERTIFICATE))
    assert whole["Aliases"] == ["*.example.org", "www.example.org"]
    certificate = whole["ViewerCertificate"]
    assert (certificate["ACMCertificateArn"], certificate["SSLSupportMethod"]) == (CERTIFICATE, "sni-only")
    assert certificate["MinimumProtocolVersion"] == "TLSv1.2_2021"


def test_logs_in_aws_words(options: Make) -> None:
    assert config(options(log_bucket="logs-example", log_prefix="site/"))["Logging"] == {
        "Enabled": True,
        "IncludeCookies": False,
        "Bucket": "logs-example.s3.amazonaws.com",
        "Prefix": "site/",
    }
    assert config(options())["Logging"]["Enabled"] is False


def test_every_reference_has_its_place(options: Make) -> None:
    distribution, problems = parsed(
        options(behaviors=[{"path": "/a", "cache_policy": "mine", "functions": {"viewer-request": "site"}}])
    )
    assert distribution and not problems
    assert distribution.places == {
        reusable.ORIGIN_ACCESS_CONTROL.ref("site"): "origins[0].origin_access_control",
        function_ref("site"): "behavior.functions.viewer-request",
        reusable.CACHE_POLICY.ref("mine"): "behaviors[0].cache_policy",
    }
    assert set(distribution.places) == distribution.uses
