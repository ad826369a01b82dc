"""Placeholders and the secrets that replace them."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from nasty_secrets import FOR_EVERYBODY, NOT_FOR_FPM, forms

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    HIDDEN,
    check_secrets,
    fill,
    hide,
    parameter_of,
    parameters_in,
    php_fpm_quoted,
    placeholder,
    with_instance_id,
)

PATH = "/groundwork/dev/lamp/app/database-password"
PASSWORD = placeholder(PATH)
OTHER = placeholder("/other")
NAME = "@groundwork(instance-id)@"


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("nothing", []),
        (NAME, []),
        (PASSWORD, [PATH]),
        ("x @groundwork(parameter:/other|php-fpm)@", ["/other"]),
        ({"b": [f"x {OTHER} {PASSWORD}", OTHER], "a": 1}, [PATH, "/other"]),
        ("@groundwork(parameter:other)@", []),
    ],
)
def test_the_parameters_of_a_value(value: t.Any, paths: list[str]) -> None:
    assert parameters_in(value) == paths


def test_the_parameter_that_a_text_is_a_placeholder_for() -> None:
    assert parameter_of(PASSWORD) == PATH
    assert [parameter_of(text) for text in ("", "bare", f" {PASSWORD}", OTHER + OTHER)] == [None] * 4


def filled(text: str, secrets: dict[str, str] | None) -> tuple[str, list[str]]:
    problems = Problems()
    return fill(text, secrets, "files[0].content", problems), [str(one) for one in problems.found]


def test_every_placeholder_is_filled_once() -> None:
    assert filled(f"a {OTHER}{OTHER} {PASSWORD}", {"/other": r"\1", PATH: OTHER}) == (rf"a \1\1 {OTHER}", [])


def test_placeholders_stay_in_a_plan() -> None:
    assert filled(PASSWORD, None) == (PASSWORD, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            PASSWORD,
            f"files[0].content: contains a placeholder for {PATH}, which is not in secrets; "
            "add the value of this parameter to secrets.",
        ),
        (
            "@groundwork(parameter:/other|xml)@",
            "files[0].content: 'xml' is not a way to quote; use one of dotenv, environment, line, php, php-fpm.",
        ),
        (
            "@groundwork(parameter:/other|php-fpm)@",
            "secrets./other: the value cannot be written: it begins with a dollar sign, or contains $pool, a line "
            "break or another control character; use another value.",
        ),
    ],
)
def test_what_cannot_be_filled_is_told_without_the_value(text: str, problem: str) -> None:
    assert filled(text, {"/other": "$HOME/secret"})[1] == [problem]


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("/a", 12345678, "the value is not text"),
        ("/a", ["secret-in-a-list"], "the value is not text"),
        ("/a", None, "the value is not text"),
        ("/a", "short", "the value is too short"),
        ("/a", "half a character: \ud83d", "the value cannot be encoded as UTF-8"),
        ("a", "long enough", "is not the path of a parameter"),
    ],
)
def test_secrets_that_cannot_be_used(path: str, value: t.Any, wrong: str) -> None:
    problems = Problems()
    check_secrets({path: value}, problems)
    [found] = problems.found
    assert (found.variable, found.wrong) == (f"secrets.{path}", wrong)
    assert value is None or str(value) not in str(found).replace("too short", "")


def php_reads(quoted: str) -> str:
    """Return what PHP's scanner makes of strings in single and double quotes side by side."""
    assert re.fullmatch(r"""('[^']+'|"[^"$\\]+")+""", quoted)
    return "".join(one[1:-1] for one in re.findall(r"""'[^']+'|"[^"]+\"""", quoted))


@pytest.mark.parametrize("secret", FOR_EVERYBODY)
def test_php_fpm_reads_what_was_quoted(secret: str) -> None:
    assert php_reads(php_fpm_quoted(secret)) == secret


@pytest.mark.parametrize("secret", NOT_FOR_FPM)
def test_what_php_fpm_would_change_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="it begins with a dollar sign") as refusal:
        php_fpm_quoted(secret)
    assert secret not in str(refusal.value)


@pytest.mark.parametrize("secret", [*FOR_EVERYBODY, *NOT_FOR_FPM])
def test_a_secret_is_hidden_however_it_is_quoted(secret: str) -> None:
    told = hide(
        {"msg": "\n".join(forms(secret)), "more": [repr([f"{secret}'\"\n"]), json.dumps(secret)]}, {"/a": secret}
    )
    left = f"{told} {json.dumps(told, ensure_ascii=False)}"
    assert [form for form in forms(secret) if form in left] == []
    assert HIDDEN in told["msg"]


def test_what_is_no_secret_stays() -> None:
    assert hide({"msg": "a", "n": [1, None]}, {}) == {"msg": "a", "n": [1, None]}


def test_the_instances_id_takes_its_place_everywhere() -> None:
    value = {"content": f"env[SERVER] = {NAME}\n", "keep": 3, "none": None, "list": [NAME, True, OTHER]}
    assert with_instance_id(value, "i-1") == {
        "content": "env[SERVER] = i-1\n",
        "keep": 3,
        "none": None,
        "list": ["i-1", True, OTHER],
    }
