# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the order of removal: resources that nothing else needs are deleted first. These functions are pure."""

from __future__ import annotations

import typing as t
from functools import cache
from itertools import groupby

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Batch, Thing
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.keeping import staying


def going(things: t.Sequence[Thing], wishes: t.Container[str], refused: t.Mapping[str, str]) -> list[Thing]:
    """Return all resources of the environment that are to be deleted."""
    kept = staying(things, wishes, refused)
    return [thing for thing in things if thing.ours and thing.id not in kept]


def plan_removal(leaving: t.Sequence[Thing]) -> list[Change]:
    """Return the changes, level by level.

    Resources whose deletion takes minutes (servers, load balancers, NAT gateways, distributions) are on the first
    level, so that all their deletions begin before the first wait. A later change waits only for the resources that
    need the resource which it deletes.
    """
    level = levels(leaving)
    members = groupby(ordered(leaving), key=lambda thing: level[thing.id])
    return [change for _depth, together in members for change in _level(list(together), leaving)]


def ordered(leaving: t.Sequence[Thing]) -> list[Thing]:
    """Return the resources in the order of their changes. Each change deletes one."""
    level = levels(leaving)
    return sorted(leaving, key=lambda thing: level[thing.id])


def levels(leaving: t.Sequence[Thing]) -> dict[str, int]:
    """Return the level of each resource by id, which is one more than the highest level of those that need it."""
    users: dict[str, list[str]] = {thing.id: [] for thing in leaving}
    for thing in leaving:
        for needed in thing.needs & users.keys():
            users[needed].append(thing.id)

    @cache
    def level(thing_id: str) -> int:
        return max((level(user) + 1 for user in users[thing_id]), default=0)

    return {thing.id: level(thing.id) for thing in leaving}


def _level(members: t.Sequence[Thing], leaving: t.Sequence[Thing]) -> t.Iterator[Change]:
    batches = {call_id: call for batch in _batches(members) for call_id, call in _batch_calls(batch, members)}
    for thing in members:
        calls = (batches[thing.id],) if thing.id in batches else thing.calls
        awaited = tuple(user.ref for user in leaving if thing.id in user.needs and user.wait)
        action: t.Literal["update", "delete"] = "update" if thing.part_of else "delete"
        yield Change(
            action,
            thing.kind,
            thing.ref.name,
            calls,
            before={"id": thing.id, **thing.before},
            wait=thing.wait,
            awaits=awaited,
        )


def _batches(members: t.Sequence[Thing]) -> list[Batch]:
    return list(dict.fromkeys(thing.batch for thing in members if thing.batch))


def _batch_calls(batch: Batch, members: t.Sequence[Thing]) -> t.Iterator[tuple[str, Call]]:
    """Return the calls of a batch, by the id of the first resource that each deletes, whose change makes the call."""
    ids = [thing.id for thing in members if thing.batch == batch]
    for start in range(0, len(ids), batch.size):
        yield ids[start], batch.call(ids[start : start + batch.size])
