"""Starting and ending daemons: in a network namespace, recorded in the journal, ended by what was recorded."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TypeVar

from groundwork_lab.journal import Entry, Journal, start_time

NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000
T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)


def enter_namespace(name: str) -> None:
    """Move the calling thread into the named network namespace (setns(2)). Raises OSError."""
    with (NETNS / name).open("rb") as file:
        if _libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), name)


def in_namespace(name: str, work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own inside the namespace, and give back what it returns or raises.

    A socket made there stays in that namespace, wherever it is used from.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            enter_namespace(name)
            outcome.append(work())
        except BaseException as error:  # handed to the caller's thread, whatever it is
            failure.append(error)

    thread = threading.Thread(target=body, name=f"in-{name}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def listen(namespace: str, address: str, port: int, *, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A bound (and for TCP listening) socket inside `namespace`, usable from any thread of this process."""

    def work() -> socket.socket:
        bound = socket.socket(socket.AF_INET, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
        if kind == socket.SOCK_STREAM:
            bound.listen(128)
        return bound

    return in_namespace(namespace, work)


def spawn(
    argv: Sequence[str],
    journal: Journal,
    *,
    namespace: str | None = None,
    log: Path | IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a daemon in a session of its own, recorded in the journal; both outputs go to `log`."""
    command = ["nsenter", f"--net={NETNS / namespace}", "--", *argv] if namespace else list(argv)
    output: int | IO[bytes] = subprocess.DEVNULL
    if isinstance(log, Path):
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("ab")
    elif log is not None:
        output = log
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
            cwd=cwd,
        )
    finally:
        if isinstance(log, Path) and not isinstance(output, int):
            output.close()
    journal.record(Entry("process", str(process.pid), start_time(process.pid) or 0))
    return process


def end(pid: int, start: int, *, stop: signal.Signals = signal.SIGTERM, grace: float = 10.0) -> None:
    """Signal a recorded process, wait up to `grace` seconds until it is gone, then kill it.

    Does nothing when the pid is gone or belongs to a younger process.
    """
    for sign in (stop, signal.SIGKILL):
        if not _alive(pid, start):
            return
        os.kill(pid, sign)
        deadline = time.monotonic() + grace
        while _alive(pid, start) and time.monotonic() < deadline:
            _reap(pid)
            time.sleep(0.02)


def _alive(pid: int, start: int) -> bool:
    return start_time(pid) == start


def _reap(pid: int) -> None:
    """Collect our own child, so that it does not stay a zombie; someone else's is theirs to collect."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
