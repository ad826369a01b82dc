"""Create a hosted zone and request a certificate with boto3, or wait for it. Print the results as JSON.

request_certificate.py create | await ARN
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3

NAMES = ("www.names.test", "*.names.test")
route53, acm = boto3.client("route53"), boto3.client("acm")


def until(what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        if time.monotonic() > deadline:
            message = f"Timed out after 30 s waiting for {what}."
            raise TimeoutError(message)
        time.sleep(0.2)


def described(arn: str) -> dict[str, Any]:
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])


def records(arn: str) -> list[dict[str, str]]:
    found = described(arn)["DomainValidationOptions"]
    return [each["ResourceRecord"] for each in found if "ResourceRecord" in each]


def create() -> dict[str, Any]:
    zone = route53.create_hosted_zone(Name="names.test", CallerReference="1")["HostedZone"]["Id"]
    arn = acm.request_certificate(
        DomainName=NAMES[0], SubjectAlternativeNames=list(NAMES), ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1"
    )["CertificateArn"]
    until("the validation records", lambda: len(records(arn)) == len(NAMES))
    wanted = [(each["Name"], "CNAME", each["Value"]) for each in records(arn)]
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]},
        }
        for name, kind, value in (*wanted, ("www.names.test", "A", "198.19.200.9"))
    ]
    change = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})["ChangeInfo"][
        "Id"
    ]
    until("the change", lambda: route53.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC")
    return {"zone": zone, "certificate": arn, "status": described(arn)["Status"]}


def issued(arn: str) -> dict[str, Any]:
    until("the certificate", lambda: described(arn)["Status"] == "ISSUED")
    return dict(acm.get_certificate(CertificateArn=arn), ResponseMetadata=None)


print(json.dumps(create() if sys.argv[1] == "create" else issued(sys.argv[2])))
