"""The way from a path to a file, as the viewer-request function goes it: lab/tests/packets/edges/test_clean_urls.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.urls import (
    EXTENSION,
    VERSION,
    answering,
    visited,
)

TEMPLATE = Path(__file__).parents[6] / "roles" / "static_site" / "templates" / "viewer_request.js.j2"
UNMAPPED = ("/LICENSE", "/a/NOTICE")


@pytest.mark.parametrize(
    ("path", "serve", "html"),
    [
        ("", "index.html", "index.html"),
        ("docs", "docs/index.html", "docs.html"),
        ("docs/", "docs/index.html", "docs/index.html"),
        ("docs/1.4", "docs/1.4/index.html", "docs/1.4.html"),
        ("docs/1.4/", "docs/1.4/index.html", "docs/1.4/index.html"),
        ("v2.0", "v2.0/index.html", "v2.0.html"),
        ("11.x", "11.x/index.html", "11.x.html"),
        ("1.4rc1", "1.4rc1/index.html", "1.4rc1.html"),
        ("README", "README/index.html", "README.html"),
        *((path, path, path) for path in ("LICENSE", "a/NOTICE", "about.html", "a.7z", "b.3gp", "x.woff2", "A.HTML")),
        *((path, path, path) for path in ("a.tar.gz", "app.x", "a.min.js.map", ".env", ".well-known/security")),
    ],
)
def test_paths_lead_to_files(path: str, serve: str, html: str) -> None:
    assert answering(path, "serve", UNMAPPED) == answering(path, "redirect", UNMAPPED) == serve
    assert answering(path, "html", UNMAPPED) == html
    assert answering(path, "none", UNMAPPED) == (path or "index.html")


@pytest.mark.parametrize("mode", ["serve", "html"])
@pytest.mark.parametrize("file", ["index.html", "guide/index.html", "about.html", "a.js", "docs/1.4/index.html"])
def test_every_path_that_leads_to_a_file_is_invalidated(file: str, mode: str) -> None:
    bare = file.removesuffix("index.html").removesuffix(".html")
    asked = [path for path in (file, bare, bare.rstrip("/")) if answering(path, mode) == file]
    assert {f"/{path}" for path in asked} <= set(visited(file, mode))


def test_the_function_has_the_same_patterns() -> None:
    code = TEMPLATE.read_text()
    assert f"/{EXTENSION.pattern}/i.test(name)" in code
    assert f"/^{VERSION.pattern}$/i.test(name)" in code
