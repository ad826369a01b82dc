# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to an environment's records. These functions are pure.

The records of one name, with its ownership record, are one ChangeBatch, which Route 53 makes as a whole or not at all.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import validated
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    KNOWN_AFTER_APPLY,
    THIS_HOUR,
    Call,
    Change,
    Lookup,
    Ref,
    Token,
    Wait,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.observed import Observed, plain_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.options import (
    RECORD,
    ZONE,
    Alias,
    Records,
    zone_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.ownership import (
    ALIAS,
    VALIDATION,
    Mark,
    Whose,
    domain_of,
)

ADDRESSES = ("A", "AAAA")
TTL = 300
SYNC_DEADLINE = 300.0
LAST = Ref("record change", "last")
REMEDIES = {
    "InvalidChangeBatch": "Another process may have changed a record of this name. Run again to see its value.",
    "TooManyHostedZones": "The quota of hosted zones is exhausted. Raise it in Service Quotas, or delete unused zones.",
    "ConflictingDomainExists": "Another account has a zone of this name. Use the one that the parent domain points to.",
}

Item = dict[str, t.Any]  # a Change of a ChangeBatch


@dataclass(frozen=True)
class _Unit:
    """The changes of one name. `before` and `after` are for --diff."""

    action: t.Literal["create", "update", "delete"]
    name: str
    items: tuple[Item, ...]
    mark: Mark
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]


def comment_of(owner: Owner) -> str:
    """Return the comment of a hosted zone that the environment has created."""
    return f"groundwork.aws: environment {owner.environment}, component {owner.component}, region {owner.region}"


def plan_records(desired: Records, observed: Observed, owner: Owner, used: t.Container[str] = ()) -> list[Change]:
    """Return the changes. `used` are domains whose validation records other certificates of the account use."""
    whose = Whose(owner.environment, owner.region)
    units = [
        *(() if desired.planned else _validation_units(desired, observed, whose)),
        *(unit for alias in desired.aliases if (unit := _alias_unit(alias, observed, whose))),
        *(
            _removal(mark, observed)
            for mark in (leaving(desired, observed, whose) if desired.purge else ())
            if not is_needed(mark, observed, used)
        ),
    ]
    changes = [_change(unit, desired.zone) for unit in units]
    created = [] if observed.zone_id or desired.planned else [_zone_creation(desired, owner)]
    return [*created, *_awaited(changes, units, desired)]


def leaving(desired: Records, observed: Observed, whose: Whose) -> list[Mark]:
    """Return the environment's ownership records of names that are not declared."""
    names = {alias.name for alias in desired.aliases} | set(desired.kept)
    domains = {validated(name) for one in desired.certificates for name in one.names}
    return [
        mark
        for mark in observed.marks
        if mark.whose == whose
        and (domain_of(mark.name) not in domains if mark.kind == VALIDATION else mark.name not in names)
    ]


def check_records(desired: Records, observed: Observed, whose: Whose, problems: Problems) -> None:
    """Add to `problems` names whose records are not the environment's."""
    for at, alias in enumerate(desired.aliases):
        _check_name(alias.name, f"aliases[{at}].name", observed, whose, problems)
    for at, name in enumerate(desired.kept):
        _check_name(name, f"kept[{at}]", observed, whose, problems)
    for domain, (name, value) in _wanted_validations(desired, observed).items():
        actual = observed.value(name, "CNAME")
        mark = observed.mark(whose, name)
        if actual and actual != (value,) and not (mark and mark.created):
            wrong = f"{name} has the value {', '.join(actual)}, and ACM looks for {value} to validate {domain}"
            right = "if another AWS account validates the domain with it, use a zone of its own for one of them"
            problems.add("certificates", wrong, right)


def _check_name(name: str, where: str, observed: Observed, whose: Whose, problems: Problems) -> None:
    for other in observed.others(whose, name):
        wrong = f"{name} belongs to the environment {other.whose}, as its record {other.record_name} says"
        problems.add(where, wrong, "remove the name there first, or use another name")
    found = [f"{kind} {value}" for kind in (*ADDRESSES, "CNAME") for value in observed.value(name, kind)]
    foreign = [one for one in found if one.startswith("CNAME")] if observed.mark(whose, name) else found
    if foreign and not observed.others(whose, name):
        wrong = f"{name} has a record that this environment did not create: {', '.join(foreign)}"
        problems.add(where, wrong, "delete that record, or use another name")


def _wanted_validations(desired: Records, observed: Observed) -> dict[str, tuple[str, str]]:
    """Return the validation records (name and value) of the declared certificates by domain, as far as known."""
    domains = dict.fromkeys(validated(name) for one in desired.certificates for name in one.names)
    return {domain: observed.validations[domain] for domain in domains if domain in observed.validations}


def unknown_validations(desired: Records, observed: Observed) -> list[str]:
    """Return the domains of declared certificates whose validation records ACM has not told yet."""
    domains = dict.fromkeys(validated(name) for one in desired.certificates for name in one.names)
    return [domain for domain in domains if domain not in observed.validations]


def _validation_units(desired: Records, observed: Observed, whose: Whose) -> t.Iterator[_Unit]:
    known = _wanted_validations(desired, observed)
    for domain in dict.fromkeys(validated(name) for one in desired.certificates for name in one.names):
        if domain not in known:  # in check mode, before the request
            mark = Mark(whose, f"{KNOWN_AFTER_APPLY}.{domain}", VALIDATION, KNOWN_AFTER_APPLY)
            after = {"name": KNOWN_AFTER_APPLY, "type": "CNAME", "value": KNOWN_AFTER_APPLY}
            yield _Unit("create", f"validation of {domain}", (), mark, {}, after)
        elif unit := _validation_unit(domain, *known[domain], observed, whose):
            yield unit


def _validation_unit(domain: str, name: str, value: str, observed: Observed, whose: Whose) -> _Unit | None:
    actual, own = observed.value(name, "CNAME"), observed.mark(whose, name)
    created = not actual or any(mark.created for mark in (own, *observed.others(whose, name)) if mark)
    mark = Mark(whose, name, VALIDATION, value, created)
    items: list[Item] = []
    if actual != (value,):
        items.append(_item("UPSERT" if actual else "CREATE", _simple(name, "CNAME", value)))
    if own != mark:
        items.append(_item("UPSERT" if own else "CREATE", _text(mark)))
    if not items:
        return None
    before = {"name": name, "type": "CNAME", "value": ", ".join(actual)} if actual else {}
    after = {"name": name, "type": "CNAME", "value": value, "ownership": mark.record_name}
    return _Unit("update" if own else "create", f"validation of {domain}", tuple(items), mark, before, after)


def _alias_unit(alias: Alias, observed: Observed, whose: Whose) -> _Unit | None:
    own, mark = observed.mark(whose, alias.name), Mark(whose, alias.name, ALIAS)
    items: list[Item] = []
    for kind in ADDRESSES:
        wanted = kind == "A" or alias.ipv6
        actual = observed.records.get((alias.name, kind), ())
        if wanted and not _leads(actual, alias):
            items.append(_item("UPSERT" if own else "CREATE", _leading(alias, kind)))
        elif not wanted:
            items += [_item("DELETE", one) for one in actual]
    if own != mark:
        items.append(_item("UPSERT" if own else "CREATE", _text(mark)))
    if not items:
        return None
    before = {kind: ", ".join(values) for kind in ADDRESSES if (values := observed.value(alias.name, kind))}
    after = {kind: alias.target for kind in ADDRESSES if kind == "A" or alias.ipv6}
    return _Unit(
        "update" if own else "create", alias.name, tuple(items), mark, before, {**after, "ownership": mark.record_name}
    )


def _leads(actual: t.Sequence[t.Mapping[str, t.Any]], alias: Alias) -> bool:
    """Return whether existing record sets are the wanted one."""
    wanted = (alias.target.lower(), alias.zone_id)
    targets = [one.get("AliasTarget", {}) for one in actual]
    return [(plain_name(one.get("DNSName", "")), one.get("HostedZoneId")) for one in targets] == [wanted]


def _leading(alias: Alias, kind: str) -> dict[str, t.Any]:
    target = {"HostedZoneId": alias.zone_id, "DNSName": alias.target, "EvaluateTargetHealth": False}
    return {"Name": alias.name, "Type": kind, "AliasTarget": target}


def _simple(name: str, kind: str, value: str) -> dict[str, t.Any]:
    return {"Name": name, "Type": kind, "TTL": TTL, "ResourceRecords": [{"Value": value}]}


def _text(mark: Mark) -> dict[str, t.Any]:
    return _simple(mark.record_name, "TXT", mark.text)


def _item(action: str, record: t.Mapping[str, t.Any]) -> Item:
    return {"Action": action, "ResourceRecordSet": dict(record)}


def _removal(mark: Mark, observed: Observed) -> _Unit:
    """Return the removal of a name that is not declared any more.

    A validation record that was there before stays, and so does one that another environment uses.
    """
    kinds: t.Sequence[str] = ADDRESSES
    if mark.kind == VALIDATION:
        kinds = ("CNAME",) if _is_ours_alone(mark, observed) else ()
    found = [one for kind in kinds for one in observed.records.get((mark.name, kind), ())]
    texts = observed.records.get((mark.record_name, "TXT"), ())
    before = {one["Type"]: ", ".join(observed.value(mark.name, one["Type"])) for one in found}
    name = f"validation of {domain_of(mark.name)}" if mark.kind == VALIDATION else mark.name
    items = tuple(_item("DELETE", one) for one in (*found, *texts))
    return _Unit("delete", name, items, mark, {**before, "ownership": mark.record_name}, {})


def is_needed(mark: Mark, observed: Observed, used: t.Container[str]) -> bool:
    """Return whether a validation record has to stay with its ownership record, for certificates that still exist."""
    return mark.kind == VALIDATION and domain_of(mark.name) in used and _is_ours_alone(mark, observed)


def _is_ours_alone(mark: Mark, observed: Observed) -> bool:
    return mark.created and not observed.others(mark.whose, mark.name)


def batch(zone: t.Any, items: t.Sequence[Item]) -> Call:
    """Return the call that makes changes of records as a whole."""
    arguments = {"HostedZoneId": zone, "ChangeBatch": {"Comment": "groundwork.aws", "Changes": list(items)}}
    return Call("route53", "change_resource_record_sets", arguments, remedies=REMEDIES)


def _change(unit: _Unit, zone: str) -> Change:
    """Return the change of one name. A creation whose response was lost is refused when it is repeated."""
    calls = (replace(batch(zone_ref(zone), unit.items), echoes=("InvalidChangeBatch",)),) if unit.items else ()
    return Change(unit.action, RECORD, unit.name, calls, unit.before, unit.after)


def _awaited(changes: list[Change], units: t.Sequence[_Unit], desired: Records) -> list[Change]:
    """Return the changes, of which the last one that writes is awaited at all name servers of Route 53.

    The response of a creation can be lost. So the ownership record is written once more, which changes nothing. Its
    response has the id of a change that comes after all others.
    """
    last = max((at for at, unit in enumerate(units) if unit.items and unit.action != "delete"), default=None)
    if last is None or not desired.wait:
        return changes
    again = batch(zone_ref(desired.zone), [_item("UPSERT", _text(units[last].mark))])
    synced = Wait(
        f"the name servers of {desired.zone} to have the new records",
        Call("route53", "get_change", {"Id": LAST}),
        lambda answer: answer.get("ChangeInfo", {}).get("Status") == "INSYNC",
        deadline=SYNC_DEADLINE,
    )
    calls = (*changes[last].calls, again.safe_to_repeat().yielding(LAST, "ChangeInfo.Id"))
    changed = replace(changes[last], calls=calls, wait=synced)
    return [*changes[:last], changed, *changes[last + 1 :]]


def _zone_creation(desired: Records, owner: Owner) -> Change:
    ref, comment = zone_ref(desired.zone), comment_of(owner)
    arguments = {
        "Name": desired.zone,
        "CallerReference": Token((owner.name(desired.zone), owner.region, THIS_HOUR)),
        "HostedZoneConfig": {"Comment": comment, "PrivateZone": False},
    }
    lookup = Lookup(
        "list_hosted_zones_by_name",
        "HostedZones",
        {"DNSName": desired.zone},
        lambda item: plain_name(item["Name"]) == desired.zone and item["Config"].get("Comment") == comment,
    )
    create = Call("route53", "create_hosted_zone", arguments, {ref: "HostedZone.Id"}, lookup=lookup, remedies=REMEDIES)
    return Change("create", ZONE, desired.zone, (create,), after={"id": ref, "comment": comment})
