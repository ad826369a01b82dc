# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that tell the state of an environment: its servers, their targets, certificates and distributions.

The worst news comes first.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.project.backup.telling import age_of

State = t.Mapping[str, t.Any]
Target = t.Mapping[str, t.Any]

MIB, GIB = 1024**2, 1024**3
HOUR = 3600
BACKUP_HOURS = 26  # the default of backup_max_age_hours
NEARLY_FULL = 0.9
SERVING = ("available", "backing-up", "storage-optimization")  # of a database
RUNNING = ("active", "activating", "reloading")


def status(
    servers: t.Mapping[str, State | None],
    ids: t.Mapping[str, str],
    targets: t.Sequence[Target],
    *,
    https: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]],
    database: State | None = None,
    groups: t.Sequence[State] = (),
    backup_hours: float = BACKUP_HOURS,
) -> list[str]:
    """Return the lines. `servers` are the states by name, empty for one that could not be reached.

    `ids` are the instances of the servers. `targets` are those of all target groups. `https` has `certificates` and
    `distributions` of the module `environment_https_info`. `database` is what the module `rds_database_instance`
    returns of the managed database, empty without one. `groups` are those of `autoscaling_groups_info`. A backup that
    is older than `backup_hours` is a problem.
    """
    problems = [f"{name}: {wrong}" for name, state in servers.items() for wrong in wrongs(state, backup_hours)]
    problems += [f"{_server(one['id'], ids)}: {_health(one)}" for one in targets if one["state"] != "healthy"]
    problems += differences(servers)
    problems += https_wrongs(https)
    problems += database_wrongs(database) if database else ()
    problems += group_wrongs(groups)
    heading = [f"{len(problems)} problems:" if len(problems) != 1 else "1 problem:"] if problems else ["No problems."]
    return [
        *heading,
        *(f"  {problem}" for problem in problems),
        *(line for name, state in servers.items() for line in _lines(name, ids.get(name, ""), state, targets)),
        *(_database_lines(database) if database else ()),
        *(line for one in groups for line in _group_lines(one)),
        *(f"{one['id']}, not in the inventory: {_health(one)}" for one in targets if one["id"] not in ids.values()),
        *(_certificate(one) for one in https["certificates"]),
        *(_distribution(one) for one in https["distributions"]),
    ]


def wrongs(state: State | None, backup_hours: float = BACKUP_HOURS) -> t.Iterator[str]:
    """Yield what is wrong with a server."""
    if not state:
        yield "cannot be reached by SSH"
        return
    for name, site in state["sites"].items():
        if not site["release"]:
            yield f"the site {name} has no release"
        elif not site["ready"]:
            yield f"the site {name} is not ready: its pages have not been answered as expected yet"
    for name, service in state["services"].items():
        if service["ActiveState"] not in RUNNING:
            yield f"{name} is {service['ActiveState']}"
    yield from (wrong for unit in state["units"] if (wrong := _wrong_unit(unit)))
    told = {unit["Id"] for unit in state["services"].values()}
    yield from (f"the unit {unit} failed" for unit in state["failed"] if unit not in told)
    for folder, mounted in state.get("files", {}).items():
        if mounted != "mounted":
            wrong = "is not mounted" if mounted == "not mounted" else mounted
            yield f"the file system of all servers at {folder} {wrong}"
    if "backup" in state and (wrong := _wrong_backup(state["backup"], backup_hours)):
        yield wrong
    for site, identity in state.get("backup", {}).get("interrupted", {}).items():
        way = f"run groundwork.aws.restore with restore_from={identity} and restore_site={site}"
        yield f"the restore of {site} is not complete, and it gets into no backup: {way}"
    for disk in state["disks"]:
        if disk["size"] and disk["free"] < disk["size"] * (1 - NEARLY_FULL):
            yield f"the file system {disk['mount']} is {_used(disk)} full"


def _wrong_backup(backup: t.Mapping[str, t.Any], hours: float) -> str:
    """Return what is wrong with the backups of a server, or ""."""
    failure = f"; the last attempt failed at {backup['failure']}" if backup["failure"] else ""
    if not backup["id"]:
        return f"has no backup yet{failure}"
    if backup["age"] < 0:
        return f"the newest backup, {backup['id']}, is of a time to come: look at the server's clock{failure}"
    if backup["age"] > hours * HOUR:
        return f"the newest backup, {backup['id']}, is {age_of(backup['age'])} old{failure}"
    return f"the newest backup is {backup['id']}{failure}" if failure else ""


def _wrong_unit(unit: t.Mapping[str, str]) -> str:
    """Return what is wrong with a worker or a timer, or "". One that has failed is among the failed units."""
    if unit["ActiveState"] not in (*RUNNING, "failed"):
        return f"{unit['Id']} is {unit['ActiveState']}"
    if unit.get("SubState", "").startswith("auto-restart") and unit.get("Result") != "success":
        again = unit.get("NRestarts") or "?"
        return f"{unit['Id']} ends with an error ({unit['Result']}) and is started again: {again} restarts"
    return ""


def differences(servers: t.Mapping[str, State | None]) -> t.Iterator[str]:
    """Yield the sites of which not all servers have the same release."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, state in servers.items():
        for site, one in (state or {"sites": {}})["sites"].items():
            found.setdefault(site, {}).setdefault(one["release"] or "no release", []).append(name)
    for site, releases in found.items():
        if len(releases) > 1:
            told = "; ".join(f"{release} on {', '.join(names)}" for release, names in releases.items())
            yield f"the servers have different releases of {site}: {told}"


def https_wrongs(https: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]) -> t.Iterator[str]:
    """Yield what is wrong with certificates and distributions."""
    for one in https["certificates"]:
        if one["problem"]:
            yield f"the certificate for {', '.join(one['names'])}: {one['problem']}"
    for one in https["distributions"]:
        if not one["enabled"]:
            yield f"the distribution {one['name']} ({one['id']}) is disabled"


def _certificate(one: t.Mapping[str, t.Any]) -> str:
    until = f", valid for {one['days']} days until {one['ends']}" if one["ends"] else ""
    unused = "" if one["in_use"] else ", not in use"
    return f"certificate for {', '.join(one['names'])}: {one['status']}{until}{unused}"


def _distribution(one: t.Mapping[str, t.Any]) -> str:
    names = ", ".join([*one["aliases"], one["domain"]])
    return f"distribution {one['name']} ({one['id']}): {one['status']}, serves {names}"


def _lines(name: str, identity: str, state: State | None, targets: t.Sequence[Target]) -> t.Iterator[str]:
    yield f"{name} ({identity})"
    yield from (f"  target group {one['group']}: {_health(one)}" for one in targets if one["id"] == identity)
    if not state:
        return
    for site, one in state["sites"].items():
        kept = len(one["kept"])
        yield f"  site {site}: release {one['release'] or 'none'} since {one['since'] or '-'}, {kept} on the server"
    for unit in state["units"]:
        yield f"  {_unit(unit)}"
    if "backup" in state:
        newest, age = state["backup"]["id"], age_of(state["backup"]["age"])
        yield f"  backup: {f'{newest}, {age} old' if newest else 'none yet'}"
    services = ", ".join(f"{key} {one['ActiveState']}" for key, one in state["services"].items())
    yield f"  services: {services}"
    disks = ", ".join(f"{one['mount']} {_used(one)} of {one['size'] / GIB:.1f} GiB" for one in state["disks"])
    memory = state["memory"]
    yield f"  disks: {disks}; memory: {memory['free'] // MIB} of {memory['size'] // MIB} MiB free; load {state['load']}"


def _unit(unit: t.Mapping[str, str]) -> str:
    name = unit["Id"]
    if name.endswith(".timer"):
        last = unit.get("LastTriggerUSec") or "never"
        return f"{name}: {unit['ActiveState']}, last {last}, next {unit.get('NextElapseUSecRealtime') or '-'}"
    restarts = unit.get("NRestarts", "0")
    again = f", {restarts} restarts" if restarts not in ("", "0") else ""
    since = unit.get("ActiveEnterTimestamp") or "-"
    return f"{name}: {unit['ActiveState']} ({unit['SubState']}) since {since}, result {unit.get('Result', '-')}{again}"


def database_wrongs(database: State) -> t.Iterator[str]:
    """Yield what is wrong with the managed database, and what waits for its maintenance window or a restart."""
    if database["state"] not in SERVING:
        yield f"the database {database['identifier']} is {database['state']}"
    yield from (waits.rstrip(".") for waits in database["waiting"])


def _database_lines(database: State) -> t.Iterator[str]:
    yield f"database {database['identifier']}: {database['state']}"
    grows = f", grows to {database['max_storage_gib']}" if database["max_storage_gib"] else ""
    standby = ", with a standby" if database["multi_az"] else ""
    ends = f", supported by AWS until {database['support_ends']}" if database["support_ends"] else ""
    yield f"  MariaDB {database['engine_version']}{ends}"
    yield f"  {database['instance_class']}{standby}; {database['storage_gib']} GiB{grows}"
    yield f"  backups: restorable until {database['restorable_until'] or '-'}"


def group_wrongs(groups: t.Sequence[State]) -> t.Iterator[str]:
    """Yield the Auto Scaling groups with fewer servers than they want, and those whose policies are disabled."""
    for one in groups:
        if one["in_service"] < one["desired"]:
            yield f"the group {one['tier']} has {one['in_service']} of {one['desired']} servers in service"
        for policy in one["policies"]:
            if not policy["enabled"]:
                yield f"the policy {policy['name']} of the group {one['tier']} is disabled"


def _group_lines(group: State) -> t.Iterator[str]:
    size = f"{group['in_service']} of {group['desired']} servers in service"
    yield f"group {group['tier']}: {size}, from {group['min']} to {group['max']}"
    for policy in group["policies"]:
        target = f"{policy['metric']} {policy['target']:g}" if policy["metric"] else "not by target tracking"
        alone = "" if policy["scales_in"] else ", only grows"
        yield f"  policy {policy['name']}: {target}{alone}"


def _server(identity: str, ids: t.Mapping[str, str]) -> str:
    return next((name for name, one in ids.items() if one == identity), identity)


def _health(target: Target) -> str:
    words = " ".join(word for word in (target["reason"], target["description"]) if word)
    return f"{target['state']} in {target['group']}{f' ({words})' if words else ''}"


def _used(disk: t.Mapping[str, t.Any]) -> str:
    return f"{100 - 100 * disk['free'] // (disk['size'] or 1)} %"
