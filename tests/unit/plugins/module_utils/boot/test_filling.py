"""Places that are held for what a server fills in."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.boot.filling import bare_secrets, fill, parameters_in

PASSWORD = "@groundwork(parameter:/groundwork/dev/lamp/app/database-password)@"
OTHER = "@groundwork(parameter:/other)@"
NAME = "@groundwork(instance-id)@"


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("nothing", []),
        (NAME, []),
        (PASSWORD, ["/groundwork/dev/lamp/app/database-password"]),
        ({"b": [f"x {OTHER} {PASSWORD}", OTHER], "a": 1}, ["/groundwork/dev/lamp/app/database-password", "/other"]),
        ("@groundwork(parameter:other)@", []),
    ],
)
def test_the_parameters_of_a_value(value: t.Any, paths: list[str]) -> None:
    assert parameters_in(value) == paths


def test_everything_is_filled_in() -> None:
    value = {"content": f"env[SERVER] = {NAME}\n{OTHER}{OTHER}", "keep": 3, "none": None, "list": [NAME, True]}
    assert fill(value, "i-1", {"/other": r"a\1b"}) == {
        "content": "env[SERVER] = i-1\n" + r"a\1b" * 2,
        "keep": 3,
        "none": None,
        "list": ["i-1", True],
    }


def test_what_fills_a_place_is_not_filled_again() -> None:
    assert fill(OTHER, "i-1", {"/other": NAME}) == NAME


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"users": [{"password": PASSWORD}, {"password": "by itself"}]}, ["users[1].password"]),
        ({"files": [{"secret_content": f"x = {OTHER}"}, {"secret_content": None, "content": "a"}]}, []),
        ({"files": [{"secret_content": ""}]}, ["files[0].secret_content"]),
    ],
)
def test_secrets_that_are_there_by_themselves(value: t.Any, where: list[str]) -> None:
    assert list(bare_secrets(value)) == where
