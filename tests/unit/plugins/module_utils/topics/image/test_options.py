"""The options of a golden image, and the message for each mistake."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import parse_golden

OPTIONS: dict[str, t.Any] = {
    "recipe": {"packages": ["apache2"]},
    "subnet": "public-a",
    "instance_type": "t3.small",
    "admin_cidrs": ["203.0.113.7/32"],
    "keep": 3,
    "rebuild": False,
    "deadline": 900,
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keep": 0}, "keep: 0 is out of range; give a whole number from 1 to 100."),
        ({"deadline": 5}, "deadline: 5 is out of range; give a whole number from 60 to 86400."),
        ({"subnet": "public-z"}, "subnet: 'public-z' is not a public subnet; use one of public-a."),
        ({"instance_type": "small"}, "instance_type: 'small' is not an instance type; give a type such as t3.small."),
        (
            {"admin_cidrs": []},
            "admin_cidrs: is empty, so the controller cannot connect to the builder; give the "
            "addresses that Ansible connects from.",
        ),
        ({"admin_cidrs": ["10.0.0.1/8"]}, "admin_cidrs[0]: "),
        ({"stamp": "yesterday"}, "stamp: 'yesterday' is not a timestamp; give the stamp that the plan returned"),
        ({"base": {"id": "debian"}}, "base.id: 'debian' is not the id of an image; give one such as ami-"),
    ],
)
def test_what_cannot_be_is_told(given: dict[str, t.Any], message: str) -> None:
    problems = Problems()
    assert parse_golden({**OPTIONS, **given}, problems, now="20260131T120000Z", subnets=["public-a"]) is None
    assert [str(one) for one in problems.found if str(one).startswith(message)], problems.found


def test_a_digest_is_of_everything_that_goes_in() -> None:
    def digest(base: str = "ami-1", **recipe: t.Any) -> str:
        wanted = parse_golden({**OPTIONS, "recipe": recipe}, Problems(), now="20260131T120000Z")
        assert wanted and wanted.name == "lamp-20260131T120000Z"
        return wanted.digest(base)

    assert digest(packages=["a"], files=[{"path": "/a"}]) == digest(files=[{"path": "/a"}], packages=["a"])
    others = {digest(), digest("ami-2"), digest(packages=["a"]), digest(packages=["a", "b"]), digest(files=["a"])}
    assert len(others) == 5
