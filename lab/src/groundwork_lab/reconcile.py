"""The loop that applies the API's state to the data plane: one thread, woken by changes, with the parts in order.

The error of a part is shown by `status`. The part is retried with increasing delays, and the other parts continue. An
error is logged once with its traceback, and again when it changes. The same applies to a resource that the snapshot
cannot read or a part cannot serve: the other resources are applied. The loop sleeps until something changes or a retry
is due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from groundwork_lab.apart import UnservedError, described
from groundwork_lab.model import Unreadable, World
from groundwork_lab.ports import Reconciler

DEBOUNCE = 0.02  # seconds; combines a series of writes into one pass
BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0)  # seconds until the next retry, by consecutive failures

_log = logging.getLogger(__name__)


@dataclass
class PartReport:
    """The result of a part's last pass: its duration, its error, and the number of consecutive failures."""

    seconds: float = 0.0
    error: str = ""
    failures: int = 0


@dataclass
class LoopReport:
    passes: int = 0
    seconds: float = 0.0  # of the last pass
    finished: float = 0.0  # end of the last pass, in seconds since the epoch
    parts: dict[str, PartReport] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()  # in the last pass

    @property
    def errors(self) -> dict[str, str]:
        return {name: part.error for name, part in self.parts.items() if part.error}


class Loop:
    """Applies the latest `World` to the parts in its own thread."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._wanted = True  # the first pass does not need a change
        self._closing = False
        self._thread: threading.Thread | None = None
        self.report = LoopReport()

    def start(
        self,
        snapshot: Callable[[], World],
        parts: Sequence[tuple[str, Reconciler]],
        followed: Callable[[World], None],
    ) -> None:
        """Apply the result of `snapshot` to `parts`, in this order. `followed` gets what all parts have applied."""
        self._snapshot = snapshot
        self._parts = parts
        self._followed = followed
        self.report.parts = {name: PartReport() for name in ("API", *(name for name, _ in parts))}
        self._thread = threading.Thread(target=self._run, name="reconcile")
        self._thread.start()

    def changed(self) -> None:
        """Request a pass. Can be called from any thread and returns at once."""
        with self._condition:
            self._wanted = True
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread after its current pass."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._awaited():
            self.pass_once()

    def _awaited(self) -> bool:
        """Wait until a pass is due. Return False when the loop is closing."""
        with self._condition:
            self._condition.wait_for(lambda: self._wanted or self._closing, timeout=self._retry_in())
            self._condition.wait_for(lambda: self._closing, timeout=DEBOUNCE)
            self._wanted = False
            return not self._closing

    def _retry_in(self) -> float | None:
        failures = [part.failures for part in self.report.parts.values() if part.failures]
        return BACKOFF[min(*failures, len(BACKOFF)) - 1] if failures else None

    def pass_once(self) -> None:
        """Make one pass of all parts with one `World`."""
        began = time.monotonic()
        self._tried("API", self._follow)
        self.report.passes += 1
        self.report.seconds = time.monotonic() - began
        self.report.finished = time.time()

    def _follow(self) -> None:
        world = self._snapshot()
        self._tell_unreadable(world.unreadable)
        unserved = [self._tried(name, partial(part.reconcile, world)) for name, part in self._parts]
        if None not in unserved:
            self._followed(world.without({name for names in unserved for name in names or ()}))

    def _tell_unreadable(self, now: tuple[Unreadable, ...]) -> None:
        before, self.report.unreadable = self.report.unreadable, now
        for each in now:
            if each not in before:
                _log.error("%s %s cannot be read, so it is not updated: %s", each.type, each.id, each.why)
        for each in before:
            if each not in now:
                _log.info("%s %s can be read again, or was deleted.", each.type, each.id)

    def _tried(self, name: str, work: Callable[[], object]) -> Collection[str] | None:
        """Run the part. Return the ids that it does not serve, or None if it failed as a whole."""
        report = self.report.parts[name]
        began = time.monotonic()
        unserved: Collection[str] | None = ()
        error = ""
        try:
            work()
        except UnservedError as failure:
            unserved, error = failure.reasons, str(failure)
        except Exception as failure:  # an error of a part must not stop the others
            unserved, error = None, described(failure)
            if error != report.error:
                _log.exception("%s failed", name)
        if error and unserved and error != report.error:
            _log.error("%s does not serve %s", name, error)
        report.failures = report.failures + 1 if error else 0
        report.error = error
        report.seconds = time.monotonic() - began
        return unserved
