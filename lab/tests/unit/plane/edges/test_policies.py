"""CloudFront's policies in the form that the edge uses."""

from __future__ import annotations

from typing import Any

import pytest
from distributions import cache_policy, chosen, counted

from groundwork_lab.aws.cloudfront.managed import CACHE_POLICIES, ORIGIN_REQUEST_POLICIES, RESPONSE_HEADERS_POLICIES
from groundwork_lab.plane.edges import policies


def test_a_cache_policy() -> None:
    policy = cache_policy(headers=["Accept-Language"], cookies=chosen("Cookie", "allExcept", "a"))
    assert policies.cached_by(policy) == {
        "headers": {"mode": "whitelist", "names": ["accept-language"]},
        "cookies": {"mode": "allExcept", "names": ["a"]},
        "queries": {"mode": "none", "names": []},
        "gzip": True,
        "brotli": True,
    }


@pytest.mark.parametrize(
    ("given", "ttl"),
    [
        ({"MinTTL": 1, "DefaultTTL": 2, "MaxTTL": 3}, (1, 2, 3)),
        ({"MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0}, (0, 0, 0)),
        ({"MinTTL": 0}, (0, 86400, 31536000)),
        ({"MinTTL": 90000}, (90000, 90000, 31536000)),
        ({"MinTTL": 0, "DefaultTTL": 40000000}, (0, 40000000, 40000000)),
    ],
)
def test_times(given: dict[str, int], ttl: tuple[int, int, int]) -> None:
    assert policies.times(given) == dict(zip(("min", "default", "max"), ttl, strict=True))


@pytest.mark.parametrize(
    ("headers", "mode", "names"),
    [
        ({"HeaderBehavior": "none"}, "none", []),
        ({"HeaderBehavior": "whitelist", "Headers": counted("Host")}, "whitelist", ["host"]),
        ({"HeaderBehavior": "allViewer"}, "all", []),
        ({"HeaderBehavior": "allExcept", "Headers": counted("Host")}, "allExcept", ["host"]),
        (
            {"HeaderBehavior": "allViewerAndWhitelistCloudFront", "Headers": counted("CloudFront-Forwarded-Proto")},
            "all",
            ["cloudfront-forwarded-proto"],
        ),
    ],
)
def test_an_origin_request_policy(headers: dict[str, Any], mode: str, names: list[str]) -> None:
    policy = {
        "HeadersConfig": headers,
        "CookiesConfig": chosen("Cookie", "all"),
        "QueryStringsConfig": chosen("QueryString", "none"),
    }
    found = policies.sent_by(policy)
    assert found["headers"] == {"mode": mode, "names": names}
    assert (found["cookies"]["mode"], found["queries"]["mode"]) == ("all", "none")


@pytest.mark.parametrize(
    ("forwarded", "queries", "cookies", "headers"),
    [
        ({"QueryString": False, "Cookies": {"Forward": "none"}}, "none", "none", "none"),
        ({"QueryString": True, "Cookies": {"Forward": "all"}}, "all", "all", "none"),
        (
            {
                "QueryString": True,
                "QueryStringCacheKeys": counted("x"),
                "Cookies": {"Forward": "whitelist", "WhitelistedNames": counted("c")},
                "Headers": counted("Origin"),
            },
            "whitelist",
            "whitelist",
            "whitelist",
        ),
        ({"QueryString": False, "Cookies": {"Forward": "none"}, "Headers": counted("*")}, "none", "none", "none"),
    ],
)
def test_legacy_settings(forwarded: dict[str, Any], queries: str, cookies: str, headers: str) -> None:
    found = policies.legacy_cached_by(forwarded)
    assert (found["queries"]["mode"], found["cookies"]["mode"], found["headers"]["mode"]) == (queries, cookies, headers)
    every = forwarded.get("Headers") == counted("*")
    assert policies.legacy_sent_by(forwarded)["headers"]["mode"] == ("all" if every else "allExcept")


@pytest.mark.parametrize(
    ("config", "header"),
    [
        ({"XSSProtection": {"Override": True, "Protection": False}}, ["X-XSS-Protection", "0", True]),
        (
            {"XSSProtection": {"Override": True, "Protection": True, "ModeBlock": True}},
            ["X-XSS-Protection", "1; mode=block", True],
        ),
        (
            {"XSSProtection": {"Override": False, "Protection": True, "ReportUri": "https://r"}},
            ["X-XSS-Protection", "1; report=https://r", False],
        ),
        (
            {
                "StrictTransportSecurity": {
                    "Override": True,
                    "AccessControlMaxAgeSec": 9,
                    "IncludeSubdomains": True,
                    "Preload": True,
                }
            },
            ["Strict-Transport-Security", "max-age=9; includeSubDomains; preload", True],
        ),
        (
            {"ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "default-src 'self'"}},
            ["Content-Security-Policy", "default-src 'self'", True],
        ),
        ({"ContentTypeOptions": {"Override": True}}, ["X-Content-Type-Options", "nosniff", True]),
    ],
)
def test_security_headers(config: dict[str, Any], header: list[Any]) -> None:
    assert policies.added_by({"SecurityHeadersConfig": config})["set"] == [header]


def test_no_policy_adds_nothing() -> None:
    assert policies.added_by(None) == {"remove": [], "set": [], "cors": None, "timing": None}


def test_every_policy_that_aws_manages_can_be_followed() -> None:
    for policy in CACHE_POLICIES.values():
        assert policies.cached_by(policy)
        assert policies.times(policy)
    for policy in ORIGIN_REQUEST_POLICIES.values():
        assert policies.sent_by(policy)
    for policy in RESPONSE_HEADERS_POLICIES.values():
        assert policies.added_by(policy)
