# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of a server: a release is unpacked beside the others, renamed when complete, and made current by a link.

<path>/releases/<id>/   an application as it was packed
<path>/current          a link to the release that is served
<path>/releases/.<id>.files      see `integrity`
<path>/.unready         exists on a new server until the site's pages are answered as expected

The files of a release belong to an account without processes. Therefore no process can change them, and a web server
that follows a link only if its owner also owns the target (Apache's SymLinksIfOwnerMatch) follows no link out of them.
What a person has changed in the desired release is put back.

Each release that was current contains its id in a file, which the web server sends in a header. The pages of all sites
are requested in the same run. A release is taken back if a page was answered as expected before it and is not now.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import stat
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import Actual
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import JOURNALS, Journal
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.archives import content_of, read_archive
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    Member,
    leads_out,
    whole_tree,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.integrity import (
    aside_of,
    changed,
    record,
    record_of,
    set_aside,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.logs import (
    Log,
    last_lines,
    secrets_in,
    sizes,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import (
    Answer,
    Page,
    ask_all,
    check_page,
    lost,
    well,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import require_for

RELEASES = "releases"
CURRENT = "current"
MARK = ".groundwork-release"
UNREADY = ".unready"  # Apache's configuration of the role lamp checks it for load balancers
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
CONFIGURE = "configure the site first (site.yml)"
BLOCK = 4096  # bytes: a small file takes a whole block of the file system
FEWEST_KEPT = 2  # a request that started with the previous release needs its files

REMEDY = (
    "Fix the application or the server (the log above shows why), or set the site's probe in lamp_sites to a page and "
    "the statuses that are expected; then run again."
)


class PagesError(GroundworkError):
    """Pages are not answered as expected. `faults` are the messages, `taken_back` the current releases by site."""

    def __init__(self, message: str, answers: t.Iterable[Answer], **details: t.Any) -> None:
        failed = [answer for answer in answers if answer.fault]
        super().__init__(message, failed_pages=[answer.told() for answer in failed], **details)
        self.faults = tuple(map(str, failed))


@dataclass(frozen=True)
class Release:
    """A site's desired release. `archive` is its packed file, on the server.

    `owner` owns its files. `group` can read them, except the private ones (`is_private`), which `private_group` can
    read. `pages` are requested once it is current. If one fails, the message contains the last lines of `logs`, without
    the values that the files `hide` set. `mend` is whether changed files are put back, instead of only reported.
    """

    name: str
    path: str
    id: str
    archive: str = ""
    owner: str = "root"
    group: str = "root"
    private_group: str = "root"
    keep: int = 3
    reload: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    logs: tuple[Log, ...] = ()
    hide: tuple[str, ...] = ()
    mend: bool = True

    @property
    def link(self) -> str:
        """Return the path of the link to the release that is served."""
        return str(Path(self.path) / CURRENT)

    @property
    def folder(self) -> Path:
        """Return the folder of the release."""
        return Path(self.path) / RELEASES / self.id


@dataclass(frozen=True)
class Site:
    """The observed releases of a site: the ids, the latest used first, and the current id ("" for none).

    `foreign` are the releases that the wrong account owns. `changed` are the members of the desired release
    that are not as they were unpacked.
    """

    releases: tuple[str, ...] = ()
    current: str = ""
    foreign: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


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

    @property
    def needs_archive(self) -> bool:
        """Return whether the archive of the release must be on the server."""
        return self.unpack or bool(self.mend)


@dataclass(frozen=True)
class Plan:
    """The changes of all sites, and the services to reload after them."""

    steps: tuple[Step, ...]
    reload: tuple[str, ...]

    def missing(self) -> list[str]:
        """Return the sites whose archive must be on the server."""
        return [step.release.name for step in self.steps if step.needs_archive]


def parse_releases(options: t.Mapping[str, t.Any], problems: Problems) -> tuple[Release, ...]:
    """Return the desired releases. Add to `problems` what is wrong."""
    for at, item in enumerate(options["releases"]):
        where = f"releases[{at}]"
        if not ID.fullmatch(item["id"]):
            right = "use letters, digits, dots and hyphens"
            problems.add(f"{where}.id", f"'{item['id']}' is not a valid release id", right)
        if item["keep"] < FEWEST_KEPT:
            problems.add(f"{where}.keep", f"{item['keep']} is too small", f"keep {FEWEST_KEPT} or more")
        for number, page in enumerate(item.get("pages") or ()):
            check_page(f"{where}.pages[{number}]", page, problems)
    return tuple(
        Release(
            name=item["name"],
            path=item["path"],
            id=item["id"],
            archive=item.get("archive") or "",
            owner=item["owner"],
            group=item["group"],
            private_group=item.get("private_group") or item["group"],
            keep=item["keep"],
            reload=tuple(item["reload"]),
            pages=tuple(_page(item, page) for page in item.get("pages") or ()),
            logs=tuple(Log(log["path"], log["containing"]) for log in item.get("logs") or ()),
            hide=tuple(item.get("hide") or ()),
            mend=item.get("mend", True),
        )
        for item in options["releases"]
    )


def _page(item: t.Mapping[str, t.Any], page: t.Mapping[str, t.Any]) -> Page:
    return Page(
        site=item["name"],
        path=page["path"],
        matcher=str(page["matcher"]),
        timeout=float(page["timeout"]),
        host=page["host"],
        names=tuple(page["names"]),
        any_name=page["any_name"],
        release=item["id"],
    )


def make_plan(desired: t.Sequence[Release], observed: t.Mapping[str, Site], pending: t.Iterable[str]) -> Plan:
    """Return the changes that lead to the desired releases. `pending` are reloads of an interrupted run. Pure."""
    steps = [_step(release, observed.get(release.name, Site())) for release in desired]
    reloads = [*pending, *(name for step in steps if step.switch or step.mend for name in step.release.reload)]
    changing = tuple(s for s in steps if s.needs_archive or s.switch or s.prune or s.own)
    return Plan(changing, tuple(dict.fromkeys(reloads)))


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
    )


def report(plan: Plan) -> dict[str, t.Any]:
    """Return `changed`, `changes`, `diff`, and `missing`: the sites whose release is not on this server yet."""
    changes = [change for step in plan.steps for change in _changes(step)]
    changes += [{"action": "reload", "resource": "service", "name": name} for name in plan.reload]
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
    if step.unpack:
        yield {"action": "create", "resource": "release", "name": f"{name} {step.release.id}"}
    for member in step.mend:
        yield {"action": "restore", "resource": "file", "name": str(step.release.folder / member)}
    for kept in step.own:
        yield {"action": "update", "resource": "release owner", "name": f"{name} {kept}"}
    if step.switch:
        yield {"action": "update", "resource": "current release", "name": f"{name} {step.release.id}"}
    for old in step.prune:
        yield {"action": "delete", "resource": "release", "name": f"{name} {old}"}


def look(release: Release) -> Site:
    """Return the observed releases of a site. A folder that begins with a dot is incomplete."""
    root = Path(release.path)
    folders = root / RELEASES
    try:
        found = [path for path in folders.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except FileNotFoundError:
        found = []
    used = sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))
    target = files.look(str(root / CURRENT)).target
    foreign = tuple(path.name for path in used if files.look(str(path)).owner != release.owner)
    return Site(
        releases=tuple(path.name for path in used),
        current=Path(target).name if target else "",
        foreign=foreign,
        changed=changed(release.folder, (MARK,)) if release.folder in used and release.id not in foreign else (),
    )


@dataclass(frozen=True)
class Before:
    """The state before a run.

    `new` is whether the server has no current release yet, `answered` are the pages that were answered as expected,
    `failed` the other answers, and `releases` the releases to go back to, by site.
    """

    new: bool = False
    answered: frozenset[Page] = frozenset()
    failed: tuple[dict[str, t.Any], ...] = ()
    releases: t.Mapping[str, str] = field(default_factory=dict)

    def targets(self, answers: t.Iterable[Answer]) -> dict[str, str]:
        """Return which sites go back to which release.

        These are the sites with pages that were answered as expected before, and are not now. When none of them has
        another release to go back to, another site's release is the cause, and all sites that changed go back. Pure.
        """
        sites = {answer.page.site for answer in lost(self.answered, answers)}
        own = {site: self.releases[site] for site in self.releases if site in sites}
        return own or (dict(self.releases) if sites else {})


@dataclass(frozen=True)
class Releases:
    """The releases of this host. Tests replace `ask`."""

    services: Services
    journal: Journal = field(default=Journal(JOURNALS / "releases.json"))
    ask: t.Callable[[t.Collection[Page]], list[Answer]] = ask_all

    def converge(
        self, desired: t.Sequence[Release], *, check_mode: bool, require_pages: bool = True
    ) -> dict[str, t.Any]:
        """Make the desired releases current, and request their pages. Return the module's result.

        Nothing is changed while the archive of a missing release is not on the server. Raise PagesError if a page is
        not answered as expected. If `require_pages` is false, the result contains that page instead.
        """
        pending, previous = self.journal.read()
        observed = {release.name: look(release) for release in desired}
        plan = make_plan(desired, observed, pending)
        found = {name: {"current": site.current, "kept": list(site.releases)} for name, site in observed.items()}
        result = {**report(plan), "sites": found, "pages": [str(page) for one in desired for page in one.pages]}
        waiting = any(step.needs_archive and not step.release.archive for step in plan.steps)
        result |= _warnings(desired, observed)
        if check_mode or waiting:
            return {**result, "failed_before": [], "failed_pages": []}
        before = self._before(desired, observed, plan, previous)
        self._make(desired, plan, before)
        since = sizes(log for release in desired for log in release.logs)
        answers = self.ask([page for release in desired for page in release.pages])
        _let_in(desired, answers)
        failed = [answer for answer in answers if answer.fault]
        log = told(desired, failed, since) if failed else ""
        targets = before.targets(answers) if require_pages else {}
        done = self._take_back(desired, targets) if targets else _stays(plan)
        self.journal.close()
        _prune(plan, targets)
        if failed and require_pages:
            text = "\n".join([log, *done, *_readiness(desired), REMEDY])
            raise PagesError(text, answers, failed_before=list(before.failed), taken_back=targets)
        return {**result, "failed_before": list(before.failed), "failed_pages": [answer.told() for answer in failed]}

    def _before(
        self,
        desired: t.Sequence[Release],
        observed: t.Mapping[str, Site],
        plan: Plan,
        previous: t.Mapping[str, Actual],
    ) -> Before:
        """Return which pages are answered before a change. The results of an interrupted run are in the journal."""
        switching = {step.release.name: step.before for step in plan.steps if step.switch and step.before}
        interrupted = {one: Path(previous[one.link].target).name for one in desired if one.link in previous}
        kept = {one: id_ for one, id_ in interrupted.items() if id_ != one.id and id_ in observed[one.name].releases}
        asked = [
            replace(page, release=observed[release.name].current)
            for release in desired
            for page in release.pages
            if switching and observed[release.name].current
        ]
        answers = self.ask(asked)
        answered = well(answers) | {page for release in kept for page in release.pages}
        releases = {**switching, **{release.name: id_ for release, id_ in kept.items()}}
        return Before(
            new=not any(site.current for site in observed.values()),
            answered=answered,
            failed=tuple(answer.told() for answer in answers if answer.fault),
            releases=releases,
        )

    def _make(self, desired: t.Sequence[Release], plan: Plan, before: Before) -> None:
        for step in plan.steps:
            for kept in step.own:
                take_over(step.release, kept)
            if step.unpack:
                unpack(step.release)
            if step.mend:
                mend(step.release, step.mend)
        if before.new:
            _hold_back(desired)
        self.journal.write(dict.fromkeys(plan.reload, "reload"), _links(desired, before))
        for step in plan.steps:
            if step.switch:
                _switch(step.release, step.release.id)
        try:
            self._reload(plan.reload)
        except GroundworkError as error:
            back = self._back({step.release: step.before for step in plan.steps if step.switch and step.before})
            raise GroundworkError(f"{error}\n{back}", **error.details) from error

    def _reload(self, services: t.Iterable[str]) -> None:
        # PHP has cached the previous release's files. A reload replaces its processes after their running requests.
        names = list(dict.fromkeys(services))
        if names:
            self.services.act("reload", names)

    def _back(self, targets: t.Mapping[Release, str]) -> str:
        """Make previous releases current again. Return a message with the result."""
        for release, identity in targets.items():
            _switch(release, identity)
        try:
            self._reload(name for release in targets for name in release.reload)
        except GroundworkError as error:
            return f"The previous releases are current again, but a service failed: {error}"
        self.journal.close()
        return "The previous releases are current again."

    def _take_back(self, desired: t.Sequence[Release], targets: t.Mapping[str, str]) -> list[str]:
        """Make the releases of `targets` current again. Return messages with the result."""
        moving = [release for release in desired if release.name in targets]
        back = self._back({release: targets[release.name] for release in moving})
        again = self.ask([replace(page, release="") for release in desired for page in release.pages])
        still = [f"- {answer}" for answer in again if answer.fault]
        moves = ", ".join(f"{release.name} {release.id} -> {targets[release.name]}" for release in moving)
        failing = ["These pages still fail:", *still] if still else []
        return [f"The release was taken back ({moves}). {back}", *failing]


def _stays(plan: Plan) -> list[str]:
    if any(step.switch for step in plan.steps):
        return ["No release was taken back: the failing pages failed before it too, or it is the first release."]
    return ["No release was taken back, because none changed."]


def _readiness(desired: t.Iterable[Release]) -> list[str]:
    if not any(unready(release).exists() for release in desired):
        return []
    return ["Load balancers send no requests to this server until its pages are answered as expected."]


def told(desired: t.Sequence[Release], failed: t.Sequence[Answer], since: t.Mapping[str, int]) -> str:
    """Return what is wrong with the answers, and the last lines of their sites' logs."""
    lines = [f"{len(failed)} of {sum(len(one.pages) for one in desired)} pages are not answered as expected:"]
    for release in desired:
        wrong = [f"- {answer}" for answer in failed if answer.page.site == release.name]
        log = last_lines(release.logs, since, secrets_in(release.hide)) if wrong else []
        lines += [*wrong, *(f"  {line}" for line in log)]
    return "\n".join(lines)


def unready(release: Release) -> Path:
    """Return the path of the file that makes Apache report to load balancers that a new server is not ready."""
    return Path(release.path) / UNREADY


def _hold_back(desired: t.Sequence[Release]) -> None:
    """Create the files that keep a new server out of load balancers until its pages are answered as expected."""
    for release in desired:
        if release.pages:
            files.put(Entry(str(unready(release)), "file", group=release.group, mode=0o640))


def _let_in(desired: t.Sequence[Release], answers: t.Sequence[Answer]) -> None:
    failed = {answer.page.site for answer in answers if answer.fault}
    for release in desired:
        if release.name not in failed:
            files.discard(str(unready(release)))


def _links(desired: t.Sequence[Release], before: Before) -> dict[str, Actual]:
    """Return the links for the journal: those to releases whose pages were all answered as expected."""
    return {
        release.link: Actual("link", target=f"{RELEASES}/{before.releases[release.name]}")
        for release in desired
        if release.name in before.releases and before.answered.issuperset(release.pages)
    }


def unpack(release: Release) -> None:
    """Unpack a release beside the others, and rename it when it is complete.

    Nothing is written before the whole archive is checked. A release that cannot be unpacked is removed.
    """
    folders, archive = Path(release.path) / RELEASES, Path(release.archive)
    partial = folders / f".{release.id}.partial"
    try:
        members, rights = whole_tree(read_archive(archive, archive.name), archive.name), Rights.of(release)
        if partial.exists():
            shutil.rmtree(partial)
        require_for(folders, sum(member.size + BLOCK for member in members))
        partial.mkdir(mode=0o700)
        # Links come last, so that nothing can be written through one.
        for member in sorted(members, key=lambda member: member.kind == "link"):
            _put(member, partial / member.path)
            rights.give(partial / member.path, member.path)
        rights.give(partial, "")
        record(partial, record_of(release.folder), (MARK,))
        partial.rename(release.folder)
    except (OSError, GroundworkError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise GroundworkError(f"Could not unpack release {release.id} of {release.name}: {error}") from error


def mend(release: Release, members: t.Sequence[str]) -> None:
    """Put members of a release back from its archive, each in one step. What was at their paths is set aside."""
    archive = Path(release.archive)
    try:
        whole, rights = whole_tree(read_archive(archive, archive.name), archive.name), Rights.of(release)
        wanted = {member.path: member for member in whole}
        set_aside(release.folder, members, {path: member.kind for path, member in wanted.items()})
        for path in sorted({*members} & wanted.keys(), key=lambda path: (wanted[path].kind == "link", path)):
            _restore(wanted[path], release.folder / path, rights)
        record(release.folder, record_of(release.folder), (MARK,))
    except (OSError, GroundworkError) as error:
        raise GroundworkError(f"Could not put back files of release {release.id} of {release.name}: {error}") from error


def _restore(member: Member, path: Path, rights: Rights) -> None:
    if member.kind == "directory":
        path.mkdir(mode=0o700, exist_ok=True)
        rights.give(path, member.path)
        return
    new = Path(files.beside(str(path)))
    files.discard(str(new))
    _put(member, new)
    rights.give(new, member.path)
    new.replace(path)


def _warnings(desired: t.Iterable[Release], observed: t.Mapping[str, Site]) -> dict[str, t.Any]:
    """Return a warning about changed files that are not put back."""
    told = [
        f"The release {one.id} of {one.name} is not as it was unpacked, and is not on the controller to put it back. "
        f"Changed, added or removed: {', '.join(observed[one.name].changed)}. Release it from its source again."
        for one in desired
        if observed[one.name].changed and not one.mend
    ]
    return {"warnings": told} if told else {}


def _put(member: Member, path: Path) -> None:
    if member.kind == "link":
        path.symlink_to(member.target)
    elif member.kind == "directory":
        path.mkdir(mode=0o700)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o700 if member.executable else 0o600), "wb") as handle:
            handle.writelines(content_of(member))


def take_over(release: Release, identity: str) -> None:
    """Set the owner of a release that an earlier version has unpacked, its folder last.

    Earlier versions accepted links that lead out of the release. They are removed.
    """
    rights = Rights.of(release)
    root = Path(release.path) / RELEASES / identity
    try:
        found = {path.relative_to(root).as_posix(): path for path in root.rglob("*")}
        links = {member: str(path.readlink()) for member, path in found.items() if path.is_symlink()}
        for member, path in found.items():
            if member in links and leads_out(member, links):
                path.unlink()
            else:
                rights.give(path, member)
        record(root, record_of(root), (MARK,))
        rights.give(root, "")
    except OSError as error:
        raise GroundworkError(f"Could not change the owner of release {identity} of {release.name}: {error}") from error


def is_private(path: str) -> bool:
    """Return whether a member of a release is never served: PHP scripts, and names that begin with a dot.

    The web server must read .htaccess, .htpasswd and `MARK`, and serves the folder of RFC 8615.
    """
    if path == MARK:
        return False
    names = path.split("/")
    hidden = any(name.startswith(".") and name != ".well-known" and not name.startswith(".ht") for name in names)
    return hidden or names[-1].lower().endswith(".php")


@dataclass(frozen=True)
class Rights:
    """The owner and groups of a release's files, as numeric ids of this server."""

    owner: int
    group: int
    private_group: int

    @classmethod
    def of(cls, release: Release) -> Rights:
        """Look up the accounts of a release. Raise GroundworkError if one does not exist."""
        return cls(_uid(release.owner), _gid(release.group), _gid(release.private_group))

    def give(self, path: Path, member: str) -> None:
        """Set owner, group and mode of a member, or of the release itself (""). A link is not followed."""
        os.chown(path, self.owner, self.private_group if is_private(member) else self.group, follow_symlinks=False)
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            path.chmod(0o750 if mode & stat.S_IXUSR else 0o640)


def _uid(account: str) -> int:
    try:
        return pwd.getpwnam(account).pw_uid
    except KeyError as error:
        raise GroundworkError(f"The account {account} does not exist on this server: {CONFIGURE}.") from error


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise GroundworkError(f"The group {group} does not exist on this server: {CONFIGURE}.") from error


def _switch(release: Release, identity: str) -> None:
    folder = Path(release.path) / RELEASES / identity
    files.put(Entry(str(folder / MARK), "file", content=identity.encode(), group=release.group, mode=0o640))
    os.utime(folder)
    files.put(Entry(str(Path(release.path) / CURRENT), "link", target=f"{RELEASES}/{identity}"))


def _prune(plan: Plan, targets: t.Mapping[str, str]) -> None:
    """Remove old releases, except those that are current again."""
    for step in plan.steps:
        for old in step.prune:
            if old != targets.get(step.release.name):
                folder = Path(step.release.path) / RELEASES / old
                shutil.rmtree(folder)
                if aside_of(folder).exists():
                    shutil.rmtree(aside_of(folder))
                files.discard(str(record_of(folder)))
