"""The loop that applies the API's state to the data plane.

One thread, woken by changes, reads the `World` and applies it to the network's parts in order. Then it hands the
`World` to the other parts, each of which has a thread: a security group's rule does not wait for distributions or load
balancers. A part that is busy gets the latest `World` next, and skips those before it.

The error of a part is shown by `status`. The part is retried with increasing delays, and the other parts continue. An
error is logged once with its traceback, and again when it changes. The same applies to a resource that the snapshot
cannot read or a part cannot serve: the other resources are applied. A part's failure with an outdated `World` is not
shown, because the network may have removed what the part needed. The threads sleep until something changes or a retry
is due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from groundwork_lab.apart import UnservedError, described
from groundwork_lab.model import Unreadable, World
from groundwork_lab.ports import Reconciler

DEBOUNCE = 0.02  # seconds; combines a series of writes into one pass
BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0)  # seconds until the next retry, by consecutive failures

_log = logging.getLogger(__name__)


class Part(NamedTuple):
    """A part of the data plane with a thread of its own.

    `confirms` names the fields of the `World` whose resources are complete when this part has applied them. Those that
    `pending` returns after a pass are not complete: the part works on them, and requests a pass when they are.
    """

    name: str
    reconciler: Reconciler
    confirms: tuple[str, ...] = ()
    pending: Callable[[], Collection[str]] = tuple


@dataclass
class PartReport:
    """The result of a part's last pass: its duration, its error, and the number of consecutive failures."""

    seconds: float = 0.0
    error: str = ""
    failures: int = 0


@dataclass
class LoopReport:
    passes: int = 0
    seconds: float = 0.0  # from the snapshot of the last pass until the last part has applied it
    finished: float = 0.0  # end of the last pass, in seconds since the epoch
    parts: dict[str, PartReport] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()  # in the last pass

    @property
    def errors(self) -> dict[str, str]:
        return {name: part.error for name, part in self.parts.items() if part.error}


@dataclass(frozen=True, eq=False)
class _Given:
    """A `World` for the parts, and the ids that the network's parts do not serve, or None if one of them failed."""

    world: World
    began: float
    unserved: frozenset[str] | None


class Loop:
    """Applies the latest `World` to the parts in its own threads."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._wanted = True  # the first pass does not need a change
        self._closing = False
        self._thread: threading.Thread | None = None
        self._lanes: list[_Lane] = []
        self._confirming = threading.Lock()  # guards `_confirmed`
        self._confirmed = World()
        self.report = LoopReport()

    def start(
        self,
        snapshot: Callable[[], World],
        network: Sequence[tuple[str, Reconciler]],
        followed: Callable[[World], None],
        others: Sequence[Part] = (),
    ) -> None:
        """Apply the result of `snapshot` to the parts of the `network`, in this order, and then to the `others`.

        `followed` gets what is complete: of each field of the `World` what the part has applied that confirms it, or
        else what the network's parts have applied. It is called by one thread at a time.
        """
        self._snapshot = snapshot
        self._network = network
        self._followed = followed
        names = ("API", *(name for name, _ in network), *(part.name for part in others))
        self.report.parts = {name: PartReport() for name in names}
        self._lanes = [_Lane(part, self.report, self._confirm) for part in others]
        for lane in self._lanes:
            lane.start()
        self._thread = threading.Thread(target=self._run, name="reconcile")
        self._thread.start()

    def changed(self) -> None:
        """Request a pass. Can be called from any thread and returns at once."""
        with self._condition:
            self._wanted = True
            self._condition.notify_all()

    def close(self) -> None:
        """End the threads after their current passes."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()
        for lane in self._lanes:
            lane.close()

    def _run(self) -> None:
        while self._awaited():
            _tried("API", self.report.parts["API"], self._follow)

    def _awaited(self) -> bool:
        """Wait until a pass is due. Return False when the loop is closing."""
        with self._condition:
            self._condition.wait_for(lambda: self._wanted or self._closing, timeout=self._retry_in())
            self._condition.wait_for(lambda: self._closing, timeout=DEBOUNCE)
            self._wanted = False
            return not self._closing

    def _retry_in(self) -> float | None:
        names = ("API", *(name for name, _ in self._network))
        return _retry_in(*(self.report.parts[name] for name in names))

    def _follow(self) -> None:
        """Make one pass of the network's parts, and hand its `World` to the others."""
        began = time.monotonic()
        world = self._snapshot()
        self._tell_unreadable(world.unreadable)
        unserved = [
            _tried(name, self.report.parts[name], partial(part.reconcile, world)) for name, part in self._network
        ]
        ids = None if None in unserved else frozenset(name for names in unserved for name in names or ())
        given = _Given(world, began, ids)
        for lane in self._lanes:
            lane.give(given)
        self.report.passes += 1
        _ended(self.report, began)
        if ids is not None:
            others = {name for lane in self._lanes for name in lane.part.confirms}
            self._confirm(World.names() - others, world.without(ids))

    def _confirm(self, names: Collection[str], world: World) -> None:
        """Report that these fields of `world` are complete."""
        with self._confirming:
            self._confirmed = replace(self._confirmed, **{name: getattr(world, name) for name in names})
            self._followed(self._confirmed)

    def _tell_unreadable(self, now: tuple[Unreadable, ...]) -> None:
        before, self.report.unreadable = self.report.unreadable, now
        for each in now:
            if each not in before:
                _log.error("%s %s cannot be read, so it is not updated: %s", each.type, each.id, each.why)
        for each in before:
            if each not in now:
                _log.info("%s %s can be read again, or was deleted.", each.type, each.id)


class _Lane:
    """The thread of one part, which applies the latest `World` that it was given."""

    def __init__(self, part: Part, report: LoopReport, confirm: Callable[[Collection[str], World], None]) -> None:
        self.part = part
        self._report = report
        self._confirm = confirm
        self._condition = threading.Condition()
        self._given: _Given | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=part.name)

    def start(self) -> None:
        self._thread.start()

    def give(self, given: _Given) -> None:
        """Request a pass with this `World`, which replaces one that waits."""
        with self._condition:
            self._given = given
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread after its current pass."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join()

    def _run(self) -> None:
        report = self._report.parts[self.part.name]
        given = None
        while (given := self._awaited(given, _retry_in(report))) is not None:
            _tried(self.part.name, report, partial(self._apply, given), partial(self._is_outdated, given))
            _ended(self._report, given.began)

    def _awaited(self, before: _Given | None, retry_in: float | None) -> _Given | None:
        """Return the `World` of the next pass when it is due, or None when the lane is closing."""
        with self._condition:
            self._condition.wait_for(lambda: self._given is not before or self._closing, timeout=retry_in)
            return None if self._closing else self._given

    def _is_outdated(self, given: _Given) -> bool:
        with self._condition:
            return self._given is not given

    def _apply(self, given: _Given) -> None:
        unserved: UnservedError | None = None
        try:
            self.part.reconciler.reconcile(given.world)
        except UnservedError as failure:
            unserved = failure
        if self.part.confirms and given.unserved is not None:
            ids = {*given.unserved, *self.part.pending(), *(unserved.reasons if unserved else ())}
            self._confirm(self.part.confirms, given.world.without(ids))
        if unserved:
            raise unserved


def _retry_in(*reports: PartReport) -> float | None:
    """Return the seconds until the next retry, or None if no part has failed."""
    failures = [each.failures for each in reports if each.failures]
    return BACKOFF[min(*failures, len(BACKOFF)) - 1] if failures else None


def _ended(report: LoopReport, began: float) -> None:
    report.seconds = time.monotonic() - began
    report.finished = time.time()


def _tried(
    name: str, report: PartReport, work: Callable[[], object], outdated: Callable[[], bool] = lambda: False
) -> Collection[str] | None:
    """Run the part. Return the ids that it does not serve, or None if it failed as a whole."""
    began = time.monotonic()
    unserved: Collection[str] | None = ()
    error = ""
    try:
        work()
    except UnservedError as failure:
        unserved, error = failure.reasons, str(failure)
    except Exception as failure:  # an error of a part must not stop the others
        unserved, error = None, described(failure)
        if error != report.error and not outdated():
            _log.exception("%s failed", name)
    report.seconds = time.monotonic() - began
    if error and outdated():
        return unserved
    if error and unserved and error != report.error:
        _log.error("%s does not serve %s", name, error)
    report.failures = report.failures + 1 if error else 0
    report.error = error
    return unserved
