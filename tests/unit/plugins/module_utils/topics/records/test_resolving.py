"""What a resolver says of a zone, and what the user is told."""

from __future__ import annotations

import dns.exception
import dns.message
import dns.resolver
import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.records import resolving
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.resolving import (
    SystemResolver,
    delegation_problem,
)

SERVERS = ("ns-1.awsdns-00.com", "ns-2.awsdns-00.net")


class Answering:
    """A resolver that has one answer."""

    def __init__(self, answer: list[str] | None) -> None:
        self.answer = answer

    def values(self, _name: str, _kind: str) -> list[str] | None:
        return self.answer


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (["B.example.net.", "a.example.net."], ["a.example.net", "b.example.net"]),
        (dns.resolver.NXDOMAIN(), []),
        (dns.resolver.NoAnswer(response=dns.message.make_query("example.com.", "NS")), []),
        (dns.resolver.NoNameservers(), None),
        (dns.exception.Timeout(), None),
    ],
)
def test_a_missing_record_is_told_from_a_resolver_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, outcome: list[str] | Exception, found: list[str] | None
) -> None:
    def resolve(name: str, kind: str, lifetime: float) -> list[str]:
        assert (name, kind, lifetime > 0) == ("example.com.", "NS", True)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    assert SystemResolver().values("example.com", "NS") == found


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (["ns-1.awsdns-00.com", "ns-2.awsdns-00.net"], ""),
        (["ns-1.awsdns-00.com"], "The parent domain of example.com points to ns-1.awsdns-00.com. Enter"),
        (["ns.registrar.test"], "The parent domain of example.com points to ns.registrar.test. Enter"),
        ([], "The parent domain of example.com does not point to any name server. Enter"),
        (None, "Could not check the delegation of example.com. The resolver of this machine does not answer. Enter"),
    ],
)
def test_the_records_to_enter_are_told(answer: list[str] | None, told: str) -> None:
    problem = delegation_problem("example.com", SERVERS, Answering(answer))
    assert problem.startswith(told) if told else problem == ""
    assert not told or f"NS records: {', '.join(SERVERS)}" in problem


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "HAS_DNSPYTHON", False)
    assert SystemResolver().values("example.com", "NS") is None
    assert "dnspython is missing. Install it with" in delegation_problem("example.com", SERVERS, Answering(None))
