"""Path patterns and invalidation paths."""

from __future__ import annotations

import re

import pytest

from groundwork_lab.plane.edges.patterns import Covered, canonical, expression


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("images/*.jpg", ["/images/a.jpg", "/images/b/c.jpg", "/images/.jpg"], ["/images/a.JPG", "/x/images/a.jpg"]),
        ("/images/*", ["/images/", "/images/a"], ["/images", "/Images/a"]),
        ("*.gif", ["/a.gif", "/b/c.gif"], ["/a.gif/b", "/agif"]),
        ("a??.jpg", ["/ant.jpg", "/abe.jpg"], ["/a.jpg", "/ants.jpg", "/x/ant.jpg"]),
        ("/a+(b)$.[c]", ["/a+(b)$.[c]"], ["/aa(b)$.[c]"]),
        ("*", ["/", "/a"], []),
    ],
)
def test_path_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    """Test the rules of path patterns.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
    """
    compiled = re.compile(expression(pattern))
    assert [path for path in [*matching, *others] if compiled.search(path)] == matching


@pytest.mark.parametrize(
    ("path", "canonical_path"),
    [
        ("/a b", "/a%20b"),
        ("/gr%c3%bcn", "/gr%C3%BCn"),
        ("/grün", "/gr%C3%BCn"),
        ("/%61", "/%61"),
        ("/a+b~c@d:e!$&'()*,;=?x=%2f", "/a+b~c@d:e!$&'()*,;=?x=%2F"),
        ('/a"<b>', "/a%22%3Cb%3E"),
    ],
)
def test_one_spelling_of_a_path(path: str, canonical_path: str) -> None:
    assert canonical(path) == canonical_path


@pytest.mark.parametrize(
    ("paths", "path", "covered"),
    [
        (["/a"], "/a", True),
        (["/a"], "/a?x=1", False),
        (["/a"], "/a/", False),
        (["/a"], "/A", False),
        (["/a*"], "/a?x=1", True),
        (["/a*"], "/b", False),
        (["/*"], "/", True),
        (["/b", "/c/*", "/a"], "/c/d", True),
        (["/gr%c3%bcn*"], "/gr%C3%BCn/x", True),
        ([], "/a", False),
    ],
)
def test_what_an_invalidation_covers(paths: list[str], path: str, covered: bool) -> None:
    assert (path in Covered(paths)) is covered
