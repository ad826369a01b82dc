"""Hosted zones, changes and tags as on AWS: boto3 and the control plane on a socket."""

from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.settings import NAME_SERVERS, name_servers


@pytest.fixture
def dns(lab: Lab) -> Any:
    return lab.client("route53")


def make(dns: Any, name: str = "example.test", reference: str = "", **options: Any) -> dict[str, Any]:
    made: dict[str, Any] = dns.create_hosted_zone(Name=name, CallerReference=reference or name, **options)
    return made


def zone_of(made: dict[str, Any]) -> str:
    return str(made["HostedZone"]["Id"])


@pytest.mark.correction("route53:CreateHostedZone", "A zone has an id that begins with Z, and a pending change.")
def test_a_new_zone(dns: Any) -> None:
    made = make(dns, "Example.TEST", HostedZoneConfig={"Comment": "mine"})
    zone = made["HostedZone"]
    assert (zone["Name"], zone["CallerReference"], zone["ResourceRecordSetCount"]) == (
        "example.test.",
        "Example.TEST",
        2,
    )
    assert zone["Config"] == {"Comment": "mine", "PrivateZone": False}
    assert zone["Id"].startswith("/hostedzone/Z")
    assert made["Location"].endswith(zone["Id"])
    assert made["DelegationSet"]["NameServers"] == list(name_servers(0))
    assert made["ChangeInfo"]["Status"] == "PENDING"
    assert dns.get_hosted_zone(Id=zone["Id"])["DelegationSet"]["NameServers"] == list(name_servers(0))


@pytest.mark.correction("route53:CreateHostedZone", "The apex has the delegation set's name servers and a SOA record.")
def test_the_records_of_a_new_zone(dns: Any) -> None:
    zone = make(dns)["HostedZone"]["Id"]
    servers, soa = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    names = [f"{name}." for name in name_servers(0)]
    assert (servers["Type"], servers["TTL"], [each["Value"] for each in servers["ResourceRecords"]]) == (
        "NS",
        172800,
        names,
    )
    assert (soa["Type"], soa["TTL"]) == ("SOA", 900)
    assert soa["ResourceRecords"][0]["Value"].endswith(" awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400")


@pytest.mark.correction(
    "route53:CreateHostedZone", "Zones of one name, and zones above and below, share no name server."
)
def test_related_zones_have_different_name_servers(dns: Any) -> None:
    names = ("example.test", "example.test", "www.example.test", "a.example.test", "b.example.test")
    made = [make(dns, name, str(number)) for number, name in enumerate(names)]
    sets = [each["DelegationSet"]["NameServers"] for each in made]
    assert sets == [list(name_servers(number)) for number in (0, 1, 2, 2, 2)]


@pytest.mark.correction("route53:CreateHostedZone", "The number of zones with one name has a limit.")
def test_the_delegation_sets_run_out(lab: Lab, dns: Any) -> None:
    for number in range(len(NAME_SERVERS)):
        make(dns, reference=str(number))
    lab.refused("DelegationSetNotAvailable", dns.create_hosted_zone, Name="example.test", CallerReference="more")


@pytest.mark.correction("route53:CreateHostedZone", "A caller reference creates one zone.")
def test_a_caller_reference_is_used_once(lab: Lab, dns: Any) -> None:
    make(dns, reference="one")
    told = lab.refused("HostedZoneAlreadyExists", dns.create_hosted_zone, Name="other.test", CallerReference="one")
    assert told == "A hosted zone has already been created with the specified caller reference."


@pytest.mark.correction("route53:CreateHostedZone", "Reserved and malformed names are refused.")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test", "test is reserved by AWS!"),
        ("example.com", "example.com is reserved by AWS!"),
        ("a..test", "FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with 'a..test'"),
        (f"{'a' * 64}.test", "DomainLabelTooLong (Domain label is too long)"),
        ("a b.test", "The lab has no hosted zones with other characters"),
        ("*.example.test", "The lab has no hosted zones with other characters"),
    ],
)
def test_names_that_are_refused(lab: Lab, dns: Any, name: str, message: str) -> None:
    assert message in lab.refused("InvalidDomainName", dns.create_hosted_zone, Name=name, CallerReference="1")


@pytest.mark.correction("route53:CreateHostedZone", "The lab has no private zones and no reusable delegation sets.")
@pytest.mark.parametrize(
    "options",
    [
        {"VPC": {"VPCRegion": "eu-central-1", "VPCId": "vpc-1"}},
        {"HostedZoneConfig": {"PrivateZone": True}},
        {"DelegationSetId": "N1"},
    ],
)
def test_what_the_lab_does_not_have(lab: Lab, dns: Any, options: dict[str, Any]) -> None:
    told = lab.refused("InvalidInput", dns.create_hosted_zone, Name="a.test", CallerReference="1", **options)
    assert told.startswith("The lab has no")


@pytest.mark.correction("route53:GetChange", "A change is pending until the name servers have it.", data_plane=True)
def test_a_change_is_in_sync_when_it_is_served(lab: Lab, dns: Any) -> None:
    made = make(dns)
    before = lab.plane.snapshot()
    record = {"Name": "a.example.test", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}], "Comment": "mine"}
    change = dns.change_resource_record_sets(HostedZoneId=zone_of(made), ChangeBatch=batch)["ChangeInfo"]
    assert (change["Status"], change["Comment"]) == ("PENDING", "mine")
    lab.plane.reconciled(before)
    status = [dns.get_change(Id=each["Id"])["ChangeInfo"]["Status"] for each in (made["ChangeInfo"], change)]
    assert status == ["INSYNC", "PENDING"]
    served = lab.plane.snapshot()
    lab.plane.reconciled(served.without(served.hosted_zones))  # the name servers have rejected the zone
    assert dns.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "PENDING"
    lab.plane.reconciled(served)
    assert dns.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"


@pytest.mark.correction("route53:DeleteHostedZone", "A deletion is a change too.", data_plane=True)
def test_a_deleted_zone_is_a_change(lab: Lab, dns: Any) -> None:
    made = make(dns)
    lab.plane.reconciled(lab.plane.snapshot())
    change = dns.delete_hosted_zone(Id=zone_of(made))["ChangeInfo"]
    assert change["Status"] == "PENDING"
    lab.plane.reconciled(lab.plane.snapshot())
    assert dns.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    lab.refused("NoSuchHostedZone", dns.get_hosted_zone, Id=zone_of(made))


@pytest.mark.correction("route53:GetChange", "A change that was never made does not exist.")
def test_an_unknown_change(lab: Lab, dns: Any) -> None:
    lab.refused("NoSuchChange", dns.get_change, Id="C0000000000000")


@pytest.mark.correction("route53:DeleteHostedZone", "Records of other names stop the deletion, also of NS type.")
def test_a_zone_with_records_is_not_deleted(lab: Lab, dns: Any) -> None:
    zone = zone_of(make(dns))
    record = {"Name": "a.example.test", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.a.test"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    told = lab.refused("HostedZoneNotEmpty", dns.delete_hosted_zone, Id=zone)
    assert told == "The specified hosted zone contains non-required resource record sets  and so cannot be deleted."


def test_an_unknown_zone(lab: Lab, dns: Any) -> None:
    told = lab.refused("NoSuchHostedZone", dns.get_hosted_zone, Id="ZNONE")
    assert told == "No hosted zone found with ID: ZNONE"


@pytest.mark.correction("route53:ListHostedZones", "The marker is the id of the next zone.")
def test_zones_in_pages(lab: Lab, dns: Any) -> None:
    ids = [zone_of(make(dns, f"{letter}.test")) for letter in "abc"]
    first = dns.list_hosted_zones(MaxItems="2")
    assert ([each["Id"] for each in first["HostedZones"]], first["IsTruncated"], first["MaxItems"]) == (
        ids[:2],
        True,
        "2",
    )
    assert first["NextMarker"] == ids[2].rsplit("/", 1)[-1]
    second = dns.list_hosted_zones(MaxItems="2", Marker=first["NextMarker"])
    assert ([each["Id"] for each in second["HostedZones"]], second["IsTruncated"]) == (ids[2:], False)
    lab.refused("InvalidInput", dns.list_hosted_zones, Marker="ZNONE")


@pytest.mark.correction("route53:ListHostedZonesByName", "Zones from a name on, sorted by the labels in reverse.")
def test_zones_by_name(dns: Any) -> None:
    for name in ("b.test", "a.b.test", "a.test", "z.example.org"):
        make(dns, name)
    found = dns.list_hosted_zones_by_name(DNSName="a.b.test", MaxItems="1")
    assert [each["Name"] for each in found["HostedZones"]] == ["a.b.test."]
    assert (found["DNSName"], found["IsTruncated"]) == ("a.b.test.", False)
    every = dns.list_hosted_zones_by_name()
    assert [each["Name"] for each in every["HostedZones"]] == ["z.example.org.", "a.test.", "b.test.", "a.b.test."]
    page = dns.list_hosted_zones_by_name(DNSName="b.test", MaxItems="1")
    assert (page["NextDNSName"], page["IsTruncated"]) == ("a.b.test.", True)


@pytest.mark.correction("route53:ChangeTagsForResource", "The resource must exist, and a tag is named once.")
def test_tags_of_a_zone(lab: Lab, dns: Any) -> None:
    zone = zone_of(make(dns)).rsplit("/", 1)[-1]
    which = {"ResourceType": "hostedzone", "ResourceId": zone}
    dns.change_tags_for_resource(**which, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    dns.change_tags_for_resource(**which, AddTags=[{"Key": "a", "Value": "3"}], RemoveTagKeys=["b"])
    assert dns.list_tags_for_resource(**which)["ResourceTagSet"]["Tags"] == [{"Key": "a", "Value": "3"}]
    [told] = dns.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[zone])["ResourceTagSets"]
    assert told["ResourceId"] == zone
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    lab.refused("InvalidInput", dns.change_tags_for_resource, **which, AddTags=twice)
    gone = {"ResourceType": "hostedzone", "ResourceId": "ZNONE"}
    lab.refused("NoSuchHostedZone", dns.change_tags_for_resource, **gone, RemoveTagKeys=["a"])


def test_zones_in_the_tagging_api(lab: Lab, dns: Any) -> None:
    zone = zone_of(make(dns)).rsplit("/", 1)[-1]
    tagging = lab.client("resourcegroupstaggingapi", region="us-east-1")
    tagging.tag_resources(ResourceARNList=[f"arn:aws:route53:::hostedzone/{zone}"], Tags={"a": "1", "b": "2"})
    tagging.untag_resources(ResourceARNList=[f"arn:aws:route53:::hostedzone/{zone}"], TagKeys=["a"])
    [found] = tagging.get_resources(ResourceTypeFilters=["route53:hostedzone"])["ResourceTagMappingList"]
    assert found == {"ResourceARN": f"arn:aws:route53:::hostedzone/{zone}", "Tags": [{"Key": "b", "Value": "2"}]}


def test_limits(dns: Any) -> None:
    zone = zone_of(make(dns))
    told = dns.get_hosted_zone_limit(Type="MAX_RRSETS_BY_ZONE", HostedZoneId=zone)
    assert (told["Limit"]["Value"], told["Count"]) == (10000, 2)
    told = dns.get_account_limit(Type="MAX_HOSTED_ZONES_BY_OWNER")
    assert (told["Limit"]["Value"], told["Count"]) == (500, 1)
    assert dns.get_hosted_zone_count()["HostedZoneCount"] == 1


@pytest.mark.correction("route53:CreateHealthCheck", "The lab has no health checks.")
def test_other_operations_are_refused(lab: Lab, dns: Any) -> None:
    config = {"Type": "TCP", "IPAddress": "10.0.0.1", "Port": 80}
    told = lab.refused("InvalidInput", dns.create_health_check, CallerReference="1", HealthCheckConfig=config)
    assert told.startswith("The lab has no CreateHealthCheck")
    assert dns.list_health_checks()["HealthChecks"] == []
