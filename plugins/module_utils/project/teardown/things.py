# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Things: the resources of an environment and around it, as a graph of dependencies.

A thing has the ids of the things that it needs, and the calls that delete it. `order.py` derives the order from the
graph, and `keeping.py` what stays and why.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Ref, Wait

Described = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Batch:
    """A call that deletes many resources at once. `argument` takes at most `size` of their ids."""

    service: str
    operation: str
    argument: str
    size: int

    def call(self, ids: t.Sequence[str]) -> Call:
        """Return the call that deletes these resources."""
        return Call(self.service, self.operation, {self.argument: list(ids)})


@dataclass(frozen=True)
class Thing:
    """An existing resource. `id` is AWS' id: an id, an ARN, or a unique name.

    AWS refuses to delete what the resource `needs` before the resource. What it `works_through` can be deleted earlier,
    but stays if the resource stays. `calls` (or `batch`) delete the resource; if it has none, AWS deletes it, as the
    interfaces of a deleted load balancer, and it is only awaited. `part_of` is another resource, with which this one
    stays and is deleted. `wish` is the option without which the resource stays although it is the environment's.
    """

    kind: str  # AWS' term
    id: str
    name: str  # the short name
    ours: bool = True
    needs: frozenset[str] = frozenset()
    works_through: frozenset[str] = frozenset()
    calls: tuple[Call, ...] = ()
    batch: Batch | None = None
    wait: Wait | None = None
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    part_of: str = ""
    wish: str = ""
    place: str = ""  # for the user: a subnet's name

    @property
    def ref(self) -> Ref:
        """Return the reference for changes that wait for the deletion of this resource."""
        return Ref(self.kind, self.name or self.id)

    def __str__(self) -> str:
        name = f" {self.name}" if self.name and self.name != self.id else ""
        return f"{self.kind}{name} ({self.id})"


def unified(things: t.Iterable[Thing]) -> list[Thing]:
    """Return each resource once. A resource of others is found by everything of the environment that it keeps."""
    found: dict[str, Thing] = {}
    for thing in things:
        known = found.get(thing.id, thing)
        place = ", ".join(dict.fromkeys(filter(None, (known.place, thing.place))))
        found[thing.id] = replace(known, needs=known.needs | thing.needs, place=place, name=known.name or thing.name)
    return list(found.values())


def some(*ids: str | None) -> frozenset[str]:
    """Return the ids that are not empty."""
    return frozenset(one for one in ids if one)


@dataclass(frozen=True)
class Whose:
    """An environment, and the tests for its resources."""

    environment: str

    def owns(self, tags: t.Mapping[str, str]) -> bool:
        """Return whether these are the environment's tags."""
        return tags.get(ENVIRONMENT) == self.environment

    def owns_described(self, resource: Described) -> bool:
        """Return whether a described resource has the environment's tag."""
        return self.owns(tag_dict(resource))

    def has_name(self, name: str) -> bool:
        """Return whether a name begins with `<environment>-`. Names of an environment `<environment>-…` do so too."""
        return name.startswith(f"{self.environment}-")

    def short(self, tags: t.Mapping[str, str], other: str = "") -> str:
        """Return the short name from a resource's tags, or `other` if it has none."""
        return tags.get("Name", "").removeprefix(f"{self.environment}-") or other

    def name_of(self, resource: Described, other: str = "") -> str:
        """Return the short name of a described resource."""
        return self.short(tag_dict(resource), other)
