# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transaction: observe, plan, rehearse, write the files, act on the services; roll back if a service fails."""

from __future__ import annotations

import base64
import json
import typing as t
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.accounts import (
    add_account,
    look_for_accounts,
    look_for_holders,
    look_for_numbers,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import (
    Account,
    Action,
    Entry,
    Server,
    Service,
    Touch,
    Validator,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.packages import (
    check_installable,
    install,
    installed,
    packaged,
    release_holds,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import (
    Actual,
    Observed,
    Plan,
    Unit,
    make_plan,
    report,
    restoring,
    touched_services,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.staging import rehearse
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import Room, rooms

# Below /run: a reboot starts every service with the files on the disk, so the journal is not needed after it.
JOURNALS = Path("/run/groundwork")
UNIT_FILES = "/etc/systemd/system"
# Stopping comes first: a stopped service may release what another service needs, such as a port.
ORDER = ("stop", "disable", "enable", "start", "restart", "reload", "try-restart")


class Rehearsal(t.Protocol):
    """Runs the validators with the entries in place."""

    def __call__(
        self, run: Run, accounts: t.Sequence[Account], entries: t.Sequence[Entry], validators: t.Sequence[Validator], /
    ) -> None:
        """Raise GroundworkError with the output of the validators that fail."""


@dataclass(frozen=True)
class Journal:
    """The file that lists what a run changes, until it is completed. The next run completes an interrupted one."""

    path: Path

    def write(self, pending: t.Mapping[str, Action], previous: t.Mapping[str, Actual]) -> None:
        """Record the pending service actions and the previous files. Only root can read these secrets."""
        told = {path: {**asdict(a), "content": base64.b64encode(a.content).decode()} for path, a in previous.items()}
        entry = Entry(str(self.path), "file", json.dumps({"pending": pending, "previous": told}).encode(), mode=0o600)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.put(entry)

    def read(self) -> tuple[dict[str, Action], dict[str, Actual]]:
        """Return the pending service actions and the previous files of an interrupted run, if any."""
        if not self.path.exists():
            return {}, {}
        told = json.loads(self.path.read_text())
        previous = {
            path: Actual(**{**item, "content": base64.b64decode(item["content"])})
            for path, item in told["previous"].items()
        }
        return told["pending"], previous

    def close(self) -> None:
        """Remove the journal, because the run is completed."""
        files.discard(str(self.path))


@dataclass(frozen=True)
class Host:
    """This host. Tests replace `run`, `services`, `rehearse` and `rooms`, and put the journals elsewhere."""

    run: Run
    services: Services
    rehearse: Rehearsal = rehearse
    journals: Path = JOURNALS
    rooms: t.Callable[[], list[Room]] = rooms

    def journal(self, desired: Server) -> Journal:
        """Return the journal of this configuration."""
        return Journal(self.journals / f"{desired.name}.json")

    def observe(self, desired: Server) -> Observed:
        """Return the observed state of everything that is declared."""
        pending, previous = self.journal(desired).read()
        purgeable = {path: purge.touch for purge in desired.purges for path in _matches(purge.pattern)}
        foreign = self._foreign(desired, {entry.path for entry in desired.entries} | purgeable.keys())
        paths = {entry.path for entry in desired.entries} | purgeable.keys() | foreign.keys()
        strays = self._strays(desired)
        names = tuple(account.name for account in desired.accounts)
        return Observed(
            packages=installed(self.run, desired.packages),
            accounts=look_for_accounts(names),
            numbers=look_for_numbers(names),
            holders=look_for_holders(account.uid for account in desired.accounts if account.uid),
            paths={path: files.look(path) for path in sorted(paths)},
            units={**self._units(desired), **self.services.look(strays)},
            pending=pending,
            previous=previous,
            purgeable=purgeable,
            foreign=foreign,
            strays=strays,
        )

    def _strays(self, desired: Server) -> tuple[str, ...]:
        """Return the running services of earlier runs, which are not declared any more."""
        declared = {service.name for service in desired.services}
        running = self.services.running(desired.purged_services) if desired.purged_services else ()
        return tuple(name for name in running if name not in declared)

    def _foreign(self, desired: Server, known: t.Collection[str]) -> dict[str, Touch]:
        """Return the files that a daemon includes, and that neither this configuration nor a package has made."""
        found = {
            path: include.touch
            for include in desired.includes
            for path in _matches(include.pattern)
            if path not in known and not Path(path).is_dir() and not any(fnmatch(path, kept) for kept in include.keep)
        }
        ours = packaged(self.run, tuple(found))
        return {path: touch for path, touch in found.items() if path not in ours}

    def _units(self, desired: Server) -> dict[str, Unit]:
        units = self.services.look([service.name for service in desired.services])
        undone = [one.name for one in desired.services if units[one.name].active and not self._works(one)]
        return {**units, **{name: replace(units[name], effective=False) for name in undone}}

    def _works(self, service: Service) -> bool:
        """Return whether the check of a service succeeds. It fails if its command does not exist."""
        try:
            return not service.check or self.run(service.check).code == 0
        except GroundworkError:
            return False


def _matches(pattern: str) -> list[str]:
    return sorted(str(path) for path in Path("/").glob(pattern.lstrip("/")) if not path.name.startswith("."))


def converge(host: Host, desired: Server, *, check_mode: bool) -> dict[str, t.Any]:
    """Configure the server, or in check mode predict the changes. Return the module's result.

    The result is the difference between before and after. Packages install files, so the server is observed again after
    their installation. Raise GroundworkError if the configuration fails; the previous files are then restored.
    """
    observed = host.observe(desired)
    plan = make_plan(desired, observed)
    result = report(plan, observed)
    if check_mode:
        if plan.packages:
            check_installable(host.run, plan.packages)
        else:
            host.rehearse(host.run, plan.accounts, plan.entries, concerned(desired, plan, observed))
        return result
    if plan.packages:
        new = [s.name for s in desired.services if s.started and not observed.units[s.name].installed]
        install(host.run, plan.packages, hold=new)
        observed = host.observe(desired)
        plan = replace(make_plan(desired, observed), packages=())
    if plan:
        Transaction(host, desired, observed, plan).make()
    return result


def concerned(desired: Server, plan: Plan, observed: Observed) -> tuple[Validator, ...]:
    """Return the validators of the services that a change affects."""
    touched = touched_services((*plan.accounts, *plan.entries), observed.pending).keys()
    starting = {one.name for one in plan.services if "start" in one.steps}
    return tuple(validator for validator in desired.validators if validator.services & (touched | starting))


@dataclass(frozen=True)
class Transaction:
    """The execution of a plan, and its rollback."""

    host: Host
    desired: Server
    observed: Observed
    plan: Plan

    def make(self) -> None:
        """Execute the plan. If it fails, roll back and raise GroundworkError."""
        for account in self.plan.accounts:
            add_account(self.host.run, account)
        validators = concerned(self.desired, self.plan, self.observed)
        self.host.rehearse(self.host.run, (), self.plan.entries, validators)
        before = {entry.path: self.observed.paths.get(entry.path, Actual()) for entry in self.plan.entries}
        previous = {**before, **self.observed.previous}  # those before an interrupted run are the last good ones
        journal = self.host.journal(self.desired)
        touched = touched_services((*self.plan.accounts, *self.plan.entries), self.observed.pending)
        journal.write(touched, previous)
        try:
            self._commit(self.plan.entries)
            self._act(self._steps())
        except GroundworkError as error:
            told = self._bring_back(previous)
            journal.close()
            raise GroundworkError(f"{error}\n{told}", **error.details) from error
        journal.close()

    def _commit(self, entries: t.Sequence[Entry]) -> None:
        for entry in entries:
            files.put(entry)
        if any(entry.path.startswith(UNIT_FILES) for entry in entries):
            self.host.services.know_units()

    def _steps(self) -> dict[str, list[str]]:
        by_step: dict[str, list[str]] = {}
        for one in self.plan.services:
            for step in one.steps:
                by_step.setdefault(step, []).append(one.name)
        return by_step

    def _act(self, steps: t.Mapping[str, t.Sequence[str]]) -> None:
        release_holds(self.host.run, [service.name for service in self.desired.services])
        for step in ORDER:
            if steps.get(step):
                self.host.services.act(step, steps[step])

    def _bring_back(self, previous: t.Mapping[str, Actual]) -> str:
        """Restore every file, and reload or restart the services. Return a message with the result."""
        entries = [entry for entry in (restoring(path, actual) for path, actual in previous.items()) if entry]
        names = [one.name for one in self.plan.services]
        try:
            self._commit(entries)
            self._act(self._steps_back(self.host.services.look(names)))
        except GroundworkError as error:
            return f"All files are restored, but a service failed: {error}"
        active = [name for name in names if self.observed.units[name].active]
        running = f" and in use by {' and '.join(active)}" if active else ""
        return f"All files are restored{running}."

    def _steps_back(self, now: t.Mapping[str, Unit]) -> dict[str, list[str]]:
        back: dict[str, list[str]] = {}
        for one in self.plan.services:
            before = self.observed.units[one.name]
            if before.active:
                gentle = "reload" if "reload" in one.steps else "restart"
                back.setdefault(gentle if now[one.name].active else "restart", []).append(one.name)
            elif now[one.name].active:
                back.setdefault("stop", []).append(one.name)
            if "enable" in one.steps and before.installed:
                back.setdefault("disable", []).append(one.name)
            if "disable" in one.steps:
                back.setdefault("enable", []).append(one.name)
        return back
