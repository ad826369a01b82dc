"""Removal of everything in the journal: for `down`, and after a daemon that was killed.

All processes are ended first, so that they no longer use the other resources. Then mounts, namespaces, links and
folders are removed in the reverse order of their creation. A missing resource is not an error, so that the removal can
be interrupted and started again.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from groundwork_lab.journal import Entry, Journal, boot_id, start_time
from groundwork_lab.processes import NETNS, end_all
from groundwork_lab.settings import Settings

MNT_DETACH = 2
MS_REC, MS_PRIVATE = 0x4000, 0x40000
CLONE_NEWNS = 0x20000
_libc = ctypes.CDLL(None, use_errno=True)


def undo(settings: Settings, journal: Journal) -> list[str]:
    """Remove everything in the journal and the state folder. Return the problems as sentences.

    A mount that stays busy is detached (umount2(2), MNT_DETACH), and reported as a problem. It exists, invisibly, until
    its last user ends.
    """
    entries = journal.entries()
    if rebooted(settings):  # its processes have ended, and their pids may be reused
        entries = [entry for entry in entries if entry.kind != "process"]
    problems = _end_processes(journal, [entry for entry in entries if entry.kind == "process"])
    for entry in reversed([entry for entry in entries if entry.kind != "process"]):
        problems += _undo_one(journal, entry)
    if settings.state.exists() and not problems:
        problems += _remove_folder(str(settings.state))
    return problems


def rebooted(settings: Settings) -> bool:
    """Return whether the machine was rebooted since the lab was started."""
    return settings.boot.exists() and settings.boot.read_text(encoding="ascii") != boot_id()


def _end_processes(journal: Journal, entries: list[Entry]) -> list[str]:
    survivors = set(end_all([(int(entry.name), entry.start) for entry in entries]))
    for entry in entries:
        if int(entry.name) not in survivors:
            journal.strike(entry)
    return [f"Process {pid} did not end after SIGKILL; it hangs in the kernel." for pid in sorted(survivors)]


def _undo_one(journal: Journal, entry: Entry) -> list[str]:
    ways: dict[str, Callable[[str], list[str]]] = {
        "mount": _remove_mount,
        "namespace": remove_namespace,
        "link": _remove_link,
        "folder": _remove_folder,
    }
    try:
        problems = ways[entry.kind](entry.name)
    except OSError as error:
        return [f"The {entry.kind} {entry.name} could not be removed: {error.strerror or error}."]
    journal.strike(entry)
    return problems


def mounts_below(path: str, mountinfo: str) -> list[str]:
    """Return the mount points at and below `path` in the order to unmount them, from /proc/self/mountinfo's text.

    Source: proc_pid_mountinfo(5). Field 5 is the mount point, with space, tab, newline and backslash in octal.
    """
    points = [_unescaped(line.split()[4]) for line in mountinfo.splitlines()]
    return [point for point in reversed(points) if point == path or point.startswith(path.rstrip("/") + "/")]


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _remove_mount(path: str) -> list[str]:
    """Unmount everything at and below `path`. Return a sentence for each mount that was only detached."""
    detached = []
    for point in mounts_below(path, Path("/proc/self/mountinfo").read_text(encoding="utf-8")):
        if not _unmounted(point):
            umount(point, MNT_DETACH)
            detached.append(f"The mount {point} was busy; it was detached, and is removed when it is no longer used.")
    return detached


def _unmounted(point: str, patience: float = 3.0) -> bool:
    """Unmount, retrying for `patience` seconds while a process ends. Return False if the mount stays busy."""
    deadline = time.monotonic() + patience
    while True:
        try:
            umount(point)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            if time.monotonic() > deadline:
                return False
            select.select([], [], [], 0.05)  # there is no event for a mount that becomes free
        else:
            return True


def umount(point: str, flags: int = 0) -> None:
    """Call umount2(2). A path that is not mounted is not an error. Raise OSError for other errors."""
    if _libc.umount2(os.fsencode(point), flags) != 0:
        error = ctypes.get_errno()
        if error not in {errno.EINVAL, errno.ENOENT}:
            raise OSError(error, os.strerror(error), point)


def remove_namespace(name: str) -> list[str]:
    """End the processes in a network namespace, then remove its name. Return the problems as sentences.

    The kernel then frees the namespace with its links, routes and rules.
    """
    survivors = end_inhabitants(name)
    unname(NETNS / name)
    return [f"Process {pid} in namespace {name} did not end after SIGKILL." for pid in survivors]


def unname(handle: Path) -> None:
    """Unmount a namespace from the file with its name and remove the file, if it exists. Raise OSError.

    The first `ip netns add` on a machine mounts /run/netns on itself, with copies of the mounts below it. The original
    mounts are then hidden, and their files are busy. In a mount namespace without that copy they are not.
    """
    umount(str(handle), MNT_DETACH)  # as ip-netns(8) does: the file is only a name
    try:
        handle.unlink(missing_ok=True)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        with ThreadPoolExecutor(1) as thread:  # unshare(2) affects this thread only, which ends afterwards
            thread.submit(_unname_below, handle).result()


def _unname_below(handle: Path) -> None:
    _check(_libc.unshare(CLONE_NEWNS), "/")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "/")
    while True:
        umount(str(handle), MNT_DETACH)
        try:
            handle.unlink(missing_ok=True)  # since Linux 3.18, this also removes mounts in other mount namespaces
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _check(_libc.umount2(os.fsencode(handle.parent), MNT_DETACH), str(handle))  # until no copy is left
        else:
            return


def _check(result: int, name: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)


def end_inhabitants(name: str) -> list[int]:
    """End the processes in a namespace: the lab's, and shells of `exec`, which get SIGHUP.

    Return the pids that SIGKILL did not end, or [] if the namespace does not exist.
    """
    handle = NETNS / name
    return end_all(inhabitants(handle), stop=signal.SIGHUP, grace=2.0) if handle.exists() else []


def inhabitants(handle: Path) -> list[tuple[int, int]]:
    """Return the processes in the network namespace of the file `handle`, by pid and start time."""
    here = handle.stat()
    return [(pid, start) for pid, start in _processes() if _lives_in(pid, here)]


def _processes() -> Iterable[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (start := start_time(int(folder.name))) is not None:
            yield int(folder.name), start


def _lives_in(pid: int, namespace: os.stat_result) -> bool:
    try:
        theirs = Path(f"/proc/{pid}/ns/net").stat()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return (theirs.st_dev, theirs.st_ino) == (namespace.st_dev, namespace.st_ino)


def _remove_link(name: str) -> list[str]:
    if not Path("/sys/class/net", name).exists():
        return []
    subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)
    return [f"The link {name} could not be deleted."] if Path("/sys/class/net", name).exists() else []


def _remove_folder(path: str) -> list[str]:
    """Remove a folder and its content, but nothing that is mounted below it.

    The folder of a control group is removed with its processes, because its files cannot be removed one by one.
    """
    if Path(path, "cgroup.procs").exists():
        from groundwork_lab.plane.hosts import cgroups  # noqa: PLC0415 - only if a host remains

        cgroups.remove(Path(path))
        return []
    problems = _remove_mount(path)
    if Path(path).exists():
        shutil.rmtree(path)
    return problems
