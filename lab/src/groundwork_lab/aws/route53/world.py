"""Hosted zones for the data plane, and changes that the name servers have."""

from __future__ import annotations

import moto.route53.models

from groundwork_lab import model
from groundwork_lab.aws.context import Context, Sources
from groundwork_lab.aws.route53.batches import DUALSTACK
from groundwork_lab.aws.route53.state import Backend, RecordSet, Zone
from groundwork_lab.aws.route53.values import in_zone_file, name_in_zone_file

ALIAS_TTL = 60  # seconds: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html


def _backend(context: Context) -> Backend:
    backend: Backend = moto.route53.models.route53_backends[context.account]["aws"]
    return backend


def sources(context: Context) -> Sources:
    """Return the World's field of Route 53. The caller holds the context's lock."""
    return {"hosted_zones": (_backend(context).hosted.items(), _zone)}


def follow(context: Context, world: model.World) -> None:
    """Set the changes in `world` to INSYNC: the name servers have them. The caller holds the context's lock."""
    backend = _backend(context)
    for change in backend.changes.values():
        served = world.hosted_zones.get(change.zone_id)
        version = served.version if served else 0
        deleted = served is None and change.zone_id not in backend.hosted
        if change.status == "PENDING" and (deleted or version >= change.version):
            change.status = "INSYNC"


def _zone(zone: Zone) -> model.HostedZone:
    records = tuple(_record(each) for each in sorted(zone.records.values(), key=lambda each: each.place))
    return model.HostedZone(zone.id, zone.name, zone.delegation, zone.version, records)


def _record(record: RecordSet) -> model.RecordSet:
    name = name_in_zone_file(record.name)
    if record.alias is not None:
        target = name_in_zone_file(record.alias[1]).removeprefix(DUALSTACK)
        return model.RecordSet(name, record.type, ALIAS_TTL, (), target)
    values = tuple(in_zone_file(record.type, each) for each in record.values)
    return model.RecordSet(name, record.type, record.ttl or 0, values)
