# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sum up the changes of a run, or of a plan: by component, with servers that get the same told once."""

from __future__ import annotations

import re
import textwrap
import typing as t
from collections import Counter
from dataclasses import dataclass, field, replace

ACTIONS = ("create", "update", "replace", "delete")  # of resources of AWS; servers have more, as "install"
WIDTH = 110  # columns of the text
MOST_NAMES = 8  # of one kind that are listed in the text
FORMAT = 1  # of the data. Another number means that a key has another meaning.
# "create subnet private-a", "delete certificate alb-public (3f0a…)": the end in parentheses is an id.
ID = re.compile(r" \([^()]+\)$")
IDS = ("id", "arn")
DONE = {action: f"{action}d" for action in ACTIONS}


@dataclass(frozen=True)
class Entry:
    """A change. `host` is the server that it is made on, or "" for a resource of AWS.

    `settings` are those of a resource that is created or deleted. `because` names those that replace it.
    """

    host: str
    component: str
    action: str
    resource: str
    name: str
    settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    because: tuple[str, ...] = ()


def summary(entries: t.Sequence[Entry], environment: str, *, planned: bool) -> dict[str, t.Any]:
    """Return the data of a summary: `format`, `environment`, `planned`, `totals` and `components`.

    `totals` counts changes by action, of AWS and on servers. A component has its changes as
    {action, resource, name}, and those on servers as `servers` with the names of the servers that get the same.
    A replacement has the settings that make it necessary as `because`, as far as they are known.
    """
    merged = _with_replacements(entries)
    order = list(dict.fromkeys(one.component for one in merged))
    return {
        "format": FORMAT,
        "environment": environment,
        "planned": planned,
        "totals": {
            "aws": _count(one for one in merged if not one.host),
            "servers": _count(one for one in merged if one.host),
        },
        "components": [_component(name, [one for one in merged if one.component == name]) for name in order],
    }


def text(data: t.Mapping[str, t.Any]) -> list[str]:
    """Return the lines of a summary."""
    lines = [_headline(data)]
    width = max((len(component["name"]) for component in data["components"]), default=0)
    for component in data["components"]:
        label = f"{component['name']:<{width}}"
        for action in _actions(component["changes"]):
            lines += _row(label, action, _kinds(component["changes"], action, most=MOST_NAMES))
            label = " " * width
        for group in component["servers"]:
            told = (f"{action} {_kinds(group['changes'], action)}" for action in _actions(group["changes"]))
            lines += _row(label, "", f"on {', '.join(group['names'])}: {'; '.join(told)}")
            label = " " * width
    return lines


def _with_replacements(entries: t.Sequence[Entry]) -> list[Entry]:
    """Return the changes, of which a deletion and a creation of the same resource are one replacement."""
    keys = [(one.host, one.component, one.resource, ID.sub("", one.name)) for one in entries]
    actions: dict[tuple[str, ...], dict[str, Entry]] = {}
    for one, key in zip(entries, keys, strict=True):
        actions.setdefault(key, {})[one.action] = one
    found: list[Entry] = []
    for one, key in zip(entries, keys, strict=True):
        own = actions[key]
        if not {"create", "delete"} <= own.keys():
            found.append(one)
        elif one.action == "create":
            because = _differing(own["delete"].settings, one.settings)
            found.append(replace(one, action="replace", name=key[-1], because=because))
    return found


def _differing(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return the settings that both have, with other values."""
    return tuple(name for name in before if name in after and name not in IDS and before[name] != after[name])


def _actions(changes: t.Iterable[t.Mapping[str, str]]) -> list[str]:
    """Return the actions of changes in the order of ACTIONS, then others as they come."""
    found = dict.fromkeys(one["action"] for one in changes)
    return [*(action for action in ACTIONS if action in found), *(action for action in found if action not in ACTIONS)]


def _count(entries: t.Iterable[Entry]) -> dict[str, int]:
    return {**dict.fromkeys(ACTIONS, 0), **Counter(one.action for one in entries)}


def _component(name: str, entries: t.Sequence[Entry]) -> dict[str, t.Any]:
    by_host: dict[str, list[Entry]] = {}
    for one in entries:
        if one.host:
            by_host.setdefault(one.host, []).append(one)
    same: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for host in sorted(by_host):
        same.setdefault(tuple((one.action, one.resource, one.name) for one in by_host[host]), []).append(host)
    return {
        "name": name,
        "changes": [_told(one) for one in entries if not one.host],
        "servers": [{"names": hosts, "changes": [_told(one) for one in by_host[hosts[0]]]} for hosts in same.values()],
    }


def _told(one: Entry) -> dict[str, t.Any]:
    told: dict[str, t.Any] = {"action": one.action, "resource": one.resource, "name": one.name}
    return {**told, "because": list(one.because)} if one.because else told


def _headline(data: t.Mapping[str, t.Any]) -> str:
    """Return the line of sums."""
    aws, servers = data["totals"]["aws"], sum(data["totals"]["servers"].values())
    begin = f"{'Plan' if data['planned'] else 'Changes'} of the environment {data['environment']}"
    if not servers and not any(aws.values()):
        return f"{begin}: nothing {'to change' if data['planned'] else 'was changed'}."
    sums = ", ".join(f"{number} {_done(action, data['planned'])}" for action, number in aws.items())
    on = len({host for one in data["components"] for group in one["servers"] for host in group["names"]})
    also = f"; {servers} {_plural('change', servers)} on {on} {_plural('server', on)}" if servers else ""
    return f"{begin}: {sums}{also}."


def _done(action: str, planned: bool) -> str:
    return f"to {action}" if planned else DONE.get(action, action)


def _kinds(changes: t.Sequence[t.Mapping[str, t.Any]], action: str, most: int = 0) -> str:
    """Return the kinds of resources with their names, or without `most` with their numbers."""
    names: dict[str, list[str]] = {}
    for one in changes:
        if one["action"] == action:
            because = one.get("because")
            name = f"{one['name']} (other {', '.join(because)})" if because else one["name"]
            names.setdefault(one["resource"], []).append(name)
    return "; ".join(
        f"{_plural(kind, len(own))} {_listed(own, most)}" if most else f"{len(own)} {_plural(kind, len(own))}"
        for kind, own in names.items()
    )


def _listed(names: t.Sequence[str], most: int) -> str:
    more = len(names) - most
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:most])} and {more} more"


def _plural(noun: str, number: int) -> str:
    if number == 1:
        return noun
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun if noun.endswith("s") else f"{noun}{'es' if noun.endswith(('x', 'ch', 'sh')) else 's'}"


def _row(label: str, action: str, told: str) -> list[str]:
    begin = f"  {label} " + (f"{action:<7} " if action else "")
    return textwrap.wrap(
        told,
        WIDTH,
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_on_hyphens=False,
        break_long_words=False,
    )
