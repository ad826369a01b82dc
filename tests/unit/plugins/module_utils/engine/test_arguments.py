"""The options that every module has."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import parse_owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems


def parse(name: str = "dev", tags: dict[t.Any, t.Any] | None = None) -> tuple[list[str], t.Any]:
    problems = Problems()
    owner = parse_owner({"environment_name": name, "tags": tags}, "network", problems)
    return [str(problem) for problem in problems.found], owner


@pytest.mark.parametrize("name", ["dev", "a", "prod-2", "a234567890123456"])
def test_good_environments(name: str) -> None:
    assert parse(name)[0] == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "Dev",
            "'Dev' is not a valid environment name; use lower case letters, digits and hyphens, "
            "beginning with a letter",
        ),
        ("", "'' is not a valid environment name; use lower case letters, digits and hyphens, beginning with a letter"),
        (
            "dev-",
            "'dev-' is not a valid environment name; use lower case letters, digits and "
            "hyphens, beginning with a letter",
        ),
        (
            "2dev",
            "'2dev' is not a valid environment name; use lower case letters, digits and "
            "hyphens, beginning with a letter",
        ),
        ("a2345678901234567", "'a2345678901234567' has 17 characters; use at most 16"),
        ("internal", "AWS reserves names that begin with 'internal-'; use another name"),
        ("sg", "AWS reserves names that begin with 'sg-'; use another name"),
    ],
)
def test_bad_environments(name: str, told: str) -> None:
    [problem] = parse(name)[0]
    assert problem.startswith(f"environment_name: {told}")


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"aws:x": "1"}, "tags.aws:x: the tag 'aws:x' is reserved; use another key."),
        (
            {"groundwork:tier": "1"},
            "tags.groundwork:tier: the tag 'groundwork:tier' is reserved; use another key.",
        ),
        ({"Name": "1"}, "tags.Name: the tag 'Name' is reserved; use another key."),
        ({"k" * 129: "1"}, f"tags.{'k' * 129}: the key has 129 characters; use 1 to 128."),
        ({"k": "v" * 257}, "tags.k: the value has 257 characters; use at most 256."),
        ({"k": True}, "tags.k: True is not text; put the value in quotes."),
        ({"k": ["v"]}, "tags.k: ['v'] is not text; put the value in quotes."),
        ({str(n): "" for n in range(41)}, "tags: 41 tags are too many; use at most 40."),
    ],
)
def test_bad_tags(tags: dict[str, t.Any], told: str) -> None:
    assert parse(tags=tags)[0] == [told]


def test_our_own_tags_win_and_numbers_become_text() -> None:
    _problems, owner = parse(tags={"cost": 12})
    assert owner.tags("public-a") == {
        "cost": "12",
        "Name": "dev-public-a",
        "groundwork:environment": "dev",
        "groundwork:component": "network",
    }
