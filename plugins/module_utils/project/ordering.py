# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put what registers by itself in the order that it declares."""

from __future__ import annotations

import typing as t
from graphlib import TopologicalSorter

T = t.TypeVar("T")


def in_order(named: t.Mapping[str, T], before: t.Callable[[T], t.Iterable[str]]) -> list[T]:
    """Return the items, each after those whose names `before` returns. Names without an item do not count."""
    graph = {name: [one for one in before(item) if one in named] for name, item in named.items()}
    return [named[name] for name in TopologicalSorter(graph).static_order()]
