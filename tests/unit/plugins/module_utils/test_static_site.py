"""What a person may write about a static site, and what each mistake is answered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.static_site import parse_static_site


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("index.html", "404.html"):
        (tmp_path / name).write_text(name)
    return tmp_path


def found(folder: Path, **more: Any) -> dict[str, str]:
    problems = Problems()
    options = {
        "source": str(folder),
        "bucket": "example-site",
        "index_document": "index.html",
        "not_found_page": "404.html",
        "precompress": [],
        "redirects": [],
        **more,
    }
    parse_static_site(options, problems)
    return {problem.variable: str(problem) for problem in problems.found}


def redirect(start: str, to: str, code: int = 301) -> dict[str, Any]:
    return {"from": start, "to": to, "code": code}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"not_found_page": ""},
        {"precompress": ["js", "css"]},
        {"redirects": [redirect("/old/", "/new/"), redirect("/new/", "https://example.org/?a=b#c")]},
        {"redirects": [redirect("/caf%C3%A9", "/bar")]},
    ],
)
def test_what_is_right(source: Path, more: dict[str, Any]) -> None:
    assert found(source, **more) == {}


def test_without_a_source_there_is_nothing_to_check(source: Path) -> None:
    assert found(source, source="", bucket="", redirects=[redirect("old", "")]) == {}


@pytest.mark.parametrize(
    ("more", "variable", "words"),
    [
        ({"bucket": ""}, "bucket", "nobody else in the world"),
        ({"index_document": "start.html"}, "index_document", "there is no start.html"),
        ({"index_document": "pages/index.html"}, "index_document", "in every folder"),
        ({"not_found_page": "missing.html"}, "not_found_page", "do without"),
        ({"not_found_page": "/404.html"}, "not_found_page", "is no file of the source"),
        ({"precompress": ["js", ".css"]}, "precompress[1]", "without the dot"),
        ({"precompress": ["br"]}, "precompress[0]", "no extension"),
        ({"redirects": [redirect("old", "/new")]}, "redirects[0].from", "is no path"),
        ({"redirects": [redirect("/old/*", "/new")]}, "redirects[0].from", "without *"),
        ({"redirects": [redirect("/café", "/bar")]}, "redirects[0].from", "write /caf%C3%A9"),
        ({"redirects": [redirect("/old", "new")]}, "redirects[0].to", "leads nowhere"),
        ({"redirects": [redirect("/old", "ftp://example.org/")]}, "redirects[0].to", "leads nowhere"),
        ({"redirects": [redirect("/old", "//example.org/")]}, "redirects[0].to", "leads nowhere"),
        ({"redirects": [redirect("/a", "/b"), redirect("/a", "/c")]}, "redirects[1].from", "redirect it once"),
        ({"redirects": [redirect("/a", "/a")]}, "redirects[0]", "/a → /a"),
        ({"redirects": [redirect("/a", "/b"), redirect("/b", "/a")]}, "redirects[1]", "/b → /a → /b"),
        ({"redirects": [redirect(f"/{n:04}", f"/to/{n:04}") for n in range(400)]}, "redirects", "10 KB in all"),
    ],
)
def test_what_is_wrong(source: Path, more: dict[str, Any], variable: str, words: str) -> None:
    told = found(source, **more)
    assert words in told.get(variable, ""), told
