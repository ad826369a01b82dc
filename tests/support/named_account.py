"""Certificates, zones, records and listeners of an account, as AWS documents them, in memory.

moto makes a key pair for each certificate and validates it by waiting, and its list lacks what the one of AWS has. Here
ACM issues a certificate as soon as the validation records of all its names are in a zone. The resolver of the account
answers from its zones.
"""

from __future__ import annotations

import hashlib
import itertools
import typing as t
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError
from clock import Clock
from cloud import Killed, is_write

from ansible_collections.groundwork.aws.plugins.module_utils.engine.remedies import api_name
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run

ACCOUNT = "123456789012"
HOME = "eu-central-1"
Item = dict[str, t.Any]


def refuse(code: str, operation: str, words: str = "") -> t.NoReturn:
    raise ClientError({"Error": {"Code": code, "Message": words or code}}, operation)


def plain(name: str) -> str:
    return name.rstrip(".").replace("\\052", "*")


class NamedAccount(Clock):
    """An empty account. `calls` are those of the last run; `killed_after` is the position of the last call."""

    def __init__(self) -> None:
        super().__init__()
        self.certificates: dict[str, Item] = {}
        self.tokens: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.zones: dict[str, Item] = {}
        self.records: dict[str, dict[tuple[str, str], Item]] = {}
        self.references: set[str] = set()
        self.listeners: dict[str, list[str]] = {}  # ARNs of certificates, the default one first
        self.balancers: dict[str, str] = {}  # of listeners
        self.environments: dict[str, str] = {}  # of balancers
        self.users: dict[str, list[str]] = {}  # of certificates: what is not a load balancer
        self.changes: dict[str, float] = {}
        self.tagging_is_late = False
        self.refused_by_caa = False
        self.delegated = True
        self.calls: list[str] = []
        self.warnings: list[str] = []
        self.killed_after: int | None = None
        self._numbers = itertools.count(1)

    def client(self, service: str, /, region: str = HOME, **_extra: t.Any) -> t.Any:
        return Client(self, service, region)

    def run(self, converge: Callable[..., Item], options: Mapping[str, t.Any], *, check_mode: bool = False) -> Item:
        self.calls, self.warnings = [], []
        return converge(
            Run(options, self, self.warnings.append, check_mode=check_mode, clock=self, hour="2026-11-30T09")
        )

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if is_write(call)]

    def number(self) -> int:
        return next(self._numbers)

    # What resolvers and ACM see

    def values(self, name: str, kind: str) -> list[str] | None:
        """Answer as a resolver does, from the public zones."""
        found = []
        for own, zone in self.zones.items():
            record = self.records[own].get((name, kind))
            if record and not zone["Config"]["PrivateZone"] and self.delegated:
                found += [one["Value"].rstrip(".") for one in record.get("ResourceRecords", ())]
        return sorted(found)

    def ttl(self, name: str) -> int:
        """Answer as a resolver does."""
        found = [
            one.get("TTL", 60) for own in self.records.values() for (known, _kind), one in own.items() if known == name
        ]
        return max(found, default=0)

    def settle(self, certificate: Item) -> None:
        """Issue a pending certificate if all its validation records are found."""
        if certificate["Status"] != "PENDING_VALIDATION":
            return
        for one in certificate["DomainValidationOptions"]:
            record = one["ResourceRecord"]
            if self.values(record["Name"].rstrip("."), "CNAME") == [record["Value"].rstrip(".")]:
                one["ValidationStatus"] = "SUCCESS"
        if all(one["ValidationStatus"] == "SUCCESS" for one in certificate["DomainValidationOptions"]):
            if self.refused_by_caa:
                certificate |= {"Status": "FAILED", "FailureReason": "CAA_ERROR"}
            else:
                certificate |= {"Status": "ISSUED", "NotAfter": datetime.now(UTC) + timedelta(days=197)}

    def in_use_by(self, arn: str) -> list[str]:
        found = {self.balancers[listener] for listener, own in self.listeners.items() if arn in own}
        return [*sorted(found), *self.users.get(arn, [])]

    def listing(self) -> t.Any:
        """Return what there is, without ids and ARNs."""
        names = {
            arn: f"{sorted(one['Names'])} {one['Status']} {self.tags[arn]['Name']}"
            for arn, one in self.certificates.items()
        }
        records = {(name, kind): self.values(name, kind) for own in self.records.values() for name, kind in own}
        offered = [[names[arn] for arn in own] for own in self.listeners.values()]
        return sorted(names.values()), sorted(records.items()), offered

    # Preparing

    def zone(self, name: str, *, private: bool = False, comment: str = "") -> str:
        own = f"Z{self.number():04}"
        config = {"PrivateZone": private, "Comment": comment}
        self.zones[own] = {"Id": f"/hostedzone/{own}", "Name": f"{name}.", "Config": config}
        servers = [{"Value": f"ns-{own.lower()}-{n}.awsdns.test."} for n in range(4)]
        self.records[own] = {}
        self.put(own, {"Name": name, "Type": "NS", "TTL": 172800, "ResourceRecords": servers})
        self.put(own, {"Name": name, "Type": "SOA", "TTL": 900, "ResourceRecords": [{"Value": "a. b. 1 2 3 4 5"}]})
        return own

    def put(self, zone: str, record: Item) -> None:
        self.records[zone][plain(record["Name"]), record["Type"]] = {**record, "Name": f"{plain(record['Name'])}."}

    def listen(self, balancer: str, *arns: str, environment: str = "dev") -> str:
        listener = f"arn:aws:elasticloadbalancing:{HOME}:{ACCOUNT}:listener/app/{balancer}/{self.number():016x}/1"
        self.balancers[listener] = (
            f"arn:aws:elasticloadbalancing:{HOME}:{ACCOUNT}:loadbalancer/app/{balancer}/0123456789abcdef"
        )
        self.listeners[listener] = list(arns)
        self.environments[self.balancers[listener]] = environment
        return listener


class Client:
    """A client of one service in one region."""

    def __init__(self, account: NamedAccount, service: str, region: str) -> None:
        self.account = account
        self.service = service
        self.region = region

    def can_paginate(self, _operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> t.Any:
        handler = getattr(self, f"do_{operation}")

        def call(**arguments: t.Any) -> Item:
            self.account.calls.append(api_name(operation))
            answer: Item = handler(**arguments)
            if self.account.killed_after is not None and len(self.account.calls) > self.account.killed_after:
                raise Killed
            return answer

        return call

    def _certificate(self, arn: str, operation: str) -> Item:
        if arn not in self.account.certificates or arn.split(":")[3] != self.region:
            refuse("ResourceNotFoundException", operation)
        self.account.settle(self.account.certificates[arn])
        return self.account.certificates[arn]

    # Certificate Manager

    def do_request_certificate(self, **given: t.Any) -> Item:
        account, token = self.account, f"{self.region} {given['IdempotencyToken']}"
        assert len(given["IdempotencyToken"]) <= 32
        if token in account.tokens:
            return {"CertificateArn": account.tokens[token]}
        arn = f"arn:aws:acm:{self.region}:{ACCOUNT}:certificate/{account.number():08x}-0000-4000-8000-000000000000"
        names = [given["DomainName"], *given.get("SubjectAlternativeNames", [])]
        options = []
        for name in names:
            domain = name.removeprefix("*.")
            digest = hashlib.md5(f"{ACCOUNT} {domain}".encode()).hexdigest()  # noqa: S324 - one record per account and name
            value = f"_{digest[::-1]}.abcdefghij.acm-validations.aws."
            record = {"Name": f"_{digest}.{domain}.", "Type": "CNAME", "Value": value}
            options.append({"DomainName": name, "ValidationStatus": "PENDING_VALIDATION", "ResourceRecord": record})
        account.certificates[arn] = {
            "CertificateArn": arn,
            "DomainName": names[0],
            "Names": names,
            "Status": "PENDING_VALIDATION",
            "Type": "AMAZON_ISSUED",
            "KeyAlgorithm": given["KeyAlgorithm"].replace("_", "-", 1),
            "DomainValidationOptions": options,
        }
        account.tags[arn] = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
        account.tokens[token] = arn
        return {"CertificateArn": arn}

    def do_list_certificates(self, **_given: t.Any) -> Item:
        account, found = self.account, []
        for arn, one in account.certificates.items():
            if arn.split(":")[3] == self.region:
                account.settle(one)
                keys = ("CertificateArn", "DomainName", "Status", "Type", "KeyAlgorithm", "NotAfter", "CreatedAt")
                summary = {key: one[key] for key in keys if key in one}
                found.append(
                    {**summary, "SubjectAlternativeNameSummaries": one["Names"], "InUse": bool(account.in_use_by(arn))}
                )
        return {"CertificateSummaryList": found}

    def do_describe_certificate(self, CertificateArn: str) -> Item:  # noqa: N803
        one = self._certificate(CertificateArn, "DescribeCertificate")
        users = self.account.in_use_by(CertificateArn)
        return {"Certificate": {**one, "SubjectAlternativeNames": one["Names"], "InUseBy": users}}

    def do_list_tags_for_certificate(self, CertificateArn: str) -> Item:  # noqa: N803
        self._certificate(CertificateArn, "ListTagsForCertificate")
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.account.tags[CertificateArn].items()]}

    def do_add_tags_to_certificate(self, CertificateArn: str, Tags: list[Item]) -> Item:  # noqa: N803
        self.account.tags[CertificateArn].update({tag["Key"]: tag["Value"] for tag in Tags})
        return {}

    def do_delete_certificate(self, CertificateArn: str) -> Item:  # noqa: N803
        self._certificate(CertificateArn, "DeleteCertificate")
        if self.account.in_use_by(CertificateArn):
            refuse("ResourceInUseException", "DeleteCertificate")
        del self.account.certificates[CertificateArn]
        return {}

    def do_get_resources(self, TagFilters: list[Item], **_given: t.Any) -> Item:  # noqa: N803
        found = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in self.account.tags.items()
            if arn.split(":")[3] == self.region
            and all(tags.get(one["Key"]) in one["Values"] for one in TagFilters)
            and not self.account.tagging_is_late
        ]
        return {"ResourceTagMappingList": found}

    # Route 53

    def do_list_hosted_zones_by_name(self, DNSName: str, **_given: t.Any) -> Item:  # noqa: N803
        found = sorted(self.account.zones.values(), key=lambda one: one["Name"].split(".")[::-1])
        return {"HostedZones": [one for one in found if one["Name"].split(".")[::-1] >= f"{DNSName}.".split(".")[::-1]]}

    def do_list_hosted_zones(self) -> Item:
        return {"HostedZones": list(self.account.zones.values())}

    def do_list_resource_record_sets(self, HostedZoneId: str) -> Item:  # noqa: N803
        return {"ResourceRecordSets": list(self.account.records[HostedZoneId].values())}

    def do_get_hosted_zone(self, Id: str) -> Item:  # noqa: N803
        zone = self.account.zones[Id.rpartition("/")[2]]
        servers = self.account.records[Id.rpartition("/")[2]][plain(zone["Name"]), "NS"]["ResourceRecords"]
        return {"HostedZone": zone, "DelegationSet": {"NameServers": [one["Value"].rstrip(".") for one in servers]}}

    def do_create_hosted_zone(self, **given: t.Any) -> Item:
        if given["CallerReference"] in self.account.references:
            refuse("HostedZoneAlreadyExists", "CreateHostedZone")
        own = self.account.zone(given["Name"], comment=given["HostedZoneConfig"]["Comment"])
        self.account.references.add(given["CallerReference"])
        return {"HostedZone": self.account.zones[own]}

    def do_delete_hosted_zone(self, Id: str) -> Item:  # noqa: N803
        if len(self.account.records[Id]) > 2:
            refuse("HostedZoneNotEmpty", "DeleteHostedZone")
        del self.account.zones[Id], self.account.records[Id]
        return {}

    def do_change_resource_record_sets(self, HostedZoneId: str, ChangeBatch: Item) -> Item:  # noqa: N803
        own = HostedZoneId.rpartition("/")[2]
        records = dict(self.account.records[own])
        for one in ChangeBatch["Changes"]:
            record = {**one["ResourceRecordSet"], "Name": f"{plain(one['ResourceRecordSet']['Name'])}."}
            key = (plain(record["Name"]), record["Type"])
            if "AliasTarget" in record:
                target = {**record["AliasTarget"], "DNSName": f"{plain(record['AliasTarget']['DNSName'])}."}
                record["AliasTarget"] = target
            if one["Action"] == "CREATE" and key in records:
                refuse("InvalidChangeBatch", "ChangeResourceRecordSets", f"{key} already exists")
            if one["Action"] == "DELETE":
                if records.pop(key, None) != record:
                    refuse("InvalidChangeBatch", "ChangeResourceRecordSets", f"{key} was not found")
            else:
                kinds = {kind for name, kind in records if name == key[0]} | {key[1]}
                if "CNAME" in kinds and len(kinds) > 1:
                    refuse("InvalidChangeBatch", "ChangeResourceRecordSets", "a CNAME is alone")
                records[key] = record
        self.account.records[own] = records
        change = f"/change/C{self.account.number()}"
        self.account.changes[change] = self.account.now + 30
        return {"ChangeInfo": {"Id": change, "Status": "PENDING"}}

    def do_get_change(self, Id: str) -> Item:  # noqa: N803
        return {
            "ChangeInfo": {"Id": Id, "Status": "INSYNC" if self.account.now >= self.account.changes[Id] else "PENDING"}
        }

    # Elastic Load Balancing

    def do_describe_listeners(self, LoadBalancerArn: str) -> Item:  # noqa: N803
        own = [one for one, balancer in self.account.balancers.items() if balancer == LoadBalancerArn]
        return {"Listeners": [{"ListenerArn": one, "Protocol": "HTTPS", "Port": 443} for one in own]}

    def do_describe_tags(self, ResourceArns: list[str]) -> Item:  # noqa: N803
        return {
            "TagDescriptions": [
                {
                    "ResourceArn": arn,
                    "Tags": [
                        {"Key": "groundwork:environment", "Value": self.account.environments[arn]},
                        {"Key": "groundwork:component", "Value": "alb"},
                    ],
                }
                for arn in ResourceArns
            ]
        }

    def do_describe_listener_certificates(self, ListenerArn: str) -> Item:  # noqa: N803
        default, *others = self.account.listeners[ListenerArn]
        found = [{"CertificateArn": default, "IsDefault": True}]
        return {"Certificates": [*found, *({"CertificateArn": one, "IsDefault": False} for one in others)]}

    def do_remove_listener_certificates(self, ListenerArn: str, Certificates: list[Item]) -> Item:  # noqa: N803
        for one in Certificates:
            if one["CertificateArn"] == self.account.listeners[ListenerArn][0]:
                refuse("OperationNotPermitted", "RemoveListenerCertificates")
            if one["CertificateArn"] in self.account.listeners[ListenerArn]:
                self.account.listeners[ListenerArn].remove(one["CertificateArn"])
        return {}
