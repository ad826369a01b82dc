"""The zone files and the configuration of the lab's DNS. That the daemons take them is a test of packets."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from groundwork_lab.model import HostedZone, RecordSet
from groundwork_lab.plane.names.config import name_server, nsswitch, resolv_conf, resolver
from groundwork_lab.plane.names.zones import hosted_zone, local_zones, parent_zone

NAMES = {
    "web-1.eu-central-1.elb.amazonaws.com": [IPv4Address("198.19.0.1"), IPv4Address("198.19.0.2")],
    "ip-10-0-0-5.eu-central-1.compute.internal": [IPv4Address("10.0.0.5")],
}


def test_the_lab_has_a_zone_for_each_of_its_domains() -> None:
    zones = local_zones(NAMES)
    assert zones["cloudfront.net"].splitlines() == [
        "cloudfront.net. 5 SOA ns.cloudfront.net. hostmaster.cloudfront.net. 1 1 1 1 1",
        "cloudfront.net. 5 NS ns.cloudfront.net.",
    ]
    assert zones["elb.amazonaws.com"].splitlines()[2:] == [
        "web-1.eu-central-1.elb.amazonaws.com. 5 A 198.19.0.1",
        "web-1.eu-central-1.elb.amazonaws.com. 5 A 198.19.0.2",
    ]
    [pointer] = zones["10.in-addr.arpa"].splitlines()[2:]
    assert pointer == "5.0.0.10.in-addr.arpa. 5 PTR ip-10-0-0-5.eu-central-1.compute.internal."


def test_the_parent_has_delegations_and_glue() -> None:
    lines = parent_zone({"example.test": ["ns-0.awsdns-00.test", "ns.other.test"]}).splitlines()
    assert "ns-512.awsdns-00.test. 172800 A 198.18.0.33" in lines
    assert "ns-1539.awsdns-03.test. 172800 A 198.18.0.36" in lines
    assert lines[-2:] == [
        "example.test. 172800 NS ns-0.awsdns-00.test.",
        "example.test. 172800 NS ns.other.test.",
    ]


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (RecordSet("a.test.", "MX", 300, ("10 m1.", "20 m2.")), ["a.test. 300 MX 10 m1.", "a.test. 300 MX 20 m2."]),
        (RecordSet("a.test.", "A", 60, (), "web-1.eu-central-1.elb.amazonaws.com."), ["198.19.0.1", "198.19.0.2"]),
        (RecordSet("a.test.", "AAAA", 60, (), "web-1.eu-central-1.elb.amazonaws.com."), []),
        (RecordSet("a.test.", "A", 60, (), "gone.cloudfront.net."), []),
        (RecordSet("a.test.", "A", 60, (), "b.test."), []),
        (RecordSet("a.test.", "TXT", 60, (), "c.test."), ['a.test. 60 TXT "c"']),
        (RecordSet("a.test.", "A", 60, (), "a.test."), []),  # an alias of itself has no end
    ],
)
def test_an_alias_has_the_records_of_its_target(record: RecordSet, lines: list[str]) -> None:
    zone = HostedZone("Z1", "test.", 0, 1, (record, RecordSet("c.test.", "TXT", 300, ('"c"',))))
    expected = [line if " " in line else f"a.test. 60 A {line}" for line in lines]
    assert hosted_zone(zone, NAMES).splitlines() == [*expected, 'c.test. 300 TXT "c"']


def test_the_resolver_answers_for_the_lab_asks_the_parent_and_forwards_the_rest() -> None:
    lines = [line.strip() for line in resolver(Path("/state/names"), ["iam", "s3"]).splitlines()]
    assert lines[1] == "interface: 198.18.0.3"
    for domain in ("test", "efs.eu-central-1.amazonaws.com", "compute.internal", "10.in-addr.arpa"):
        assert f'local-zone: "{domain}." transparent' in lines
    for domain, address in (
        ("eu-central-1.amazonaws.com", "198.18.0.2"),
        ("us-east-1.amazonaws.com", "198.18.0.2"),
        ("s3.eu-central-1.amazonaws.com", "198.18.0.4"),
        ("iam.amazonaws.com", "198.18.0.2"),
        ("s3.amazonaws.com", "198.18.0.4"),
    ):
        place = lines.index(f'local-zone: "{domain}." redirect')
        assert lines[place + 1] == f'local-data: "{domain}. 5 A {address}"'
    assert 'zonefile: "/state/names/efs.eu-central-1.amazonaws.com.zone"' in lines
    assert lines[-6:] == [
        "stub-zone:",
        'name: "test."',
        "stub-addr: 198.18.0.8",
        "forward-zone:",
        'name: "."',
        "forward-addr: 10.0.2.3",
    ]


def test_a_name_server_has_the_zones_of_its_address() -> None:
    made = name_server(Path("/state/set"), IPv4Address("198.18.0.33"), {"example.test.": Path("/state/set/Z1.zone")})
    lines = [line.strip() for line in made.splitlines()]
    assert 'listen: "198.18.0.33@53"' in lines
    assert lines[-3:] == ["zone:", '- domain: "example.test."', 'file: "/state/set/Z1.zone"']
    assert "zone:" not in name_server(Path("/state/set"), IPv4Address("198.18.0.33"), {}).splitlines()


def test_programs_on_the_lab_are_led_to_the_resolver() -> None:
    assert resolv_conf() == "nameserver 198.18.0.3\noptions timeout:2 attempts:3\n"
    machines = "passwd: files systemd\nhosts: mymachines resolve [!UNAVAIL=return] files dns\nservices: db files\n"
    assert nsswitch(machines) == "passwd: files systemd\nservices: db files\nhosts: files dns\n"
