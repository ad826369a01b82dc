"""The registrar, with a registry in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from groundwork_lab.control import RefusalError
from groundwork_lab.model import HostedZone
from groundwork_lab.registrar import deregister, listed, register
from groundwork_lab.settings import name_servers


class Registry:
    def __init__(self) -> None:
        self.registered: dict[str, tuple[str, ...]] = {}

    def register(self, domain: str, name_servers: Sequence[str]) -> None:
        self.registered[domain] = tuple(name_servers)

    def deregister(self, domain: str) -> None:
        del self.registered[domain]


ONE = HostedZone("Z1", "example.test.", 0, 1, ())
TWO = HostedZone("Z2", "example.test.", 1, 1, ())


@pytest.mark.parametrize(
    ("zones", "body", "expected"),
    [
        ([ONE], {"domain": "Example.test."}, name_servers(0)),
        ([ONE, TWO], {"domain": "example.test", "zone": "/hostedzone/Z2"}, name_servers(1)),
        ([], {"domain": "example.test", "name_servers": ["NS.other.test."]}, ("ns.other.test",)),
    ],
)
def test_a_domain_gets_name_servers(zones: list[HostedZone], body: dict[str, Any], expected: tuple[str, ...]) -> None:
    registry = Registry()
    told = register(registry, zones, body)
    assert told == [{"domain": "example.test", "name_servers": list(expected)}]
    assert deregister(registry, "example.test.") == listed(registry) == []


@pytest.mark.parametrize(
    ("zones", "body", "message"),
    [
        ([], {"domain": "example.test"}, "example.test has no hosted zone; create one"),
        ([ONE, TWO], {"domain": "example.test"}, "choose one with --zone: Z1, Z2."),
        ([ONE], {"domain": "example.test", "zone": "Z3"}, "'Z3' is not a hosted zone of example.test"),
        ([ONE], {"domain": "example.com"}, "'example.com' cannot be registered"),
        ([ONE], {"domain": "www.example.test"}, "cannot be registered"),
        ([ONE], {"domain": "awsdns-00.test"}, "cannot be registered"),
        ([ONE], {"domain": "test"}, "cannot be registered"),
        ([ONE], {"domain": "example.test", "name_servers": ["a b"]}, "a b: a name server must be a host name"),
    ],
)
def test_what_the_registrar_refuses(zones: list[HostedZone], body: dict[str, Any], message: str) -> None:
    registry = Registry()
    with pytest.raises(RefusalError) as caught:
        register(registry, zones, body)
    assert message in caught.value.message
    assert registry.registered == {}


def test_a_domain_that_is_not_registered_cannot_be_removed() -> None:
    registry = Registry()
    registry.register("example.test", ["ns.test"])
    with pytest.raises(RefusalError) as caught:
        deregister(registry, "other.test")
    told = "The domain 'other.test' is not registered; the registered domains are: example.test."
    assert caught.value.message == told
