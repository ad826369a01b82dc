# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays, and why: pure.

What is not ours is left alone, and so is everything of ours that it needs or works through. What is ours goes,
unless it is kept by such a thing, by a wish, or by AWS, which refused to remove it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import Thing


@dataclass(frozen=True)
class Keeper:
    """A thing that keeps others; as text a sentence without its end."""

    thing: Thing
    kept: tuple[Thing, ...]  # of ours, itself left out
    reason: str = ""  # AWS' own words when it refused to remove the thing

    def __str__(self) -> str:
        where = f" in {self.thing.place}" if self.thing.place else ""
        whose = "" if self.thing.ours else ", not ours,"
        kept = _listed(self.kept)
        if self.reason:
            return f"{self.thing} stays: {self.reason.rstrip('.')}" + (f". It keeps {kept}" if kept else "")
        return f"{self.thing}{where}{whose} keeps {kept}"


def keepers(things: t.Sequence[Thing], wishes: t.Container[str], refused: t.Mapping[str, str]) -> list[Keeper]:
    """Who keeps what of ours; things that keep nothing are left out.

    `wishes` are the options that were given; `refused` has AWS' words by the ids of what it would not remove.
    """
    by_id = {thing.id: thing for thing in things}
    found = []
    for thing in things:
        if thing.ours and thing.id not in refused and not is_wished(thing, wishes):
            continue
        reached = reach(thing, by_id)
        kept = tuple(one for one in things if one.id in reached and one.ours and one.id != thing.id and not one.part_of)
        if kept or thing.id in refused:
            found.append(Keeper(thing, kept, refused.get(thing.id, "")))
    return found


def is_wished(thing: Thing, wishes: t.Container[str]) -> bool:
    """Whether it stays because nobody asked for its removal."""
    return bool(thing.wish) and thing.wish not in wishes


def staying(things: t.Sequence[Thing], wishes: t.Container[str], refused: t.Mapping[str, str]) -> set[str]:
    """The ids of all of ours that stay."""
    by_id = {thing.id: thing for thing in things}
    ids = {one.id for keeper in keepers(things, wishes, refused) for one in (keeper.thing, *keeper.kept) if one.ours}
    ids |= {thing.id for thing in things if thing.ours and is_wished(thing, wishes)}
    parts = {thing.id for thing in things if thing.part_of and (thing.part_of in ids or thing.part_of not in by_id)}
    return ids | parts


def reach(thing: Thing, by_id: t.Mapping[str, Thing]) -> set[str]:
    """The ids of everything that a thing rests on, directly or not, itself included."""
    seen: set[str] = set()
    waiting = [thing.id]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            found = by_id.get(one)
            waiting += [*found.needs, *found.works_through] if found else []
    return seen & by_id.keys()


def _listed(things: t.Iterable[Thing]) -> str:
    return ", ".join(f"{thing.kind} {thing.name or thing.id}" for thing in things)
