# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that tell the state of an environment's servers and of their targets, worst news first."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.project.backup.telling import age_of

State = t.Mapping[str, t.Any]
Target = t.Mapping[str, t.Any]

MIB, GIB = 1024**2, 1024**3
HOUR = 3600
BACKUP_HOURS = 26  # the default of backup_max_age_hours
NEARLY_FULL = 0.9
RUNNING = ("active", "activating", "reloading")


def status(
    servers: t.Mapping[str, State | None],
    ids: t.Mapping[str, str],
    targets: t.Sequence[Target],
    backup_hours: float = BACKUP_HOURS,
) -> list[str]:
    """Return the lines. `servers` are the states by name, empty for one that could not be reached.

    `ids` are the instances of the servers. `targets` are those of all target groups. A backup that is older
    than `backup_hours` is a problem.
    """
    problems = [f"{name}: {wrong}" for name, state in servers.items() for wrong in wrongs(state, backup_hours)]
    problems += [f"{_server(one['id'], ids)}: {_health(one)}" for one in targets if one["state"] != "healthy"]
    problems += differences(servers)
    heading = [f"{len(problems)} problems:" if len(problems) != 1 else "1 problem:"] if problems else ["No problems."]
    return [
        *heading,
        *(f"  {problem}" for problem in problems),
        *(line for name, state in servers.items() for line in _lines(name, ids.get(name, ""), state, targets)),
        *(f"{one['id']}, not in the inventory: {_health(one)}" for one in targets if one["id"] not in ids.values()),
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
    for disk in state["disks"]:
        if disk["size"] and disk["free"] < disk["size"] * (1 - NEARLY_FULL):
            yield f"the file system {disk['mount']} is {_used(disk)} full"


def _wrong_backup(backup: t.Mapping[str, t.Any], hours: float) -> str:
    """Return what is wrong with the backups of a server, or ""."""
    failure = f"; the last attempt failed at {backup['failure']}" if backup["failure"] else ""
    if not backup["id"]:
        return f"has no backup yet{failure}"
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


def _server(identity: str, ids: t.Mapping[str, str]) -> str:
    return next((name for name, one in ids.items() if one == identity), identity)


def _health(target: Target) -> str:
    words = " ".join(word for word in (target["reason"], target["description"]) if word)
    return f"{target['state']} in {target['group']}{f' ({words})' if words else ''}"


def _used(disk: t.Mapping[str, t.Any]) -> str:
    return f"{100 - 100 * disk['free'] // (disk['size'] or 1)} %"
