"""The edge's nginx process: its configuration files and its reloads."""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from groundwork_lab.journal import Entry, Journal, start_time
from groundwork_lab.processes import NETNS, end, spawn

READY_DEADLINE = 15.0  # seconds
LISTENING = "00010000"  # the flag of a listening socket in /proc/net/unix: unix(7), __SO_ACCEPTCON
WORKER = "nginx: worker process"


class NginxError(RuntimeError):
    """nginx rejected a configuration or did not start. The message contains its output."""


class Nginx:
    """A master and its workers. Not thread-safe: the caller serializes the calls.

    The master runs in the namespace. On SIGHUP it starts new workers with the new configuration, and the old ones
    complete their requests: https://nginx.org/en/docs/control.html#reconfiguration
    """

    def __init__(self, folder: Path, namespace: str | None, journal: Journal) -> None:
        self._folder = folder
        self._namespace = namespace
        self._journal = journal
        self._pid = 0
        self._start = 0
        self._number = 0
        self.files: Mapping[str, bytes] = {}

    @property
    def running(self) -> bool:
        return self._pid != 0 and start_time(self._pid) == self._start

    def prepare(self, user: str) -> None:
        """Create the folders, with access for nginx's own user where it needs it. Raise OSError or KeyError."""
        group = pwd.getpwnam(user).pw_gid
        shared = (("sockets", 0o710), ("temp", 0o710), ("cache", 0o710))
        for name, mode in (("", 0o711), *shared, ("tls", 0o700), ("logs", 0o700)):
            folder = self._folder / name
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
            os.chown(folder, 0, group)

    def apply(self, files: Mapping[str, bytes]) -> None:
        """Run with these files. On return, no old worker accepts requests.

        Raise NginxError; then the old files are still used.
        """
        candidate = self._candidate(files)
        link = self._folder / "config.new"
        link.unlink(missing_ok=True)
        link.symlink_to(candidate.name)
        before = (self._folder / "config").resolve() if self.files else None
        link.replace(self._folder / "config")
        self._spawn_or_reload()
        self.files = files
        if before is not None and before != candidate:
            shutil.rmtree(before)

    def check(self, files: Mapping[str, bytes]) -> None:
        """Raise NginxError if nginx rejects these files."""
        shutil.rmtree(self._candidate(files))

    def _candidate(self, files: Mapping[str, bytes]) -> Path:
        """Write the files to a new folder and return it. Raise NginxError, without the folder, if nginx rejects it."""
        self._number += 1
        candidate = self._folder / f"config-{self._number}"
        _write(candidate, files)
        try:
            check(candidate / "nginx.conf", self._namespace)
        except NginxError as error:
            shutil.rmtree(candidate)
            raise NginxError(str(error).replace(candidate.name, "config")) from error  # same message at each attempt
        return candidate

    def _spawn_or_reload(self) -> None:
        if not self.running:
            argv = ["nginx", "-c", str(self._folder / "config" / "nginx.conf"), "-e", "stderr"]
            process = spawn(argv, self._journal, namespace=self._namespace, log=self._folder / "nginx.log")
            self._pid, self._start = process.pid, start_time(process.pid) or 0
            self._await(lambda: bool(self._workers()))
            return
        before = self._workers()
        os.kill(self._pid, signal.SIGHUP)
        self._await(lambda: bool(self._workers() - before) and not self._taking(before))

    def _workers(self) -> set[int]:
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text(encoding="ascii")
        return {int(pid) for pid in children.split() if _title(int(pid)).startswith(WORKER)}

    def _taking(self, workers: set[int]) -> bool:
        """Return whether one of these workers still accepts connections."""
        listening = {f"socket:[{inode}]" for inode in self._listening()}
        return any(_sockets(pid) & listening for pid in workers)

    def _listening(self) -> list[str]:
        lines = Path(f"/proc/{self._pid}/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()[1:]
        words = [line.split() for line in lines]
        here = str(self._folder / "sockets")
        return [each[6] for each in words if len(each) > 7 and each[3] == LISTENING and each[7].startswith(here)]

    def _await(self, condition: Callable[[], bool]) -> None:
        end_of_patience = time.monotonic() + READY_DEADLINE
        while not condition():
            if not self.running or time.monotonic() > end_of_patience:
                words = (self._folder / "nginx.log").read_text(encoding="utf-8", errors="replace")[-2000:]
                raise NginxError(f"nginx did not start:\n{words}")
            select.select([], [], [], 0.02)  # there is no event for another process ceasing to listen

    def close(self) -> None:
        """Stop master and workers, and delete their files."""
        if self._pid:
            end(self._pid, self._start)
            self._journal.strike(Entry("process", str(self._pid), self._start))
            self._pid = 0
        self.files = {}
        if self._folder.exists():
            shutil.rmtree(self._folder)


def check(config: Path, namespace: str | None = None) -> None:
    """Raise NginxError if nginx rejects this configuration. The check binds the addresses to listen on."""
    inside = ["nsenter", f"--net={NETNS / namespace}", "--"] if namespace else []
    argv = [*inside, "nginx", "-t", "-q", "-c", str(config), "-e", "stderr"]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NginxError(f"nginx rejects {config}:\n{result.stderr}")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    folder.chmod(0o700)


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _sockets(pid: int) -> set[str]:
    """Return the open sockets of a process as `socket:[inode]`."""
    found = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the process has ended
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was closed
                found.add(str(descriptor.readlink()))
    return found
