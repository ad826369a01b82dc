"""Values that nobody means, and every place of a value where one of them could stand."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

GARBAGE: list[Any] = [
    *(None, True, False, 0, -1, 1, 65536, 10**20, 1.5, float("nan"), float("inf")),
    *("", " ", "x", "-1", "٣", "a\nb", "\x00", "\ud800", "/", "*", "[", "{", "a=b", '{"a": 1}', "x" * 300),
    *([], [None], [""], [[]], ["x"], ["x", "x"], [{}], [{"x": None}], [1, "1"], (1, 2)),
    *({}, {"x": None}, {"": ""}, {1: 2, "1": 3}, {None: None}, {"a": {"b": [{}]}}, {"count": []}, {"group": "x"}),
    *(datetime.date(2026, 1, 31), b"\xff"),
]


def sample(spec: Mapping[str, Any]) -> Any:
    """A value that has all that an argument spec tells of."""
    if spec.get("options"):
        whole = {name: sample(one) for name, one in spec["options"].items()}
        return [whole] if spec["type"] == "list" else whole
    if spec.get("choices"):
        return spec["choices"][0]
    kinds = {"bool": True, "int": 5, "float": 1.0, "list": ["x"], "dict": {"x": "y"}}
    return kinds.get(spec.get("type", "str"), "x")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a value, the whole included."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def put(value: Any, path: tuple[Any, ...], what: Any) -> Any:
    """A copy of a value with something else in one place."""
    if not path:
        return what
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], what)
    return copy
