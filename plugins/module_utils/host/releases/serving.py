# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of a server: a release is unpacked beside the others, renamed when complete, and made current by a link.

<path>/releases/<id>/   an application as it was packed
<path>/current          a link to the release that is served
<path>/shared/          see `laying`
<path>/releases/.<id>.files      see `integrity`
<path>/.unready         exists on a new server until the site's pages are answered as expected

The files of a release belong to an account without processes. Therefore no process can change them, and a web server
that follows a link only if its owner also owns the target (Apache's SymLinksIfOwnerMatch) follows no link out of them.
What a person has changed in the desired release is put back.

Each release that was current contains its id in a file, which the web server sends in a header. The pages of all sites
are requested in the same run. A release is taken back if a page was answered as expected before it and is not now.

The commands of a release run before it is current anywhere, see `release_command`.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import hide
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Action, Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import Actual
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import JOURNALS, Journal
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import RELEASES, UNREADY, Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.everywhere import move, require_mounted
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import SHARED, require_no_conflicts
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.logs import (
    last_lines,
    secrets_in,
    sizes,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import (
    Answer,
    Page,
    ask_all,
    lost,
    well,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.planning import (
    Plan,
    Site,
    Step,
    database_stays,
    goes_back,
    make_plan,
    report,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.release_command import Once
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.rights import CONFIGURE
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.unpacking import (
    add_folders,
    look,
    mend,
    prune,
    switch,
    take_over,
    unpack,
)

REMEDY = (
    "Fix the application or the server (the log above shows why), or set the site's probe in lamp_sites to a page and "
    "the statuses that are expected; then run again."
)


class WorkersError(GroundworkError):
    """Workers do not run. A release role takes a release back unless they did not run before it either."""


class PagesError(GroundworkError):
    """Pages are not answered as expected. `faults` are the messages, `taken_back` the current releases by site."""

    def __init__(self, message: str, answers: t.Iterable[Answer], **details: t.Any) -> None:
        failed = [answer for answer in answers if answer.fault]
        super().__init__(message, failed_pages=[answer.told() for answer in failed], **details)
        self.faults = tuple(map(str, failed))


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
    """The releases of this host. `once` runs their commands. Tests replace it, and `ask`."""

    services: Services
    journal: Journal = field(default=Journal(JOURNALS / "releases.json"))
    ask: t.Callable[[t.Collection[Page]], list[Answer]] = ask_all
    once: Once = field(default_factory=Once)

    def converge(
        self, desired: t.Sequence[Release], *, check_mode: bool, require_pages: bool = True
    ) -> dict[str, t.Any]:
        """Make the desired releases current, and request their pages. Return the module's result.

        Nothing is changed while the archive of a missing release is not on the server. Raise PagesError if a page is
        not answered as expected. If `require_pages` is false, the result contains that page instead.
        """
        for folder in {} if check_mode else {release.folders.files for release in desired if release.folders.files}:
            require_mounted(self.services.run, folder, self.services.clock)
        pending, previous = self.journal.read()
        observed = {release.name: look(release) for release in desired}
        watched = [name for release in desired for name in (*release.workers, *release.jobs)]
        states = self.services.states(watched) if watched else {}
        plan = make_plan(desired, observed, tuple(pending), states)
        runs = {step.release.name: list(step.command.lines) for step in plan.steps if step.command}
        found = {
            name: {"current": site.current, "kept": list(site.releases), "command": runs.get(name, [])}
            for name, site in observed.items()
        }
        result = {**report(plan), "sites": found, "pages": [str(page) for one in desired for page in one.pages]}
        waiting = any(step.needs_archive and not step.release.archive for step in plan.steps)
        result |= _warnings(desired, observed, self._failed(desired, states))
        for release in desired:
            require_no_conflicts(release.name, observed[release.name].conflicts)
        if check_mode or waiting:
            return {**result, "failed_before": [], "failed_pages": []}
        for release in desired:
            _require_configured(release)
        before = self._before(desired, observed, plan, previous)
        if moved := [told for step in plan.steps if step.move for told in move(step.release)]:
            result["warnings"] = [*result.get("warnings", ()), *moved]
        self._lay_out(plan)
        plan = self._run_commands(plan)
        result |= report(plan)
        self._make(desired, plan, before)
        since = sizes(log for release in desired for log in release.logs)
        answers = self.ask([page for release in desired for page in release.pages])
        _let_in(desired, answers)
        failed = [answer for answer in answers if answer.fault]
        log = told(desired, failed, since) if failed else ""
        targets = before.targets(answers) if require_pages else {}
        done = self._take_back(desired, targets) if targets else _stays(plan)
        self._renew_workers(desired, plan, targets)
        self.journal.close()
        prune(plan, targets)
        idle = self._idle(desired)
        if failed and require_pages:
            text = "\n".join([log, *done, *_readiness(desired), *idle.values(), REMEDY])
            raise PagesError(text, answers, failed_before=list(before.failed), taken_back=targets)
        if idle and require_pages:
            raise _workers_error(plan, states, idle)
        if idle:
            result["warnings"] = [*result.get("warnings", ()), *idle.values()]
        return {**result, "failed_before": list(before.failed), "failed_pages": [answer.told() for answer in failed]}

    def _renew_workers(self, desired: t.Sequence[Release], plan: Plan, targets: t.Collection[str]) -> None:
        """Start the workers that do not run, and restart those of new releases.

        Workers of a release that was taken back still run the one before it.
        """
        same = {name for release in desired if release.name in targets for name in release.workers}
        for action, names in (("restart", [one for one in plan.restart if one not in same]), ("start", plan.start)):
            if names:
                self.services.work(action, names)

    def _idle(self, desired: t.Sequence[Release]) -> dict[str, str]:
        """Return messages about the workers that do not run, by name, without secrets."""
        names = [name for release in desired for name in release.workers]
        found = self.services.idle(names) if names else {}
        hidden = secrets_in({path for release in desired for path in release.hide})
        return {name: hide(message, hidden) for name, message in found.items()}

    def _failed(self, desired: t.Sequence[Release], states: t.Mapping[str, str]) -> list[str]:
        """Return messages about the jobs whose last run failed, without secrets."""
        failed = [(name, one.hide) for one in desired for name in one.jobs if states[name] == "failed"]
        return [hide(self.services.failure(name), secrets_in(paths)) for name, paths in failed]

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

    def _lay_out(self, plan: Plan) -> None:
        """Create the folders of the releases, and put back what was changed in them."""
        for step in plan.steps:
            for kept in step.own:
                take_over(step.release, kept)
            if step.unpack:
                unpack(step.release)
            if step.mend:
                mend(step.release, step.mend)
            if (step.share or step.lay) and not step.unpack:
                add_folders(step.release, step.lay)

    def _run_commands(self, plan: Plan) -> Plan:
        """Wait until the commands of all releases have succeeded. Return the plan with those that this server has run.

        None is switched before, so that nothing is to be taken back when one of them fails.
        """
        return replace(plan, steps=tuple(map(self._run_command, plan.steps)))

    def _run_command(self, step: Step) -> Step:
        has_run = step.command is not None and self.once.ensure(step.release, step.command)
        return step if has_run else replace(step, command=None)

    def _make(self, desired: t.Sequence[Release], plan: Plan, before: Before) -> None:
        if before.new:
            _hold_back(desired)
        pending: dict[str, Action] = {**dict.fromkeys(plan.reload, "reload"), **dict.fromkeys(plan.restart, "restart")}
        self.journal.write(pending, _links(desired, before))
        for step in plan.steps:
            if step.switch:
                switch(step.release, step.release.id)
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
            switch(release, identity)
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


def _workers_error(plan: Plan, states: t.Mapping[str, str], idle: t.Mapping[str, str]) -> WorkersError:
    """Return the error about workers that do not run."""
    switched = {name for step in plan.steps if step.switch for name in step.release.workers}
    lost = [name for name in idle if name in switched and states.get(name) == "active"]
    details: dict[str, t.Any] = {} if lost else {"taken_back": {}}
    remedy = (
        f"{', '.join(lost)} ran before this release. " if lost else ""
    ) + "Correct the worker (lamp_sites[].workers) or the application, and run again."
    return WorkersError("\n".join([*idle.values(), remedy]), idle_workers=sorted(idle), **details)


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


def _require_configured(release: Release) -> None:
    """Raise GroundworkError if the web server is not configured for the web root of a release, or for its folders.

    It would serve nothing, or run the PHP scripts in folders that the site can write.
    """
    folders = release.folders
    if not folders.configured:
        return
    try:
        found = json.loads(Path(folders.configured).read_text())
    except FileNotFoundError:
        found = {}
    wrong = ""
    if found.get("web_root", folders.web_root) != folders.web_root:
        wrong = f"web_root of {release.name} as it is"
    elif (folders or folders.files) and found != folders.configuration():
        wrong = f"shared and writable folders of {release.name} as they are"
    if wrong:
        raise GroundworkError(
            f"The web server is not configured for the {wrong} now: {CONFIGURE}. Nothing was changed."
        )


def _warnings(
    desired: t.Iterable[Release], observed: t.Mapping[str, Site], failures: t.Iterable[str]
) -> dict[str, t.Any]:
    """Return warnings about the failures of jobs, databases that stay, changed files that are not put back, and data
    that is not shared any more.
    """
    told = [
        *failures,
        *(database_stays(one.name, one.id) for one in desired if goes_back(one, observed[one.name])),
        *(
            f"The release {one.id} of {one.name} is not as it was unpacked, and is not on the controller to put it "
            f"back. Changed, added or removed: {', '.join(observed[one.name].changed)}. Release it from its source "
            "again."
            for one in desired
            if observed[one.name].changed and not one.mend
        ),
        *(
            f"{path} of {one.name} is not declared as shared any more. {one.path}/{SHARED}/{path} is kept, without a "
            "link in the release. Remove it by hand when its data is not needed."
            for one in desired
            for path in observed[one.name].undeclared
        ),
    ]
    return {"warnings": told} if told else {}
