"""The paths to invalidate: all forms, encoded as CloudFront has them, as few as possible."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.invalidation import (
    MOST_PATHS,
    MOST_WILDCARDS,
    forms,
    invalidated,
    merged,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.html", ["/index.html", "/"]),
        ("guide/index.html", ["/guide/index.html", "/guide/", "/guide"]),
        ("guide/page.html", ["/guide/page.html"]),
        ("app.js.br", ["/app.js.br"]),
        ("a b/index.html", ["/a%20b/index.html", "/a%20b/", "/a%20b"]),
        ("grün.html", ["/gr%C3%BCn.html"]),
        ("100%#?.html", ["/100%25%23%3F.html"]),
        ("a~b{c}|d^e[f]`g.html", ["/a%7Eb%7Bc%7D%7Cd%5Ee%5Bf%5D%60g.html"]),
        ("a+b(c)!'$,;:@=&.html", ["/a+b(c)!'$,;:@=&.html"]),
        ("star*.html", ["/star%2A.html"]),  # a wildcard would take others along
    ],
)
def test_forms(path: str, expected: list[str]) -> None:
    assert forms(path) == expected


def pages(folder: str, number: int) -> list[str]:
    return [f"{folder}p{index}.html" for index in range(number)]


def test_a_folder_that_changes_whole_is_one_wildcard() -> None:
    there = [*pages("guide/", 20), *pages("blog/", 20), "index.html"]
    assert invalidated(pages("guide/", 20), there) == ("/guide/*",)
    assert invalidated(pages("guide/", 19), there) == tuple(sorted(f"/{one}" for one in pages("guide/", 19)))
    assert invalidated(there, there) == ("/*",)


def test_a_wildcard_takes_no_fingerprinted_neighbour_along() -> None:
    assert "/guide/*" not in invalidated(pages("guide/", 20), [*pages("guide/", 20), "guide/app.3f2a9c1b.js"])


def test_few_paths_are_not_worth_a_wildcard() -> None:
    assert invalidated(["guide/index.html"], ["guide/index.html", "index.html"]) == (
        "/guide",
        "/guide/",
        "/guide/index.html",
    )


def test_nothing_is_nothing() -> None:
    assert invalidated([], ["index.html"]) == ()


@pytest.mark.parametrize("folders", [1, 3, 40, 400])
def test_above_the_limit_folders_are_taken_whole(folders: int) -> None:
    there = [f"d{number % folders}/p{number}.html" for number in range(10_000)]
    changed = there[:2400]
    paths = invalidated(changed, there)
    wildcards = [path for path in paths if path.endswith("*")]
    assert len(paths) <= MOST_PATHS and 0 < len(wildcards) <= MOST_WILDCARDS
    assert all(covered(f"/{one}", paths) for one in changed)


def covered(path: str, paths: tuple[str, ...]) -> bool:
    return path in paths or any(path.startswith(one[:-1]) for one in paths if one.endswith("*"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((), (), ()),
        (("/a",), ("/a", "/b"), ("/a", "/b")),
        (("/g/*",), ("/g/a", "/g/", "/g"), ("/g", "/g/*")),
        (("/*",), ("/g/*", "/a"), ("/*",)),
        (("/g/*",), ("/g/h/*",), ("/g/*",)),
        (tuple(f"/{n}" for n in range(600)), tuple(f"/x{n}" for n in range(600)), ("/*",)),
        (tuple(f"/a{n}/*" for n in range(10)), tuple(f"/b{n}/*" for n in range(10)), ("/*",)),
    ],
)
def test_what_is_owed_is_told_once(one: tuple[str, ...], other: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert merged(one, other) == expected
