# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for a condition, with a deadline."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import DeadlineError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.progress import INTERVAL, awaiting, tell

T = t.TypeVar("T")


class Clock(t.Protocol):
    """The two functions of `time` that waiting needs. Tests pass a fake clock."""

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""

    def sleep(self, seconds: float, /) -> None:
        """Sleep for this many seconds."""


SYSTEM_CLOCK = t.cast(Clock, time)


def wait_until(
    look: t.Callable[[], T],
    ready: t.Callable[[T], bool],
    *,
    until: str,
    deadline: float,
    interval: float,
    clock: Clock = SYSTEM_CLOCK,
    standing: t.Callable[[T], str] = lambda _: "",
) -> T:
    """Call `look` until `ready` accepts its result, and return this result.

    `until` is an infinitive phrase, such as "the NAT gateway to be available". `standing` returns a sentence about the
    progress, or "". The user is told of both every 15 s. Raises DeadlineError with `until`, the deadline in seconds and
    the last result.
    """
    begin = told = clock.monotonic()
    while True:
        seen = look()
        if ready(seen):
            return seen
        now = clock.monotonic()
        if now >= begin + deadline:
            raise DeadlineError(
                f"Timed out after {deadline:.0f} s waiting for {until}. Run again to continue; nothing is lost.",
                seen,
            )
        if now >= told + INTERVAL:
            tell(awaiting(until, now - begin, deadline, standing(seen)))
            told = now
        clock.sleep(interval)
