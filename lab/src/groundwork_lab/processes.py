"""Starting and ending daemons: in a network namespace, recorded in the journal, ended by what was recorded."""

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

# The kernel sends a parent-death signal when the *thread* that forked ends, not its process (prctl(2),
# PR_SET_PDEATHSIG). So one thread, which lives as long as the process, forks every daemon.
_forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")

# That signal is asked for by the daemon-to-be itself. A parent that died before it asked is told by the next
# program's own parent: somebody else by then.
_UNLESS_ORPHANED = ["sh", "-c", 'parent=$1; shift; [ "$PPID" = "$parent" ] && exec "$@"', "sh"]


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
    """Start a daemon in a session of its own, recorded in the journal; both outputs go to `log`.

    A pid cannot be recorded before there is one. The moment between fork and record is covered by the
    parent-death signal: when this process is killed there, or anywhere else, the kernel sends the daemon SIGTERM.
    A daemon that changes its user clears that signal; the journal still has it then. Raises FileNotFoundError.
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
    """Wait until a daemon takes TCP connections. Raises TimeoutError, or ChildProcessError when it ended instead."""
    name = f"The daemon for {address}:{port}"

    def work() -> None:
        deadline = time.monotonic() + patience
        while not _takes_connections(address, port):
            if process.poll() is not None:
                message = f"{name} ended with code {process.returncode} before it listened."
                raise ChildProcessError(message)
            if time.monotonic() > deadline:
                message = f"{name} does not listen after {patience:g} s."
                raise TimeoutError(message)
            select.select([], [], [], 0.02)  # nobody tells when another process starts to listen

    in_namespace(namespace, work)


def _takes_connections(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        return client.connect_ex((address, port)) == 0


def stop(process: subprocess.Popen[bytes], journal: Journal, *, grace: float = 10.0) -> None:
    """End a daemon that `spawn` started and strike it from the journal. Raises TimeoutError as `end` does."""
    entries = [each for each in journal.entries() if each.kind == "process" and each.name == str(process.pid)]
    for entry in entries:
        end(process.pid, entry.start, grace=grace)
        journal.strike(entry)
    process.wait()


def end(pid: int, start: int, *, stop: signal.Signals = signal.SIGTERM, grace: float = 10.0) -> None:
    """Signal a recorded process, wait up to `grace` seconds until it is gone, then kill it.

    Does nothing when the pid is gone or belongs to a younger process. Raises TimeoutError when even SIGKILL
    did not end it (it hangs in the kernel).
    """
    if end_all([(pid, start)], stop=stop, grace=grace):
        message = f"Process {pid} did not end within {grace:g} s of SIGKILL; it hangs in the kernel."
        raise TimeoutError(message)


def end_all(
    processes: Iterable[tuple[int, int]], *, stop: signal.Signals = signal.SIGTERM, grace: float = 10.0
) -> list[int]:
    """End many processes, given by pid and start time, at once; the pids of those that outlived SIGKILL."""
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
    """A pid file descriptor: it stays with this process even if its number is used again. None when gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError as error:
        if error.errno in {errno.ESRCH, errno.EINVAL}:  # no such process; or the number is a thread's by now
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
        return  # it ended meanwhile, which is what we want


def _outlasting(living: dict[int, int], grace: float) -> dict[int, int]:
    """Those of `living` that still run after `grace` seconds; a pid file descriptor is readable after the end."""
    deadline = time.monotonic() + grace
    left = dict(living)
    while left and (remaining := deadline - time.monotonic()) > 0:
        poll = select.poll()
        for descriptor in left:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(remaining * 1000):
            del left[descriptor]
    return left
