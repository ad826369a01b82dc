# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases of a server: unpacked beside, renamed when whole, then made current by one link.

<path>/releases/<id>/   an application as it was packed, owned by root, readable by the site's group
<path>/current          a link to the release that is served

Each release that was ever current holds its id in a file, so that the web server can tell what it serves.
"""

from __future__ import annotations

import grp
import os
import re
import shutil
import tarfile
import typing as t
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.transaction import JOURNALS, Journal
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError, Problems

RELEASES = "releases"
CURRENT = "current"
MARK = ".groundwork-release"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
FEWEST_KEPT = 2  # a request that began in the release before must still find its files

RELEASE_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "releases": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "id": {"type": "str", "required": True},
            "archive": {"type": "path"},
            "group": {"type": "str", "default": "root"},
            "keep": {"type": "int", "default": 3},
            "reload": {"type": "list", "elements": "str", "default": []},
        },
    },
}


@dataclass(frozen=True)
class Release:
    """A site's desired release. `archive` is where it lies packed, on the machine that unpacks it."""

    name: str
    path: str
    id: str
    archive: str = ""
    group: str = "root"
    keep: int = 3
    reload: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """What a site has: ids of whole releases, the latest used first, and the id that is current ("" for none)."""

    releases: tuple[str, ...] = ()
    current: str = ""


@dataclass(frozen=True)
class Step:
    """What happens to one site."""

    release: Release
    unpack: bool
    switch: bool
    before: str
    prune: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What happens to all sites, and which services then have to reload."""

    steps: tuple[Step, ...]
    reload: tuple[str, ...]

    def missing(self) -> list[str]:
        """The sites whose release has to be brought here first."""
        return [step.release.name for step in self.steps if step.unpack]


def parse_releases(options: t.Mapping[str, t.Any], problems: Problems) -> tuple[Release, ...]:
    """The desired releases; what is wrong is added to `problems`."""
    for at, item in enumerate(options["releases"]):
        where = f"releases[{at}]"
        if not ID.fullmatch(item["id"]):
            problems.add(f"{where}.id", f"'{item['id']}' is no id", "use letters, digits, dots and hyphens")
        if item["keep"] < FEWEST_KEPT:
            problems.add(f"{where}.keep", f"{item['keep']} is too few", f"keep {FEWEST_KEPT} or more")
    return tuple(
        Release(
            name=item["name"],
            path=item["path"],
            id=item["id"],
            archive=item.get("archive") or "",
            group=item["group"],
            keep=item["keep"],
            reload=tuple(item["reload"]),
        )
        for item in options["releases"]
    )


def make_plan(desired: t.Sequence[Release], observed: t.Mapping[str, Site], pending: t.Iterable[str]) -> Plan:
    """What turns the observed sites into the desired ones; `pending` are reloads of an interrupted run. Pure."""
    steps = [_step(release, observed.get(release.name, Site())) for release in desired]
    reloads = [*pending, *(name for step in steps if step.switch for name in step.release.reload)]
    return Plan(tuple(s for s in steps if s.unpack or s.switch or s.prune), tuple(dict.fromkeys(reloads)))


def _step(release: Release, site: Site) -> Step:
    kept = list(dict.fromkeys([release.id, *(one for one in (site.current,) if one), *site.releases]))
    return Step(
        release=release,
        unpack=release.id not in site.releases,
        switch=site.current != release.id,
        before=site.current,
        prune=tuple(kept[release.keep :]),
    )


def report(plan: Plan) -> dict[str, t.Any]:
    """`changed`, `changes`, `diff`, and `missing`: the sites whose release is not on this server yet."""
    changes = [change for step in plan.steps for change in _changes(step)]
    changes += [{"action": "reload", "resource": "service", "name": name} for name in plan.reload]
    return {
        "changed": bool(changes),
        "changes": changes,
        "diff": [
            {
                "before_header": f"{step.release.path}/{CURRENT}",
                "after_header": f"{step.release.path}/{CURRENT}",
                "before": f"{RELEASES}/{step.before}\n" if step.before else "",
                "after": f"{RELEASES}/{step.release.id}\n",
            }
            for step in plan.steps
            if step.switch
        ],
        "missing": plan.missing(),
    }


def _changes(step: Step) -> t.Iterator[dict[str, str]]:
    name = step.release.name
    if step.unpack:
        yield {"action": "create", "resource": "release", "name": f"{name} {step.release.id}"}
    if step.switch:
        yield {"action": "update", "resource": "current release", "name": f"{name} {step.release.id}"}
    for old in step.prune:
        yield {"action": "delete", "resource": "release", "name": f"{name} {old}"}


def look(release: Release) -> Site:
    """The site as it is. What begins with a dot was never finished."""
    root = Path(release.path)
    folders = root / RELEASES
    try:
        found = [path for path in folders.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except FileNotFoundError:
        found = []
    used = sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))
    target = files.look(str(root / CURRENT)).target
    return Site(tuple(path.name for path in used), Path(target).name if target else "")


@dataclass(frozen=True)
class Releases:
    """The releases of this host."""

    services: Services
    journal: Journal = field(default=Journal(JOURNALS / "releases.json"))

    def converge(self, desired: t.Sequence[Release], *, check_mode: bool) -> dict[str, t.Any]:
        """Observe, plan, apply; the module's result.

        Nothing is done while a release is `missing` whose archive is not here.
        """
        pending = self.journal.read()[0]
        observed = {release.name: look(release) for release in desired}
        plan = make_plan(desired, observed, pending)
        found = {name: {"current": site.current, "kept": list(site.releases)} for name, site in observed.items()}
        result = {**report(plan), "sites": found}
        waiting = any(step.unpack and not step.release.archive for step in plan.steps)
        if not check_mode and not waiting:
            self._make(plan)
        return result

    def _make(self, plan: Plan) -> None:
        for step in plan.steps:
            if step.unpack:
                unpack(step.release)
        self.journal.write(dict.fromkeys(plan.reload, "reload"), {})
        for step in plan.steps:
            if step.switch:
                _switch(step.release, step.release.id)
        try:
            self._reload(plan)
        except GroundworkError as error:
            raise GroundworkError(f"{error}\n{self._back(plan)}", **error.details) from error
        self.journal.close()
        _prune(plan)

    def _reload(self, plan: Plan) -> None:
        # PHP has resolved and compiled what `current` led to before: it starts anew, after its running requests.
        if plan.reload:
            self.services.act("reload", plan.reload)

    def _back(self, plan: Plan) -> str:
        for step in plan.steps:
            if step.switch and step.before:
                _switch(step.release, step.before)
        try:
            self._reload(plan)
        except GroundworkError as error:
            return f"The releases from before are current again, but a service is not: {error}"
        self.journal.close()
        return "The releases from before are current again."


def unpack(release: Release) -> None:
    """Unpack a release beside the others, and give it its name when it is whole."""
    folders = Path(release.path) / RELEASES
    partial = folders / f".{release.id}.partial"
    group = _gid(release.group)
    try:
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(mode=0o750)
        os.chown(partial, 0, group)
        with tarfile.open(release.archive) as archive:
            for member in archive:
                _extract(archive, member, partial, group)
        partial.rename(folders / release.id)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise GroundworkError(f"Could not unpack release {release.id} of {release.name}: {error}") from error


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise GroundworkError(f"There is no group {group} on this server: configure the site first.") from error


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, group: int) -> None:
    path = root / member.name
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise GroundworkError(f"{member.name} leads out of the release.")
    if member.issym():
        path.symlink_to(member.linkname)
        os.chown(path, 0, group, follow_symlinks=False)
        return
    if member.isdir():
        path.mkdir()
    else:
        handle = archive.extractfile(member)
        path.write_bytes(handle.read() if handle else b"")
    os.chown(path, 0, group)
    path.chmod(0o750 if member.mode & 0o100 else 0o640)


def _switch(release: Release, identity: str) -> None:
    folder = Path(release.path) / RELEASES / identity
    files.put(Entry(str(folder / MARK), "file", content=identity.encode(), group=release.group, mode=0o640))
    os.utime(folder)
    files.put(Entry(str(Path(release.path) / CURRENT), "link", target=f"{RELEASES}/{identity}"))


def _prune(plan: Plan) -> None:
    for step in plan.steps:
        for old in step.prune:
            shutil.rmtree(Path(step.release.path) / RELEASES / old)
