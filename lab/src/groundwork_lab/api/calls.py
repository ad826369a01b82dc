"""Counts of API calls by service and operation. Tests use them to check call budgets and that nothing was written."""

from __future__ import annotations

import threading
from collections import Counter

READS = ("Describe", "Get", "List", "Head", "Lookup", "Search", "Select", "BatchGet", "Test", "Validate", "AssumeRole")


def is_read(operation: str) -> bool:
    """Return whether the operation only reads, judged by its name, as in AWS' ReadOnlyAccess policy."""
    return operation.startswith(READS)


class CallCounter:
    """Counts every call that reaches the API, also refused and throttled calls. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str]] = Counter()

    def count(self, service: str, operation: str) -> None:
        with self._lock:
            self._calls[service, operation] += 1

    def reset(self) -> None:
        with self._lock:
            self._calls.clear()

    def counted(self) -> dict[str, dict[str, int]]:
        """Return {service: {operation: calls}} since the last reset, with the services named as boto3's clients.

        `origin` is S3 as CloudFront's edges call it. Requests of their viewers do not count as S3 calls.
        """
        return self._table(writes_only=False)

    @property
    def writes(self) -> dict[str, dict[str, int]]:
        """Return the same table for the operations that write, whether the calls were accepted or not."""
        return self._table(writes_only=True)

    def _table(self, *, writes_only: bool) -> dict[str, dict[str, int]]:
        table: dict[str, dict[str, int]] = {}
        with self._lock:
            calls = sorted(self._calls.items())
        for (service, operation), number in calls:
            if not (writes_only and is_read(operation)):
                table.setdefault(service, {})[operation] = number
        return table
