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
    THIS_RUN,
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
    COPY,
    VALIDATION,
    Mark,
    Whose,
    domain_of,
)

OWNERSHIP = "ownership record"
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
    """The changes of one name, with its ownership record afterwards. `before` and `after` are for --diff."""

    action: t.Literal["create", "update", "delete"]
    name: str
    items: tuple[Item, ...]
    mark: Mark
    before: t.Mapping[str, t.Any]
    after: t.Mapping[str, t.Any]
    resource: str = RECORD
    stays: bool = True  # the ownership record


def comment_of(owner: Owner) -> str:
    """Return the comment of a hosted zone that the environment has created."""
    return f"groundwork.aws: environment {owner.environment}, component {owner.component}, region {owner.region}"


class Used(t.NamedTuple):
    """The domains whose validation records certificates use: those of the account, and of them the environment's."""

    account: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


NOT_USED = Used()


def plan_records(desired: Records, observed: Observed, owner: Owner, used: Used = NOT_USED) -> list[Change]:
    """Return the changes."""
    whose = Whose(owner.environment, owner.region)
    units = [
        *_entered(desired, observed, whose),
        *(
            _validation_removal(mark, observed)
            for mark in (leaving(desired, observed, whose) if desired.purge else ())
            if mark.kind == VALIDATION and not is_needed(mark, observed, used)
        ),
    ]
    changes = [_change(unit, desired.zone) for unit in units]
    created = [] if observed.zone_id or desired.planned else [_zone_creation(desired, owner)]
    return [*created, *_awaited(changes, units, desired)]


def _entered(desired: Records, observed: Observed, whose: Whose) -> t.Iterator[_Unit]:
    """Yield the changes of names and of validation records that certificates need."""
    if desired.forget:
        yield from _forgotten(desired, observed, whose)
        return
    if not desired.planned:
        yield from _uncovered(desired, observed, whose)
        yield from _validation_units(desired, observed, whose)
    for alias in desired.aliases:
        if unit := _alias_unit(alias, observed, whose):
            yield unit
    for mark in leaving(desired, observed, whose) if desired.purge else ():
        if mark.kind != VALIDATION and (unit := _removal(mark, observed)):
            yield unit


def owned(desired: Records, observed: Observed, whose: Whose) -> list[Mark]:
    """Return the ownership records of names, as they are after the changes."""
    marks = {mark.name: mark for mark in observed.marks if mark.whose == whose and mark.kind != VALIDATION}
    for alias in desired.aliases:
        before = marks.get(alias.name, Mark(whose, alias.name, ALIAS, resource=alias.resource))
        marks[alias.name] = before.leading_to(alias.resource)
    if desired.purge:
        for mark in leaving(desired, observed, whose):
            if mark.kind != VALIDATION:
                marks[mark.name] = mark.leading_to("")
    after = [replace(mark, former=()) if desired.forget else mark for mark in marks.values()]
    return sorted((mark for mark in after if mark.resource or mark.former), key=lambda mark: mark.name)


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
    places = [(alias.name, f"aliases[{at}].name") for at, alias in enumerate(desired.aliases)]
    places += [(name, f"kept[{at}]") for at, name in enumerate(desired.kept)]
    for name, where in places:
        for wrong, right in _refusals(name, desired, observed, whose):
            problems.add(where, wrong, right)
    for domain, (name, value) in _wanted_validations(desired, observed).items():
        actual = observed.value(name, "CNAME")
        mark = observed.mark(whose, name)
        if actual and actual != (value,) and not (mark and mark.created):
            wrong = f"{name} has the value {', '.join(actual)}, and ACM looks for {value} to validate {domain}"
            right = "if another AWS account validates the domain with it, use a zone of its own for one of them"
            problems.add("certificates", wrong, right)


def _refusals(name: str, desired: Records, observed: Observed, whose: Whose) -> t.Iterator[tuple[str, str]]:
    """Yield why the records of a name cannot be changed, and what would be right."""
    others = observed.others(whose, name)
    for other in others:
        wrong = f"{name} belongs to the environment {other.whose}, as its record {other.record_name} says"
        yield wrong, "remove the name there first, or use another name"
    servers = observed.value(name, "NS") if name != desired.zone else ()
    if servers:
        wrong = f"{name} is delegated to {', '.join(servers)}, so that no other record of this zone is seen for it"
        yield wrong, "delete its NS record, or use another name"
    foreign = _foreign(name, observed, whose)
    if foreign and name not in desired.adopt and not others:
        wrong = f"{name} has a record that this environment did not create: {', '.join(foreign)}"
        right = f"add {name} to adopt (dns_adopt) to replace this value, delete the record, or use another name"
        yield wrong, right


def _foreign(name: str, observed: Observed, whose: Whose) -> list[str]:
    """Return the types and values of a name's records that the environment has not created."""
    mark = observed.mark(whose, name)
    ours = kinds_of(mark) if mark else ()
    kinds = [kind for kind in (*ADDRESSES, "CNAME") if kind not in ours]
    return [f"{kind} {value}" for kind in kinds for value in observed.value(name, kind)]


def kinds_of(mark: Mark) -> tuple[str, ...]:
    """Return the types of the records of a name. A wildcard can have CNAME records."""
    return (*ADDRESSES, "CNAME") if mark.kind == COPY else ADDRESSES


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


def _uncovered(desired: Records, observed: Observed, whose: Whose) -> t.Iterator[_Unit]:
    """Yield copies of a wildcard's records for new names, which it stops to stand for when a record is below them.

    Their validation records and ownership records are. https://www.rfc-editor.org/rfc/rfc4592#section-2.2.2
    """
    for name in dict.fromkeys(name for one in desired.certificates for name in one.names if name in desired.kept):
        found = [
            {**one, "Name": name}
            for kind in (*ADDRESSES, "CNAME")
            for one in observed.records.get((observed.wildcard(name), kind), ())
        ]
        if found:
            mark = Mark(whose, name, COPY)
            items = [_item("CREATE", one) for one in (*found, _text(mark))]
            after = {one["Type"]: ", ".join(observed.value(observed.wildcard(name), one["Type"])) for one in found}
            yield _Unit("create", name, tuple(items), mark, {}, {**after, "ownership": mark.record_name})


def _alias_unit(alias: Alias, observed: Observed, whose: Whose) -> _Unit | None:
    own = observed.mark(whose, alias.name)
    mark = (own or Mark(whose, alias.name, ALIAS, resource=alias.resource)).leading_to(alias.resource)
    items = [item for kind in ("CNAME", *ADDRESSES) for item in _leading_items(alias, kind, observed, own=bool(own))]
    if own != mark:
        items.append(_item("UPSERT" if own else "CREATE", _text(mark)))
    if not items:
        return None
    kinds = ("CNAME", *ADDRESSES)
    before = {kind: ", ".join(values) for kind in kinds if (values := observed.value(alias.name, kind))}
    after = {kind: alias.target for kind in ADDRESSES if kind == "A" or alias.ipv6}
    return _Unit(
        "update" if own or before else "create",
        alias.name,
        tuple(items),
        mark,
        before,
        {**after, "ownership": mark.record_name},
    )


def _leading_items(alias: Alias, kind: str, observed: Observed, *, own: bool) -> t.Iterator[Item]:
    """Yield the changes of the records of one type. Those with a routing policy cannot become one without it."""
    actual = observed.records.get((alias.name, kind), ())
    wanted = kind == "A" or (kind == "AAAA" and alias.ipv6)
    if wanted and _leads(actual, alias):
        return
    replaced = not wanted or not own or any("SetIdentifier" in one for one in actual)
    if replaced:
        yield from (_item("DELETE", one) for one in actual)
    if wanted:
        yield _item("CREATE" if replaced else "UPSERT", _leading(alias, kind))


def _forgotten(desired: Records, observed: Observed, whose: Whose) -> t.Iterator[_Unit]:
    """Yield the changes of ownership records when resolvers have forgotten what names led to before."""
    targets = {alias.name: alias.resource for alias in desired.aliases}
    gone = {mark.name for mark in leaving(desired, observed, whose)} if desired.purge else set()
    for own in observed.marks:
        if own.whose != whose or own.kind == VALIDATION or own.name not in {*targets, *gone}:
            continue
        mark = own.leading_to(targets.get(own.name, ""))
        if mark.former:
            after = replace(mark, former=())
            item = _item("UPSERT", _text(after)) if mark.resource else _item("DELETE", _text(own))
            action: t.Literal["update", "delete"] = "update" if mark.resource else "delete"
            state: dict[str, t.Any] = {"former": []} if mark.resource else {}
            yield _Unit(action, own.name, (item,), after, {"former": list(mark.former)}, state, OWNERSHIP, stays=False)


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


def _removal(mark: Mark, observed: Observed) -> _Unit | None:
    """Return the removal of the records of a name that is not declared any more.

    The ownership record stays until resolvers have forgotten what the name led to.
    """
    found = [one for kind in kinds_of(mark) for one in observed.records.get((mark.name, kind), ())]
    after = mark.leading_to("")
    items = [_item("DELETE", one) for one in found]
    if not after.former:
        items += [_item("DELETE", one) for one in observed.records.get((mark.record_name, "TXT"), ())]
    elif after != mark:
        items.append(_item("UPSERT", _text(after)))
    if not items:
        return None
    before = {one["Type"]: ", ".join(observed.value(mark.name, one["Type"])) for one in found}
    told = {**before, "ownership": mark.record_name}
    return _Unit("delete", mark.name, tuple(items), after, told, {}, stays=bool(after.former))


def _validation_removal(mark: Mark, observed: Observed) -> _Unit:
    """Return the removal of a validation record.

    One that was there before stays, and so does one that another environment uses.
    """
    found = observed.records.get((mark.name, "CNAME"), ()) if _is_ours_alone(mark, observed) else ()
    texts = observed.records.get((mark.record_name, "TXT"), ())
    before = {"CNAME": ", ".join(observed.value(mark.name, "CNAME"))} if found else {}
    items = tuple(_item("DELETE", one) for one in (*found, *texts))
    name = f"validation of {domain_of(mark.name)}"
    return _Unit("delete", name, items, mark, {**before, "ownership": mark.record_name}, {}, stays=False)


def is_needed(mark: Mark, observed: Observed, used: Used) -> bool:
    """Return whether the ownership record of a validation record has to stay, for certificates that still exist.

    One of the environment needs it in any case. Those of others need it if no other environment has one.
    """
    domain = domain_of(mark.name)
    return domain in used.own or (domain in used.account and _is_ours_alone(mark, observed))


def _is_ours_alone(mark: Mark, observed: Observed) -> bool:
    return mark.created and not observed.others(mark.whose, mark.name)


def batch(zone: t.Any, items: t.Sequence[Item]) -> Call:
    """Return the call that makes changes of records as a whole."""
    arguments = {"HostedZoneId": zone, "ChangeBatch": {"Comment": "groundwork.aws", "Changes": list(items)}}
    return Call("route53", "change_resource_record_sets", arguments, remedies=REMEDIES)


def _change(unit: _Unit, zone: str) -> Change:
    """Return the change of one name. A creation whose response was lost is refused when it is repeated."""
    calls = (replace(batch(zone_ref(zone), unit.items), echoes=("InvalidChangeBatch",)),) if unit.items else ()
    return Change(unit.action, unit.resource, unit.name, calls, unit.before, unit.after)


def _awaited(changes: list[Change], units: t.Sequence[_Unit], desired: Records) -> list[Change]:
    """Return the changes, of which the last one that writes is awaited at all name servers of Route 53.

    The response of a creation can be lost. So the ownership record is written once more, which changes nothing. Its
    response has the id of a change that comes after all others.
    """
    last = max((at for at, unit in enumerate(units) if unit.items and unit.stays), default=None)
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
    reference = (owner.name(desired.zone), owner.region)
    arguments = {
        "Name": desired.zone,
        "CallerReference": Token((*reference, THIS_HOUR)),
        "HostedZoneConfig": {"Comment": comment, "PrivateZone": False},
    }
    lookup = Lookup(
        "list_hosted_zones_by_name",
        "HostedZones",
        {"DNSName": desired.zone},
        lambda item: plain_name(item["Name"]) == desired.zone and item["Config"].get("Comment") == comment,
    )
    create = Call("route53", "create_hosted_zone", arguments, {ref: "HostedZone.Id"}, lookup=lookup, remedies=REMEDIES)
    # Route 53 remembers the reference of a zone that was deleted.
    again = replace(create, arguments={**arguments, "CallerReference": Token((*reference, THIS_RUN))})
    create = replace(create, instead={"HostedZoneAlreadyExists": again})
    return Change("create", ZONE, desired.zone, (create,), after={"id": ref, "comment": comment})
