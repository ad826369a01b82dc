# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Things: what there is of an environment and around it, as a graph whose edges say what holds what.

A thing knows what it needs, and how it is removed. All the rest (the order, what is left alone, and why) follows
from the graph, in `order.py` and `keeping.py`.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Ref, Wait

Described = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Batch:
    """A call that removes many things at once: `argument` takes at most `size` of their ids."""

    service: str
    operation: str
    argument: str
    size: int

    def call(self, ids: t.Sequence[str]) -> Call:
        """The one call for these."""
        return Call(self.service, self.operation, {self.argument: list(ids)})


@dataclass(frozen=True)
class Thing:
    """Something that there is. `id` is AWS' own: an id, an ARN, or a unique name.

    What it `needs` must outlast it: AWS refuses to remove that first. What it `works_through` need not, but is of use
    to it: it stays when the thing stays. `calls` (or `batch`) remove it; without any it goes by itself, as the
    interfaces of a deleted balancer do, and is only awaited. `part_of` names the thing without which this one is no
    thing of its own: it stays and goes with that. `wish` is the option without which it stays, though it is ours.
    """

    kind: str  # in AWS' words
    id: str
    name: str  # that people use
    ours: bool = True
    needs: frozenset[str] = frozenset()
    works_through: frozenset[str] = frozenset()
    calls: tuple[Call, ...] = ()
    batch: Batch | None = None
    wait: Wait | None = None
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    part_of: str = ""
    wish: str = ""
    place: str = ""  # where people find it: a subnet's name

    @property
    def ref(self) -> Ref:
        """What a change that has to await its removal refers to."""
        return Ref(self.kind, self.name or self.id)

    def __str__(self) -> str:
        name = f" {self.name}" if self.name and self.name != self.id else ""
        return f"{self.kind}{name} ({self.id})"


def unified(things: t.Iterable[Thing]) -> list[Thing]:
    """Each thing once: what others have is found by everything of ours that it holds."""
    found: dict[str, Thing] = {}
    for thing in things:
        known = found.get(thing.id, thing)
        place = ", ".join(dict.fromkeys(filter(None, (known.place, thing.place))))
        found[thing.id] = replace(known, needs=known.needs | thing.needs, place=place, name=known.name or thing.name)
    return list(found.values())


def some(*ids: str | None) -> frozenset[str]:
    """Those of the ids that there are."""
    return frozenset(one for one in ids if one)


@dataclass(frozen=True)
class Whose:
    """An environment, and how its things are told from others."""

    environment: str

    def owns(self, tags: t.Mapping[str, str]) -> bool:
        """Whether these tags say so."""
        return tags.get(ENVIRONMENT) == self.environment

    def owns_described(self, resource: Described) -> bool:
        """Whether a described resource carries our tag."""
        return self.owns(tag_dict(resource))

    def has_name(self, name: str) -> bool:
        """Whether a name begins as ours do. So do those of an environment that is called `<ours>-…`."""
        return name.startswith(f"{self.environment}-")

    def short(self, tags: t.Mapping[str, str], other: str = "") -> str:
        """The name that people use, `other` when there is none."""
        return tags.get("Name", "").removeprefix(f"{self.environment}-") or other

    def name_of(self, resource: Described, other: str = "") -> str:
        """The name that people use of a described resource."""
        return self.short(tag_dict(resource), other)
