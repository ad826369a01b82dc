"""Named network namespaces, as in `ip netns`, but without leaving an additional mount."""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.processes import CLONE_NEWNET, NETNS
from groundwork_lab.settings import Settings
from groundwork_lab.undo import unname

_MS_BIND = 0x1000
_libc = ctypes.CDLL(None, use_errno=True)


def existing(settings: Settings) -> list[str]:
    """Return the names of this lab's existing namespaces, sorted."""
    if not NETNS.is_dir():
        return []
    return sorted(path.name for path in NETNS.glob(f"{settings.name}-*") if _is_namespace(path.name))


def create(name: str, journal: Journal, prepare: Callable[[], None]) -> None:
    """Record and create a namespace, and run `prepare` in it before it gets its name. Raise OSError."""
    journal.record(Entry("namespace", name))
    NETNS.mkdir(mode=0o755, exist_ok=True)
    if _is_namespace(name):
        raise FileExistsError(errno.EEXIST, "the network namespace already exists", name)
    failure: list[BaseException] = []

    def body() -> None:
        try:
            _check(_libc.unshare(CLONE_NEWNET), name)
            prepare()
            _pin(name)
        except BaseException as error:  # any exception is passed to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=body, name=f"make-{name}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def remove(name: str) -> None:
    """Remove a namespace's name, if it exists. The namespace ends with its last process."""
    unname(NETNS / name)


def _is_namespace(name: str) -> bool:
    """Return whether the file is a mount of nsfs. After a crash it may be a plain file."""
    try:
        return (NETNS / name).stat().st_dev != NETNS.stat().st_dev
    except FileNotFoundError:
        return False


def _pin(name: str) -> None:
    """Mount the thread's namespace on the file with its name."""
    path = NETNS / name
    path.touch(mode=0o444)
    _check(_libc.mount(b"/proc/thread-self/ns/net", os.fsencode(path), b"none", _MS_BIND, None), name)


def _check(result: int, name: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)
