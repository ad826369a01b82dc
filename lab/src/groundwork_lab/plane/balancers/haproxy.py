"""One HAProxy process: started in its namespace, reloaded without losing requests, queried through its sockets."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from groundwork_lab.journal import Entry, Journal, start_time
from groundwork_lab.plane.balancers.health import Key, sessions
from groundwork_lab.plane.balancers.tls import FOLDER
from groundwork_lab.private import write_private
from groundwork_lab.processes import end, spawn

READY_DEADLINE = 15.0  # seconds
ANSWER_DEADLINE = 3.0  # seconds


class HaproxyError(RuntimeError):
    """HAProxy rejected a configuration or did not start. The message contains its output."""


class Haproxy:
    """A master and its workers. Not thread-safe: the caller serializes the calls.

    The master runs in the namespace. On SIGUSR2 it starts a new worker, which takes over the listening sockets. The old
    worker completes its requests.
    https://docs.haproxy.org/2.6/management.html#4 and #9.4 (master CLI)
    """

    def __init__(self, folder: Path, namespace: str, journal: Journal) -> None:
        self._folder = folder
        self._namespace = namespace
        self._journal = journal
        self._pid = 0
        self._start = 0
        self.config = ""

    @property
    def running(self) -> bool:
        return self._pid != 0 and start_time(self._pid) == self._start

    def apply(self, config: str, state: str, secrets: Mapping[str, bytes]) -> str:
        """Run with this configuration, server states and secret files. Raise HaproxyError; then the old ones are used.

        Return the statistics (`show stat`) of the replaced worker at the end, or "" if none was replaced.
        The contents of a secret file never change: other contents are another file.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, content in secrets.items():
            write_private(self._folder / name, content)
        (self._folder / "servers.state").write_text(state, encoding="utf-8")
        candidate = self._folder / "haproxy.cfg.new"
        candidate.write_text(config, encoding="utf-8")
        self._check(candidate)
        candidate.replace(self._folder / "haproxy.cfg")
        counted = ""
        if self.running:
            before, counted = self._worker(), self.ask("show stat")
            os.kill(self._pid, signal.SIGUSR2)
            self._await_worker(lambda pid: pid not in ("", before))
        else:
            self._spawn()
            self._await_worker(bool)
        self.config = config
        self._forget_secrets(secrets)
        return counted

    def _forget_secrets(self, kept: Collection[str]) -> None:
        """Delete the secret files that are not used any more. Old workers have read theirs."""
        folder = self._folder / FOLDER
        for file in folder.iterdir() if folder.exists() else ():
            if f"{FOLDER}/{file.name}" not in kept:
                file.unlink()

    def _check(self, candidate: Path) -> None:
        argv = ["haproxy", "-c", "-q", "-f", str(candidate)]
        result = subprocess.run(argv, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            words = re.sub(r"\(\d+\) ", "", result.stderr)  # omit the process id: the same message at each attempt
            raise HaproxyError(f"HAProxy rejects {candidate}:\n{words}")

    def _spawn(self) -> None:
        argv = ["haproxy", "-W", "-S", str(self._folder / "master.sock"), "-f", str(self._folder / "haproxy.cfg")]
        process = spawn(argv, self._journal, namespace=self._namespace, log=self._folder / "haproxy.log")
        self._pid, self._start = process.pid, start_time(process.pid) or 0

    def _worker(self) -> str:
        """Return the pid of the current worker, or "" if none answers."""
        for line in self.ask("show info").splitlines():
            if line.startswith("Pid: "):
                return line.removeprefix("Pid: ")
        return ""

    def _await_worker(self, good: Callable[[str], bool]) -> None:
        end_of_patience = time.monotonic() + READY_DEADLINE
        while not good(self._worker()):
            if not self.running or time.monotonic() > end_of_patience:
                words = (self._folder / "haproxy.log").read_text(encoding="utf-8", errors="replace")[-2000:]
                raise HaproxyError(f"HAProxy did not start in {self._namespace}:\n{words}")
            select.select([], [], [], 0.02)  # there is no event for another process starting to listen

    def ask(self, command: str) -> str:
        """Return the current worker's answer to a command, or "" if none answers."""
        return _ask(self._folder / "admin.sock", command)

    def cut_old_sessions(self, servers: Collection[Key]) -> None:
        """End the sessions of workers from before a reload with these servers.

        The proxies of these workers are stopped, so that HAProxy accepts commands only for sessions there, not for
        servers.
        """
        master = self._folder / "master.sock"
        _, _, old = _ask(master, "show proc").partition("# old workers")
        for line in old.splitlines():
            pid, kind, *_ = [*line.split(), "", ""]
            if kind == "worker":
                for session in sessions(_ask(master, f"@!{pid} show sess"), servers):
                    _ask(master, f"@!{pid} shutdown session {session}")

    def close(self) -> None:
        """Stop master and workers, and delete their files."""
        if self._pid:
            end(self._pid, self._start)
            self._journal.strike(Entry("process", str(self._pid), self._start))
            self._pid = 0
        self.config = ""
        if self._folder.exists():
            shutil.rmtree(self._folder)


def _ask(path: Path, command: str) -> str:
    """Send a command over a UNIX socket and return the answer, or "" if nothing listens or the answer is too late."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_DEADLINE)
        try:
            connection.connect(str(path))
            connection.sendall(f"{command}\n".encode())
            connection.shutdown(socket.SHUT_WR)  # otherwise the master keeps the idle connection open
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        except (FileNotFoundError, ConnectionError, TimeoutError):
            return ""
