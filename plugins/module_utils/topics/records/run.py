# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `route53_records`."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import validated
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import DeadlineError, GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import AWS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Change, Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import (
    all_read,
    is_ours,
    names_of,
    tagged_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.changes import (
    ADDRESSES,
    NOT_USED,
    Used,
    check_records,
    leaving,
    owned,
    plan_records,
    unknown_validations,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.observed import Observed, check, look
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.options import (
    COMPONENT,
    RECORD,
    Alias,
    Records,
    parse_records,
    zone_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.ownership import VALIDATION, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.resolving import (
    Resolver,
    SystemResolver,
    delegation_problem,
    why_silent,
)

INTERVAL = 10.0  # seconds between two queries for records that a user enters

Entry = dict[str, t.Any]


def converge_records(run: Run, resolver: Resolver | None = None) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_records)
    desired = replace(desired, planned=desired.planned and run.check_mode)
    asked = resolver or SystemResolver()
    whose = Whose(owner.environment, owner.region)

    def judge(seen: Observed, problems: t.Any) -> None:
        check(desired, seen, problems)
        check_records(desired, seen, whose, problems)

    observed = run.observe(lambda: look(desired, whose, run.clients), judge)
    if desired.elsewhere:
        return _await_entries(run, desired, observed, asked)
    ids: Ids = {zone_ref(desired.zone): observed.zone_id} if observed.zone_id else {}
    if not run.check_mode and (untold := unknown_validations(desired, observed)):
        raise GroundworkError(
            f"Certificate Manager has not told the validation records of {', '.join(untold)} yet. Run again."
        )
    changes = plan_records(desired, observed, owner, _used(run, owner, desired, observed, whose))
    left = sorted(mark.name for mark in leaving(desired, observed, whose) if mark.kind != VALIDATION)
    if left and not desired.purge:
        run.warn(f"The names {', '.join(left)} are not declared, and their records stay. Set purge to delete them.")
    for warning in _hidings(desired, observed):
        run.warn(warning)
    result = run.make(changes, ids)
    servers, problem = _delegation(run, desired, observed, ids, asked)
    moved = [one.name for one in changes if one.action == "update" and _is_alias(one, desired)]
    zone = {"id": shown(zone_ref(desired.zone), ids), "name_servers": list(servers)}
    return {
        **result,
        "zone": zone,
        "delegation": problem,
        "moved": moved,
        "entries": [],
        "undeclared": left,
        "ttl": 0,
        "owned": [
            {"name": mark.name, "resource": mark.resource, "former": list(mark.former)}
            for mark in owned(desired, observed, whose)
        ],
    }


def _hidings(desired: Records, observed: Observed) -> t.Iterator[str]:
    """Yield sentences about what a wildcard stops to stand for because of new names.

    https://www.rfc-editor.org/rfc/rfc4592#section-4
    """
    for name in (*(alias.name for alias in desired.aliases), *desired.kept):
        if star := observed.wildcard(name):
            lost = sorted(set(observed.kinds(star)) - {*ADDRESSES, "CNAME"})
            if lost:
                yield f"The records {', '.join(lost)} of {star} do not apply to {name} any more: enter them for it."
            for above in observed.hidden(name):
                yield f"{star} does not stand for {above} any more, because {name} is below it: enter records for it."


def _is_alias(change: Change, desired: Records) -> bool:
    return change.resource == RECORD and change.name in {alias.name for alias in desired.aliases}


def _used(run: Run, owner: Owner, desired: Records, observed: Observed, whose: Whose) -> Used:
    """Return the domains of all certificates in the environment's region and CloudFront's, if a validation leaves."""
    if not desired.purge or not any(mark.kind == VALIDATION for mark in leaving(desired, observed, whose)):
        return NOT_USED
    regions = dict.fromkeys((whose.region, AWS.edge))
    reads = {f"all {region}": all_read(region) for region in regions}
    reads |= {f"own {region}": tagged_read(owner, region) for region in regions}
    answers = observe(run.clients, reads)
    tags = {one["ResourceARN"]: tag_dict(one) for region in regions for one in answers[f"own {region}"]}
    everything = [one for region in regions for one in answers[f"all {region}"]]
    own = [one for one in everything if is_ours(owner, tags.get(one["CertificateArn"], {}))]
    return Used(_domains(everything), _domains(own))


def _domains(certificates: t.Iterable[t.Mapping[str, t.Any]]) -> frozenset[str]:
    return frozenset(validated(name) for one in certificates for name in names_of(one))


def _delegation(
    run: Run, desired: Records, observed: Observed, ids: Ids, resolver: Resolver
) -> tuple[tuple[str, ...], str]:
    """Return the zone's name servers, and what is wrong with its delegation. A new zone is always checked."""
    servers = observed.name_servers
    new = not observed.zone_id and not run.check_mode
    if new:
        read = Read("route53", "get_hosted_zone", "DelegationSet.NameServers", {"Id": ids[zone_ref(desired.zone)]})
        servers = tuple(sorted(observe(run.clients, {"servers": read})["servers"]))
    problem = (
        delegation_problem(desired.zone, servers, resolver) if servers and (new or desired.check_delegation) else ""
    )
    if problem:
        run.warn(problem)
    return servers, problem


def _await_entries(run: Run, desired: Records, observed: Observed, resolver: Resolver) -> dict[str, t.Any]:
    """Return the records to enter in a zone that is not in the account, and wait until a resolver finds them."""
    found = [
        {"name": name, "type": "CNAME", "value": value}
        for _domain, (name, value) in sorted(observed.validations.items())
    ]
    found += [_entry(alias, desired.zone) for alias in desired.aliases]
    unseen = [{**one, "visible": True} for one in found if one["name"] in desired.unseen]
    entries = [{**one, "visible": _is_visible(one, resolver)} for one in found if one["name"] not in desired.unseen]
    if desired.wait and not run.check_mode and not all(one["visible"] for one in entries):
        _await(run, entries, desired, resolver)
        entries = [{**one, "visible": True} for one in entries]
    return {
        "changed": False,
        "changes": [],
        "diff": [],
        "zone": {},
        "delegation": "",
        "moved": [],
        "entries": [*entries, *unseen],
        "undeclared": [],
        "ttl": max((resolver.ttl(_asked(one)) for one in entries if one["visible"]), default=0),
        "owned": [],
    }


def _entry(alias: Alias, zone: str) -> Entry:
    """Return the record of a name. The zone's own name cannot have a CNAME record."""
    return {"name": alias.name, "type": "ALIAS" if alias.name == zone else "CNAME", "value": alias.target}


def _asked(entry: Entry) -> str:
    """Return the name to ask for, which is one that a wildcard stands for."""
    return str(entry["name"]).replace("*", "groundwork", 1)


def _is_visible(entry: Entry, resolver: Resolver) -> bool:
    """Return whether a resolver finds a record: the value, or for a name also one of the target's addresses."""
    if entry["value"] == KNOWN_AFTER_APPLY:
        return False
    name = _asked(entry)
    found = resolver.values(name, "CNAME")
    if found is None:
        raise GroundworkError(f"Could not look for the record {name}: {why_silent()} The zone is run elsewhere.")
    if entry["value"].lower() in found:
        return True
    addresses = resolver.values(name, "A") or []
    return bool(set(addresses).intersection(resolver.values(entry["value"], "A") or []))


def _await(run: Run, entries: t.Sequence[Entry], desired: Records, resolver: Resolver) -> None:
    def missing() -> list[Entry]:
        return [one for one in entries if not _is_visible(one, resolver)]

    try:
        wait_until(
            missing,
            lambda left: not left,
            until=f"the records of {desired.zone} to be entered",
            deadline=desired.deadline,
            interval=INTERVAL,
            clock=run.clock,
        )
    except DeadlineError as error:
        left = "; ".join(f"{one['name']} {one['type']} {one['value']}" for one in missing())
        hint = "Add names for which the provider answers with addresses of its own to unseen (dns_unseen)."
        raise GroundworkError(f"{error} Enter where the zone {desired.zone} is run: {left}. {hint}") from error
