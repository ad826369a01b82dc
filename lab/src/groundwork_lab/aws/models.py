"""The checks of parameters against botocore's model of an operation: values, limits, lengths. Pure functions.

https://smithy.io/2.0/spec/constraint-traits.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple


class Violation(NamedTuple):
    """A value that the model does not permit. `path` has the names of the members in lower camel case."""

    path: str
    value: object
    constraint: str


def violations(shape: Any, value: Any, path: str = "") -> Iterator[Violation]:
    """Yield the values of the parameters that the model does not permit."""
    if value is None or shape is None:
        return
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in shape.members.items():
            yield from violations(member, value.get(name), f"{path}.{lower(name)}".lstrip("."))
    elif shape.type_name == "list" and isinstance(value, Sequence) and not isinstance(value, str):
        yield from (Violation(path, f"[{', '.join(map(str, value))}]", each) for each in _of_length(shape, len(value)))
        for number, each in enumerate(value, 1):
            yield from violations(shape.member, each, f"{path}.{number}.member")
    elif isinstance(value, str) and shape.type_name == "string":
        yield from (Violation(path, value, each) for each in _of_text(shape, value))
    elif shape.type_name in ("integer", "long") and is_integer(str(value)):
        yield from (Violation(path, value, each) for each in _of_number(shape, int(value)))


def missing(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of the members that the model requires and the parameters do not have."""
    if shape is not None and shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in shape.members.items():
            inner = f"{path}.{lower(name)}".lstrip(".")
            if value.get(name) is not None:
                yield from missing(member, value[name], inner)
            elif name in shape.required_members:
                yield inner
    elif shape is not None and shape.type_name == "list" and isinstance(value, Sequence) and not isinstance(value, str):
        for number, each in enumerate(value, 1):
            yield from missing(shape.member, each, f"{path}.{number}.member")


def is_integer(text: str) -> bool:
    """Return whether the text is an integer in AWS' spelling. Its digits are those of ASCII."""
    return re.fullmatch("[+-]?[0-9]+", text) is not None


def lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _of_text(shape: Any, value: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    yield from _of_length(shape, len(value))
    pattern = _pattern(shape.metadata.get("pattern", ""))
    if pattern is not None and not pattern.fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}"


def _of_length(shape: Any, length: int) -> Iterator[str]:
    limits = shape.metadata
    if length < limits.get("min", 0):
        yield f"Member must have length greater than or equal to {limits['min']}"
    if length > limits.get("max", length):
        yield f"Member must have length less than or equal to {limits['max']}"


def _of_number(shape: Any, value: int) -> Iterator[str]:
    limits = shape.metadata
    if value < limits.get("min", value):
        yield f"Member must have value greater than or equal to {limits['min']}"
    if value > limits.get("max", value):
        yield f"Member must have value less than or equal to {limits['max']}"


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    """Return the pattern, or None if there is none, or if it is one of Java that Python does not have."""
    try:
        return re.compile(text) if text and "\\p{" not in text else None
    except re.error:
        return None


def told(found: Sequence[Violation]) -> str:
    """Return AWS' message of these violations."""
    each = "; ".join(
        f"Value '{one.value}' at '{one.path}' failed to satisfy constraint: {one.constraint}" for one in found
    )
    return f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {each}"
