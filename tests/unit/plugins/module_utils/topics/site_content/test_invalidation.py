"""The paths to invalidate: all forms, encoded as CloudFront has them, as few as possible."""

from __future__ import annotations

import random
import re
import string
from urllib.parse import quote, unquote_plus

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.invalidation import (
    MOST_WILDCARDS,
    forms,
    invalidated,
    merged,
)

LIMIT = 50
GENEROUS = 3000


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.html", ["/index.html", "/"]),
        ("guide/index.html", ["/guide/index.html", "/guide/", "/guide"]),
        ("guide/page.html", ["/guide/page.html"]),
        ("app.js.br", ["/app.js.br"]),
        ("grün.html", ["/gr%C3%BCn.html"]),
        ("文/index.html", ["/%E6%96%87/index.html", "/%E6%96%87/", "/%E6%96%87"]),
        ("100%#?.html", ["/100%25%23%3F.html"]),
        ('b{c}"<d>`e\\f.html', ["/b%7Bc%7D%22%3Cd%3E%60e%5Cf.html"]),
        ("runtime~main.js", ["/runtime*"]),  # CloudFront refuses ~, and %7E does not match what browsers send
        ("a b/index.html", ["/a*"]),  # S3 reads both %20 and + as a space
        ("docs/c++/index.html", ["/docs/c*"]),
        ("docs/@scope/page.html", ["/docs/*"]),
        ("grün (1).jpg", ["/gr%C3%BCn*"]),
        ("star*.html", ["/star*"]),
    ],
)
def test_forms(path: str, expected: list[str]) -> None:
    assert forms(path) == expected


# How a key becomes the path of a request: (name, the characters that stay bare).
RFC_3986 = string.ascii_letters + string.digits + "-._/"
ENCODERS = {
    "a link as it is, in a browser": RFC_3986 + "!$&'()*+,:;=@[]^|~",
    "a link as it is, in an older browser": RFC_3986 + "!$&'()*+,:;=@~",
    "encodeURI": RFC_3986 + "!$&'()*+,:;=@~",
    "encodeURIComponent": RFC_3986 + "!'()*~",
    "Python, PHP": RFC_3986 + "~",
    "Go": RFC_3986 + "$&+:=@~",
    "everything": RFC_3986,
}
ALPHABET = [chr(code) for code in range(0x20, 0x7F) if chr(code) != "/"] + list(
    "äßéñЖ中文日本語한글العربية🎉\u00a0\u2028"
)


def requests(key: str) -> set[str]:
    """Return the paths of requests that S3 answers with the object `key`, by what generators and browsers send."""
    told = {"".join(one if one in bare else quote(one, safe="") for one in f"/{key}") for bare in ENCODERS.values()}
    told |= {path.replace("%20", "+") for path in told}
    # S3 reads a bare + as a space: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    return {path for path in told if unquote_plus(path) == f"/{key}"}


def is_accepted(path: str) -> bool:
    """Return whether CloudFront accepts a path of an invalidation: no unsafe character, a wildcard at the end alone."""
    return bool(re.fullmatch(r"/([A-Za-z0-9$\-_.+!'(),;/?:@&=]|%[0-9A-F]{2})*\*?", path)) and len(path) <= 4000


def check(keys: list[str], paths: tuple[str, ...]) -> None:
    assert all(is_accepted(path) for path in paths)
    for key in keys:
        for path in requests(key):
            assert covered(path, paths), (key, path, paths)


@pytest.mark.parametrize("character", ALPHABET, ids=lambda one: f"U+{ord(one):04X}")
@pytest.mark.parametrize("name", ["{}", "a{}b.html", "{}/index.html", "folder/{}.js", "x{}y/z{}.css.br"])
def test_every_request_for_a_key_is_invalidated(name: str, character: str) -> None:
    key = name.format(character, character)
    check([key], invalidated([key], [key], LIMIT))


@pytest.mark.parametrize("seed", range(40))
def test_many_names_at_once(seed: int) -> None:
    noise = random.Random(seed)  # noqa: S311 - repeatable on purpose
    letters = [*ALPHABET, *string.ascii_lowercase * 4]

    def name() -> str:
        return "".join(noise.choices(letters, k=noise.randint(1, 12))).strip(".") or "x"

    there = sorted({"/".join(name() for _number in range(noise.randint(1, 4))) for _number in range(200)})
    changed = noise.sample(there, noise.randint(1, len(there)))
    limit = noise.choice([1, 2, 15, 50, 1000])
    paths = invalidated(changed, there, limit)
    assert len(paths) <= limit and sum(path.endswith("*") for path in paths) <= MOST_WILDCARDS
    check(changed, paths)
    both = merged(paths, invalidated(there, there, limit), limit)
    assert len(both) <= limit and sum(path.endswith("*") for path in both) <= MOST_WILDCARDS
    check(there, both)


def pages(folder: str, number: int) -> list[str]:
    return [f"{folder}p{index}.html" for index in range(number)]


def test_a_folder_that_changes_whole_is_one_wildcard() -> None:
    there = [*pages("guide/", 20), *pages("blog/", 20), "index.html"]
    assert invalidated(pages("guide/", 20), there, LIMIT) == ("/guide/*",)
    assert invalidated(pages("guide/", 19), there, LIMIT) == tuple(sorted(f"/{one}" for one in pages("guide/", 19)))
    assert invalidated(there, there, LIMIT) == ("/*",)


def test_a_wildcard_takes_no_fingerprinted_neighbour_along() -> None:
    assert "/guide/*" not in invalidated(pages("guide/", 20), [*pages("guide/", 20), "guide/app.3f2a9c1b.js"], LIMIT)


def test_few_paths_are_not_worth_a_wildcard() -> None:
    assert invalidated(["guide/index.html"], ["guide/index.html", "index.html"], LIMIT) == (
        "/guide",
        "/guide/",
        "/guide/index.html",
    )


def test_nothing_is_nothing() -> None:
    assert invalidated([], ["index.html"], LIMIT) == ()


@pytest.mark.parametrize("limit", [1, 20, 50, 1000])
@pytest.mark.parametrize("folders", [1, 3, 40, 400])
def test_above_the_limit_folders_are_taken_whole(folders: int, limit: int) -> None:
    there = [f"d{number % folders}/p{number}.html" for number in range(10_000)]
    changed = there[:2400]
    paths = invalidated(changed, there, limit)
    wildcards = [path for path in paths if path.endswith("*")]
    assert len(paths) <= limit and 0 < len(wildcards) <= MOST_WILDCARDS
    assert all(covered(f"/{one}", paths) for one in changed)


def test_many_changed_pages_cost_what_the_limit_allows() -> None:
    """330 pages of folders are 990 paths, about $5 each time after the first 1,000 of a month."""
    there = [f"part{number % 7}/page{number}/index.html" for number in range(400)]
    assert len(invalidated(there[:330], there, GENEROUS)) > 900
    assert len(invalidated(there[:330], there, LIMIT)) <= LIMIT
    few = invalidated([*there[:3], "blog/index.html"], there, LIMIT)
    assert not any(path.endswith("*") for path in few)


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
    assert merged(one, other, 1000) == expected
