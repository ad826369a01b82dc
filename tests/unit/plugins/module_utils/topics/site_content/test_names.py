"""What names say: kind, type, fingerprint, cache."""

from __future__ import annotations

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
    "name", ["index.html", "page.3f2a9c1b.html", "sitemap.xml", "feed.rss", "sw.js", "site.webmanifest", "robots.txt"]
)
def test_pages_keep_their_address_whatever_is_in_it(name: str) -> None:
    assert kind_of(f"assets/{name}", {f"assets/{name}"}) == "page"


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
        ("a.svgz", "image/svg+xml; charset=utf-8"),
        ("a.m4v", "video/mp4"),
        ("a.aac", "audio/aac"),
        ("a.mkv", "video/matroska"),
        ("a.heic", "image/heic"),
        ("a.avif", "image/avif"),
        ("a.wasm", "application/wasm"),
        ("a.webmanifest", "application/manifest+json; charset=utf-8"),
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
