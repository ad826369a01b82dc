"""Records of every kind are replaced on the lab's Route 53, which refuses what AWS refuses."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, told
from named_account import NamedAccount
from topic_options.names import records

from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.run import converge_records

NAME = "www.example.test"


def record(kind: str, *values: str, name: str = NAME, **more: t.Any) -> dict[str, t.Any]:
    found = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}
    return {"Action": "CREATE", "ResourceRecordSet": {**found, **more}}


@pytest.mark.parametrize(
    "former",
    [
        [record("A", "192.0.2.1", "192.0.2.2")],
        [record("CNAME", "other.example.net")],
        [record("A", "192.0.2.1"), record("AAAA", "2001:db8::1"), record("TXT", '"kept"')],
    ],
)
def test_adopted_records_are_replaced_and_removed_in_one_batch_each(cloud: Cloud, former: list[t.Any]) -> None:
    route53 = cloud.client("route53")
    zone = route53.create_hosted_zone(Name="example.test", CallerReference="adopt")["HostedZone"]["Id"]
    target = record("A", "192.0.2.9", name="target.example.test")
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [*former, target]})
    alias = {
        "name": NAME,
        "target": "target.example.test",
        "zone_id": zone.rpartition("/")[2],
        "resource": "alb-public",
    }

    def run(*aliases: t.Any, **given: t.Any) -> list[str]:
        options = records(*aliases, zone="example.test", **{"wait": False, **given})
        return told(cloud.run(lambda one: converge_records(one, NamedAccount()), options))

    def kinds() -> list[str]:
        listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return sorted(one["Type"] for one in listed if one["Name"] == f"{NAME}.")

    kept = ["TXT"] if len(former) > 2 else []
    assert run(alias, adopt=[NAME]) == [f"update record {NAME}"]
    assert (kinds(), run(alias)) == (["A", *kept], [])
    assert run({**alias, "resource": "alb-private"}) == [f"update record {NAME}"]
    assert run({**alias, "resource": "alb-private"}, forget=True) == [f"update ownership record {NAME}"]
    assert (run(purge=True), kinds()) == ([f"delete record {NAME}"], kept)
    assert run(purge=True, forget=True) == [f"delete ownership record {NAME}"]
    left = [one["Name"] for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]
    assert not [name for name in left if name.startswith("_groundwork")]
