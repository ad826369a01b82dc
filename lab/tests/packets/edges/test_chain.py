"""A distribution as the origin of another one: an error page for some paths alone. Run with `-m lab`."""

from __future__ import annotations

from typing import Any

import pytest
from distributions import SITE, behavior, distribution, s3_origin, server_origin

pytestmark = pytest.mark.lab

INNER = "dinner.cloudfront.net"
ERROR = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 10}


def chain(*outer: list[str], inner: tuple[list[str], ...] = ()) -> list[Any]:
    """Return the distribution of the pages, and the one that visitors use, with their invalidations."""
    pages = server_origin(INNER, "https-only")
    pages["OriginPath"] = ""
    pages["CustomOriginConfig"] = {**pages["CustomOriginConfig"], "HTTPSPort": 443}
    app = {**server_origin("app.example", "http-only"), "Id": "app"}
    api = behavior(PathPattern="/api/*", TargetOriginId="app")
    return [
        distribution(*inner, identifier="EINNER", domain=INNER, origins=[s3_origin()], errors=[ERROR]),
        distribution(*outer, origins=[pages, app], behaviors=[api]),
    ]


@pytest.fixture
def chained(edge: Any) -> Any:
    edge.origin.reply("/site/404.html", b"<h1>nothing here", Cache_Control="public, max-age=0, must-revalidate")
    edge.origin.reply("/site/index.html", b"<h1>home")
    edge.serve(*chain())
    return edge


def test_the_error_page_is_that_of_the_pages_alone(chained: Any) -> None:
    page = chained.get("/missing")
    assert (page.status, page.body) == (404, b"<h1>nothing here")
    for status in (400, 403, 404, 500, 503):
        chained.origin.reply(f"/app/api/{status}", b'{"error": 1}', status, Content_Type="application/json")
        answer = chained.get(f"/api/{status}")
        assert (answer.status, answer.body, answer["Content-Type"]) == (status, b'{"error": 1}', "application/json")


def test_pages_pass_both_caches(chained: Any) -> None:
    assert [chained.get("/", host=SITE).body for _ in range(3)] == [b"<h1>home"] * 3
    assert len([one for one in chained.origin.asked if one[1] == "/site/index.html"]) == 1


def test_a_page_is_new_after_both_were_invalidated_in_order(chained: Any) -> None:
    chained.get("/index.html")
    chained.origin.reply("/site/index.html", b"<h1>new")
    chained.serve(*chain(inner=(["/index.html"],)))
    assert chained.get("/index.html").body == b"<h1>home"
    chained.serve(*chain(["/index.html"], inner=(["/index.html"],)))
    assert chained.get("/index.html").body == b"<h1>new"
