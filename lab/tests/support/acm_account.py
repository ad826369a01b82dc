"""Certificate Manager with an authority, and a resolver that answers with the records of a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from control_plane import Lab

from groundwork_lab.lookup import Found


@dataclass
class Certificates:
    """ACM's client, and the records that its resolver finds by name and type. A name can have a code instead."""

    lab: Lab
    acm: Any
    records: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)

    def lookup(self, name: str, kind: str) -> Found:
        if (name, kind) in self.codes:
            return Found(self.codes[name, kind])
        found = self.records.get((name, kind))
        return Found("NOERROR", {kind: found}) if found else Found("NXDOMAIN")

    def request(self, *names: str, **options: Any) -> str:
        others = {"SubjectAlternativeNames": list(names[1:])} if names[1:] else {}
        made = self.acm.request_certificate(DomainName=names[0], ValidationMethod="DNS", **others, **options)
        return str(made["CertificateArn"])

    def described(self, arn: str, acm: Any = None) -> dict[str, Any]:
        return dict((acm or self.acm).describe_certificate(CertificateArn=arn)["Certificate"])

    def later(self, seconds: float) -> None:
        clock: Callable[[], float] = self.lab.plane.context.clock
        self.lab.plane.context.clock = lambda: clock() + seconds

    def enter(self, arn: str, acm: Any = None) -> None:
        """Enter the validation records of a certificate."""
        self.later(5)
        for each in self.described(arn, acm)["DomainValidationOptions"]:
            record = each["ResourceRecord"]
            self.records[record["Name"].rstrip("."), "CNAME"] = (record["Value"].rstrip("."),)

    def look(self) -> None:
        """Let the authority look for the records."""
        [issuer] = [each for each in self.lab.plane.workers if type(each).__name__ == "Issuer"]
        issuer.look()  # type: ignore[attr-defined]

    def issued(self, *names: str, **options: Any) -> str:
        arn = self.request(*names, KeyAlgorithm="EC_prime256v1", **options)
        self.enter(arn)
        self.look()
        return arn
