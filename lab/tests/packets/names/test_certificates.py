"""From a hosted zone of the API to a certificate, through the name servers and the resolver."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from control_plane import FakeBalancers, FakeHosts, Lab
from lab_dns import Dns

from groundwork_lab.api import ControlPlane
from groundwork_lab.authority import Authority
from groundwork_lab.reconcile import Loop
from groundwork_lab.settings import Settings, name_servers

pytestmark = pytest.mark.lab


@pytest.fixture
def lab(dns: Dns, tmp_path: Path) -> Iterator[Lab]:
    """Return a control plane whose hosted zones are served."""
    with ExitStack() as stack:
        loop = Loop()
        settings = Settings("test", tmp_path, tmp_path)
        plane = stack.enter_context(closing(ControlPlane(settings, loop.changed)))
        plane.attach(FakeHosts(), FakeBalancers())
        authority = Authority(settings)
        authority.start()
        plane.context.lookup, plane.context.authority = dns.ask, authority
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        plane.serve(sockets)
        stack.enter_context(closing(loop)).start(plane.snapshot, [("names", dns.names)], plane.reconciled)
        plane.start_workers()
        api, s3, origin = (each.getsockname()[1] for each in sockets)
        yield Lab(plane, api, s3, origin, FakeHosts(), [])


def until(what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, f"Timed out waiting for {what}."
        time.sleep(0.1)


def enter(dns: Any, zone: str, *records: tuple[str, str, str]) -> None:
    """Create record sets, and wait until the name servers have them."""
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]},
        }
        for name, kind, value in records
    ]
    made = dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})["ChangeInfo"]
    until("the change", lambda: dns.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC")


@pytest.mark.parametrize(
    ("caa", "expected"), [(None, ("ISSUED", None)), ('0 issue "other.test"', ("FAILED", "CAA_ERROR"))]
)
def test_a_certificate_follows_from_the_records(
    lab: Lab, dns: Dns, caa: str | None, expected: tuple[str, str | None]
) -> None:
    route53, acm = lab.client("route53"), lab.client("acm")
    zone = route53.create_hosted_zone(Name="example.test", CallerReference="1")["HostedZone"]["Id"]
    arn = acm.request_certificate(
        DomainName="example.test",
        ValidationMethod="DNS",
        KeyAlgorithm="EC_prime256v1",
        SubjectAlternativeNames=["*.example.test"],
    )["CertificateArn"]

    def told() -> dict[str, Any]:
        return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])

    until("the record", lambda: "ResourceRecord" in told()["DomainValidationOptions"][0])
    record = told()["DomainValidationOptions"][0]["ResourceRecord"]
    more = [("example.test", "CAA", caa)] if caa else []
    enter(route53, zone, (record["Name"], "CNAME", record["Value"]), ("www.example.test", "A", "198.19.0.1"), *more)
    assert (told()["Status"], dns.addresses("www.example.test")) == ("PENDING_VALIDATION", ())
    dns.names.register("example.test", name_servers(0))
    until("the certificate", lambda: told()["Status"] != "PENDING_VALIDATION")
    assert (told()["Status"], told().get("FailureReason")) == expected
    assert dns.addresses("www.example.test") == ("198.19.0.1",)
