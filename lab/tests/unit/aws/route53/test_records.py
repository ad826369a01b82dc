"""Change batches as on AWS: boto3 and the control plane on a socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.route53.dnsnames import canonical, place
from groundwork_lab.aws.route53.values import in_zone_file, problem

Record = dict[str, Any]
BALANCERS, EDGE = "Z215JYRZR1TBD5", "Z2FDTNDATAQYW2"


def record(name: str, kind: str, *values: str, ttl: int = 300) -> Record:
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


def alias(name: str, zone: str, target: str, kind: str = "A", *, evaluate: bool = False) -> Record:
    given = {"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": evaluate}
    return {"Name": name, "Type": kind, "AliasTarget": given}


@dataclass
class Zone:
    """The zone example.test, and Route 53's client."""

    lab: Lab
    dns: Any
    id: str

    def change(self, *changes: tuple[str, Record]) -> None:
        self.dns.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=_batch(changes))

    def refused(self, *changes: tuple[str, Record], code: str = "InvalidChangeBatch") -> str:
        call = self.dns.change_resource_record_sets
        return self.lab.refused(code, call, HostedZoneId=self.id, ChangeBatch=_batch(changes))

    def records(self) -> dict[tuple[str, str], Record]:
        found = self.dns.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return {(each["Name"], each["Type"]): each for each in found}

    def own(self) -> set[tuple[str, str]]:
        return self.records().keys() - {("example.test.", "NS"), ("example.test.", "SOA")}


def _batch(changes: tuple[tuple[str, Record], ...]) -> dict[str, Any]:
    return {"Changes": [{"Action": action, "ResourceRecordSet": given} for action, given in changes]}


@pytest.fixture
def zone(lab: Lab) -> Zone:
    dns = lab.client("route53")
    return Zone(lab, dns, dns.create_hosted_zone(Name="example.test", CallerReference="1")["HostedZone"]["Id"])


A = record("www.example.test", "A", "10.0.0.1")


@pytest.mark.correction(
    "route53:ChangeResourceRecordSets", "Names are told in lower case, with the final dot and octal escapes."
)
def test_names_are_told_in_one_form(zone: Zone) -> None:
    zone.change(
        ("CREATE", record("*.Example.test", "A", "10.0.0.1")), ("CREATE", record("a@b.example.test.", "A", "10.0.0.1"))
    )
    assert zone.own() == {("\\052.example.test.", "A"), ("a\\100b.example.test.", "A")}
    told = zone.refused(("CREATE", record("\\052.example.test", "A", "10.0.0.1")))
    assert told == "[Tried to create resource record set [name='\\052.example.test.', type='A'] but it already exists]"


@pytest.mark.correction(
    "route53:ChangeResourceRecordSets", "A batch is carried out as a whole, or not at all, with all of its problems."
)
def test_a_batch_is_atomic(zone: Zone) -> None:
    told = zone.refused(
        ("CREATE", A),
        ("DELETE", record("a.example.test", "A", "10.0.0.1")),
        ("CREATE", record("b.test", "A", "1.2.3.4")),
    )
    assert told == (
        "[Tried to delete resource record set [name='a.example.test.', type='A'] but it was not found, "
        "RRSet with DNS name b.test. is not permitted in zone example.test.]"
    )
    assert zone.own() == set()


def test_an_upsert_creates_and_replaces(zone: Zone) -> None:
    zone.change(("UPSERT", A))
    zone.change(("UPSERT", record("WWW.example.test.", "A", "10.0.0.2", ttl=60)))
    [found] = [zone.records()[key] for key in zone.own()]
    assert (found["TTL"], found["ResourceRecords"]) == (60, [{"Value": "10.0.0.2"}])


@pytest.mark.correction("route53:ChangeResourceRecordSets", "A deletion names all values that the record set has.")
def test_a_deletion_must_match(zone: Zone) -> None:
    zone.change(("CREATE", record("www.example.test", "A", "10.0.0.1", "10.0.0.2")))
    for wrong in (A, record("www.example.test", "A", "10.0.0.1", "10.0.0.2", ttl=60)):
        told = zone.refused(("DELETE", wrong))
        assert told.endswith("type='A'] but the values provided do not match the current values]")
    zone.change(("DELETE", record("www.example.test", "A", "10.0.0.2", "10.0.0.1")))
    assert zone.own() == set()


@pytest.mark.correction(
    "route53:ChangeResourceRecordSets", "A CNAME is the only record of its name, and is not permitted at the apex."
)
def test_a_cname_is_alone(zone: Zone) -> None:
    name = record("www.example.test", "CNAME", "other.test")
    told = zone.refused(("CREATE", record("example.test", "CNAME", "other.test")))
    assert told == "[RRSet of type CNAME with DNS name example.test. is not permitted at apex in zone example.test.]"
    zone.change(("CREATE", A))
    assert zone.refused(("CREATE", name)) == (
        "[RRSet of type CNAME with DNS name www.example.test. is not permitted as it conflicts with other records "
        "with the same DNS name in zone example.test.]"
    )
    zone.change(("CREATE", name), ("DELETE", A))  # in any order
    assert zone.refused(("CREATE", record("www.example.test", "TXT", '"a"'))) == (
        "[RRSet of type TXT with DNS name www.example.test. is not permitted because a conflicting RRSet of type CNAME "
        "with the same DNS name already exists in zone example.test.]"
    )
    assert zone.own() == {("www.example.test.", "CNAME")}


@pytest.mark.correction(
    "route53:ChangeResourceRecordSets", "The apex keeps its NS and SOA records, which can be replaced."
)
def test_the_apex_keeps_its_records(zone: Zone) -> None:
    servers = zone.records()["example.test.", "NS"]
    assert (
        zone.refused(("DELETE", servers)) == "[A HostedZone must contain at least one NS record for the zone itself.]"
    )
    soa = zone.records()["example.test.", "SOA"]
    assert zone.refused(("DELETE", soa)) == "[A HostedZone must contain exactly one SOA record.]"
    zone.change(("UPSERT", {**servers, "TTL": 60}), ("DELETE", soa), ("CREATE", {**soa, "TTL": 60}))
    assert {each["TTL"] for each in zone.records().values()} == {60}


@pytest.mark.correction(
    "route53:ChangeResourceRecordSets", "A record set is changed once in a batch, or deleted and then created."
)
@pytest.mark.parametrize("actions", [("UPSERT", "UPSERT"), ("CREATE", "DELETE"), ("UPSERT", "DELETE")])
def test_a_record_set_is_changed_once(zone: Zone, actions: tuple[str, str]) -> None:
    told = zone.refused(*((action, A) for action in actions))
    assert told == ("[The request contains an invalid set of changes for a resource record set 'A www.example.test.']")


@pytest.mark.correction("route53:ChangeResourceRecordSets", "A record set has a TTL and values, or an alias target.")
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"TTL": 60}, "none"),
        ({"ResourceRecords": [{"Value": "10.0.0.1"}]}, "none"),
        ({}, "none"),
        (
            {**alias("", EDGE, "d1.cloudfront.net"), "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]},
            "more than one",
        ),
        ({**alias("", EDGE, "d1.cloudfront.net"), "TTL": 60}, "more than one"),
    ],
)
def test_values_or_an_alias(zone: Zone, given: Record, found: str) -> None:
    told = zone.refused(("CREATE", {**given, "Name": "a.example.test", "Type": "A"}), code="InvalidInput")
    assert told == (
        "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
        f"TrafficPolicyInstanceId], but found {found} in Change with [Action=CREATE, Name=a.example.test, Type=A, "
        "SetIdentifier=null]"
    )


@pytest.mark.correction("route53:ChangeResourceRecordSets", "Only simple routing exists in the lab.")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Weight": 1}, "Invalid request: Missing field 'SetIdentifier' in Change with ["),
        ({"SetIdentifier": "a"}, "Invalid request: Expected exactly one of [Weight, Region, Failover,"),
        (
            {"SetIdentifier": "a", "Weight": 1},
            "The lab has no Weight: its record sets have simple routing or an alias.",
        ),
        ({"SetIdentifier": "a", "MultiValueAnswer": True}, "The lab has no MultiValueAnswer"),
        ({"HealthCheckId": "a"}, "The lab has no HealthCheckId"),
        ({"Type": "NAPTR"}, "The lab has no records of type NAPTR."),
    ],
)
def test_routing_policies(zone: Zone, given: Record, message: str) -> None:
    assert zone.refused(("CREATE", {**A, **given}), code="InvalidInput").startswith(message)


@pytest.mark.correction("route53:ChangeResourceRecordSets", "Values must be those of the record's type.")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (record("a.example.test", "A", "10.0.0.256"), "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
        (record("a.example.test", "TXT", "a"), "InvalidCharacterString (Value should be enclosed in quotation marks)"),
        (record("a.example.test", "A", "10.0.0.1", "10.0.0.1"), "Duplicate Resource Record: '10.0.0.1'"),
        (record("a.example.test", "CNAME", "a.test", "b.test"), "may contain only one value"),
        (record("a..example.test", "A", "10.0.0.1"), "FATAL problem: DomainLabelEmpty (Domain label is empty)"),
    ],
)
def test_values_are_checked(zone: Zone, given: Record, message: str) -> None:
    assert message in zone.refused(("CREATE", given))


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        ("A", "10.0.0.1", ""),
        ("A", "10.0.0.1, 10.0.0.2", "ARRDATANotSingleField (Value contains spaces)"),
        ("AAAA", "2001:db8::1", ""),
        ("AAAA", "10.0.0.1", "AAAARRDATAIllegalIPv6Address"),
        ("CAA", '0 issue "amazon.com"', ""),
        ("CAA", "0 issue amazon.com", "CAARRDATAIllegalFormat"),
        ("CNAME", "_a.b.test.", ""),
        ("CNAME", "a b", "DomainNameContainsSpaces"),
        ("MX", "10 mail.test", ""),
        ("MX", "mail.test", "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"),
        ("MX", "x mail.test", "MXRRDATAIllegalNumber"),
        ("SRV", "1 2 443 a.test", ""),
        ("SRV", "1 2 a.test", "SRVRRDATANotFourFields"),
        ("SOA", "a. b. 1 2 3 4 5", ""),
        ("SOA", "a. b. 1 2 3 4", "SOARRDATANotSevenFields"),
        ("TXT", '"a" "b \\"c\\" \\344"', ""),
        ("TXT", '""', ""),
        ("TXT", '"a" b', "InvalidCharacterString"),
        ("TXT", f'"{"x" * 255}" "{"x" * 255}"', ""),
        ("TXT", f'"{"x" * 256}"', "CharacterStringTooLong (Value is too long)"),
        ("TXT", '"' + "\\344" * 255 + '"', ""),
        ("TXT", '"a\nb"', "UnsupportedCharacter"),
        ("TXT", " ".join([f'"{"x" * 250}"'] * 16), "TXTRDATATooLong"),
    ],
)
def test_the_values_of_each_type(kind: str, value: str, wrong: str) -> None:
    told = problem(kind, value)
    assert told is None if not wrong else wrong in (told or "")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("TXT", r'"a"', r'"a"'),
        ("TXT", r'"a\100b"', r'"a\064b"'),
        ("TXT", r'"\351\000"', r'"\233\000"'),
        ("TXT", r'"\"\\100"', r'"\"\\100"'),  # a backslash, and then three digits
        ("CNAME", "a.test", "a.test."),
        ("CNAME", r"a\100b;.test.", r"a\064b\059.test."),
        ("MX", "010  mail.test", "10 mail.test."),
        ("SRV", "1 2 443 .", "1 2 443 ."),
        ("SOA", "a b 1 2 3 4 5", "a. b. 1 2 3 4 5"),
        ("A", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_values_in_a_zone_file(kind: str, value: str, expected: str) -> None:
    assert in_zone_file(kind, value) == expected


@pytest.mark.correction(
    "route53:ChangeResourceRecordSets",
    "An alias targets what exists in its zone, and without health for a distribution.",
)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (alias("a.example.test", EDGE, "d0.cloudfront.net"), "but that target was not found"),
        (alias("a.example.test", EDGE, "x.eu-central-1.elb.amazonaws.com"), "does not lie within the target zone"),
        (alias("a.example.test", "ZNONE", "d0.cloudfront.net"), "does not lie within the target zone"),
        (alias("a.example.test", EDGE, "d0.cloudfront.net", evaluate=True), "EvaluateTargetHealth cannot be true"),
    ],
)
def test_alias_targets_are_checked(zone: Zone, given: Record, message: str) -> None:
    assert message in zone.refused(("CREATE", given))


def test_an_alias_of_a_balancer_and_of_another_record(zone: Zone) -> None:
    vpc = zone.lab.vpc()
    zone.lab.gateway(vpc)
    subnets = [zone.lab.subnet(vpc, f"10.0.{number}.0/24", letter) for number, letter in enumerate("ab")]
    [balancer] = zone.lab.client("elbv2").create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"]
    name, target_zone = balancer["DNSName"], balancer["CanonicalHostedZoneId"]
    assert target_zone == BALANCERS
    zone.change(
        ("CREATE", alias("www.example.test", target_zone, f"dualstack.{name}", evaluate=True)),
        ("CREATE", alias("example.test", zone.id.rsplit("/", 1)[-1], "www.example.test")),
    )
    found = zone.records()["www.example.test.", "A"]
    assert found["AliasTarget"]["DNSName"] == f"dualstack.{name.lower()}."
    assert "TTL" not in found
    told = zone.refused(("CREATE", alias("a.example.test", target_zone, name, "TXT")))
    assert "but that target was not found" in told


def test_record_sets_in_pages(zone: Zone) -> None:
    names = ("b.example.test", "a.b.example.test", "a-b.example.test")
    zone.change(
        *(
            ("CREATE", record(name, kind, *value))
            for name in names
            for kind, value in (("TXT", ['"x"']), ("A", ["10.0.0.1"]))
        )
    )
    first = zone.dns.list_resource_record_sets(HostedZoneId=zone.id, MaxItems="3")
    assert [(each["Name"], each["Type"]) for each in first["ResourceRecordSets"]] == [
        ("example.test.", "NS"),
        ("example.test.", "SOA"),
        ("a-b.example.test.", "A"),
    ]
    assert (first["IsTruncated"], first["NextRecordName"], first["NextRecordType"]) == (
        True,
        "a-b.example.test.",
        "TXT",
    )
    rest = zone.dns.list_resource_record_sets(
        HostedZoneId=zone.id, StartRecordName=first["NextRecordName"], StartRecordType=first["NextRecordType"]
    )
    assert [(each["Name"], each["Type"]) for each in rest["ResourceRecordSets"]] == [
        ("a-b.example.test.", "TXT"),
        ("b.example.test.", "A"),
        ("b.example.test.", "TXT"),
        ("a.b.example.test.", "A"),
        ("a.b.example.test.", "TXT"),
    ]
    call = zone.dns.list_resource_record_sets
    zone.lab.refused("InvalidInput", call, HostedZoneId=zone.id, StartRecordType="A")


@pytest.mark.correction("route53:ChangeResourceRecordSets", "A batch has at most 1000 values, an upsert counts twice.")
def test_the_limits_of_a_batch(zone: Zone) -> None:
    changes = [("UPSERT", record(f"a{number}.example.test", "A", "10.0.0.1")) for number in range(501)]
    assert zone.refused(*changes) == "[Number of records limit of 1000 exceeded.]"
    long = record("a.example.test", "TXT", *(f'"{number:0250}"' for number in range(130)))
    assert zone.refused(("CREATE", long)) == "[RDATA character limit of 32000 exceeded.]"


@pytest.mark.correction(
    "route53:ChangeResourceRecordSets", "The data plane gets the records with absolute names.", data_plane=True
)
def test_the_world_has_the_records(zone: Zone) -> None:
    zone.change(
        ("CREATE", record("*.example.test", "CNAME", "www.example.test")),
        ("CREATE", record("example.test", "MX", "10 mail.example.test")),
        ("CREATE", A),
        ("CREATE", alias("also.example.test", zone.id.rsplit("/", 1)[-1], "www.example.test")),
    )
    [found] = zone.lab.plane.snapshot().hosted_zones.values()
    values = {(each.name, each.type): each.values or each.alias for each in found.records}
    assert values["*.example.test.", "CNAME"] == ("www.example.test.",)
    assert values["example.test.", "MX"] == ("10 mail.example.test.",)
    assert values["also.example.test.", "A"] == "www.example.test."
    assert (found.name, found.delegation, found.version) == ("example.test.", 0, 2)


def test_the_order_of_names() -> None:
    names = ["www.example.com", "example.com", "a.www.example.com", "example-1.com", "*.example.com"]
    assert sorted(map(canonical, names), key=place) == [
        "example-1.com.",
        "example.com.",
        "\\052.example.com.",
        "www.example.com.",
        "a.www.example.com.",
    ]
