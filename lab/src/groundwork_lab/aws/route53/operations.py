"""The operations of Route 53 that the lab has. Each takes the members of a request and returns those of the response.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.route53 import batches, targets
from groundwork_lab.aws.route53.dnsnames import InvalidNameError, canonical, is_within, place
from groundwork_lab.aws.route53.state import Backend, Change, RecordSet, Zone, new_id
from groundwork_lab.aws.validating import check, check_required
from groundwork_lab.settings import NAME_SERVERS, name_servers

Request = Mapping[str, Any]
Members = dict[str, Any]

ZONES, TAGS, ZONES_PAGE, RECORDS_PAGE = 500, 50, 100, 300
RESERVED = ("example.com.", "example.net.", "example.org.", "amazonaws.com.")
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def invalid(message: str) -> NoReturn:
    refuse("InvalidInput", message)


# Hosted zones


def create_hosted_zone(backend: Backend, request: Request) -> Members:
    """Create a zone with a delegation set that no zone of its name, above or below it has.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html
    """
    config = request.get("HostedZoneConfig") or {}
    if request.get("VPC") or config.get("PrivateZone"):
        invalid("The lab has no private hosted zones.")
    if request.get("DelegationSetId"):
        invalid("The lab has no reusable delegation sets.")
    name = _zone_name(request["Name"])
    if any(each.reference == request["CallerReference"] for each in backend.hosted.values()):
        message = "A hosted zone has already been created with the specified caller reference."
        refuse("HostedZoneAlreadyExists", message)
    if len(backend.hosted) >= ZONES:
        message = f"Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more than {ZONES} hosted zones."
        refuse("TooManyHostedZones", message)
    delegation = _free_delegation(backend, name)
    records = {each.key: each for each in _apex(name, delegation)}
    zone = Zone(new_id("Z"), name, request["CallerReference"], delegation, config.get("Comment"), records)
    backend.hosted[zone.id] = zone
    return {
        **_told_zone(zone),
        "ChangeInfo": _told_change(backend.changed(zone)),
        "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.id}",
    }


def _zone_name(given: str) -> str:
    try:
        name = canonical(given)
    except InvalidNameError as error:
        refuse("InvalidDomainName", str(error))
    labels = name.removesuffix(".").split(".")
    if len(labels) < 2 or name in RESERVED:
        refuse("InvalidDomainName", f"{given} is reserved by AWS!")
    if not all(map(LABEL.fullmatch, labels)):
        refuse(
            "InvalidDomainName", f"The lab has no hosted zones with other characters than a-z, 0-9, - and _: {given}"
        )
    return name


def _free_delegation(backend: Backend, name: str) -> int:
    related = (each for each in backend.hosted.values() if is_within(each.name, name) or is_within(name, each.name))
    used = {each.delegation for each in related}
    free = [number for number in range(len(NAME_SERVERS)) if number not in used]
    if not free:
        message = (
            f"You can't create the hosted zone because Route 53 has no delegation set that serves no other hosted zone "
            f"with the name {name}, or above or below it. The lab has {len(NAME_SERVERS)} delegation sets."
        )
        refuse("DelegationSetNotAvailable", message)
    return free[0]


def _apex(name: str, delegation: int) -> tuple[RecordSet, RecordSet]:
    """Return the records that Route 53 creates with a zone.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html
    """
    servers = tuple(f"{each}." for each in name_servers(delegation))
    soa = f"{servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    return RecordSet(name, "NS", 172800, servers), RecordSet(name, "SOA", 900, (soa,))


def _found(backend: Backend, given: str) -> Zone:
    zone = backend.hosted.get(given.rsplit("/", 1)[-1])
    if zone is None:
        refuse("NoSuchHostedZone", f"No hosted zone found with ID: {given.rsplit('/', 1)[-1]}")
    return zone


def _summary(zone: Zone) -> Members:
    return {
        "Id": f"/hostedzone/{zone.id}",
        "Name": zone.name,
        "CallerReference": zone.reference,
        "Config": {**({"Comment": zone.comment} if zone.comment else {}), "PrivateZone": False},
        "ResourceRecordSetCount": len(zone.records),
    }


def _told_zone(zone: Zone) -> Members:
    return {"HostedZone": _summary(zone), "DelegationSet": {"NameServers": list(name_servers(zone.delegation))}}


def get_hosted_zone(backend: Backend, request: Request) -> Members:
    return _told_zone(_found(backend, request["Id"]))


def update_hosted_zone_comment(backend: Backend, request: Request) -> Members:
    zone = _found(backend, request["Id"])
    zone.comment = request.get("Comment") or None
    return {"HostedZone": _summary(zone)}


def delete_hosted_zone(backend: Backend, request: Request) -> Members:
    """Delete a zone that has the NS and SOA records of its apex only.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHostedZone.html
    """
    zone = _found(backend, request["Id"])
    if zone.records.keys() - {(zone.name, "NS"), (zone.name, "SOA")}:
        message = "The specified hosted zone contains non-required resource record sets  and so cannot be deleted."
        refuse("HostedZoneNotEmpty", message)
    del backend.hosted[zone.id]
    zone.version += 1
    return {"ChangeInfo": _told_change(backend.changed(zone))}


def list_hosted_zones(backend: Backend, request: Request) -> Members:
    if request.get("DelegationSetId"):
        invalid("The lab has no reusable delegation sets.")
    zones = [] if request.get("HostedZoneType") == "PrivateHostedZone" else list(backend.hosted.values())
    marker = request.get("Marker")
    ids = [each.id for each in zones]
    if marker and marker not in ids:
        invalid("The specified marker is not valid.")
    start = ids.index(marker) if marker else 0
    size = _size(request, ZONES_PAGE)
    following = zones[start + size : start + size + 1]
    return {
        "HostedZones": [_summary(each) for each in zones[start : start + size]],
        "IsTruncated": bool(following),
        "MaxItems": str(size),
        **({"Marker": marker} if marker else {}),
        **({"NextMarker": following[0].id} if following else {}),
    }


def list_hosted_zones_by_name(backend: Backend, request: Request) -> Members:
    """List the zones from a name on, sorted by the labels in reverse.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html
    """
    given, identity = request.get("DNSName"), request.get("HostedZoneId")
    if identity and not given:
        invalid("If you specify a value for HostedZoneId, you must also specify a value for DNSName.")
    begin = (place(_canonical(given)) if given else "", (identity or "").rsplit("/", 1)[-1])
    zones = sorted(backend.hosted.values(), key=lambda each: (place(each.name), each.id))
    zones = [each for each in zones if (place(each.name), each.id) >= begin]
    size = _size(request, ZONES_PAGE)
    following = zones[size : size + 1]
    return {
        "HostedZones": [_summary(each) for each in zones[:size]],
        "IsTruncated": bool(following),
        "MaxItems": str(size),
        **({"DNSName": _canonical(given)} if given else {}),
        **({"HostedZoneId": identity} if identity else {}),
        **({"NextDNSName": following[0].name, "NextHostedZoneId": following[0].id} if following else {}),
    }


def get_hosted_zone_count(backend: Backend, request: Request) -> Members:  # noqa: ARG001 (as the others)
    return {"HostedZoneCount": len(backend.hosted)}


def get_account_limit(backend: Backend, request: Request) -> Members:
    if request["Type"] != "MAX_HOSTED_ZONES_BY_OWNER":
        invalid(f"The lab has no {request['Type']}.")
    return {"Limit": {"Type": request["Type"], "Value": ZONES}, "Count": len(backend.hosted)}


def get_hosted_zone_limit(backend: Backend, request: Request) -> Members:
    zone = _found(backend, request["HostedZoneId"])
    if request["Type"] != "MAX_RRSETS_BY_ZONE":
        invalid(f"The lab has no {request['Type']}.")
    return {"Limit": {"Type": request["Type"], "Value": batches.MAX_RECORDS}, "Count": len(zone.records)}


def get_dnssec(backend: Backend, request: Request) -> Members:
    _found(backend, request["HostedZoneId"])
    return {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": []}


# Record sets


def change_resource_record_sets(backend: Backend, request: Request) -> Members:
    """Make all changes of a batch, or none.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
    """
    zone = _found(backend, request["HostedZoneId"])
    batch = request["ChangeBatch"]
    try:
        steps = batches.steps(batch["Changes"])
        after = batches.applied(zone.id, zone.name, zone.records, steps, targets.found(backend.context))
    except batches.InvalidError as error:
        refuse(error.code, str(error))
    zone.records = after
    zone.version += 1
    return {"ChangeInfo": _told_change(backend.changed(zone, batch.get("Comment")))}


def list_resource_record_sets(backend: Backend, request: Request) -> Members:
    """List the record sets from a name and type on, sorted by the labels of the names in reverse.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
    """
    zone = _found(backend, request["HostedZoneId"])
    name, kind = request.get("StartRecordName"), request.get("StartRecordType")
    if kind and not name:
        invalid("The request must specify StartRecordName if it specifies StartRecordType.")
    begin = (place(_canonical(name)) if name else "", kind or "")
    found = sorted(zone.records.values(), key=lambda each: each.place)
    found = [each for each in found if each.place >= begin]
    size = _size(request, RECORDS_PAGE)
    following = found[size : size + 1]
    return {
        "ResourceRecordSets": [_told_record(each) for each in found[:size]],
        "IsTruncated": bool(following),
        "MaxItems": str(size),
        **({"NextRecordName": following[0].name, "NextRecordType": following[0].type} if following else {}),
    }


def _told_record(record: RecordSet) -> Members:
    told: Members = {"Name": record.name, "Type": record.type}
    if record.alias is not None:
        zone, name, evaluated = record.alias
        return {**told, "AliasTarget": {"HostedZoneId": zone, "DNSName": name, "EvaluateTargetHealth": evaluated}}
    return {**told, "TTL": record.ttl, "ResourceRecords": [{"Value": value} for value in record.values]}


def _canonical(name: str) -> str:
    try:
        return canonical(name)
    except InvalidNameError as error:
        invalid(str(error))


def _size(request: Request, largest: int) -> int:
    given = str(request.get("MaxItems") or largest)
    if not re.fullmatch("[0-9]{1,9}", given) or not int(given):
        invalid(f"Invalid value for MaxItems: {given}")
    return min(int(given), largest)


# Changes


def _told_change(change: Change) -> Members:
    comment = {"Comment": change.comment} if change.comment else {}
    return {"Id": f"/change/{change.id}", "Status": change.status, "SubmittedAt": change.submitted, **comment}


def get_change(backend: Backend, request: Request) -> Members:
    change = backend.changes.get(request["Id"].rsplit("/", 1)[-1])
    if change is None:
        refuse("NoSuchChange", f"Could not find resource with ID: {request['Id']}")
    return {"ChangeInfo": _told_change(change)}


# Tags


def change_tags_for_resource(backend: Backend, request: Request) -> Members:
    """Add and remove tags of a zone.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html
    """
    zone = _tagged(backend, request["ResourceType"], request["ResourceId"])
    added = [(tag.get("Key") or "", tag.get("Value") or "") for tag in request.get("AddTags") or ()]
    removed = list(request.get("RemoveTagKeys") or ())
    if not added and not removed:
        invalid("You must specify AddTags or RemoveTagKeys.")
    if len(dict(added)) < len(added) or set(dict(added)) & set(removed):
        invalid("A tag key was specified more than once.")
    for key, value in added:
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            invalid(f"The tag key or value is not valid: {key}")
    tags = {key: value for key, value in zone.tags.items() if key not in removed} | dict(added)
    if len(tags) > TAGS:
        invalid(f"A resource can have a maximum of {TAGS} tags.")
    zone.tags = tags
    return {}


def list_tags_for_resource(backend: Backend, request: Request) -> Members:
    zone = _tagged(backend, request["ResourceType"], request["ResourceId"])
    return {"ResourceTagSet": _told_tags(zone)}


def list_tags_for_resources(backend: Backend, request: Request) -> Members:
    zones = [_tagged(backend, request["ResourceType"], each) for each in request["ResourceIds"]]
    return {"ResourceTagSets": [_told_tags(each) for each in zones]}


def _tagged(backend: Backend, kind: str, identity: str) -> Zone:
    if kind != "hostedzone":
        refuse("NoSuchHealthCheck", f"A health check with id: {identity} does not exist.")
    return _found(backend, identity)


def _told_tags(zone: Zone) -> Members:
    tags = [{"Key": key, "Value": value} for key, value in zone.tags.items()]
    return {"ResourceType": "hostedzone", "ResourceId": zone.id, "Tags": tags}


def _none(member: str, **others: object) -> Callable[[Backend, Request], Members]:
    """Return an operation that lists resources which the lab does not have."""
    return lambda _backend, _request: {member: [], "IsTruncated": False, "MaxItems": "100", **others}


OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "ChangeResourceRecordSets": change_resource_record_sets,
    "ChangeTagsForResource": change_tags_for_resource,
    "CreateHostedZone": create_hosted_zone,
    "DeleteHostedZone": delete_hosted_zone,
    "GetAccountLimit": get_account_limit,
    "GetChange": get_change,
    "GetDNSSEC": get_dnssec,
    "GetHostedZone": get_hosted_zone,
    "GetHostedZoneCount": get_hosted_zone_count,
    "GetHostedZoneLimit": get_hosted_zone_limit,
    "ListHealthChecks": _none("HealthChecks", Marker=""),
    "ListHostedZones": list_hosted_zones,
    "ListHostedZonesByName": list_hosted_zones_by_name,
    "ListHostedZonesByVPC": _none("HostedZoneSummaries"),
    "ListQueryLoggingConfigs": _none("QueryLoggingConfigs"),
    "ListResourceRecordSets": list_resource_record_sets,
    "ListReusableDelegationSets": _none("DelegationSets", Marker=""),
    "ListTagsForResource": list_tags_for_resource,
    "ListTagsForResources": list_tags_for_resources,
    "ListTrafficPolicies": _none("TrafficPolicySummaries", TrafficPolicyIdMarker=""),
    "ListTrafficPolicyInstances": _none("TrafficPolicyInstances"),
    "UpdateHostedZoneComment": update_hosted_zone_comment,
}


def carried_out(backend: Backend, operation: str, request: Request) -> Members:
    """Carry out an operation. Refuse one that the lab does not have, and parameters that the model does not permit."""
    if operation not in OPERATIONS:
        invalid(f"The lab has no {operation}: it has public hosted zones with simple and alias records.")
    check_required("route53", operation, request, "InvalidInput")
    check("route53", operation, request, "InvalidInput")
    return OPERATIONS[operation](backend, request)
