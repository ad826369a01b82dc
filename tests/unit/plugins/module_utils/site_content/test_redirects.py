"""Redirects lead somewhere, and hide nothing."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.site_content.redirects import (
    check_shadows,
    parse_redirects,
)


@pytest.mark.parametrize(
    ("redirects", "wrong"),
    [
        ({"/old": "/new/"}, []),
        ({"/old": "https://example.com/new?x=1#y", "/": "/home/"}, []),
        ({"/a": "/b", "/b": "/c"}, []),
        ({"/gr%C3%BCn": "/green"}, []),
        ({"old": "/new"}, ["redirects.old"]),
        ({"/old?x=1": "/new"}, ["redirects./old?x=1"]),
        ({"/a b": "/new"}, ["redirects./a b"]),
        ({"/old": "new"}, ["redirects./old"]),
        ({"/old": "javascript:alert(1)"}, ["redirects./old"]),
        ({"/old": ""}, ["redirects./old"]),
        ({"/old": '/"+x+"'}, ["redirects./old"]),
        ({"/a": "/a"}, ["redirects./a"]),
        ({"/a": "/b", "/b": "/a", "/c": "/a"}, ["redirects./a", "redirects./b"]),
    ],
)
def test_what_is_no_redirect(redirects: dict[str, str], wrong: list[str]) -> None:
    problems = Problems()
    parse_redirects(redirects, problems)
    assert [problem.variable for problem in problems.found] == wrong


@pytest.mark.parametrize(
    ("path", "hidden"),
    [("/a.html", "a.html"), ("/guide", "guide/index.html"), ("/guide/", "guide/index.html"), ("/", ""), ("/b", "")],
)
def test_a_redirect_must_not_hide_a_file(path: str, hidden: str) -> None:
    problems = Problems()
    check_shadows({path: "/elsewhere"}, ["a.html", "guide/index.html"], problems)
    assert [problem.wrong for problem in problems.found] == ([f"it hides the file {hidden}"] if hidden else [])
