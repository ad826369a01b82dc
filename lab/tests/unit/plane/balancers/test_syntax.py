"""HAProxy's syntax: texts keep their meaning."""

from __future__ import annotations

import re

import pytest

from groundwork_lab.plane.balancers.syntax import filled, literal, quoted, wildcard


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "''"),
        ("plain", "'plain'"),
        ('a "b" #c $d \\e', "'a \"b\" #c $d \\e'"),
        ("it's", r"'it'\''s'"),
        ("a\r\nb", r"'a'\r\n'b'"),
        ("\n", r"\n"),
    ],
)
def test_quoted(text: str, word: str) -> None:
    assert quoted(text) == word


@pytest.mark.parametrize(
    ("pattern", "matches", "others"),
    [
        ("/img/*", ["/img/", "/img/a/b"], ["/img", "/IMG/a"]),
        ("/a?c", ["/abc", "/a/c"], ["/ac", "/abbc"]),
        ("/a.b+c", ["/a.b+c"], ["/axb+c", "/a.bbc"]),
        ("*", ["", "/anything"], []),
    ],
)
def test_wildcards(pattern: str, matches: list[str], others: list[str]) -> None:
    expression = re.compile(f"^{wildcard(pattern)}$")
    assert [text for text in [*matches, *others] if expression.match(text)] == matches


def test_a_percent_sign_is_no_variable() -> None:
    assert literal("100%") == "100%%"


def test_placeholders_are_filled_and_the_rest_is_literal() -> None:
    assert filled("/x%20/#{path}#{no", {"path": "%[path]"}) == "/x%%20/%[path]#{no"
