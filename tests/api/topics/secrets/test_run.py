"""A secret is generated once, also by two runs at the same time."""

from __future__ import annotations

import string
import typing as t
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ssm_generated_secret import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.secrets.run import converge_secret

NAME = "/groundwork/dev/lamp/shop/database-password"


class Account:
    """A fake of Parameter Store that counts calls."""

    def __init__(self) -> None:
        self.ssm = boto3.client("ssm", region_name="eu-central-1")
        self.calls: list[str] = []
        self.ssm.meta.events.register("before-call.ssm", self._count)

    def _count(self, model: t.Any, **_: t.Any) -> None:
        self.calls.append(model.name)

    def client(self, service: str, /, **_: t.Any) -> t.Any:
        assert service == "ssm"
        return self.ssm

    def converge(self, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        self.calls.clear()
        options = {
            "environment_name": "dev",
            "tags": {},
            "component": "lamp",
            "name": NAME,
            "length": 32,
            "characters": ARGUMENTS["characters"]["default"],
            "key_id": None,
            **given,
        }
        return converge_secret(Run(options, self, print, check_mode=check_mode))


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield Account()


def test_it_is_planned_generated_and_then_only_read(account: Account) -> None:
    planned = account.converge(check_mode=True)
    assert planned["changed"] and planned["value"] == "(known after apply)" and account.calls == ["GetParameter"]
    done = account.converge()
    assert done["changes"] == planned["changes"] and done["diff"] == planned["diff"]
    assert len(done["value"]) == 32 and set(done["value"]) <= set(string.ascii_letters + string.digits)
    assert done["value"] not in str(done["diff"])
    again = account.converge()
    assert not again["changed"] and again["value"] == done["value"] and account.calls == ["GetParameter"]
    stored = account.ssm.get_parameter(Name=NAME)["Parameter"]
    assert stored["Type"] == "SecureString"
    tags = account.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]
    assert {"Key": "groundwork:environment", "Value": "dev"} in tags


def test_who_comes_second_takes_the_value_of_the_first(account: Account) -> None:
    def somebody_is_faster(**_: t.Any) -> None:
        account.ssm.meta.events.unregister("before-call.ssm.PutParameter", somebody_is_faster)
        account.ssm.put_parameter(Name=NAME, Value="the first", Type="SecureString")

    account.ssm.meta.events.register("before-call.ssm.PutParameter", somebody_is_faster)
    assert account.converge()["value"] == "the first"


def test_a_parameter_that_is_no_secret_is_refused(account: Account) -> None:
    account.ssm.put_parameter(Name=NAME, Value="plain", Type="String")
    with pytest.raises(GroundworkError, match="exists with type String"):
        account.converge()


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"name": "database-password"}, "name"),
        ({"name": "/aws/secret"}, "name"),
        ({"name": "/" + "a" * 1011}, "name"),
        ({"length": 8}, "length"),
        ({"length": 5000}, "length"),
        ({"length": 32, "characters": "01"}, "length"),
        ({"characters": "a"}, "characters"),
        ({"characters": "äöü"}, "characters"),
        ({"characters": "abc{}"}, "characters"),
    ],
)
def test_bad_input_is_refused(account: Account, given: dict[str, t.Any], variable: str) -> None:
    with pytest.raises(InputError) as caught:
        account.converge(**given)
    assert variable in [problem.variable for problem in caught.value.problems]
    assert account.calls == []


def test_a_rotation_writes_another_value_once(account: Account) -> None:
    first = account.converge()
    planned = account.converge(check_mode=True, rotate=True)
    assert (planned["value"], planned["version"]) == ("(known after apply)", 2)
    assert account.converge()["value"] == first["value"]
    rotated = account.converge(rotate=True, length=40)
    assert rotated["changes"] == planned["changes"] == [{"action": "update", "resource": "parameter", "name": NAME}]
    assert (rotated["version"], len(rotated["value"])) == (2, 40)
    assert rotated["value"] not in str(rotated["diff"])
    again = account.converge()
    assert (again["changed"], again["value"], again["version"]) == (False, rotated["value"], 2)


def test_a_rotation_creates_a_missing_parameter(account: Account) -> None:
    assert account.converge(rotate=True)["version"] == 1


def test_an_existing_parameter_is_read_and_never_generated(account: Account) -> None:
    with pytest.raises(GroundworkError, match=f"The parameter {NAME} does not exist. Create it as a SecureString"):
        account.converge(generate=False)
    assert account.calls == ["GetParameter"]
    account.ssm.put_parameter(Name=NAME, Value="given by the user", Type="SecureString")
    for check_mode in (True, False):
        read = account.converge(check_mode=check_mode, generate=False)
        assert (read["changed"], read["value"], read["version"]) == (False, "given by the user", 1)
    with pytest.raises(InputError, match="rotate: the value of the parameter is not generated"):
        account.converge(generate=False, rotate=True)


@pytest.mark.parametrize(
    ("value", "quotings", "wrong"),
    [
        ("short", [], "it has less than 8 characters"),
        (
            "two\nlines of it",
            ["php-fpm"],
            "it cannot be written for php-fpm: it begins with a dollar sign, or contains",
        ),
        ("o'brien's word", ["php", "dotenv"], "it cannot be written for dotenv: it contains an apostrophe"),
    ],
)
def test_a_value_that_no_server_would_get_is_refused_without_it(
    account: Account, value: str, quotings: list[str], wrong: str
) -> None:
    account.ssm.put_parameter(Name=NAME, Value=value, Type="SecureString")
    for check_mode in (True, False):
        with pytest.raises(GroundworkError) as error:
            account.converge(check_mode=check_mode, generate=False, quotings=quotings)
        assert str(error.value).startswith(f"The value of the parameter {NAME} cannot be used, because {wrong}")
        assert value not in str(error.value)
