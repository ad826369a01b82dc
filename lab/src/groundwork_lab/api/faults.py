"""Injected faults: throttling, errors, delays, and responses that are lost or cut after the call was executed.

Two runs with the same rules, seeds and calls have the same faults.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Fault:
    """A rule for calls of `service` and `operation` (shell patterns; services are named as boto3's clients).

    The fault applies to a call with `probability` (0 to 1), or to exactly every `every`-th call if `every` is above 0,
    and to at most `times` calls (0: no limit). The call waits `delay` seconds. Then, with `code`, it is refused with
    that error and `status`, and it is not executed. With `executed` it is executed first. With `drop` it is executed
    and the connection is closed without an answer, with `cut` the first half of its answer is sent. With neither of
    them it is only delayed.
    """

    service: str = "*"
    operation: str = "*"
    probability: float = 1.0
    every: int = 0
    times: int = 0
    code: str = "RequestLimitExceeded"
    message: str = "Request limit exceeded."
    status: int = 503
    delay: float = 0.0
    drop: bool = False
    cut: bool = False
    executed: bool = False
    seed: int = 0

    @property
    def refuses(self) -> bool:
        """Return whether the call is answered with an error in place of its answer."""
        return bool(self.code and self.status and not self.drop and not self.cut)

    def concerns(self, service: str, operation: str) -> bool:
        return fnmatchcase(service, self.service) and fnmatchcase(operation, self.operation)


class _Rule:
    """A fault and its state: the number of calls seen and of faults applied, and a random sequence of its own."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._random = random.Random(fault.seed)  # noqa: S311 - must be repeatable
        self._seen = 0
        self._struck = 0

    def strikes(self) -> bool:
        if self.fault.times and self._struck >= self.fault.times:
            return False
        self._seen += 1
        if self.fault.every:
            struck = self._seen % self.fault.every == 0
        else:
            struck = self._random.random() < self.fault.probability
        self._struck += struck
        return struck


class Faults:
    """The active rules. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def set(self, *faults: Fault) -> None:
        """Replace all rules. If several rules match a call, the first one applies."""
        with self._lock:
            self._rules = [_Rule(fault) for fault in faults]

    def clear(self) -> None:
        self.set()

    def rules(self) -> Sequence[Fault]:
        with self._lock:
            return [rule.fault for rule in self._rules]

    def strike(self, service: str, operation: str) -> Fault | None:
        """Return the fault that applies to this call, or None."""
        with self._lock:
            for rule in self._rules:
                if rule.fault.concerns(service, operation) and rule.strikes():
                    return rule.fault
        return None
