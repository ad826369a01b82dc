"""Starting and stopping daemons in network namespaces. The journal records them, so that they can be ended later."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TypeVar

from groundwork_lab.journal import Entry, Journal, start_time

NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000
T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)

# The kernel sends a parent-death signal when the forking *thread* ends, not its process (prctl(2), PR_SET_PDEATHSIG).
# So one thread, which lives as long as the process, forks all daemons.
_forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")

# The new process itself requests that signal. If its parent has died before the request, its parent is another process
# by then.
_UNLESS_ORPHANED = ["sh", "-c", 'parent=$1; shift; [ "$PPID" = "$parent" ] && exec "$@"', "sh"]


def enter_namespace(name: str) -> None:
    """Move the calling thread to the named network namespace (setns(2)). Raise OSError."""
    with (NETNS / name).open("rb") as file:
        if _libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), name)


def in_namespace(name: str, work: Callable[[], T]) -> T:
    """Run `work` in a new thread inside the namespace, and return its result or raise its exception.

    A socket that it creates stays in that namespace, also when other threads use it.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            enter_namespace(name)
            outcome.append(work())
        except BaseException as error:  # any exception is passed to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=body, name=f"in-{name}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def listen(namespace: str, address: str, port: int, *, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return a bound (for TCP listening) socket in `namespace`, for use from any thread of this process."""

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
    """Start a daemon in its own session and record it in the journal. Both outputs are written to `log`.

    A pid cannot be recorded before it exists. The parent-death signal covers the time between fork and record: when
    this process is killed, the kernel sends SIGTERM to the daemon. A daemon that changes its user clears that signal;
    by then it is in the journal. Raise FileNotFoundError.
    """
    if shutil.which(argv[0]) is None:
        raise FileNotFoundError(2, "No such program", argv[0])
    command = ["setpriv", "--pdeathsig", "TERM", "--", *_UNLESS_ORPHANED, str(os.getpid())]
    command += ["nsenter", f"--net={NETNS / namespace}", "--"] if namespace else []
    with ExitStack() as stack:
        output: int | IO[bytes] = subprocess.DEVNULL
        if isinstance(log, Path):
            log.parent.mkdir(parents=True, exist_ok=True)
            output = stack.enter_context(log.open("ab"))
        elif log is not None:
            output = log
        return _forker.submit(_fork, [*command, *argv], journal, output, pass_fds, cwd).result()


def _fork(
    command: Sequence[str], journal: Journal, output: int | IO[bytes], pass_fds: Sequence[int], cwd: Path | None
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=pass_fds,
        cwd=cwd,
    )
    journal.record(Entry("process", str(process.pid), start_time(process.pid) or 0))
    return process


def wait_listening(
    process: subprocess.Popen[bytes], namespace: str, address: str, port: int, *, patience: float = 10.0
) -> None:
    """Wait until a daemon accepts TCP connections. Raise TimeoutError, or ChildProcessError if it ends before."""
    name = f"daemon for {address}:{port}"

    def work() -> None:
        deadline = time.monotonic() + patience
        while not _takes_connections(address, port):
            if process.poll() is not None:
                message = f"The {name} ended with code {process.returncode} before it listened."
                raise ChildProcessError(message)
            if time.monotonic() > deadline:
                message = f"Timed out after {patience:g} s waiting for the {name} to listen."
                raise TimeoutError(message)
            select.select([], [], [], 0.02)  # there is no event for another process starting to listen

    in_namespace(namespace, work)


def _takes_connections(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        return client.connect_ex((address, port)) == 0


def stop(process: subprocess.Popen[bytes], journal: Journal, *, grace: float = 10.0) -> None:
    """Stop a daemon of `spawn` and strike it from the journal. Raise TimeoutError as `end` does."""
    entries = [each for each in journal.entries() if each.kind == "process" and each.name == str(process.pid)]
    for entry in entries:
        end(process.pid, entry.start, grace=grace)
        journal.strike(entry)
    process.wait()


def end(pid: int, start: int, *, stop: signal.Signals = signal.SIGTERM, grace: float = 10.0) -> None:
    """Signal a recorded process, wait up to `grace` seconds for its end, then kill it.

    Do nothing if the pid does not exist or belongs to a newer process. Raise TimeoutError if SIGKILL does not end it,
    because it hangs in the kernel.
    """
    if end_all([(pid, start)], stop=stop, grace=grace):
        message = f"Process {pid} did not end within {grace:g} s of SIGKILL; it hangs in the kernel."
        raise TimeoutError(message)


def end_all(
    processes: Iterable[tuple[int, int]], *, stop: signal.Signals = signal.SIGTERM, grace: float = 10.0
) -> list[int]:
    """End several processes, given by pid and start time, together. Return the pids that SIGKILL did not end."""
    with ExitStack() as stack:
        living: dict[int, int] = {}  # pid file descriptor -> pid
        for pid, start in processes:
            descriptor = _open_process(pid, start)
            if descriptor is not None:
                stack.callback(os.close, descriptor)
                living[descriptor] = pid
        for sign in (stop, signal.SIGKILL):
            for descriptor in living:
                _signal(descriptor, sign)
            living = _outlasting(living, grace)
        return list(living.values())


def _open_process(pid: int, start: int) -> int | None:
    """Return a pid file descriptor, which refers to this process even if its pid is reused, or None if it ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError as error:
        if error.errno in {errno.ESRCH, errno.EINVAL}:  # no such process, or the pid belongs to a thread
            return None
        raise
    if start_time(pid) == start:
        return descriptor
    os.close(descriptor)
    return None


def _signal(descriptor: int, sign: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(descriptor, sign)
    except ProcessLookupError:
        return  # it has ended


def _outlasting(living: dict[int, int], grace: float) -> dict[int, int]:
    """Return those of `living` that run after `grace` seconds. A pid file descriptor is readable after the end."""
    deadline = time.monotonic() + grace
    left = dict(living)
    while left and (remaining := deadline - time.monotonic()) > 0:
        poll = select.poll()
        for descriptor in left:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(remaining * 1000):
            del left[descriptor]
    return left
