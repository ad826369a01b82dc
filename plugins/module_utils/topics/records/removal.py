# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove an environment's records, and its hosted zones. Other records of a zone stay as they are."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import validated
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Removal,
    Sight,
    Thing,
    some,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import all_read, names_of
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.options import KIND as CERTIFICATE
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.removal import (
    certificates_in,
    certificates_key,
    regions,
    tags_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.changes import batch, comment_of, kinds_of
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.observed import (
    Key,
    Observed,
    by_key,
    marks_in,
    plain_name,
    records_read,
    values_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.options import COMPONENT, RECORD, ZONE
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.ownership import (
    VALIDATION,
    Mark,
    domain_of,
)

HOSTED_ZONES = "hosted_zones"  # the option for the removal of zones
OWN = ("NS", "SOA")  # of every zone
GONE = ("NoSuchHostedZone",)
FEWEST = 2  # record sets of a zone without names: NS and SOA


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the read of all zones, then those of the records of public ones.

    If a validation record is the environment's, all certificates are read, which may be validated by it.
    """
    yield "hosted zones", Read("route53", "list_hosted_zones", "HostedZones")
    for zone in _public(sight):
        if zone.get("ResourceRecordSetCount", FEWEST + 1) > FEWEST:
            yield _key(zone), records_read(_id(zone))
    if any(mark.kind == VALIDATION for zone in _public(sight) for mark in _marks(zone, sight)):
        for region in regions(sight):
            yield certificates_key(region), all_read(region)


def _public(sight: Sight) -> list[Described]:
    return [zone for zone in sight.found("hosted zones") if not zone["Config"]["PrivateZone"]]


def _id(zone: Described) -> str:
    return str(zone["Id"]).rpartition("/")[2]


def _key(zone: Described) -> str:
    return f"records of {_id(zone)}"


def _records(zone: Described, sight: Sight) -> dict[Key, list[Described]]:
    return by_key(sight.found(_key(zone)))


def _marks(zone: Described, sight: Sight) -> list[Mark]:
    """Return the environment's ownership records in a zone. Without a known region they are those of all regions."""
    whose = sight.whose
    return [
        mark
        for mark in marks_in(_records(zone, sight))
        if mark.whose.environment == whose.environment and whose.region in ("", mark.whose.region)
    ]


def _things(sight: Sight) -> t.Iterator[Thing]:
    for zone in _public(sight):
        marks = _marks(zone, sight)
        for mark in marks:
            yield _record(mark, zone, sight)
            if mark.kind == VALIDATION:
                yield from _validated(mark, zone, sight)
        if zone["Config"].get("Comment") == comment_of(
            Owner(sight.whose.environment, COMPONENT, {}, sight.whose.region)
        ):
            yield from _zone(zone, marks, sight)


def _record(mark: Mark, zone: Described, sight: Sight) -> Thing:
    """Return the records of a name, with its ownership record.

    A validation record stays with the certificates that it validates: it needs none of them, and is deleted after the
    environment's own. Those of others keep it, and only the ownership record is deleted.
    """
    found, texts = _deleted(mark, zone, sight)
    items = [{"Action": "DELETE", "ResourceRecordSet": one} for one in (*found, *texts)]
    name = f"validation of {domain_of(mark.name)}" if mark.kind == VALIDATION else mark.name
    return Thing(
        RECORD,
        _thing_id(mark, zone),
        name,
        needs=some(_id(zone)),
        calls=(_settled(batch(_id(zone), items)),),
        before={one["Type"]: ", ".join(values_of(one)) for one in found},
    )


def _thing_id(mark: Mark, zone: Described) -> str:
    return f"{_id(zone)}/{mark.record_name}"


def _deleted(mark: Mark, zone: Described, sight: Sight) -> tuple[list[Described], list[Described]]:
    """Return the records of a name that leave, and its ownership record."""
    records = _records(zone, sight)
    seen = Observed(_id(zone), records=records, marks=marks_in(records))
    kinds = kinds_of(mark)
    if mark.kind == VALIDATION:
        alone = mark.created and not seen.others(mark.whose, mark.name) and not _is_used(mark, sight)
        kinds = ("CNAME",) if alone else ()
    found = [one for kind in kinds for one in records.get((mark.name, kind), ())]
    return found, list(records.get((mark.record_name, "TXT"), ()))


def _validated(mark: Mark, zone: Described, sight: Sight) -> t.Iterator[Thing]:
    """Yield the environment's certificates that a validation record renews. One that stays keeps the record."""
    tags = tags_of(sight)
    for one, _region in certificates_in(sight):
        arn = one["CertificateArn"]
        if sight.whose.owns(tags.get(arn, {})) and _has(one, mark):
            yield Thing(CERTIFICATE, arn, "", needs=some(_thing_id(mark, zone)))


def _has(certificate: Described, mark: Mark) -> bool:
    return domain_of(mark.name) in {validated(name) for name in names_of(certificate)}


def _settled(call: Call) -> Call:
    """Return the call for which a deletion of records that do not exist any more is a success."""
    return call.settled_by(*GONE)


def _is_used(mark: Mark, sight: Sight) -> bool:
    """Return whether a certificate of others has the validation record, or may have it, because they cannot be read."""
    if any(certificates_key(region) in sight.denied for region in regions(sight)):
        return True
    tags = tags_of(sight)
    everything = (one for region in regions(sight) for one in sight.found(certificates_key(region)))
    return any(_has(one, mark) and not sight.whose.owns(tags.get(one["CertificateArn"], {})) for one in everything)


def _zone(zone: Described, marks: t.Sequence[Mark], sight: Sight) -> t.Iterator[Thing]:
    """Yield a zone that the environment has created, and other records in it, which keep it."""
    own = _id(zone)
    delete = Call("route53", "delete_hosted_zone", {"Id": own}, settled=GONE)
    yield Thing(ZONE, own, plain_name(zone["Name"]), calls=(delete,), wish=HOSTED_ZONES)
    ours = {
        (plain_name(one["Name"]), one["Type"])
        for mark in marks
        for records in _deleted(mark, zone, sight)
        for one in records
    }
    for name, kind in _records(zone, sight):
        if (name, kind) not in ours and not (kind in OWN and name == plain_name(zone["Name"])):
            yield Thing(RECORD, f"{own}/{name} {kind}", f"{name} {kind}", ours=False, needs=some(own))


REMOVAL = Removal(kinds=(RECORD, ZONE), things=_things, reads=_reads, after="certificates", optional=True)
