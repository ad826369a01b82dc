# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the hosted zone and its records, and the validation records of certificates that are new to the zone."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import validated
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import describe_read
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.options import CertificateNames, Records
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.ownership import (
    VALIDATION,
    Mark,
    Whose,
    domain_of,
    parse_mark,
)

Described = t.Mapping[str, t.Any]
Key = tuple[str, str]  # the name of a record set, and its type


@dataclass(frozen=True)
class Observed:
    """The zone with its record sets, by name and type, and validation records (name and value) by domain.

    A name or a value has no dot at its end. `private` and `double` are the ids of private zones, and of several public
    ones, of this name.
    """

    zone_id: str = ""
    private: tuple[str, ...] = ()
    double: tuple[str, ...] = ()
    records: t.Mapping[Key, t.Sequence[Described]] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    validations: t.Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def mark(self, whose: Whose, name: str) -> Mark | None:
        """Return the environment's ownership record for a name."""
        return next((one for one in self.marks if (one.whose, one.name) == (whose, name)), None)

    def others(self, whose: Whose, name: str) -> list[Mark]:
        """Return the ownership records of other environments for a name."""
        return [one for one in self.marks if one.name == name and one.whose != whose]

    def value(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the values of a record set, the target of an alias, or nothing."""
        return tuple(value for one in self.records.get((name, kind), ()) for value in values_of(one))

    def wildcard(self, name: str) -> str:
        """Return the wildcard that stands for a name without records at it or below it, or ""."""
        enclosers = self._enclosers(name)
        star = f"*.{enclosers[-1]}"
        return star if len(enclosers) > 1 and self.kinds(star) else ""

    def hidden(self, name: str) -> list[str]:
        """Return the names above a new one that exist only since then, so that a wildcard stops to stand for them."""
        return self._enclosers(name)[1:-1]

    def kinds(self, name: str) -> list[str]:
        """Return the types of the records of a name."""
        return [kind for known, kind in self.records if known == name]

    def _enclosers(self, name: str) -> list[str]:
        """Return the name, and the names above it up to the first one that exists."""
        present = {"", *(known[at:] for known, _kind in self.records for at in _starts(known))}
        above = [name[at:] for at in (*_starts(name), len(name))]
        return above[: next(at for at, one in enumerate(above) if one in present) + 1]

    @property
    def name_servers(self) -> tuple[str, ...]:
        """Return the zone's name servers."""
        names = [name for name, kind in self.records if kind == "NS"]
        return tuple(sorted(self.value(min(names, key=len), "NS"))) if names else ()


def _starts(name: str) -> list[int]:
    """Return where the labels of a name begin."""
    return [0, *(at + 1 for at, character in enumerate(name) if character == ".")]


def plain_name(name: str) -> str:
    """Return a name of Route 53 without its last dot, and with an asterisk as such.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
    """
    return name.rstrip(".").replace("\\052", "*").lower()


def values_of(record: Described) -> list[str]:
    """Return the values of a described record set, or its alias target."""
    if "AliasTarget" in record:
        return [plain_name(record["AliasTarget"]["DNSName"])]
    return [one["Value"].rstrip(".") for one in record.get("ResourceRecords", ())]


def look(desired: Records, whose: Whose, clients: Clients) -> Observed:
    """Return what exists, in two calls, and one more for each certificate that is new to the zone."""
    if desired.elsewhere:
        return Observed(validations=_validations(desired.certificates, clients))
    zones = observe(clients, {"zones": zones_read(desired.zone)})["zones"]
    of_name = [one for one in zones if plain_name(one["Name"]) == desired.zone]
    public = [one["Id"].rpartition("/")[2] for one in of_name if not one["Config"]["PrivateZone"]]
    private = tuple(one["Id"].rpartition("/")[2] for one in of_name if one["Config"]["PrivateZone"])
    if len(public) != 1:
        own = _validations(desired.certificates, clients)
        return Observed("", private, tuple(sorted(public)), validations=own)
    records = observe(clients, {"records": records_read(public[0])})["records"]
    return _seen(desired, whose, public[0], records, clients)


def zones_read(name: str) -> Read:
    """Return the read of the hosted zones, beginning with those of this name."""
    return Read("route53", "list_hosted_zones_by_name", "HostedZones", {"DNSName": name, "MaxItems": "10"})


def records_read(zone_id: str) -> Read:
    """Return the read of all records of a zone."""
    return Read("route53", "list_resource_record_sets", "ResourceRecordSets", {"HostedZoneId": zone_id})


def by_key(records: t.Iterable[Described]) -> dict[Key, list[Described]]:
    """Return the record sets by name and type. Those with a routing policy are several of one name and type."""
    found: dict[Key, list[Described]] = {}
    for one in records:
        found.setdefault((plain_name(one["Name"]), one["Type"]), []).append(one)
    return found


def marks_in(records: t.Mapping[Key, t.Sequence[Described]]) -> tuple[Mark, ...]:
    """Return the ownership records among the record sets."""
    found = (
        (name, [one for each in sets for one in values_of(each)])
        for (name, kind), sets in records.items()
        if kind == "TXT"
    )
    return tuple(mark for name, texts in found if (mark := parse_mark(name, texts)))


def _seen(desired: Records, whose: Whose, zone_id: str, records: t.Iterable[Described], clients: Clients) -> Observed:
    found = by_key(records)
    marks = marks_in(found)
    known = {
        domain: (mark.name, mark.value)
        for mark in marks
        if mark.kind == VALIDATION and mark.whose == whose and (domain := domain_of(mark.name))
    }
    new = [one for one in desired.certificates if any(validated(name) not in known for name in one.names)]
    return Observed(zone_id, (), (), found, marks, {**known, **_validations(new, clients)})


def _validations(certificates: t.Sequence[CertificateNames], clients: Clients) -> dict[str, tuple[str, str]]:
    """Return the validation records of certificates by domain, as ACM tells them."""
    reads = {one.arn: describe_read(one.arn, one.region) for one in certificates if one.region}
    return {
        validated(option["DomainName"]): (plain_name(record["Name"]), plain_name(record["Value"]))
        for answer in observe(clients, reads).values()
        for described in answer
        for option in described.get("DomainValidationOptions", ())
        if (record := option.get("ResourceRecord"))
    }


def check(desired: Records, observed: Observed, problems: Problems) -> None:
    """Add to `problems` a zone that is missing, private, or not the only one of its name."""
    if desired.elsewhere or observed.zone_id:
        return
    if observed.double:
        right = "delete the zone to which the parent domain does not point, or use a zone below it"
        wrong = f"the account has {len(observed.double)} public zones {desired.zone}: {', '.join(observed.double)}"
        problems.add("zone", wrong, right)
    elif not desired.create and not desired.planned:
        private = f", only the private zone {', '.join(observed.private)}" if observed.private else ""
        right = "set create to create one (dns_zone_create), or elsewhere if another account or provider runs it"
        problems.add("zone", f"the account has no public zone {desired.zone}{private}", right)
