"""Change batches: the record sets of a zone after all changes of a batch, or what is wrong with it. Pure functions.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from groundwork_lab.aws.route53.dnsnames import InvalidNameError, canonical, decoded, is_within
from groundwork_lab.aws.route53.state import Key, RecordSet
from groundwork_lab.aws.route53.values import CHECKS, problem

Action = Literal["CREATE", "DELETE", "UPSERT"]
Records = Mapping[Key, RecordSet]

ROUTING = (
    "Weight",
    "Region",
    "GeoLocation",
    "Failover",
    "MultiValueAnswer",
    "GeoProximityLocation",
    "CidrRoutingConfig",
)
MAX_CHANGES, MAX_CHARACTERS, MAX_VALUES, MAX_RECORDS = 1000, 32000, 400, 10000
CLOUDFRONT = "Z2FDTNDATAQYW2"
DUALSTACK = "dualstack."


class InvalidError(Exception):
    """A batch that Route 53 does not accept: `code` and the messages."""

    def __init__(self, code: str, messages: Iterable[str]) -> None:
        listed = list(messages)
        super().__init__(listed[0] if code == "InvalidInput" else f"[{', '.join(listed)}]")
        self.code = code


class Step(NamedTuple):
    action: Action
    record: RecordSet


class Targets(NamedTuple):
    """What aliases can target: the names in each hosted zone of AWS' own, and the suffix of its names."""

    names: Mapping[str, frozenset[str]]
    suffixes: Mapping[str, str]


def steps(changes: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return the steps of a batch. Raise InvalidError for a change whose form is wrong."""
    weight = [2 if each["Action"] == "UPSERT" else 1 for each in changes]
    values = [[item["Value"] for item in each["ResourceRecordSet"].get("ResourceRecords") or ()] for each in changes]
    if sum(factor * max(1, len(texts)) for factor, texts in zip(weight, values, strict=True)) > MAX_CHANGES:
        raise InvalidError("InvalidChangeBatch", [f"Number of records limit of {MAX_CHANGES} exceeded."])
    if sum(factor * len("".join(texts)) for factor, texts in zip(weight, values, strict=True)) > MAX_CHARACTERS:
        raise InvalidError("InvalidChangeBatch", [f"RDATA character limit of {MAX_CHARACTERS} exceeded."])
    made = [_step(each["Action"], each["ResourceRecordSet"]) for each in changes]
    _check_repeated(made)
    return made


def _step(action: Action, given: Mapping[str, Any]) -> Step:
    _check_form(action, given)
    try:
        name = canonical(given["Name"])
    except InvalidNameError as error:
        raise InvalidError("InvalidChangeBatch", [str(error)]) from error
    alias = given.get("AliasTarget")
    values = tuple(each["Value"] for each in given.get("ResourceRecords") or ())
    if alias is None:
        return Step(action, RecordSet(name, given["Type"], int(given["TTL"]), values))
    return Step(action, RecordSet(name, given["Type"], alias=_alias(alias)))


def _alias(given: Mapping[str, Any]) -> tuple[str, str, bool]:
    try:
        name = canonical(given["DNSName"])
    except InvalidNameError as error:
        raise InvalidError("InvalidChangeBatch", [str(error)]) from error
    return given["HostedZoneId"], name, bool(given["EvaluateTargetHealth"])


def _check_form(action: Action, given: Mapping[str, Any]) -> None:
    where = (
        f"Change with [Action={action}, Name={given['Name']}, Type={given['Type']}, "
        f"SetIdentifier={given.get('SetIdentifier', 'null')}]"
    )
    plain = "TTL" in given or bool(given.get("ResourceRecords"))
    complete = "TTL" in given and bool(given.get("ResourceRecords"))
    ways = [way for way in (complete, "AliasTarget" in given, "TrafficPolicyInstanceId" in given) if way]
    if not ways or (plain and not complete) or (plain and "AliasTarget" in given):
        found = "more than one" if plain and "AliasTarget" in given else "none"
        expected = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
        told = f"Invalid request: Expected exactly one of {expected}, but found {found} in {where}"
        raise InvalidError("InvalidInput", [told])
    routing = [name for name in ROUTING if name in given]
    if routing and "SetIdentifier" not in given:
        raise InvalidError("InvalidInput", [f"Invalid request: Missing field 'SetIdentifier' in {where}"])
    if "SetIdentifier" in given and not routing:
        expected = (
            "[Weight, Region, Failover, GeoLocation, GeoProximityLocation, CidrRoutingConfig, or MultiValueAnswer]"
        )
        told = f"Invalid request: Expected exactly one of {expected}, but found none in {where}"
        raise InvalidError("InvalidInput", [told])
    unserved = [*routing, *(name for name in ("HealthCheckId", "TrafficPolicyInstanceId") if name in given)]
    if unserved:
        told = f"The lab has no {', '.join(unserved)}: its record sets have simple routing or an alias."
        raise InvalidError("InvalidInput", [told])
    if given["Type"] not in CHECKS:
        raise InvalidError("InvalidInput", [f"The lab has no records of type {given['Type']}."])


def _check_repeated(made: Sequence[Step]) -> None:
    """Refuse several changes of a record set, but a deletion before a creation."""
    actions: dict[Key, list[Action]] = {}
    for step in made:
        actions.setdefault(step.record.key, []).append(step.action)
    wrong = [key for key, taken in actions.items() if len(taken) > 1 and taken != ["DELETE", "CREATE"]]
    if wrong:
        told = "The request contains an invalid set of changes for a resource record set"
        raise InvalidError("InvalidChangeBatch", [f"{told} '{kind} {name}'" for name, kind in wrong])


def applied(zone_id: str, zone: str, records: Records, made: Sequence[Step], targets: Targets) -> dict[Key, RecordSet]:
    """Return the record sets of a zone after the steps. Raise InvalidError if one of them is not possible."""
    after = dict(records)
    messages: list[str] = []
    for step in made:
        messages += _problems(zone, step, after)
        if step.action == "DELETE":
            after.pop(step.record.key, None)
        else:
            after[step.record.key] = step.record
    changed = {step.record.key for step in made if step.action != "DELETE"} & after.keys()
    messages += [told for key in changed for told in _conflicts(zone, after[key], after)]
    messages += [told for key in changed for told in _target(zone_id, zone, after[key], after, targets)]
    messages += _apex(zone, after)
    if len(after) > MAX_RECORDS:
        messages.append(f"Number of records limit of {MAX_RECORDS} exceeded.")
    if messages:
        raise InvalidError("InvalidChangeBatch", dict.fromkeys(messages))
    return after


def _problems(zone: str, step: Step, now: Records) -> Iterator[str]:
    record = step.record
    named = f"resource record set [name='{record.name}', type='{record.type}']"
    found = now.get(record.key)
    if not is_within(record.name, zone):
        yield f"RRSet with DNS name {record.name} is not permitted in zone {zone}"
    elif step.action == "CREATE" and found is not None:
        yield f"Tried to create {named} but it already exists"
    elif step.action == "DELETE" and found is None:
        yield f"Tried to delete {named} but it was not found"
    elif step.action == "DELETE" and not _equal(found, record):
        yield f"Tried to delete {named} but the values provided do not match the current values"
    if step.action != "DELETE":
        yield from _values(record)


def _equal(one: RecordSet | None, other: RecordSet) -> bool:
    """Return whether the record sets are equal. The order of values does not matter."""
    return one is not None and (one.ttl, sorted(one.values), one.alias) == (
        other.ttl,
        sorted(other.values),
        other.alias,
    )


def _values(record: RecordSet) -> Iterator[str]:
    yield from (told for value in record.values if (told := problem(record.type, value)))
    yield from (f"Duplicate Resource Record: '{value}'" for value, times in Counter(record.values).items() if times > 1)
    if record.ttl is not None and not 0 <= record.ttl <= 2**31 - 1:
        yield f"Invalid TTL: {record.ttl}"
    if record.type in ("CNAME", "SOA") and len(record.values) > 1:
        yield f"RRSet of type {record.type} with DNS name {record.name} may contain only one value"
    if len(record.values) > MAX_VALUES:
        yield f"Number of values limit of {MAX_VALUES} exceeded for {record.name}"


def _conflicts(zone: str, record: RecordSet, after: Records) -> Iterator[str]:
    """Yield the conflicts of a CNAME with other records of its name, and of others with a CNAME."""
    told = f"RRSet of type {record.type} with DNS name {record.name} is not permitted"
    if record.type == "CNAME" and record.name == zone:
        yield f"{told} at apex in zone {zone}"
    elif record.type == "CNAME" and any(name == record.name and kind != "CNAME" for name, kind in after):
        yield f"{told} as it conflicts with other records with the same DNS name in zone {zone}"
    elif record.type != "CNAME" and (record.name, "CNAME") in after and record.name != zone:
        same = "because a conflicting RRSet of type CNAME with the same DNS name already exists"
        yield f"{told} {same} in zone {zone}"
    if record.type == "SOA" and record.name != zone:
        yield f"{told}: a SOA record is permitted at the apex only in zone {zone}"


def _target(zone_id: str, zone: str, record: RecordSet, after: Records, targets: Targets) -> Iterator[str]:
    """Yield what is wrong with an alias target.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
    """
    if record.alias is None:
        return
    target_zone, name, evaluated = record.alias
    told = f"Tried to create an alias that targets {name}, type {record.type} in zone {target_zone}, but"
    if target_zone == zone_id:
        inside, exists = is_within(name, zone), (name, record.type) in after and name != record.name
        kinds: tuple[str, ...] = tuple(kind for kind in CHECKS if kind not in ("NS", "SOA"))
    else:
        suffix = targets.suffixes.get(target_zone)
        inside = suffix is not None and name.endswith(f".{suffix}.")
        exists = decoded(name).removesuffix(".").removeprefix(DUALSTACK) in targets.names.get(target_zone, ())
        kinds = ("A", "AAAA")
    if not inside:
        yield f"{told} the alias target name does not lie within the target zone"
    if not exists or record.type not in kinds:
        yield f"{told} that target was not found"
    if target_zone == CLOUDFRONT and evaluated:
        yield f"EvaluateTargetHealth cannot be true for an alias that targets a CloudFront distribution: {name}"


def _apex(zone: str, after: Records) -> Iterator[str]:
    if (zone, "SOA") not in after:
        yield "A HostedZone must contain exactly one SOA record."
    if (zone, "NS") not in after:
        yield "A HostedZone must contain at least one NS record for the zone itself."
