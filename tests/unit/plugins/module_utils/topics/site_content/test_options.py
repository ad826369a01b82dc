"""Options are checked before anything is read."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_content import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import (
    Limit,
    parse_content,
)


def options(**given: t.Any) -> dict[str, t.Any]:
    return {**{name: spec.get("default") for name, spec in ARGUMENTS.items()}, "bucket": "b-1", "source": "/s", **given}


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"bucket": "A"}, "bucket"),
        ({"bucket": "a..b"}, "bucket"),
        ({"prefix": "/site"}, "prefix"),
        ({"prefix": "site/"}, "prefix"),
        ({"prefix": ""}, "prefix"),
        ({"prefix": "a/../b"}, "prefix"),
        ({"prefix": "releases"}, "prefix"),
        ({"source": None}, "source"),
        ({"release": "latest"}, "release"),
        ({"max_deletions": "many"}, "max_deletions"),
        ({"max_deletions": "101%"}, "max_deletions"),
        ({"max_deletions": "-1"}, "max_deletions"),
        ({"fingerprint": "("}, "fingerprint"),
        ({"cache_control": [{"pattern": "*", "value": "a\nb"}]}, "cache_control[0].value"),
        ({"cache_control": [{"pattern": "", "value": "a"}]}, "cache_control[0].pattern"),
        ({"content_types": [{"pattern": "*", "value": "html"}]}, "content_types[0].value"),
        ({"precompress": ["br"]}, "precompress[0]"),
        ({"precompress": ["*.js"]}, "precompress[0]"),
        ({"keep_releases": 0}, "keep_releases"),
        ({"keep_assets": -1}, "keep_assets"),
        ({"deadline": 0}, "deadline"),
        ({"parallel": 21}, "parallel"),
    ],
)
def test_bad_input_is_refused(given: dict[str, t.Any], variable: str) -> None:
    problems = Problems()
    assert parse_content(options(**given), problems) is None
    assert [problem.variable for problem in problems.found] == [variable]


def test_good_input() -> None:
    problems = Problems()
    parsed = parse_content(options(precompress=[".JS"], max_deletions="40", prefix="a/b"), problems)
    assert problems.found == [] and parsed
    assert parsed.precompress == {"js"} and parsed.max_deletions == Limit(40, False) and parsed.key("x") == "a/b/x"


@pytest.mark.parametrize(
    ("limit", "objects", "expected"),
    [(Limit(25, True), 1000, 250), (Limit(25, True), 8, 10), (Limit(0, False), 1000, 0), (Limit(3, False), 8, 3)],
)
def test_a_percentage_has_a_floor_a_number_has_none(limit: Limit, objects: int, expected: int) -> None:
    assert limit.of(objects) == expected
