"""The function of the role static_site on an edge: redirects stay on the site. Run with `-m lab`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from distributions import behavior, distribution
from jinja2 import Environment, FileSystemLoader, StrictUndefined

pytestmark = pytest.mark.lab

TEMPLATES = Path(__file__).parents[4] / "roles" / "static_site" / "templates"
SETTINGS = {
    "static_site_redirects": [],
    "static_site_spa": False,
    "static_site_clean_urls": "redirect",
    "static_site_index_document": "index.html",
    "static_site_precompress": [],
}


@pytest.fixture
def site(edge: Any) -> Any:
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(loader=loader, trim_blocks=True, undefined=StrictUndefined)  # noqa: S701 - JavaScript
    environment.filters |= {"to_json": json.dumps, "regex_escape": re.escape}
    code = environment.get_template("viewer_request.js.j2").render(SETTINGS)
    edge.serve(distribution(default=behavior(functions={"viewer-request": "it"})), functions={"it": code})
    return edge


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/x",
        "///evil.example/x",
        "/\\evil.example/x",
        "/\\/evil.example",
        "/%2fevil.example/x",
        "/%2F%2Fevil.example/x",
        "/%5cevil.example/x",
        "/%5C/evil.example/x",
        "//evil.example/x?y=//evil.example",
        "//evil.example:443/x@site",
    ],
)
def test_no_redirect_leads_to_another_host(site: Any, path: str) -> None:
    answer = site.get(path)
    if answer.status == 301:
        location = urlsplit(answer["Location"].replace("\\", "/"))
        assert (location.scheme, location.netloc) == ("", "")
        assert location.path.startswith("/evil.example")
    else:
        assert answer["Location"] is None
        assert answer.status in (400, 403, 404)


@pytest.mark.parametrize(
    ("path", "location"),
    [("/docs", "/docs/"), ("/docs?a=1&b", "/docs/?a=1&b"), ("/a/b%20c", "/a/b%20c/")],
)
def test_a_page_without_a_slash_is_redirected(site: Any, path: str, location: str) -> None:
    answer = site.get(path)
    assert (answer.status, answer["Location"]) == (301, location)
