"""What is wrong with the options of policies is told at once, and what is right becomes AWS' words."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_cache_policy,
    parse_origin_access_control,
    parse_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import Reusable

Make = t.Callable[..., dict[str, t.Any]]
Given = dict[str, t.Any]
CORS = {
    "origins": ["*"],
    "methods": ["GET", "HEAD", "OPTIONS"],
    "headers": ["*"],
    "expose": [],
    "credentials": False,
    "max_age": 600,
    "override": True,
}


def wrong(parse: t.Callable[[Given, Problems], Reusable], options: Given) -> list[str]:
    problems = Problems()
    parse(options, problems)
    return [problem.variable for problem in problems.found]


@pytest.mark.parametrize("name", ["", "a b", "-a", "a-", "A", "a" * 33])
def test_names(options: Make, name: str) -> None:
    assert wrong(parse_origin_access_control, options("origin_access_control", name=name)) == ["name"]


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ({}, []),
        ({"min_ttl": -1}, ["min_ttl"]),
        ({"min_ttl": 61}, ["min_ttl"]),
        ({"max_ttl": 59}, ["min_ttl"]),
        ({"min_ttl": 0, "default_ttl": 0, "max_ttl": 0}, ["max_ttl"]),
        ({"headers": []}, ["headers"]),
        ({"headers": ["all"]}, ["headers"]),
        ({"headers": ["none", "Origin"]}, ["headers"]),
        ({"headers": ["a b"]}, ["headers[0]"]),
        ({"headers": ["Accept-Encoding"]}, ["headers[0]"]),
        ({"headers": [f"H{number}" for number in range(11)]}, ["headers"]),
        ({"cookies": ["all"], "query_strings": ["all"]}, []),
        ({"cookies": ["a;b"]}, ["cookies[0]"]),
        ({"query_strings": [f"q{number}" for number in range(11)]}, ["query_strings"]),
    ],
)
def test_cache_policies(options: Make, given: Given, variables: list[str]) -> None:
    assert wrong(parse_cache_policy, options("cache_policy", **given)) == variables


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ({}, []),
        ({"security": None, "custom": None, "remove": None}, ["security"]),
        ({"security": {"frame_options": "ALLOW"}}, ["security.frame_options"]),
        ({"security": {"referrer_policy": "never"}}, ["security.referrer_policy"]),
        (
            {"security": {"hsts": {"max_age": -1, "include_subdomains": False, "preload": False}}},
            ["security.hsts.max_age"],
        ),
        ({"security": {"hsts": {"max_age": 31536000, "include_subdomains": True, "preload": True}}}, []),
        ({"cors": {**CORS}}, []),
        ({"cors": {**CORS, "credentials": True}}, ["cors.origins", "cors.headers"]),
        (
            {"cors": {**CORS, "origins": ["https://a.example", "*"], "headers": ["X"], "credentials": True}},
            ["cors.origins"],
        ),
        ({"cors": {**CORS, "origins": []}}, ["cors.origins"]),
        ({"cors": {**CORS, "methods": ["FETCH"]}}, ["cors.methods[0]"]),
        ({"cors": {**CORS, "methods": ["ALL", "GET"]}}, ["cors.methods"]),
        ({"cors": {**CORS, "max_age": -1}}, ["cors.max_age"]),
        ({"custom": {"a b": "c"}}, ["custom.a b"]),
        ({"custom": {f"X-{number}": "1" for number in range(11)}}, ["custom"]),
        ({"remove": ["a b"]}, ["remove[0]"]),
        ({"remove": [f"X-{number}" for number in range(11)]}, ["remove"]),
        ({"custom": {"X-A": "1"}, "remove": ["x-a"]}, ["remove[0]"]),
    ],
)
def test_response_headers_policies(options: Make, given: Given, variables: list[str]) -> None:
    assert wrong(parse_response_headers_policy, options("response_headers_policy", **given)) == variables


@pytest.mark.parametrize(
    ("hsts", "warnings"),
    [
        ({"max_age": 31536000, "include_subdomains": True, "preload": True}, 0),
        ({"max_age": 31536000, "include_subdomains": False, "preload": True}, 1),
        ({"max_age": 60, "include_subdomains": True, "preload": True}, 1),
        ({"max_age": 60, "include_subdomains": False, "preload": False}, 0),
    ],
)
def test_what_browsers_do_not_preload_is_told(options: Make, hsts: Given, warnings: int) -> None:
    problems = Problems()
    parse_response_headers_policy(options("response_headers_policy", security={"hsts": hsts}), problems)
    assert (problems.found, len(problems.warnings)) == ([], warnings)


def test_the_security_headers_in_aws_words(options: Make) -> None:
    given = options("response_headers_policy")
    given["security"] = {**given["security"], "xss_protection": "block"}
    assert parse_response_headers_policy(given, Problems()).config["SecurityHeadersConfig"] == {
        "StrictTransportSecurity": {
            "Override": True,
            "AccessControlMaxAgeSec": 31536000,
            "IncludeSubdomains": True,
            "Preload": False,
        },
        "ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "default-src 'self'"},
        "ContentTypeOptions": {"Override": True},
        "FrameOptions": {"Override": True, "FrameOption": "DENY"},
        "ReferrerPolicy": {"Override": True, "ReferrerPolicy": "same-origin"},
        "XSSProtection": {"Override": True, "Protection": True, "ModeBlock": True},
    }


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("", None),
        ("off", {"Override": True, "Protection": False}),
        ("filter", {"Override": True, "Protection": True, "ModeBlock": False}),
        ("block", {"Override": True, "Protection": True, "ModeBlock": True}),
    ],
)
def test_xss_protection(options: Make, word: str, meaning: Given | None) -> None:
    security = {"xss_protection": word, "content_type_options": True}
    config = parse_response_headers_policy(options("response_headers_policy", security=security), Problems()).config
    assert config["SecurityHeadersConfig"]["XSSProtection"] == meaning


def test_the_cache_key_in_aws_words(options: Make) -> None:
    config = parse_cache_policy(options("cache_policy"), Problems()).config
    assert (config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]) == (1, 60, 3600)
    assert config["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "HeadersConfig": {"HeaderBehavior": "none", "Headers": None},
        "CookiesConfig": {"CookieBehavior": "none", "Cookies": None},
        "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": ["v"]},
    }
