"""Names through the lab's resolver and name servers: Unbound and Knot in a namespace."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from lab_dns import Dns

from groundwork_lab.apart import UnservedError
from groundwork_lab.aws.route53.values import CHECKS, in_zone_file, problem
from groundwork_lab.lookup import Found
from groundwork_lab.model import HostedZone, RecordSet
from groundwork_lab.settings import NAME_SERVERS, name_servers

pytestmark = pytest.mark.lab


def zone(name: str, *records: RecordSet, identity: str = "Z1", delegation: int = 0) -> HostedZone:
    servers = tuple(f"{each}." for each in name_servers(delegation))
    soa = f"{servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    apex = (RecordSet(name, "SOA", 900, (soa,)), RecordSet(name, "NS", 172800, servers))
    return HostedZone(identity, name, delegation, 1, (*apex, *records))


def address(name: str, value: str) -> RecordSet:
    return RecordSet(name, "A", 300, (value,))


NOWHERE = Found("NXDOMAIN")


def test_a_zone_is_asked_when_its_domain_is_registered(dns: Dns) -> None:
    dns.serve(zone("example.test.", address("www.example.test.", "198.19.0.1")))
    assert dns.ask("www.example.test", "A") == NOWHERE
    dns.names.register("example.test", name_servers(0))
    assert dns.addresses("www.example.test") == ("198.19.0.1",)
    assert set(dns.ask("example.test", "NS").values["NS"]) == set(name_servers(0))
    assert dns.addresses(name_servers(0)[2]) == (str(NAME_SERVERS[0]),)
    dns.names.deregister("example.test")
    assert dns.ask("www.example.test", "A") == NOWHERE


def test_a_change_of_a_zone_is_seen_at_once(dns: Dns) -> None:
    dns.names.register("example.test", name_servers(0))
    dns.serve(zone("example.test.", address("www.example.test.", "198.19.0.1")))
    assert dns.addresses("www.example.test") == ("198.19.0.1",)
    assert dns.ask("new.example.test", "A") == NOWHERE
    dns.serve(zone("example.test.", *(address(f"{name}.example.test.", "198.19.0.2") for name in ("www", "new"))))
    assert dns.addresses("www.example.test") == dns.addresses("new.example.test") == ("198.19.0.2",)
    dns.serve()
    assert dns.ask("www.example.test", "A").code == "SERVFAIL"  # its name servers do not have the zone


def test_the_registrar_chooses_between_zones_of_one_name(dns: Dns) -> None:
    old = zone("example.test.", address("example.test.", "198.19.0.1"))
    new = zone("example.test.", address("example.test.", "198.19.0.2"), identity="Z2", delegation=1)
    dns.serve(old, new)
    for number, expected in ((0, "198.19.0.1"), (1, "198.19.0.2")):
        dns.names.register("example.test", name_servers(number))
        assert dns.addresses("example.test") == (expected,)


def test_a_zone_delegates_to_another_one(dns: Dns) -> None:
    shop = RecordSet("shop.example.test.", "NS", 300, tuple(f"{name}." for name in name_servers(1)))
    below = zone("shop.example.test.", address("www.shop.example.test.", "198.19.0.3"), identity="Z2", delegation=1)
    dns.names.register("example.test", name_servers(0))
    dns.serve(zone("example.test.", shop), below)
    assert dns.addresses("www.shop.example.test") == ("198.19.0.3",)


def test_records_are_answered_as_they_are_given(dns: Dns) -> None:
    records = (
        RecordSet("*.example.test.", "CNAME", 300, ("www.example.test.",)),
        RecordSet("www.example.test.", "A", 60, (), alias="d1.cloudfront.net."),
        RecordSet("www.example.test.", "AAAA", 60, (), alias="d1.cloudfront.net."),
        RecordSet("also.example.test.", "A", 300, (), alias="www.example.test."),
        RecordSet("text.example.test.", "TXT", 300, ('"v=1; a\\064b" "\\"c\\""',)),
        RecordSet("example.test.", "CAA", 300, ('0 issue "amazon.com"',)),
    )
    dns.names.register("example.test", name_servers(0))
    dns.serve(zone("example.test.", *records))
    assert dns.addresses("www.example.test") == dns.addresses("also.example.test") == ("198.18.0.6",)
    assert dns.ask("www.example.test", "AAAA") == Found("NOERROR")
    assert dns.ask("any.example.test", "A").values["CNAME"] == ("www.example.test",)
    assert dns.ask("text.example.test", "TXT").values["TXT"] == ('\x08v=1; a@b\x03"c"',)
    assert dns.ask("example.test", "CAA").values["CAA"] == ("0 issue amazon.com",)


def test_a_zone_that_is_not_delegated_hides_the_real_one(dns: Dns) -> None:
    dns.serve(zone("example.com.", address("example.com.", "198.19.0.1")))
    assert dns.ask("www.example.com", "A") == NOWHERE
    assert dns.ask("example.com", "A") == NOWHERE


def test_a_zone_with_a_name_of_aws_hides_nothing(dns: Dns) -> None:
    dns.serve(zone("amazonaws.com."))
    assert dns.addresses("ec2.eu-central-1.amazonaws.com") == ("198.18.0.2",)
    assert dns.addresses("d1.cloudfront.net") == ("198.18.0.6",)
    assert dns.ask("d2.cloudfront.net", "A").code == "NXDOMAIN"


def test_a_zone_that_cannot_be_served_does_not_stop_the_others(dns: Dns) -> None:
    good = zone("good.test.", address("good.test.", "198.19.0.1"))
    bad = zone("bad.test.", address("bad.test.", "198.19.0.1"), identity="Z2")
    dns.names.register("good.test", name_servers(0))
    dns.names.register("bad.test", name_servers(0))
    dns.serve(good, bad)
    with pytest.raises(UnservedError) as caught:
        dns.serve(
            replace(good, records=(*good.records, address("www.good.test.", str(IPv4Address("198.19.0.2"))))),
            replace(bad, records=(*bad.records, address("www.bad.test.", "nonsense"))),
        )
    assert list(caught.value.reasons) == ["Z2"]
    assert dns.addresses("www.good.test") == ("198.19.0.2",)
    assert dns.addresses("bad.test") == ("198.19.0.1",)


def test_daemons_that_have_ended_are_started_again(dns: Dns) -> None:
    served = zone("example.test.", address("example.test.", "198.19.0.1"))
    dns.names.register("example.test", name_servers(0))
    dns.serve(served, zone("example.com.", identity="Z2"))
    for entry in dns.journal.entries():
        os.kill(int(entry.name), signal.SIGKILL)
        os.waitid(os.P_PID, int(entry.name), os.WEXITED | os.WNOWAIT)
    dns.serve(served, zone("example.com.", identity="Z2"))
    assert dns.addresses("example.test") == ("198.19.0.1",)
    assert dns.ask("example.com", "A") == NOWHERE


PARTS = (
    "a",
    "a.b",
    "a.b.",
    "*",
    "@",
    "$",
    ";",
    "(",
    ")",
    '"',
    '"a"',
    '"a;b"',
    '"("',
    "\\",
    "\\100",
    "\\.",
    '"\\\\"',
    '"\\""',
)
PARTS += (
    '"\\377"',
    "0",
    "00",
    "010",
    "10",
    "65536",
    "4294967296",
    "-1",
    "1.5",
    "10.0.0.1",
    "010.0.0.1",
    "::1",
    "::ffff:1.2.3.4",
)
PARTS += (
    "fe80::1%eth0",
    ".",
    "..",
    "_a._b.c",
    "a_b",
    "-a.b",
    f"{'a' * 63}.b",
    f"{'a' * 64}.b",
    "a/b",
    "a,b",
    "é",
    "\t",
    "\n",
    "",
)
PARTS += (
    "issue",
    "128",
    "256",
    '";"',
    '"amazon.com; a=b"',
    f'"{"x" * 255}"',
    f'"{"x" * 256}"',
    '"a" "b"',
    "$INCLUDE /etc/passwd",
)


def test_what_the_api_accepts_is_served(dns: Dns) -> None:
    dice = random.Random(1)  # noqa: S311 (the same cases each time)
    given = [
        (kind, " ".join(dice.choices(PARTS, k=count)))
        for kind in CHECKS
        for count in (1, 2, 3, 4, 7)
        for _ in range(500)
    ]
    given += [
        (kind, f"{lead}{part}") for kind in CHECKS for part in PARTS for lead in ("", "10 ", "1 2 443 ", "0 issue ")
    ]
    accepted = sorted({each for each in given if problem(*each) is None and each[0] != "SOA"})
    assert len({kind for kind, _ in accepted}) == len(CHECKS) - 1
    records = [
        RecordSet(f"r{number}.example.test.", kind, 300, (in_zone_file(kind, value),))
        for number, (kind, value) in enumerate(accepted)
    ]
    dns.serve(zone("example.test.", *records))
