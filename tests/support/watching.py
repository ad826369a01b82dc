"""Looking again and again: until something is so, or while something else goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

INTERVAL = 0.2  # seconds
T = TypeVar("T")


def eventually(look: Callable[[], T], ready: Callable[[T], bool], deadline: float) -> T:
    """Return what `look` returns once `ready` accepts it, or at the deadline (seconds); the caller asserts."""
    end = time.monotonic() + deadline
    while True:
        seen = look()
        if ready(seen) or time.monotonic() > end:
            return seen
        time.sleep(0.1)


@contextmanager
def watching(look: Callable[[], object]) -> Iterator[None]:
    """Call `look` in a thread of its own until the block ends."""
    done = threading.Event()

    def again() -> None:
        while not done.wait(INTERVAL):
            look()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
