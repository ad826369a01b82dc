# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which resources stay, and why. These functions are pure.

Resources of others stay, and so do all resources of the environment that these need or work through. A resource of the
environment stays only if such a resource or an option keeps it, or if AWS refused to delete it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Thing


@dataclass(frozen=True)
class Keeper:
    """A resource that keeps resources of the environment. Its text is a sentence without the full stop."""

    thing: Thing
    kept: tuple[Thing, ...]  # of the environment, without the resource itself
    reason: str = ""  # AWS' message if it refused to delete the resource

    def __str__(self) -> str:
        where = f" in {self.thing.place}" if self.thing.place else ""
        whose = "" if self.thing.ours else ", which is not part of the environment,"
        kept = _listed(self.kept)
        if self.reason:
            return f"{self.thing} was not deleted: {self.reason.rstrip('.')}" + (
                f". It prevents the removal of {kept}" if kept else ""
            )
        return f"{self.thing}{where}{whose} prevents the removal of {kept}"


def keepers(things: t.Sequence[Thing], wishes: t.Container[str], refused: t.Mapping[str, str]) -> list[Keeper]:
    """Return the resources that keep resources of the environment.

    `wishes` are the given options. `refused` are AWS' messages by the ids of the resources that it refused to delete.
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
    """Return whether a resource stays because the option for its removal is not given."""
    return bool(thing.wish) and thing.wish not in wishes


def staying(things: t.Sequence[Thing], wishes: t.Container[str], refused: t.Mapping[str, str]) -> set[str]:
    """Return the ids of all resources of the environment that stay."""
    by_id = {thing.id: thing for thing in things}
    ids = {one.id for keeper in keepers(things, wishes, refused) for one in (keeper.thing, *keeper.kept) if one.ours}
    ids |= {thing.id for thing in things if thing.ours and is_wished(thing, wishes)}
    parts = {thing.id for thing in things if thing.part_of and (thing.part_of in ids or thing.part_of not in by_id)}
    return ids | parts


def reach(thing: Thing, by_id: t.Mapping[str, Thing]) -> set[str]:
    """Return the ids of everything that a resource depends on, directly or not, including its own."""
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
