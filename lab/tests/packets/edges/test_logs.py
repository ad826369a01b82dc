"""The standard logs of a distribution. Run with `-m lab`.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
"""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from distributions import SITE, behavior, distribution

pytestmark = pytest.mark.lab

LOGGING = {"Enabled": True, "IncludeCookies": False, "Bucket": "logs.s3.amazonaws.com", "Prefix": ""}


def requests(edge: Any) -> list[dict[str, str]]:
    """Return the requests of the log files that were delivered, by the names of the fields."""
    edge.manager.deliveries.pass_once()
    found = []
    for _identity, _name, content in edge.delivered:
        lines = gzip.decompress(content).decode().splitlines()
        assert lines[0] == "#Version: 1.0"
        names = lines[1].removeprefix("#Fields: ").split()
        assert len(names) == 33
        found += [dict(zip(names, line.split("\t"), strict=True)) for line in lines[2:]]
    edge.delivered.clear()
    return found


def test_each_request_is_a_line(edge: Any) -> None:
    edge.origin.reply("/site/a", b"it", Cache_Control="max-age=60")
    edge.serve(distribution(default=behavior(ViewerProtocolPolicy="redirect-to-https"), Logging=LOGGING))
    first = edge.get("/a?x=1%202&y=%20", headers={"User-Agent": "a b\tc", "Cookie": "secret=1"})
    edge.get("/a?x=1%202&y=%20")
    edge.get("/a", secure=False)
    edge.get("/missing")
    lines = requests(edge)
    assert [each["x-edge-result-type"] for each in lines] == ["Miss", "Hit", "Redirect", "Error"]
    assert [each["sc-status"] for each in lines] == ["200", "200", "301", "404"]
    line = lines[0]
    assert (line["cs(Host)"], line["x-host-header"], line["cs-method"]) == (SITE, SITE, "GET")
    assert (line["cs-uri-stem"], line["cs-uri-query"]) == ("/a", "x=1%202&y=%20")
    assert (line["cs(User-Agent)"], line["cs(Cookie)"]) == ("a%20b%09c", "-")
    assert (line["cs-protocol"], line["cs-protocol-version"]) == ("https", "HTTP/1.1")
    assert line["x-edge-request-id"] == first.headers["X-Amz-Cf-Id"]
    assert re.fullmatch(r"TLSv1\.[23]", line["ssl-protocol"])
    assert lines[2]["ssl-protocol"] == "-"
    assert int(line["sc-bytes"]) > len(b"it")


def test_cookies_are_logged_on_request(edge: Any) -> None:
    edge.origin.reply("/site/a", b"it")
    edge.serve(distribution(Logging={**LOGGING, "IncludeCookies": True}))
    edge.get("/a", headers={"Cookie": "a=1; b=2"})
    assert [each["cs(Cookie)"] for each in requests(edge)] == ["a=1;%20b=2"]


def test_a_distribution_without_logs_has_none(edge: Any) -> None:
    edge.origin.reply("/site/a", b"it")
    edge.serve(distribution())
    edge.get("/a")
    assert requests(edge) == []


def test_the_file_is_named_after_the_distribution_and_the_hour(edge: Any) -> None:
    edge.origin.reply("/site/a", b"it")
    edge.serve(distribution(Logging=LOGGING))
    edge.get("/a")
    edge.manager.deliveries.pass_once()
    [(identity, name, _content)] = edge.delivered
    edge.delivered.clear()
    assert re.fullmatch(rf"{identity}\.\d{{4}}-\d\d-\d\d-\d\d\.[0-9a-f]{{8}}\.gz", name)
