# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collect the resources of all topics. Each resource is there once, with everything that the topics know about it."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Protection,
    Removal,
    Sight,
    Thing,
    managed_by,
)


def things(removals: t.Iterable[Removal], sight: Sight) -> list[Thing]:
    """Return all resources of the environment, and the resources of others that keep some of them."""
    return unified(thing for removal in removals for thing in removal.things(sight))


def unified(found: t.Iterable[Thing]) -> list[Thing]:
    """Return each resource once. What others need by a name that it serves, they need by its id."""
    known: dict[str, Thing] = {}
    for thing in found:
        known[thing.id] = _joined(known[thing.id], thing) if thing.id in known else thing
    servers: dict[str, set[str]] = defaultdict(set)
    for thing in known.values():
        for name in thing.serves:
            servers[name].add(thing.id)
    return [
        replace(thing, needs=frozenset(one for need in thing.needs for one in servers.get(need, {need})))
        for thing in known.values()
    ]


def protections(thing: Thing) -> list[Protection]:
    """Return what prevents the deletion of a resource: what a user has set, and the tools that manage it."""
    return [*thing.protections, *managed_by(thing.tags)]


def alone(thing: Thing) -> Thing:
    """Return the resource with a call of its own, in place of its batch's."""
    return replace(thing, batch=None, calls=(thing.batch.call([thing.id]),)) if thing.batch else thing


def _joined(one: Thing, other: Thing) -> Thing:
    """Return what two topics know about a resource. One of others is found by everything that it keeps."""
    return replace(
        one,
        name=one.name or other.name,
        needs=one.needs | other.needs,
        calls=one.calls or other.calls,
        batch=one.batch or other.batch,
        before={**other.before, **one.before},
        wish=one.wish or other.wish,
        tags={**other.tags, **one.tags},
        protections=tuple(dict.fromkeys((*one.protections, *other.protections))),
        place=", ".join(dict.fromkeys(filter(None, (one.place, other.place)))),
    )
