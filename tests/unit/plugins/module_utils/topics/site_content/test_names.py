"""What names say: kind, type, fingerprint, cache."""

from __future__ import annotations

import re

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import (
    cache_control,
    content_type,
    extension,
    is_excluded,
    kind_of,
    matches,
)


@pytest.mark.parametrize(
    "name",
    [
        "app.3f2a9c1b.js",
        "main.abc123de.chunk.css",
        "main.0a1b2c3d4e5f6a7b8c9d.js",  # webpack's whole hash
        "main.0a1b2c3d.js.LICENSE.txt",
        "app.3f2a9c1b.js.map",
        "0a1b2c3d4e5f6a7b8c9d.png",
        "framework-64ad27b21261a9ce.js",  # Next.js
        "index-BX92kd_1.js",  # Vite
        "index-DkLmNoPq.js",
        "start.BX92kd_1.js",  # SvelteKit, Astro
        "app-5G6KDUWV.js",  # esbuild
        "style.min.0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0a1b.css",  # Hugo
    ],
)
def test_fingerprints_are_known(name: str) -> None:
    assert kind_of(f"assets/{name}") == "immutable"


@pytest.mark.parametrize(
    "name",
    [
        "jquery-3.7.1.min.js",
        "d3.v7.min.js",
        "report-20240101.pdf",
        "v1.20240101.js",
        "invoice-12345678.pdf",
        "bootstrap.bundle.min.js",
        "site-overview.css",
        "user-settings.js",
        "main.component.js",
        "app-MyModule.js",
        "photo-IMG_1234.jpg",
        "team-Photo123.jpg",
        "our-iPhone15.png",
        "blog-feed2024.js",
        "photo-2024face.jpg",
        "deadbeef.js",
        "a-550e8400-e29b-41d4-a716-44665544a0b0.jpg",
        "3f2a9c1b",
        "style.css",
    ],
)
def test_versions_dates_and_words_are_no_fingerprints(name: str) -> None:
    assert kind_of(f"assets/{name}") == "asset"


@pytest.mark.parametrize(
    "name", ["index.html", "page.3f2a9c1b.html", "sitemap.xml", "feed.rss", "sw.js", "site.webmanifest", "robots.txt"]
)
def test_pages_keep_their_address_whatever_is_in_it(name: str) -> None:
    assert kind_of(f"assets/{name}") == "page"


def test_a_pattern_of_ones_own_takes_the_place_of_the_known_forms() -> None:
    own = re.compile(r"^static/.*_v\d+\.")
    assert kind_of("static/app_v12.js", own) == "immutable"
    assert kind_of("app.3f2a9c1b.js", own) == "asset"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("A.HTML", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("data.json", "application/json; charset=utf-8"),
        ("font.woff2", "font/woff2"),
        ("logo.svg", "image/svg+xml; charset=utf-8"),
        ("archive.tar.gz", "application/gzip"),
        (".well-known/apple-app-site-association", "application/json; charset=utf-8"),
        ("unknown.xyz", "application/octet-stream"),
        ("noextension", "application/octet-stream"),
        (".hidden", "application/octet-stream"),
    ],
)
def test_types_are_of_a_fixed_table(path: str, expected: str) -> None:
    assert content_type(path) == expected


def test_the_first_pattern_counts() -> None:
    rules = [("downloads/*", "application/x-own"), ("*.txt", "text/own")]
    assert content_type("downloads/a.txt", rules) == "application/x-own"
    assert content_type("a.txt", rules) == "text/own"
    assert cache_control("a.js", "asset", [("*.css", "no-store")]) == "public, max-age=300, s-maxage=86400"
    assert cache_control("b/a.css", "asset", [("*.css", "no-store")]) == "no-store"


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a/b.js", "*.js", True),
        ("a/b.js", "b*", True),
        ("a/b.js", "a*", False),
        ("a/b.js", "a/*", True),
        ("a/b.js", "/a/*", True),
        ("b/a/b.js", "a/*", False),
    ],
)
def test_patterns_are_of_names_or_of_paths(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, pattern) is expected


@pytest.mark.parametrize(
    ("path", "patterns", "expected"),
    [
        (".git", [".*"], True),
        ("a/.DS_Store", [".*"], True),
        (".well-known", [".*"], False),
        (".well-known", [".*", ".well-known"], True),
        ("drafts", ["drafts"], True),
        ("a.html", [".*"], False),
    ],
)
def test_hidden_files_are_left_out(path: str, patterns: list[str], expected: bool) -> None:
    assert is_excluded(path, patterns) is expected


def test_extensions() -> None:
    assert [extension(name) for name in ("a.JS", "a.tar.gz", "a", ".a", "b.d/a")] == ["js", "gz", "", "", ""]
