"""The states of the account during the last seconds, in which a fault answers a call.

AWS' services are eventually consistent: a read may show an earlier state, and a call may not know yet what another one
has created. Before each change the content of all containers of moto is remembered, as for a refused call (`undoing`).
A call is answered in an earlier state by going back to it, and forward again.
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from groundwork_lab.api import undoing
from groundwork_lab.api.faults import Faults
from groundwork_lab.api.requests import Call
from groundwork_lab.aws.context import Context
from groundwork_lab.aws.errors import Answer
from groundwork_lab.aws.services import services

# S3, whose objects are strongly consistent: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html
OUTSIDE = frozenset(each.moto for each in services() if not each.in_world)
# The data plane answers these, without the lock.
PRESENT = frozenset({"DescribeTargetHealth", "GetConsoleOutput"})
UNKNOWN = re.compile(rb"NotFound|NoSuchEntity|NoSuchKey|InvalidTarget\b|Invalid IAM Instance Profile")


def has_past(call: Call) -> bool:
    """Return whether the call can be answered in an earlier state."""
    return call.service.in_world and call.operation not in PRESENT


def is_unknown(answer: Answer) -> bool:
    """Return whether the answer refuses a call because something that it names does not exist."""
    return 400 <= answer.status < 500 and bool(UNKNOWN.search(answer.body))


class History:
    """The states of the last seconds, as long as a fault needs them. The callers hold the context's lock."""

    def __init__(self, context: Context, faults: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._context = context
        self._faults = faults
        self._states: deque[tuple[float, Callable[[], None]]] = deque()  # until when, and how to go back

    def note(self, restore: Callable[[], None] | None = None) -> None:
        """Keep the present state, which is about to change. `restore` goes back to it, if that is known already."""
        reach, now = self._faults.reach, self.clock()
        while self._states and (not reach or self._states[0][0] < now - reach):
            self._states.popleft()
        if reach:
            self._states.append((now, restore or self._remember()))

    @contextmanager
    def at(self, age: float) -> Iterator[bool]:
        """Go back to the state of `age` seconds ago. Return False if nothing has changed since.

        All states are passed on the way, because an older one does not contain a service that had not been called yet.
        """
        earliest = self.clock() - age
        later = [restore for until, restore in self._states if until > earliest]
        if not later:
            yield False
            return
        back = self._remember()
        for restore in reversed(later):
            restore()
        try:
            yield True
        finally:
            back()

    def _remember(self) -> Callable[[], None]:
        return undoing.remember(self._context, without=OUTSIDE)
