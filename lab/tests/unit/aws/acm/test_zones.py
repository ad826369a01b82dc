"""A certificate whose validation records are in a hosted zone."""

from __future__ import annotations

import pytest
from acm_account import Certificates
from resolving import from_zones


@pytest.mark.correction("acm:RequestCertificate", "It is issued by the records of a zone.", data_plane=True)
def test_the_records_of_a_zone_validate_a_certificate(certificates: Certificates) -> None:
    certificates.lab.plane.context.lookup = from_zones(certificates.lab.plane)
    dns = certificates.lab.client("route53")
    zone = dns.create_hosted_zone(Name="example.test", CallerReference="1")["HostedZone"]["Id"]
    arn = certificates.request("example.test", "*.example.test", "www.example.test", KeyAlgorithm="EC_prime256v1")
    certificates.later(5)
    certificates.look()
    assert certificates.described(arn)["Status"] == "PENDING_VALIDATION"
    found = certificates.described(arn)["DomainValidationOptions"]
    wanted = {each["ResourceRecord"]["Name"]: each["ResourceRecord"]["Value"] for each in found}
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {"Name": name, "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": value}]},
        }
        for name, value in wanted.items()
    ]
    assert len(changes) == 2  # the wildcard has that of its domain
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    certificates.look()
    assert certificates.described(arn)["Status"] == "ISSUED"
