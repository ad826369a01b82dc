# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports of a release and of a replacement that failed: what happened to each server, and what to do next."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Page = t.Mapping[str, t.Any]
Pages = t.Sequence[Page]


@dataclass(frozen=True)
class Member:
    """A server of a release that failed, and what the run recorded about it.

    `before` are the releases that it had before, by site. `failures` are the errors of its tasks. `touched` means that
    its batch was started. `asked`, `returned` and `failed_before` are pages that failed: on a server that did not get
    the release, after the rollback, and before the release. They are None where nothing was recorded.
    """

    name: str
    id: str
    tier: str
    before: t.Mapping[str, str]
    rotated: bool = True
    touched: bool = False
    reachable: bool = True
    failures: tuple[str, ...] = ()
    asked: Pages | None = None
    returned: Pages | None = None
    failed_before: Pages | None = None

    @property
    def label(self) -> str:
        """Return the name with the id of the instance."""
        return f"{self.name} ({self.id})"

    @property
    def had(self) -> str:
        """Return the releases that the server had before, in words."""
        return ", ".join(f"{site} {release}" for site, release in self.before.items())


def rolled_back(members: t.Sequence[Member]) -> list[str]:
    """Return the names of the servers that have their previous releases, and may be registered again.

    A server whose page fails now, and did not fail before, is left out only if the page is answered on another server
    of its tier that did not get the release. Otherwise it serves what the others serve.
    """
    answering = {one.tier for one in members if one.asked is not None and not one.asked}
    return [
        one.name
        for one in members
        if one.returned is not None and (not one.returned or one.failed_before or one.tier not in answering)
    ]


def lost(members: t.Sequence[Member]) -> list[str]:
    """Return the names of the servers that were deregistered for the release and stay so."""
    back = rolled_back(members)
    return [one.name for one in members if one.touched and one.rotated and one.name not in back]


def release_report(
    members: t.Sequence[Member], unwell: t.Sequence[str], *, stays: bool, command: str, sites: int
) -> str:
    """Return the report of a release that failed.

    `unwell` are the errors of registering servers, and of invalidating what CloudFront has cached. `stays` means that
    the release was not rolled back. `command` releases again, and `sites` is the number of the sites.
    """
    members = sorted(members, key=lambda one: one.name)
    back = [] if stays else rolled_back(members)
    lines = [
        "The release failed and was not rolled back: no page failed that was answered as expected before."
        if stays
        else "The release failed and was rolled back."
    ]
    for one in members:
        lines += [f"- {text}" for text in one.failures]
        if not one.reachable:
            lines.append(f"- {one.name} could not be reached.")
    lines += [f"- {_indented(text)}" for text in unwell]
    for one in members:
        lines += _outcome(one, back, stays=stays)
    behind = [one for one in members if one.touched and one.name not in back and not stays]
    return "\n".join(
        [*lines, *_way_back(behind, command, sites), "To release again when the cause is fixed:", f"  {command}"]
    )


def _outcome(one: Member, back: t.Sequence[str], *, stays: bool) -> list[str]:
    if not one.touched:
        return [f"- {one.name} is unchanged: it did not get the release."]
    if stays:
        return [f"- {one.name} has the release, and is registered with its target groups if it was before."]
    if one.name in back:
        failed = [
            f"  {page['site']}: {page['path']} {page['fault']}. The other servers answer in the same way."
            for page in one.returned or ()
        ]
        return [f"- {one.name} has {one.had} again.", *failed]
    if one.returned is not None:
        text = f"{one.label} has {one.had} again, and is deregistered from its target groups"
        return [f"- {text}: other servers of its tier answer as expected, and it does not."]
    if one.rotated:
        return [f"- {one.label} is deregistered from its target groups, and had {one.had}."]
    return [f"- {one.label} stays registered, since its tier has no other server, and had {one.had}."]


def _way_back(lost: t.Sequence[Member], command: str, sites: int) -> list[str]:
    """Return what to do for the servers that do not serve what the others serve."""
    if not lost:
        return []
    dead = [one.name for one in lost if not one.reachable]
    alive = [one.name for one in lost if one.reachable]
    steps = [
        *([f"start or reboot {', '.join(dead)}"] if dead else []),
        *([f"correct what is told above for {', '.join(alive)}"] if alive else []),
    ]
    ids = {release for one in lost for release in one.before.values()}
    pinned = f" -e lamp_release={ids.pop()}" if len(ids) == 1 and sites == 1 else ""
    names = ", ".join(one.name for one in lost)
    return [
        f"To make {names} serve what the other servers serve, {' and '.join(steps)}, and run",
        f"  {command}{pinned}",
    ]


def replacement_report(leaving: t.Sequence[str], failures: t.Mapping[str, str | None], everywhere: str) -> str:
    """Return the report of a batch that was not replaced.

    `leaving` are the servers that serve on. `failures` are the errors by successor, "" for none and None for one that
    could not be reached. `everywhere` is the error of the tasks that ran once for all.
    """
    told = [*([everywhere] if everywhere else []), *(f"{name}: {text}" for name, text in failures.items() if text)]
    gone = [f"{name} could not be reached." for name, text in failures.items() if text is None]
    return "\n".join(
        [
            f"{', '.join(leaving)} could not be replaced. "
            "The successors are terminated, and all servers serve as before.",
            "Fix the cause and run the same command again: it continues from here.",
            *(f"- {_indented(text)}" for text in told or gone),
        ]
    )


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n  ")
