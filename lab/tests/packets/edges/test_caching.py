"""What an edge keeps, how long, and in which encoding. Run with `-m lab`."""

from __future__ import annotations

import gzip
import select
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest
from distributions import ARN, SITE, behavior, cache_policy, chosen, counted, distribution, s3_origin

from groundwork_lab.aws.cloudfront.managed import ORIGIN_REQUEST_POLICIES

from .conftest import read

pytestmark = pytest.mark.lab

PAGE = b"<p>" + b"word " * 400
BOTH = {"Accept-Encoding": "gzip, deflate, br"}


class TestKeys:
    @pytest.mark.parametrize(
        ("options", "first", "second", "same"),
        [
            ({}, ("/a?x=1", {}), ("/a?x=2", {}), True),
            ({"queries": chosen("QueryString", "all")}, ("/a?x=1", {}), ("/a?x=2", {}), False),
            ({"queries": chosen("QueryString", "whitelist", "x")}, ("/a?x=1&y=1", {}), ("/a?y=2&x=1", {}), True),
            ({"queries": chosen("QueryString", "allExcept", "x")}, ("/a?x=1&y=1", {}), ("/a?y=2&x=1", {}), False),
            ({"headers": ["Accept-Language"]}, ("/a", {"Accept-Language": "de"}), ("/a", {}), False),
            ({"headers": ["Accept-Language"]}, ("/a", {"Referer": "x"}), ("/a", {}), True),
            ({"cookies": chosen("Cookie", "all")}, ("/a", {"Cookie": "a=1"}), ("/a", {"Cookie": "a=2"}), False),
            (
                {"cookies": chosen("Cookie", "whitelist", "a")},
                ("/a", {"Cookie": "a=1; b=1"}),
                ("/a", {"Cookie": "b=2; a=1"}),
                True,
            ),
            ({}, ("/a", BOTH), ("/a", {}), False),
            ({}, ("/a", BOTH), ("/a", {"Accept-Encoding": "br;q=1.0, gzip;q=0.8, *;q=0.1"}), True),
            ({}, ("/a", {}), ("/a", {"Accept-Encoding": "deflate"}), True),
            ({"compressed": False}, ("/a", BOTH), ("/a", {}), True),
        ],
    )
    def test_what_is_cached_apart(
        self, edge: Any, options: Mapping[str, Any], first: Any, second: Any, same: bool
    ) -> None:
        edge.origin.reply("/site/a", PAGE)
        edge.serve(cache={"cache": cache_policy(**options)})
        edge.get(first[0], headers=first[1])
        assert edge.get(second[0], headers=second[1]).outcome == ("Hit" if same else "Miss")

    def test_what_is_in_the_key_or_the_request_policy_is_sent(self, edge: Any) -> None:
        request = {
            "HeadersConfig": chosen("Header", "whitelist", "referer", "cloudfront-viewer-address"),
            "CookiesConfig": chosen("Cookie", "whitelist", "b"),
            "QueryStringsConfig": chosen("QueryString", "whitelist", "y"),
        }
        policy = cache_policy(
            headers=["Accept-Language"],
            cookies=chosen("Cookie", "whitelist", "a"),
            queries=chosen("QueryString", "whitelist", "x"),
        )
        default = behavior(OriginRequestPolicyId="request")
        edge.serve(distribution(default=default), cache={"cache": policy}, request={"request": request})
        sent = {"Accept-Language": "de", "Referer": "here", "Cookie": "a=1; b=2; c=3", "X-Other": "no"}
        edge.get("/a?x=1&y=2&z=3", headers=sent)
        _, path, told, _ = edge.origin.last
        assert path == "/site/a?x=1&y=2"
        assert told["Cookie"] == "a=1; b=2"
        assert (told["Accept-Language"], told["Referer"], told.get("X-Other")) == ("de", "here", None)
        assert told["Cloudfront-Viewer-Address"].startswith("127.0.0.1:")

    def test_all_of_a_viewers_headers(self, edge: Any) -> None:
        request = {
            "HeadersConfig": {"HeaderBehavior": "allViewer"},
            "CookiesConfig": chosen("Cookie", "all"),
            "QueryStringsConfig": chosen("QueryString", "all"),
        }
        default = behavior(OriginRequestPolicyId="request")
        edge.serve(distribution(default=default), request={"request": request})
        sent = {
            "X-Other": "yes",
            "User-Agent": "me",
            "Cookie": "a=1",
            "X-Groundwork-Source-Arn": "no",
            "Edge-Key": "no",
        }
        removed = ["X-Forwarded-Proto", "X-Real-Ip", "X-Edge-Secret", "Cloudfront-Forwarded-Proto"]
        edge.get("/a?x", headers={**sent, **dict.fromkeys(removed, "forged")})
        _, path, told, _ = edge.origin.last
        assert path == "/site/a?x"
        assert not set(removed) & set(told)
        assert (told["Host"], told["X-Other"], told["User-Agent"], told["Cookie"]) == (SITE, "yes", "me", "a=1")
        assert (told["X-Groundwork-Source-Arn"], told.get("Edge-Key")) == (ARN, None)

    @pytest.mark.parametrize(
        ("agent", "kinds"),
        [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", {"Desktop"}),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148", {"Ios", "Mobile"}),
            ("Mozilla/5.0 (iPad; CPU OS 12_0 like Mac OS X) AppleWebKit/605.1.15", {"Ios", "Tablet"}),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0 Mobile Safari/537.36", {"Android", "Mobile"}),
            ("Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/126.0 Safari/537.36", {"Android", "Tablet"}),
            ("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) TV Safari/537.36", {"Smarttv"}),
        ],
    )
    def test_what_cloudfront_knows_of_a_viewer(self, edge: Any, agent: str, kinds: set[str]) -> None:
        """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html"""
        policy = ORIGIN_REQUEST_POLICIES[
            "33f36d7e-f396-46d9-90e0-52428a34d9dc"
        ]  # AllViewerAndCloudFrontHeaders-2022-06
        edge.serve(distribution(default=behavior(OriginRequestPolicyId="request")), request={"request": policy})
        edge.get("/a", headers={"User-Agent": agent, "CloudFront-Forwarded-Proto": "forged"})
        told = edge.origin.last[2]
        known = ("Android", "Desktop", "Ios", "Mobile", "Smarttv", "Tablet")
        assert {each for each in known if told[f"Cloudfront-Is-{each}-Viewer"] == "true"} == kinds
        assert (told["Cloudfront-Forwarded-Proto"], told["User-Agent"]) == ("https", agent)

    def test_legacy_settings(self, edge: Any) -> None:
        legacy = {
            "QueryString": True,
            "QueryStringCacheKeys": counted("x"),
            "Cookies": {"Forward": "whitelist", "WhitelistedNames": counted("a")},
            "Headers": counted("Accept-Language"),
        }
        default = behavior(ForwardedValues=legacy, MinTTL=0, DefaultTTL=60, MaxTTL=60)
        del default["CachePolicyId"]
        edge.origin.reply("/site/a", PAGE)
        edge.serve(distribution(default=default))
        edge.get(
            "/a?x=1&y=1", headers={"Cookie": "a=1; b=1", "Accept-Language": "de", "Referer": "x", "X-Other": "yes"}
        )
        _, path, told, _ = edge.origin.last
        assert (path, told["Cookie"], told["Accept-Language"]) == ("/site/a?x=1&y=1", "a=1", "de")
        assert (told.get("Referer"), told["X-Other"]) == (None, "yes")
        assert edge.get("/a?x=1&y=2", headers={"Cookie": "a=1", "Accept-Language": "de"}).outcome == "Hit"
        assert edge.get("/a?x=2&y=2", headers={"Cookie": "a=1", "Accept-Language": "de"}).outcome == "Miss"


class TestTimes:
    """The time to keep an object: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html"""

    @pytest.mark.parametrize(
        ("ttls", "headers", "second"),
        [
            ((0, 60, 600), {}, "Hit"),
            ((0, 0, 600), {}, "RefreshHit"),
            ((5, 0, 600), {}, "Hit"),
            ((0, 0, 600), {"Cache-Control": "max-age=60"}, "Hit"),
            ((0, 60, 600), {"Cache-Control": "max-age=0"}, "RefreshHit"),
            ((5, 60, 600), {"Cache-Control": "max-age=0"}, "Hit"),
            ((0, 60, 600), {"Cache-Control": "max-age=0, s-maxage=60"}, "Hit"),
            ((0, 60, 600), {"Cache-Control": "max-age=60, s-maxage=0"}, "RefreshHit"),
            ((0, 60, 600), {"Cache-Control": "max-age=0", "Expires": "Fri, 01 Jan 2100 00:00:00 GMT"}, "RefreshHit"),
            ((0, 0, 600), {"Expires": "Fri, 01 Jan 2100 00:00:00 GMT"}, "Hit"),
            ((0, 60, 600), {"Expires": "Fri, 01 Jan 1999 00:00:00 GMT"}, "RefreshHit"),
            ((5, 60, 600), {"Expires": "Fri, 01 Jan 1999 00:00:00 GMT"}, "Hit"),
            ((0, 60, 600), {"Cache-Control": "no-store"}, "Miss"),
            ((0, 60, 600), {"Cache-Control": "private, max-age=60"}, "Miss"),
            ((0, 60, 600), {"Cache-Control": "no-cache"}, "RefreshHit"),
            ((5, 60, 600), {"Cache-Control": "no-store"}, "Hit"),
            ((5, 60, 600), {"Cache-Control": "no-cache"}, "Hit"),
            ((0, 0, 0), {"Cache-Control": "max-age=60"}, "Miss"),
            ((0, 60, 600), {"Set-Cookie": "a=b"}, "Hit"),
            ((0, 60, 600), {"Vary": "*"}, "Miss"),
            ((5, 60, 600), {"Vary": "Accept, *"}, "Hit"),
            ((0, 60, 600), {"Cache-Control": 'max-age=60, no-cache="Set-Cookie, X-A"'}, "Hit"),
            ((0, 60, 600), {"Expires": "Friday, 01-Jan-38 00:00:00 GMT"}, "Hit"),
            ((0, 60, 600), {"Expires": "Fri Jan  1 00:00:00 2100"}, "Hit"),
            ((0, 60, 600), {"Expires": "Fri, 01 Jan 2100 00:00:00 UTC"}, "RefreshHit"),
            ((0, 60, 600), {"Expires": "Fri 01 Jan 2100 00:00:00 GMT"}, "RefreshHit"),
            ((0, 60, 600), {"Expires": "2100-01-01"}, "RefreshHit"),
        ],
    )
    def test_least_default_and_longest(
        self, edge: Any, ttls: tuple[int, int, int], headers: Mapping[str, str], second: str
    ) -> None:
        edge.origin.replies["/site/a"] = (200, {"Content-Type": "text/html", "ETag": '"1"', **headers}, PAGE)
        edge.serve(cache={"cache": cache_policy(ttls)})
        first = edge.get("/a")
        again = edge.get("/a")
        assert (first.outcome, again.outcome) == ("Miss", second)
        assert again.body == PAGE
        assert len(edge.origin.asked) == (1 if second == "Hit" else 2)

    def test_the_longest_time_bounds_what_the_origin_says(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"old", Cache_Control="max-age=3600")
        edge.serve(cache={"cache": cache_policy((0, 0, 1))})
        assert edge.get("/a").outcome == "Miss"
        edge.origin.reply("/site/a", b"new")
        _await(lambda: edge.get("/a").body == b"new")

    def test_a_compressed_object_is_refreshed_by_its_strong_etag(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE, ETag='"1"', Cache_Control="max-age=0")
        edge.serve(cache={"cache": cache_policy((0, 0, 600))})
        first, again = (edge.get("/a", headers=BOTH) for _ in range(2))
        assert (first["ETag"], again["ETag"], again.outcome) == ('W/"1"', 'W/"1"', "RefreshHit")
        assert edge.origin.last[2]["If-None-Match"] == '"1"'

    def test_age(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE)
        edge.serve()
        first, again = edge.get("/a"), edge.get("/a")
        assert first["Age"] is None
        assert int(again["Age"]) in (0, 1)

    def test_age_begins_anew_when_an_object_is_found_still_good(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE, ETag='"1"')
        edge.serve(cache={"cache": cache_policy((0, 2, 2))})
        edge.get("/a")
        _await(lambda: edge.get("/a").outcome == "RefreshHit")
        assert int(edge.get("/a")["Age"]) <= 1

    def test_an_expired_object_serves_while_the_origin_fails(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE, Cache_Control="max-age=0")
        edge.serve(cache={"cache": cache_policy((0, 0, 600))})
        edge.get("/a")
        edge.origin.reply("/site/a", b"broken", 503)
        answer = edge.get("/a")
        assert (answer.status, answer.body, answer.outcome) == (200, PAGE, "Hit")


class TestConditionsAndRanges:
    def test_the_viewer_has_it_already(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE, ETag='"1"')
        edge.serve()
        edge.get("/a")
        answer = edge.get("/a", headers={"If-None-Match": '"1"'})
        assert (answer.status, answer.body, answer.outcome) == (304, b"", "Hit")

    def test_part_of_an_object(self, edge: Any) -> None:
        edge.origin.reply("/site/a", bytes(range(200)), ETag='"1"')
        edge.serve()
        for outcome in ("Miss", "Hit"):
            answer = edge.get("/a", headers={"Range": "bytes=10-12"})
            assert (answer.status, answer.body, answer.outcome) == (206, bytes([10, 11, 12]), outcome)
            assert answer["Content-Range"] == "bytes 10-12/200"
        assert "Range" not in edge.origin.last[2]

    def test_head(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE)
        edge.serve()
        edge.get("/a")
        answer = edge.get("/a", "HEAD")
        assert (answer.status, answer.body, answer.outcome) == (200, b"", "Hit")
        assert answer["Content-Length"] == str(len(PAGE))


class TestCompression:
    """Compression: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html"""

    @pytest.mark.parametrize(
        ("accepted", "reply", "options", "encoding"),
        [
            ("gzip, br", {}, {}, "br"),
            ("gzip", {}, {}, "gzip"),
            ("gzip, br;q=0", {}, {}, "gzip"),
            ("deflate", {}, {}, None),
            ("gzip, br", {"body": b"x" * 999}, {}, None),
            ("gzip, br", {"body": b"x" * 1000}, {}, "br"),
            ("gzip, br", {"body": b"x" * 10_000_001}, {}, None),
            ("gzip, br", {"Content_Type": "image/png"}, {}, None),
            ("gzip, br", {"Content_Type": "text/html; charset=utf-8"}, {}, "br"),
            ("gzip, br", {"Content_Encoding": "zstd"}, {}, "zstd"),
            ("gzip, br", {}, {"Compress": False}, None),
        ],
    )
    def test_what_is_compressed(
        self, edge: Any, accepted: str, reply: dict[str, Any], options: Mapping[str, Any], encoding: str | None
    ) -> None:
        given = {"body": PAGE, "ETag": '"1"', **reply}
        edge.origin.reply("/site/a", **given)
        edge.serve(distribution(default=behavior(**options)))
        for _ in range(2):
            answer = edge.get("/a", headers={"Accept-Encoding": accepted})
            assert answer["Content-Encoding"] == encoding
            assert answer["ETag"] == ('W/"1"' if encoding in ("br", "gzip") else '"1"')
            if encoding == "gzip":
                assert gzip.decompress(answer.body) == given["body"]
            if encoding is None:
                assert answer.body == given["body"]

    def test_http_1_0_gets_it_plain(self, edge: Any) -> None:
        edge.origin.reply("/site/a", PAGE)
        edge.serve()
        with closing(edge.connect()) as connection:
            connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"
            connection.request("GET", "/a", headers=BOTH)
            assert read(connection)["Content-Encoding"] is None

    def test_a_policy_without_brotli(self, edge: Any) -> None:
        policy = cache_policy()
        policy["ParametersInCacheKeyAndForwardedToOrigin"]["EnableAcceptEncodingBrotli"] = False
        edge.origin.reply("/site/a", PAGE)
        edge.serve(cache={"cache": policy})
        assert edge.get("/a", headers=BOTH)["Content-Encoding"] == "gzip"


class TestErrors:
    def test_the_origins_own_error_page(self, edge: Any) -> None:
        edge.serve()
        answer = edge.get("/missing")
        assert (answer.status, answer.body, answer.outcome) == (404, b"<Code>NoSuchKey</Code>", "Error")

    @pytest.mark.parametrize(
        ("status", "headers", "cached"),
        [
            (404, {}, True),
            (503, {}, True),
            (403, {}, False),
            (403, {"Cache_Control": "max-age=60"}, True),
            (416, {}, False),
        ],
    )
    def test_which_errors_are_cached(self, edge: Any, status: int, headers: dict[str, str], cached: bool) -> None:
        edge.origin.reply("/site/a", b"no", status, **headers)
        edge.serve()
        for _ in range(2):
            assert edge.get("/a").status == status
        assert len(edge.origin.asked) == (1 if cached else 2)

    def test_for_no_time(self, edge: Any) -> None:
        edge.serve(distribution(errors=[{"ErrorCode": 404, "ErrorCachingMinTTL": 0}]))
        assert edge.get("/a").status == 404
        edge.origin.reply("/site/a", b"there")
        assert edge.get("/a").body == b"there"

    @pytest.mark.parametrize("code", ["200", "404"])
    def test_a_page_of_the_sites_own(self, edge: Any, code: str) -> None:
        error = {
            "ErrorCode": 404,
            "ResponsePagePath": "/errors/404.html",
            "ResponseCode": code,
            "ErrorCachingMinTTL": 10,
        }
        pages = behavior(PathPattern="/errors/*", TargetOriginId="pages")
        origins = [s3_origin(), s3_origin(Id="pages", OriginPath="/pages")]
        edge.origin.reply("/pages/errors/404.html", PAGE)
        edge.serve(distribution(errors=[error], behaviors=[pages], origins=origins))
        for _ in range(2):
            answer = edge.get("/missing", headers={"Range": "bytes=0-1", **BOTH})
            assert (answer.status, answer.outcome) == (int(code), "Error")
            assert answer["Content-Encoding"] == "br"
        assert [each[1] for each in edge.origin.asked] == ["/site/missing", "/pages/errors/404.html"]
        assert edge.get("/missing").body == PAGE

    def test_a_page_beside_a_viewer_response_function(self, edge: Any) -> None:
        error = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 10}
        code = "function handler(event) { event.response.statusCode = 203; return event.response; }"
        edge.origin.reply("/site/404.html", b"page")
        edge.origin.reply("/site/a", b"a")
        default = behavior(functions={"viewer-response": "f"})
        edge.serve(distribution(errors=[error], default=default), functions={"f": code})
        found = [(answer.status, answer.body) for answer in map(edge.get, ("/missing", "/a", "/404.html"))]
        assert found == [(404, b"page"), (203, b"a"), (203, b"page")]

    def test_long_headers(self, edge: Any) -> None:
        """Test the limits: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"""
        policy = cache_policy(cookies=chosen("Cookie", "all"))
        edge.origin.reply("/site/a", b"it")
        edge.serve(cache={"cache": policy})
        cookie = {"Cookie": "a=" + "x" * 18000}
        assert [edge.get("/a", headers=cookie).outcome for _ in range(2)] == ["Miss", "Hit"]

    def test_a_page_that_is_missing_itself(self, edge: Any) -> None:
        error = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "200", "ErrorCachingMinTTL": 10}
        edge.serve(distribution(errors=[error]))
        assert edge.get("/missing").status == 404

    def test_only_the_errors_that_have_a_page(self, edge: Any) -> None:
        error = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 10}
        edge.origin.reply("/site/a", b"<Code>AccessDenied</Code>", 403)
        edge.serve(distribution(errors=[error]))
        answer = edge.get("/a")
        assert (answer.status, answer.body) == (403, b"<Code>AccessDenied</Code>")

    def test_an_origin_that_is_not_there(self, edge: Any) -> None:
        custom = {"HTTPPort": 9, "HTTPSPort": 9, "OriginProtocolPolicy": "http-only", "OriginReadTimeout": 5}
        origin = {**s3_origin(), "DomainName": "127.0.0.1", "CustomOriginConfig": custom}
        edge.serve(distribution(origins=[origin]))
        answer = edge.get("/a")
        assert (answer.status, answer.outcome) == (502, "Error")
        assert b"Generated by cloudfront" in answer.body


def _await(condition: Any, patience: float = 5.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        select.select([], [], [], 0.05)


def test_a_distribution_that_goes_takes_its_cache_with_it(edge: Any) -> None:
    edge.origin.reply("/site/a", PAGE)
    other = distribution(identifier="EOTHER", domain="dother.cloudfront.net")
    edge.serve(distribution(), other)
    edge.get("/a")
    assert sorted(each.name for each in (edge.folder / "cache").iterdir()) == ["EDFDVBD6EXAMPLE-0", "EOTHER-0"]
    edge.serve(other)
    assert [each.name for each in (edge.folder / "cache").iterdir()] == ["EOTHER-0"]


def test_a_reload_keeps_the_cache(edge: Any) -> None:
    edge.origin.reply("/site/a", PAGE)
    edge.serve()
    edge.get("/a")
    edge.serve(distribution(default=behavior(ViewerProtocolPolicy="https-only")))
    assert edge.get("/a").outcome == "Hit"
    assert len(edge.origin.asked) == 1
