# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of removal: what nothing needs any more goes first, all of it at once. Pure."""

from __future__ import annotations

import typing as t
from functools import cache
from itertools import groupby

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.keeping import staying
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import Batch, Thing


def going(things: t.Sequence[Thing], wishes: t.Container[str], refused: t.Mapping[str, str]) -> list[Thing]:
    """Everything of ours that goes."""
    kept = staying(things, wishes, refused)
    return [thing for thing in things if thing.ours and thing.id not in kept]


def plan_removal(leaving: t.Sequence[Thing]) -> list[Change]:
    """The changes, level by level.

    What takes AWS minutes (servers, balancers, NAT gateways, distributions) is on the first level: all of it is asked
    to go before anything is awaited. A later change awaits just those things that needed what it removes.
    """
    level = levels(leaving)
    members = groupby(ordered(leaving), key=lambda thing: level[thing.id])
    return [change for _depth, together in members for change in _level(list(together), leaving)]


def ordered(leaving: t.Sequence[Thing]) -> list[Thing]:
    """The things in the order of their changes, each of which removes one."""
    level = levels(leaving)
    return sorted(leaving, key=lambda thing: level[thing.id])


def levels(leaving: t.Sequence[Thing]) -> dict[str, int]:
    """The step in which each thing goes, by id: one after the last of those that need it."""
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
    """The calls of a batch, each by the id of the first thing that it removes: that one's change makes it."""
    ids = [thing.id for thing in members if thing.batch == batch]
    for start in range(0, len(ids), batch.size):
        yield ids[start], batch.call(ids[start : start + batch.size])
