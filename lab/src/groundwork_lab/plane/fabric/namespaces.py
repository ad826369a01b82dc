"""Named network namespaces, as in `ip netns`, but without leaving an additional mount."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.processes import CLONE_NEWNET, NETNS
from groundwork_lab.settings import Settings
from groundwork_lab.undo import unname

_MS_BIND = 0x1000
# All ids have themselves outside, so that files have the same owners. The last one is left out: systemd takes a user
# namespace with every id for the machine's own (running_in_userns() in virt.c), and would mount what it cannot.
_SAME_IDS = f"0 0 {2**32 - 2}"
_libc = ctypes.CDLL(None, use_errno=True)


def existing(settings: Settings) -> list[str]:
    """Return the names of this lab's existing namespaces, sorted."""
    if not NETNS.is_dir():
        return []
    return sorted(path.name for path in NETNS.glob(f"{settings.name}-*") if _is_namespace(path.name))


def create(name: str, journal: Journal, prepare: Callable[[], None], *, confined: bool = False) -> None:
    """Record and create a namespace, and run `prepare` in it before it gets its name. Raise OSError.

    A `confined` namespace belongs to a user namespace of its own. A process of that user namespace can have every
    capability, and these apply to this network namespace and to no other one (user_namespaces(7)).
    """
    journal.record(Entry("namespace", name))
    NETNS.mkdir(mode=0o755, exist_ok=True)
    if _is_namespace(name):
        raise FileExistsError(errno.EEXIST, "the network namespace already exists", name)
    failure: list[BaseException] = []

    def body() -> None:
        try:
            with ExitStack() as stack:
                if confined:
                    _enter(stack.enter_context(_confined_process()), name)
                else:
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


@contextmanager
def _confined_process() -> Iterator[int]:
    """Run a process in a new user namespace and a network namespace that belongs to it, and yield its pid.

    Only a process with one thread can enter a user namespace, so it cannot be a thread of this one.
    """
    argv = ["unshare", "--user", "--net", "cat"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError(argv)
        with suppress(BrokenPipeError):  # unshare has failed
            process.stdin.write(b"\n")
        if not process.stdout.read(1):  # cat answers once the namespaces exist
            raise OSError(errno.EPERM, process.stderr.read().decode(errors="replace").strip())
        for ids in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{ids}").write_text(_SAME_IDS, encoding="ascii")
        yield process.pid


def _enter(pid: int, name: str) -> None:
    """Move the calling thread to the network namespace of a process."""
    with Path(f"/proc/{pid}/ns/net").open("rb") as file:
        _check(_libc.setns(file.fileno(), CLONE_NEWNET), name)


def _pin(name: str) -> None:
    """Mount the thread's namespace on the file with its name."""
    path = NETNS / name
    path.touch(mode=0o444)
    _check(_libc.mount(b"/proc/thread-self/ns/net", os.fsencode(path), b"none", _MS_BIND, None), name)


def _check(result: int, name: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)
