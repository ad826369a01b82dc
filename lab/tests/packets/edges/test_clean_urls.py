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
    "static_site_unmapped_paths": [],
    "static_site_precompress": [],
}


def serve(edge: Any, **settings: Any) -> Any:
    """Serve a site with the role's function, rendered with the settings."""
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(loader=loader, trim_blocks=True, undefined=StrictUndefined)  # noqa: S701 - JavaScript
    environment.filters |= {"to_json": json.dumps, "regex_escape": re.escape}
    code = environment.get_template("viewer_request.js.j2").render({**SETTINGS, **settings})
    edge.serve(distribution(default=behavior(functions={"viewer-request": "it"})), functions={"it": code})
    return edge


@pytest.fixture
def site(edge: Any) -> Any:
    return serve(edge)


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


# The path of a request, and the file that answers it with "serve" and "html". tests/unit checks the same table.
MAPPED = [
    ("/docs", "/docs/index.html", "/docs.html"),
    ("/docs/", "/docs/index.html", "/docs/index.html"),
    ("/docs/1.4", "/docs/1.4/index.html", "/docs/1.4.html"),
    ("/docs/1.4/", "/docs/1.4/index.html", "/docs/1.4/index.html"),
    ("/v2.0", "/v2.0/index.html", "/v2.0.html"),
    ("/11.x", "/11.x/index.html", "/11.x.html"),
    ("/1.4rc1", "/1.4rc1/index.html", "/1.4rc1.html"),
    ("/README", "/README/index.html", "/README.html"),
    *((path, path, path) for path in ("/LICENSE", "/a/NOTICE", "/about.html", "/a.7z", "/b.3gp", "/A.HTML")),
    *((path, path, path) for path in ("/a.tar.gz", "/app.x", "/a.min.js.map", "/.env", "/.well-known/security")),
]


@pytest.mark.parametrize(("mode", "column"), [("serve", 1), ("html", 2), ("none", 0)])
def test_paths_lead_to_files(edge: Any, mode: str, column: int) -> None:
    serve(edge, static_site_clean_urls=mode, static_site_unmapped_paths=["/LICENSE", "/a/NOTICE"])
    for mapping in MAPPED:
        edge.get(mapping[0])
        assert edge.origin.asked[-1][1] == f"/site{mapping[column]}"
