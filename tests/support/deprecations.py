"""The deprecation warnings of Ansible runs, without those that others' code causes whatever we do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MARK = "[DEPRECATION WARNING]: "
# How the texts begin, and whose they are. Whatever is not here is ours to mend.
FOREIGN = (
    "Passing `disable_lookups` to `template` is deprecated.",  # amazon.aws 10's inventory plugin, at every start
    "The 'tags' host variable is deprecated.",  # amazon.aws 11.2's and newer, at every start, whether it is used or not
)


def own_deprecations(errors: str, told: Any = None) -> list[str]:
    """Return the warnings in a run's standard error, and in what its JSON callback told, that are ours to mend.

    The run needs ANSIBLE_DEPRECATION_WARNINGS=true.
    """
    printed = [line.removeprefix(MARK) for line in errors.splitlines() if line.startswith(MARK)]
    return [text for text in [*printed, *_of_results(told)] if not text.startswith(FOREIGN)]


def _of_results(told: Any) -> Iterator[str]:
    """Yield the warnings that tasks return, those of the items of loops too."""
    if isinstance(told, dict):
        yield from (str(one["msg"]) for one in told.get("deprecations") or [])
        for value in told.values():
            yield from _of_results(value)
    elif isinstance(told, list):
        for value in told:
            yield from _of_results(value)
