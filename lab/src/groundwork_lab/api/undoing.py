"""Undoing the changes of a refused call: on AWS a refused call has no effect.

moto often writes before it has checked all parameters, or fails halfway. Before a call that may write, the content of
each container in moto's backends is remembered. When the call is refused, each container gets its content back in
place, so that all references to a resource stay valid (docs/decisions/0028).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network
from operator import is_
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict

from groundwork_lab.aws.context import Context, Worker
from groundwork_lab.aws.services import Service

STATE = (
    "moto.",
    "groundwork_lab.api.",
    "groundwork_lab.aws.",
)  # modules whose objects are state; objects of other modules are values
SURROUNDINGS = (Context, Worker)  # refer to the state, but are not part of it
VALUES = frozenset((str, bytes, int, float, bool, type(None), datetime, IPv4Address, IPv4Network))  # have no content
CONTAINERS = (dict, list, set, deque)


def found(context: Context, service: Service, region: str) -> None:
    """Create moto's backend of a service, if this is its first call, so that its empty state can be remembered."""
    _ = get_backend(service.moto)[context.account]["aws" if service.reach == "global" else region]


def remember(context: Context, *, without: Collection[str]) -> Callable[[], None]:
    """Remember the state of all services except `without` (moto's names), and return a function that restores it.

    The caller holds the context's lock, without a break, until it has kept or restored the state. Otherwise the changes
    of other requests would be undone too.
    """
    backends = [
        each for service in BackendDict._instances if service.service_name not in without for each in _all(service)
    ]
    kept = [(container, _content(container)) for container in _containers([*backends, context.pool])]

    def restore() -> None:
        for container, content in kept:
            if not _is_same(_content(container), content):
                _refill(container, content)

    return restore


def _all(service: BackendDict) -> Iterator[Any]:
    """Return the backends of a service. moto caches references to these two levels, so they must stay unchanged."""
    return (backend for regions in list(service.values()) for backend in list(regions.values()))


def _containers(roots: Iterable[Any]) -> Iterator[Any]:
    """Yield every container that can be reached from the roots once. The content of an object is its attributes."""
    waiting, seen = list(roots), set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, CONTAINERS):
            yield each
        if isinstance(each, (*CONTAINERS, tuple)):
            inner = each.values() if isinstance(each, dict) else each
            waiting += [other for other in inner if type(other) not in VALUES]
        if _is_state(type(each)):
            waiting.append(vars(each))


def _is_state(kind: type[Any]) -> bool:
    """Return whether objects of this class are state that is kept in their attributes."""
    return kind.__module__.startswith(STATE) and not issubclass(kind, SURROUNDINGS) and kind.__dictoffset__ != 0


def _content(container: Any) -> list[Any]:
    return [*container, *container.values()] if isinstance(container, dict) else list(container)


def _is_same(now: list[Any], before: list[Any]) -> bool:
    return len(now) == len(before) and all(map(is_, now, before))


def _refill(container: Any, content: list[Any]) -> None:
    container.clear()
    if isinstance(container, dict):
        half = len(content) // 2
        container.update(zip(content[:half], content[half:], strict=True))
    elif isinstance(container, set):
        container.update(content)
    else:
        container.extend(content)
