"""Undoing what the journal lists: for `down`, and after a daemon that was killed.

Processes end first, all at once, so that nothing holds what goes next; then mounts, namespaces, links and folders
go in the reverse order of their making. A thing that is not there any more is no error, so undoing can be cut
short and started again.
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
    """Undo every standing entry and remove the state folder; what could not be undone, or only by force, as sentences.

    A mount that stays busy is detached (umount2(2), MNT_DETACH), which is told as a sentence: whatever holds
    it keeps it, out of sight.
    """
    entries = journal.entries()
    if rebooted(settings):  # its processes are gone, and their numbers may be someone else's
        entries = [entry for entry in entries if entry.kind != "process"]
    problems = _end_processes(journal, [entry for entry in entries if entry.kind == "process"])
    for entry in reversed([entry for entry in entries if entry.kind != "process"]):
        problems += _undo_one(journal, entry)
    if settings.state.exists() and not problems:
        problems += _remove_folder(str(settings.state))
    return problems


def rebooted(settings: Settings) -> bool:
    """Whether the machine was started again since the lab was."""
    return settings.boot.exists() and settings.boot.read_text(encoding="ascii") != boot_id()


def _end_processes(journal: Journal, entries: list[Entry]) -> list[str]:
    survivors = set(end_all([(int(entry.name), entry.start) for entry in entries]))
    for entry in entries:
        if int(entry.name) not in survivors:
            journal.strike(entry)
    return [f"Process {pid} outlived SIGKILL; it hangs in the kernel." for pid in sorted(survivors)]


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
        return [f"The {entry.kind} {entry.name} is still there: {error.strerror or error}."]
    journal.strike(entry)
    return problems


def mounts_below(path: str, mountinfo: str) -> list[str]:
    """Mount points at or below `path`, in the order in which they must go, from the text of /proc/self/mountinfo.

    Source: proc_pid_mountinfo(5); field 5 is the mount point, with space, tab, newline and backslash in octal.
    """
    points = [_unescaped(line.split()[4]) for line in mountinfo.splitlines()]
    return [point for point in reversed(points) if point == path or point.startswith(path.rstrip("/") + "/")]


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _remove_mount(path: str) -> list[str]:
    """Unmount what is mounted at and below `path`."""
    detached = []
    for point in mounts_below(path, Path("/proc/self/mountinfo").read_text(encoding="utf-8")):
        if not _unmounted(point):
            umount(point, MNT_DETACH)
            detached.append(f"The mount {point} was busy; it is detached, and ends with whatever holds it.")
    return detached


def _unmounted(point: str, patience: float = 3.0) -> bool:
    """Unmount, giving a process that is just ending `patience` seconds to let go; False when it stays busy."""
    deadline = time.monotonic() + patience
    while True:
        try:
            umount(point)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            if time.monotonic() > deadline:
                return False
            select.select([], [], [], 0.05)  # the kernel tells nobody when a mount becomes free
        else:
            return True


def umount(point: str, flags: int = 0) -> None:
    """umount2(2); what is not mounted (any more) is no error. Raises OSError."""
    if _libc.umount2(os.fsencode(point), flags) != 0:
        error = ctypes.get_errno()
        if error not in {errno.EINVAL, errno.ENOENT}:
            raise OSError(error, os.strerror(error), point)


def remove_namespace(name: str) -> list[str]:
    """End what runs in a named network namespace, then remove its name; the kernel frees it, its links, routes and
    rules with it."""
    survivors = end_inhabitants(name)
    unname(NETNS / name)
    return [f"Process {pid} of namespace {name} outlived SIGKILL." for pid in survivors]


def unname(handle: Path) -> None:
    """Unmount a namespace from its name and remove the name; nothing happens when it is not there. Raises OSError.

    The first `ip netns add` on a machine mounts /run/netns on itself, and copies of what is mounted below it. The
    originals are then out of reach, and their names busy; from a view of the mounts without that copy they are not.
    """
    umount(str(handle), MNT_DETACH)  # as ip-netns(8) does: the handle is only a name
    try:
        handle.unlink(missing_ok=True)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        with ThreadPoolExecutor(1) as thread:  # unshare(2) is for the calling thread alone, which ends with its view
            thread.submit(_unname_below, handle).result()


def _unname_below(handle: Path) -> None:
    _check(_libc.unshare(CLONE_NEWNS), "/")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "/")
    while True:
        umount(str(handle), MNT_DETACH)
        try:
            handle.unlink(missing_ok=True)  # takes what is mounted there in other views with it, since Linux 3.18
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _check(_libc.umount2(os.fsencode(handle.parent), MNT_DETACH), str(handle))  # until there is no copy
        else:
            return


def _check(result: int, name: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)


def end_inhabitants(name: str) -> list[int]:
    """End the processes of a namespace: the lab's, or a shell that `exec` started there, which hears a hangup.

    The pids of those that outlived SIGKILL; nothing happens when there is no such namespace.
    """
    handle = NETNS / name
    return end_all(inhabitants(handle), stop=signal.SIGHUP, grace=2.0) if handle.exists() else []


def inhabitants(handle: Path) -> list[tuple[int, int]]:
    """Processes whose network namespace is the one that `handle` names, by pid and start time."""
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
    return [f"The link {name} is still there."] if Path("/sys/class/net", name).exists() else []


def _remove_folder(path: str) -> list[str]:
    """Remove a folder with all that is in it, but never reach into something that is mounted below it.

    A control group's folder goes with the processes in it; its files are not to be removed one by one.
    """
    if Path(path, "cgroup.procs").exists():
        from groundwork_lab.plane.hosts import cgroups  # noqa: PLC0415 - only where a host was left

        cgroups.remove(Path(path))
        return []
    problems = _remove_mount(path)
    if Path(path).exists():
        shutil.rmtree(path)
    return problems
