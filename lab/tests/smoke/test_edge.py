"""A static site on the lab: a private bucket behind a distribution, requested through the edge."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from running_lab import Lab

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def seen(lab: Lab) -> dict[str, Any]:
    visited = lab.inside(sys.executable, str(Path(__file__).with_name("visit_edge.py")))
    found: dict[str, Any] = json.loads(visited.stdout)
    return found


@pytest.mark.parametrize(
    ("visit", "status", "outcome", "body"),
    [
        ("without a policy", 403, "Error", "<?xml versio"),
        ("http", 301, "Redirect", "<html>\r\n<hea"),
        ("first", 200, "Miss", "<h1>one</h1>"),
        ("again", 200, "Hit", "<h1>one</h1>"),
        ("gzip", 200, "Miss", "<h1>one</h1>"),
        ("guide", 200, "Miss", "<h1>guide</h"),
        ("guide/", 200, "Hit", "<h1>guide</h"),
        ("missing", 404, "Error", "not here"),
        ("before", 200, "Hit", "<h1>one</h1>"),
        ("after", 200, "Miss", "<h1>two</h1>"),
        ("asset after", 200, "Hit", "a {}a {}a {}"),
    ],
)
def test_what_a_visitor_gets(seen: dict[str, Any], visit: str, status: int, outcome: str, body: str) -> None:
    found = seen[visit]
    assert (found["status"], found["X-Cache"], found["body"]) == (status, f"{outcome} from cloudfront", body)


def test_details(seen: dict[str, Any]) -> None:
    assert seen["http"]["Location"].startswith("https://")
    assert seen["http"]["Location"].endswith(".cloudfront.net/guide?a=b")
    assert (seen["gzip"]["Content-Encoding"], seen["gzip"]["ETag"][:3]) == ("gzip", 'W/"')
    assert seen["first"]["Strict-Transport-Security"] == "max-age=31536000"
    assert int(seen["again"]["Age"]) < 20


def test_the_bucket_is_nobody_elses_to_read(seen: dict[str, Any]) -> None:
    assert seen["direct"]["status"] == 403


def test_a_visitor_finds_it_too_and_the_machine_does_not(lab: Lab, seen: dict[str, Any]) -> None:
    host = seen["http"]["Location"].split("/")[2]
    curl = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", f"https://{host}/"]
    assert lab.inside(*curl, part="visitor").stdout == "2 200"
    unset = lab.inside("env", "-u", "SSL_CERT_FILE", "-u", "CURL_CA_BUNDLE", *curl).stdout
    assert unset == "2 200"  # the trust store that only this program sees
