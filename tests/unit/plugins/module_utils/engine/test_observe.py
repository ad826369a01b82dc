"""Reads are parallel and paginated, and fail with their operation; clients retry."""

from __future__ import annotations

import typing as t
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import (
    Read,
    RetryingClients,
    call,
    observe,
)


class Paginator:
    def __init__(self, pages: list[dict[str, t.Any]]) -> None:
        self.pages = pages

    def paginate(self, **_arguments: t.Any) -> list[dict[str, t.Any]]:
        return self.pages


class Client:
    def __init__(self, pages: list[dict[str, t.Any]] | None = None, answer: t.Any = None) -> None:
        self.pages = pages
        self.answer = answer

    def client(self, _service: str) -> Client:
        return self

    def can_paginate(self, _operation: str) -> bool:
        return self.pages is not None

    def get_paginator(self, _operation: str) -> Paginator:
        return Paginator(self.pages or [])

    def describe(self, **_arguments: t.Any) -> t.Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def read(client: Client, **settings: t.Any) -> list[t.Any]:
    return observe(client, {"it": Read("ec2", "describe", "Things", **settings)})["it"]


def test_all_pages_are_read() -> None:
    assert read(Client(pages=[{"Things": [1]}, {}, {"Things": [2, 3]}])) == [1, 2, 3]


@pytest.mark.parametrize(
    ("answer", "seen"), [({"Things": [1]}, [1]), ({"Things": {"Value": True}}, [{"Value": True}]), ({}, [])]
)
def test_an_operation_without_pages(answer: dict[str, t.Any], seen: list[t.Any]) -> None:
    assert read(Client(answer=answer)) == seen


class Turning(Client):
    """A client whose pages have the marker of the next page, as CloudFront's lists do."""

    def describe(self, **arguments: t.Any) -> t.Any:
        page = int(arguments.get("Marker", 0))
        assert arguments["Type"] == "custom"
        following = {"NextMarker": str(page + 1)} if page < 2 else {}
        return {"Things": {"Items": [page], **following}}


def test_pages_that_boto3_does_not_turn() -> None:
    things = Read("ec2", "describe", "Things.Items", {"Type": "custom"}, marker="Things.NextMarker")
    assert observe(Turning(), {"it": things})["it"] == [0, 1, 2]


def test_an_answer_as_a_whole() -> None:
    answer = {"Thing": {"Id": 1}, "ETag": "E"}
    assert observe(Client(answer=answer), {"it": Read("ec2", "describe", "")})["it"] == [answer]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "words"}}, "Describe")


def test_none_is_an_answer() -> None:
    assert read(Client(answer=refusal("NoSuchThing")), absent=("NoSuchThing",)) == []


def test_a_refused_read_names_the_operation() -> None:
    with pytest.raises(GroundworkError, match="Could not read Things: AWS refused Describe with UnauthorizedOperation"):
        read(Client(answer=refusal("UnauthorizedOperation")))


def test_a_reads_own_remedy_follows_awss_words() -> None:
    with pytest.raises(GroundworkError, match=r"with NoSuchThing: .* Make it first\.$"):
        read(Client(answer=refusal("NoSuchThing")), remedies={"NoSuchThing": "Make it first."})


def test_no_credentials_are_told() -> None:
    with pytest.raises(GroundworkError, match="Could not call describe of ec2: Unable to locate credentials"):
        read(Client(answer=NoCredentialsError()))


def test_nothing_to_read_asks_nothing() -> None:
    assert observe(Client(), {}) == {}


def test_a_call_leaves_aws_errors_as_they_are() -> None:
    with pytest.raises(ClientError):
        call(Client(answer=refusal("X")), "ec2", "describe", {})


class Module:
    def __init__(self, aws_config: dict[str, t.Any] | None) -> None:
        self.params = {"aws_config": aws_config}
        self.made: list[tuple[str, dict[str, t.Any]]] = []

    def client(self, service: str, **settings: t.Any) -> object:
        self.made.append((service, settings))
        return Mock()


def test_a_client_is_made_once_and_retries() -> None:
    module = Module(None)
    clients = RetryingClients(module)
    assert clients.client("ec2") is clients.client("ec2")
    [(service, settings)] = module.made
    assert service == "ec2"
    assert settings["aws_config"]["retries"] == {"mode": "standard", "max_attempts": 10}


def test_a_users_own_configuration_wins() -> None:
    module = Module({"retries": {"max_attempts": 2}, "proxies": {}, "read_timeout": 5})
    RetryingClients(module).client("ec2")
    assert module.made[0][1]["aws_config"] == {
        "retries": {"max_attempts": 2},
        "proxies": {},
        "max_pool_connections": 20,
        "connect_timeout": 10,
        "read_timeout": 5,
    }


def test_a_writers_client_does_not_repeat_whatever_a_user_configured() -> None:
    module = Module({"retries": {"max_attempts": 2}, "proxies": {}})
    RetryingClients(module, writing=True).client("ec2")
    assert module.made[0][1]["aws_config"]["retries"] == {"mode": "standard", "total_max_attempts": 1}


def test_a_read_of_one_region_has_a_client_of_its_own() -> None:
    module = Module(None)
    clients = RetryingClients(module)
    here, there = Read("tags", "get", "Tags"), Read("tags", "get", "Tags", region="us-east-1")
    assert there.client(clients) is there.client(clients)
    assert there.client(clients) is not here.client(clients)
    assert [settings.get("region") for _service, settings in module.made] == ["us-east-1", None]
