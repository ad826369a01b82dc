"""When AWS cannot be reached, a call ends soon, and its error says what to check."""

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
)

from ansible_collections.groundwork.aws.plugins.module_utils.engine import reach

URL = "https://ec2.eu-central-1.amazonaws.com"
UNREACHED: list[Exception] = [
    ConnectTimeoutError(endpoint_url=URL),
    EndpointConnectionError(endpoint_url=URL),
    ProxyConnectionError(proxy_url=URL),
    ReadTimeoutError(endpoint_url=URL),
]


class Events:
    """A client that hands out its handler of retries."""

    def __init__(self) -> None:
        self.meta = self
        self.events = self
        self.handler: t.Any = None

    def register_first(self, _event: str, handler: t.Any) -> None:
        self.handler = handler


@pytest.mark.parametrize("error", UNREACHED)
def test_a_request_is_repeated_for_a_while(error: Exception) -> None:
    client, times = Events(), iter([0.0, 0.0, 10.0, 10.0, 29.0, 29.0, 30.0, 30.0])
    reach.limit(client, lambda: next(times))
    request: dict[str, t.Any] = {"context": {}}
    for _attempt in range(3):
        assert client.handler(caught_exception=error, request_dict=request, attempts=1) is None
    with pytest.raises(type(error)):
        client.handler(caught_exception=error, request_dict=request, attempts=4)


@pytest.mark.parametrize("other", [None, OSError("closed")])
def test_botocore_decides_about_other_failures(other: Exception | None) -> None:
    client = Events()
    reach.limit(client, lambda: 1000.0)
    request: dict[str, t.Any] = {"context": {reach.STARTED: 0.0}}
    assert client.handler(caught_exception=other, request_dict=request) is None


@pytest.mark.parametrize("error", UNREACHED)
def test_the_message_says_what_to_check(error: Exception) -> None:
    message = str(reach.unanswered("ec2", "describe_vpcs", error))
    assert message.startswith("Could not call describe_vpcs of ec2: ")
    assert message.endswith(f'{URL}". {reach.REMEDY}')


def test_another_error_is_told_as_it_is() -> None:
    told = str(reach.unanswered("ec2", "describe_vpcs", NoCredentialsError()))
    assert told == "Could not call describe_vpcs of ec2: Unable to locate credentials"
