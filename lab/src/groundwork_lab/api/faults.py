"""Injected faults: throttling, errors, delays, lost or cut responses, and an account that is not up to date yet.

Two runs with the same rules, seeds and calls have the same faults.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from groundwork_lab.api.calls import is_read


@dataclass(frozen=True)
class Fault:
    """A rule for calls of `service` and `operation` by `access_key` (shell patterns; services as boto3's clients).

    The fault applies to a call with `probability` (0 to 1), or to exactly every `every`-th call if `every` is above 0,
    and to at most `times` calls (0: no limit). The call waits `delay` seconds. Then, with `code`, it is refused with
    that error and `status`, and it is not executed. With `executed` it is executed first. With `drop` it is executed
    and the connection is closed without an answer, with `cut` the first half of its answer is sent. With neither of
    them it is only delayed.

    With `stale` the rule is for reads alone, which are answered in the state of so many seconds ago. With `unknown` a
    call is refused as AWS refuses it if it names something that does not exist, when it did not exist so many seconds
    ago. Neither changes calls of S3, nor those that the data plane answers (`history`).
    """

    service: str = "*"
    operation: str = "*"
    access_key: str = "*"
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
    stale: float = 0.0
    unknown: float = 0.0
    seed: int = 0

    @property
    def refuses(self) -> bool:
        """Return whether the call is answered with an error in place of its answer."""
        return bool(self.code and self.status and not self.drop and not self.cut and not self.age)

    @property
    def age(self) -> float:
        """Return the age in seconds of the state in which the call is answered, 0 for the present state."""
        return self.stale or self.unknown

    def concerns(self, service: str, operation: str, access_key: str) -> bool:
        given = ((service, self.service), (operation, self.operation), (access_key, self.access_key))
        return all(fnmatchcase(*each) for each in given) and (not self.stale or is_read(operation))


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

    @property
    def reach(self) -> float:
        """Return the age in seconds of the oldest state that a rule needs, 0 for none."""
        return max((fault.age for fault in self.rules()), default=0.0)

    def strike(self, service: str, operation: str, access_key: str = "") -> Fault | None:
        """Return the fault that applies to this call, or None. An anonymous call has no access key."""
        with self._lock:
            for rule in self._rules:
                if rule.fault.concerns(service, operation, access_key) and rule.strikes():
                    return rule.fault
        return None
