"""Looking again and again while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERVAL = 0.2  # seconds


@contextmanager
def watching(look: Callable[[], object]) -> Iterator[None]:
    """Calls `look` in a thread of its own until the block ends."""
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
