# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes from the observed releases of a server to the desired ones."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import (
    CURRENT,
    RELEASES,
    Command,
    Release,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import SHARED

RUNNING = frozenset({"active", "activating", "reloading"})


@dataclass(frozen=True)
class Site:
    """The observed releases of a site: the ids, the latest used first, and the current id ("" for none).

    `foreign` are the releases that the wrong account owns. `changed` are the members of the desired release
    that are not as they were unpacked. `shared` are the shared folders that exist. `incomplete` are the declared
    folders that the desired release does not have yet, and `conflicts` is what is in their way. `undeclared` is what
    is still shared for the current release only. `served` is whether the desired release has been current here. `moved`
    is whether the shared folder is on the file system of all servers, if it should be.
    """

    releases: tuple[str, ...] = ()
    current: str = ""
    foreign: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    served: bool = False
    moved: bool = True


@dataclass(frozen=True)
class Step:
    """The changes of one site."""

    release: Release
    unpack: bool
    switch: bool
    before: str
    prune: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    mend: tuple[str, ...] = ()  # the members to put back
    share: tuple[str, ...] = ()  # the shared folders to create
    lay: tuple[str, ...] = ()  # the links and writable folders to add to the release
    command: Command | None = None  # what one of the servers has to run before the switch
    move: bool = False  # the shared folder to the file system of all servers

    @property
    def renews(self) -> bool:
        """Return whether the code or the folders of the current release change, so that its processes start anew."""
        return bool(self.switch or self.mend or self.lay)

    @property
    def needs_archive(self) -> bool:
        """Return whether the archive of the release must be on the server."""
        return self.unpack or bool(self.mend)


@dataclass(frozen=True)
class Plan:
    """The changes of all sites, the services to reload after them, and the workers to restart and to start."""

    steps: tuple[Step, ...]
    reload: tuple[str, ...]
    restart: tuple[str, ...] = ()
    start: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return the sites whose archive must be on the server."""
        return [step.release.name for step in self.steps if step.needs_archive]


def make_plan(
    desired: t.Sequence[Release],
    observed: t.Mapping[str, Site],
    pending: t.Iterable[str],
    states: t.Mapping[str, str] | None = None,
) -> Plan:
    """Return the changes that lead to the desired releases. Pure.

    `pending` are reloads and restarts of an interrupted run, and `states` the active states of the workers. A worker
    that systemd is about to start again is not started.
    """
    steps = [_step(release, observed.get(release.name, Site())) for release in desired]
    workers = {name for release in desired for name in release.workers}
    reloads = [
        *(name for name in pending if name not in workers),
        *(name for step in steps if step.renews for name in step.release.reload),
    ]
    renewed = {name for step in steps if step.renews for name in step.release.workers}
    running = {name for name, state in (states or {}).items() if state in RUNNING}
    ordered = [name for release in desired for name in release.workers]
    changing = tuple(s for s in steps if s.needs_archive or s.switch or s.prune or s.own or s.share or s.lay or s.move)
    return Plan(
        changing,
        tuple(dict.fromkeys(reloads)),
        restart=tuple(name for name in ordered if name in running and name in {*renewed, *pending}),
        start=tuple(name for name in ordered if name not in running),
    )


def _step(release: Release, site: Site) -> Step:
    kept = list(dict.fromkeys([release.id, *(one for one in (site.current,) if one), *site.releases]))
    prune = tuple(kept[release.keep :])
    return Step(
        release=release,
        unpack=release.id not in site.releases,
        switch=site.current != release.id,
        before=site.current,
        prune=prune,
        own=tuple(one for one in site.foreign if one not in prune),
        mend=site.changed if release.mend else (),
        share=tuple(path for path in release.folders.shared if path not in site.shared),
        lay=site.incomplete,
        # A release that was current here has run its command, or is older than it.
        command=release.command if site.current != release.id and not site.served else None,
        move=bool(release.folders.files) and not site.moved,
    )


def goes_back(release: Release, site: Site) -> bool:
    """Return whether the desired release was served before another one, and its commands do not run again. Pure."""
    return bool(release.command and site.served and site.current and site.current != release.id)


def database_stays(site: str, identity: str) -> str:
    """Return what is told before a release with commands is served again (docs/decisions/0062)."""
    return (
        f"The release {identity} of {site} was served before. Its release command does not run again, and what those "
        "of later releases have done to the database is not undone: its code has to work with the database as it is."
    )


def report(plan: Plan) -> dict[str, t.Any]:
    """Return `changed`, `changes`, `diff`, and `missing`: the sites whose release is not on this server yet."""
    changes = [change for step in plan.steps for change in _changes(step)]
    for action, names in (("reload", plan.reload), ("restart", plan.restart), ("start", plan.start)):
        changes += [{"action": action, "resource": "service", "name": name} for name in names]
    return {
        "changed": bool(changes),
        "changes": changes,
        "diff": [diff for step in plan.steps for diff in _diffs(step)],
        "missing": plan.missing(),
    }


def _diffs(step: Step) -> t.Iterator[dict[str, str]]:
    if step.mend:
        changed_by_hand = "".join(f"{member}: changed, added or removed by hand\n" for member in step.mend)
        yield _diff(str(step.release.folder), changed_by_hand, "as it was unpacked\n")
    if step.switch:
        before = f"{RELEASES}/{step.before}\n" if step.before else ""
        yield _diff(f"{step.release.path}/{CURRENT}", before, f"{RELEASES}/{step.release.id}\n")


def _diff(header: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _changes(step: Step) -> t.Iterator[dict[str, str]]:
    name = step.release.name
    if step.move:
        place = f"{step.release.path}/{SHARED} to {step.release.folders.files}/{name}"
        yield {"action": "move", "resource": "shared folder", "name": place}
    for path in step.share:
        yield {"action": "create", "resource": "shared folder", "name": f"{step.release.path}/{SHARED}/{path}"}
    if step.unpack:
        yield {"action": "create", "resource": "release", "name": f"{name} {step.release.id}"}
    for member in step.mend:
        yield {"action": "restore", "resource": "file", "name": str(step.release.folder / member)}
    for path in step.lay:
        what = "link" if path in step.release.folders.linked else "writable folder"
        yield {"action": "create", "resource": what, "name": str(step.release.folder / path)}
    for kept in step.own:
        yield {"action": "update", "resource": "release owner", "name": f"{name} {kept}"}
    if step.command:
        told = f"{name} {step.release.id}: {', '.join(step.command.lines)}"
        yield {"action": "run", "resource": "release command", "name": told}
    if step.switch:
        yield {"action": "update", "resource": "current release", "name": f"{name} {step.release.id}"}
    for old in step.prune:
        yield {"action": "delete", "resource": "release", "name": f"{name} {old}"}
