"""The same work for many resources, apart from each other: one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class UnservedError(Exception):
    """What a part of the data plane does not serve, and why, by the id of the resource; it serves all others."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        self.reasons = dict(reasons)


class Apart:
    """Collects why work on resources failed: `reasons`, by the resource's id."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    @contextmanager
    def trying(self, resource_id: str) -> Iterator[None]:
        """Do the block's work for one resource; an error of it is collected, whatever it is."""
        try:
            yield
        except Exception as error:  # the others must go on
            self.reasons.setdefault(resource_id, described(error))

    def each(self, things: Iterable[tuple[str, T]], work: Callable[[T], R]) -> dict[str, R]:
        """The results of `work` by resource id, of those that it succeeded with."""
        results: dict[str, R] = {}
        for resource_id, thing in things:
            with self.trying(resource_id):
                results[resource_id] = work(thing)
        return results

    def end(self) -> None:
        """Raise UnservedError when work on some resource failed."""
        if self.reasons:
            raise UnservedError(self.reasons)


def described(error: BaseException) -> str:
    """An error in one line: its kind and its message, which some errors lack."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
