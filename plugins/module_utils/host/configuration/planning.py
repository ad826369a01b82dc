# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: the changes between the observed and the desired configuration of a server. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import (
    Account,
    Action,
    Entry,
    Server,
    Service,
    Touch,
)

HIDDEN = "(secret, not shown)\n"
SET_ASIDE = "set aside: it belongs to neither this configuration nor a package\n"
GONE = ("absent", "aside")


@dataclass(frozen=True)
class Actual:
    """The observed state of a path. `kind` is "other" for sockets, devices and the like."""

    kind: t.Literal["file", "link", "directory", "absent", "other"] = "absent"
    content: bytes = b""
    target: str = ""
    owner: str = ""
    group: str = ""
    mode: int = 0


@dataclass(frozen=True)
class Unit:
    """A service as systemd sees it. A unit that is not installed is neither enabled nor active.

    An active unit without effect is one whose check has failed.
    """

    enabled: bool = False
    active: bool = False
    installed: bool = False
    effective: bool = True


@dataclass(frozen=True)
class Observed:
    """The observed configuration of a server.

    `accounts` contains the members of each account's group, `numbers` the numbers of existing accounts and groups, and
    `holders` which account or group has a declared number. `pending` are the service actions that an interrupted
    run did not complete, and `previous` are the states of its files before that run. `purgeable` are files of earlier
    runs.
    `foreign` are files that a daemon includes, and that belong to no package. `strays` are running services that the
    configuration does not declare, and that earlier runs created.
    """

    packages: frozenset[str] = frozenset()
    accounts: t.Mapping[str, frozenset[str]] = field(default_factory=dict)
    numbers: t.Mapping[str, tuple[int, int]] = field(default_factory=dict)
    holders: t.Mapping[int, str] = field(default_factory=dict)
    paths: t.Mapping[str, Actual] = field(default_factory=dict)
    units: t.Mapping[str, Unit] = field(default_factory=dict)
    pending: t.Mapping[str, Action] = field(default_factory=dict)
    previous: t.Mapping[str, Actual] = field(default_factory=dict)
    purgeable: t.Mapping[str, Touch] = field(default_factory=dict)
    foreign: t.Mapping[str, Touch] = field(default_factory=dict)
    strays: tuple[str, ...] = ()


NOTHING = Observed()


@dataclass(frozen=True)
class ServiceSteps:
    """The steps for one service, in order."""

    name: str
    steps: tuple[str, ...]  # of: enable, disable, stop, start, reload, restart, try-restart
    before: str
    after: str


@dataclass(frozen=True)
class Plan:
    """The changes, in this order."""

    packages: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()
    entries: tuple[Entry, ...] = ()
    services: tuple[ServiceSteps, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.packages or self.accounts or self.entries or self.services)


def make_plan(desired: Server, observed: Observed) -> Plan:
    """Return the changes that turn the observed configuration into the desired one.

    Raise GroundworkError if a directory is at the path of a file or link, because it may contain data, and if an
    account cannot have the number that it needs.
    """
    for account in desired.accounts:
        if account.require_uid and (wrong := _wrong_number(account, observed)):
            raise GroundworkError(wrong)
    accounts = tuple(account for account in desired.accounts if _account_differs(account, observed))
    declared = {entry.path for entry in desired.entries}
    leftover = [
        *(Entry(path, "absent", touch=touch) for path, touch in observed.purgeable.items() if path not in declared),
        *(Entry(path, "aside", touch=touch) for path, touch in observed.foreign.items() if path not in declared),
    ]
    entries = tuple(
        entry for entry in (*desired.entries, *leftover) if differs(entry, observed.paths.get(entry.path, Actual()))
    )
    touched = touched_services((*accounts, *entries), observed.pending)
    strays = (Service(name, started=False, enabled=None) for name in observed.strays)
    wanted_services = (*desired.services, *strays)
    steps = (_service_steps(wanted, observed, touched.get(wanted.name)) for wanted in wanted_services)
    return Plan(
        packages=tuple(name for name in desired.packages if name not in observed.packages),
        accounts=accounts,
        entries=entries,
        services=tuple(one for one in steps if one.steps),
    )


def _account_differs(account: Account, observed: Observed) -> bool:
    members = observed.accounts.get(account.name)
    return members is None or not members.issuperset(account.members)


def _wrong_number(account: Account, observed: Observed) -> str:
    """Return why an account cannot have the number that it needs, or ""."""
    name, uid = account.name, account.uid
    found = observed.numbers.get(name)
    holder = observed.holders.get(uid, name)
    if found == (uid, uid):
        return ""
    if holder != name:
        return (
            f"The number {uid} of the account {name} is used by {holder} on this server. Give its site another uid in "
            "lamp_sites, or remove that account; then run again."
        )
    if found is None:
        return ""
    (old, old_group), home = found, account.home
    return (
        f"The account {name} has the number {old} on this server, and its group {old_group}, but their files are on "
        f"several servers, where both are {uid}. Stop the services that run as it, then run as root: "
        f"usermod --uid {uid} {name}; groupmod --gid {uid} {name}; "
        f"find {home} -xdev -uid {old} -exec chown --no-dereference {uid} {{}} +; "
        f"find {home} -xdev -gid {old_group} -exec chgrp --no-dereference {uid} {{}} +; "
        f"find /var/lib/php/sessions -xdev -uid {old} -exec chown --no-dereference {uid} {{}} +; and run again. "
        "Rules of a packet filter that name the account have its old number until they are loaded again."
    )


def differs(entry: Entry, actual: Actual) -> bool:
    """Return whether the state of the path differs from the entry. Raise GroundworkError if it cannot be replaced."""
    if actual.kind in ("directory", "other") and entry.kind != actual.kind:
        found = "directory" if actual.kind == "directory" else "special file"
        wanted = "absent" if entry.kind == "absent" else f"a {entry.kind}"
        raise GroundworkError(
            f"{entry.path} is a {found}, but should be {wanted}. Move it away by hand: it may contain data."
        )
    if entry.kind == "directory" and actual.kind == "link":
        raise GroundworkError(
            f"{entry.path} is a link to {actual.target}, but should be a directory. Remove the link, and copy there "
            "what it leads to if that is needed; then run again."
        )
    if entry.kind in GONE:
        return actual.kind != "absent"
    if entry.kind == "link":
        return (actual.kind, actual.target) != ("link", entry.target)
    rights = (actual.kind, actual.owner, actual.group, actual.mode) != (
        entry.kind,
        entry.owner,
        entry.group,
        entry.mode,
    )
    return rights or (entry.kind == "file" and actual.content != entry.content)


def touched_services(
    changed: t.Iterable[Account | Entry], pending: t.Mapping[str, Action] | None = None
) -> dict[str, Action]:
    """Return the services that must reload or restart. A restart includes a reload."""
    changed = list(changed)
    touched: dict[str, Action] = dict(pending or {})
    touched.update({name: "reload" for one in changed for name in one.touch.reload if name not in touched})
    touched.update({name: "restart" for one in changed for name in one.touch.restart})
    return touched


def _service_steps(wanted: Service, observed: Observed, touched: Action | None) -> ServiceSteps:
    unit = observed.units.get(wanted.name, Unit())
    steps: list[str] = []
    if wanted.started is None and unit.active and touched:
        steps.append("try-restart")
    if wanted.started is False and unit.active:
        steps.append("stop")
    if wanted.enabled not in (None, unit.enabled) and (unit.installed or wanted.enabled):
        steps.append("enable" if wanted.enabled else "disable")
    if wanted.started and not unit.active:
        steps.append("start")
    elif wanted.started and (touched or not unit.effective):
        steps.append(touched or "reload")
    after = Unit(
        enabled=unit.enabled if wanted.enabled is None else wanted.enabled,
        active=unit.active if wanted.started is None else wanted.started,
        installed=True,
    )
    done = f", {steps[-1]}ed" if steps and steps[-1] in ("reload", "restart") else ""
    return ServiceSteps(wanted.name, tuple(steps), _in_words(unit), _in_words(after) + done)


def _in_words(unit: Unit) -> str:
    if not unit.installed:
        return "not installed"
    state = f"{'active' if unit.active else 'inactive'}, {'enabled' if unit.enabled else 'disabled'}"
    return state if unit.effective else f"{state}, without effect"


def restoring(path: str, actual: Actual) -> Entry | None:
    """Return the entry that restores a path, or None for a directory, which stays."""
    if actual.kind == "directory" or actual.kind == "other":  # noqa: PLR1714 - mypy narrows only this form
        return None
    return Entry(
        path, actual.kind, actual.content, actual.target, actual.owner or "root", actual.group or "root", actual.mode
    )


def report(plan: Plan, observed: Observed) -> dict[str, t.Any]:
    """Return `changed`, `changes` (list of {action, resource, name}) and `diff`, the same in check mode and without."""
    changes = [
        *(_change("install", "package", name) for name in plan.packages),
        *(_change("update" if a.name in observed.accounts else "create", "account", a.name) for a in plan.accounts),
        *(_change(_verb(e, observed), _noun(e, observed), e.path) for e in plan.entries),
        *(_change(step, "service", one.name) for one in plan.services for step in one.steps),
    ]
    return {"changed": bool(changes), "changes": changes, "diff": _diffs(plan, observed)}


def _change(action: str, resource: str, name: str) -> dict[str, str]:
    return {"action": action, "resource": resource, "name": name}


def _verb(entry: Entry, observed: Observed) -> str:
    if entry.kind in GONE:
        return "delete" if entry.kind == "absent" else "set aside"
    return "create" if observed.paths.get(entry.path, Actual()).kind == "absent" else "update"


def _noun(entry: Entry, observed: Observed) -> str:
    return observed.paths[entry.path].kind if entry.kind in GONE else entry.kind


def _diffs(plan: Plan, observed: Observed) -> list[dict[str, str]]:
    diffs = []
    if plan.packages:
        diffs.append(_diff("packages", "", "".join(f"{name}\n" for name in plan.packages)))
    for account in plan.accounts:
        before = observed.accounts.get(account.name)
        diffs.append(
            _diff(
                f"account {account.name}",
                "" if before is None else _account_text(account.home, before),
                _account_text(account.home, (before or frozenset()) | frozenset(account.members)),
            )
        )
    diffs += [_entry_diff(entry, observed.paths.get(entry.path, Actual())) for entry in plan.entries]
    diffs += [_diff(f"service {one.name}", f"{one.before}\n", f"{one.after}\n") for one in plan.services]
    return diffs


def _diff(header: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _account_text(home: str, members: t.Iterable[str]) -> str:
    return f"home: {home}\nmembers of its group: {', '.join(sorted(members)) or 'none'}\n"


def _entry_diff(entry: Entry, actual: Actual) -> dict[str, str]:
    if entry.kind == "absent" or entry.kind == "aside":  # noqa: PLR1714 - mypy narrows only this form
        wanted = Actual()
    else:
        wanted = Actual(entry.kind, entry.content, entry.target, entry.owner, entry.group, entry.mode)
    before, after = _entry_text(actual, entry.secret), _entry_text(wanted, entry.secret)
    if entry.kind == "aside":
        after = SET_ASIDE
    if actual.kind == entry.kind == "file" and actual.content != entry.content:
        after = after.replace(HIDDEN, "(secret, not shown: another one)\n")
    return _diff(entry.path, before, after)


def _entry_text(actual: Actual, secret: bool) -> str:
    if actual.kind == "absent":
        return ""
    if actual.kind == "link":
        return f"link to {actual.target}\n"
    rights = f"{actual.kind} {actual.owner}:{actual.group} {actual.mode:04o}\n"
    if actual.kind != "file":
        return rights
    private = not actual.mode & 0o004  # a file that others cannot read is not shown
    return rights + (HIDDEN if secret or private else actual.content.decode(errors="replace"))
