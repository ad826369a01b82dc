"""Independent work on many resources: a failure with one resource does not stop the work on the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class UnservedError(Exception):
    """The resources that a part of the data plane could not serve: `reasons` by resource id. All others are served."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        self.reasons = dict(reasons)


class Apart:
    """Collects the reasons why work on resources failed: `reasons` by resource id."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    @contextmanager
    def trying(self, resource_id: str) -> Iterator[None]:
        """Run the block for one resource, and record the error if it raises one."""
        try:
            yield
        except Exception as error:  # the work on the other resources must continue
            self.reasons.setdefault(resource_id, described(error))

    def each(self, things: Iterable[tuple[str, T]], work: Callable[[T], R]) -> dict[str, R]:
        """Return the results of `work` by resource id, without the resources for which it failed."""
        results: dict[str, R] = {}
        for resource_id, thing in things:
            with self.trying(resource_id):
                results[resource_id] = work(thing)
        return results

    def end(self) -> None:
        """Raise UnservedError if the work on any resource failed."""
        if self.reasons:
            raise UnservedError(self.reasons)


def described(error: BaseException) -> str:
    """Return the error in one line: its type, and its message if it has one."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
