"""The MariaDB server of one DB instance: a process that is started, asked and stopped."""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Database, Interface
from groundwork_lab.plane.databases.config import USER, Files, render
from groundwork_lab.plane.databases.programs import SERVER, DatabaseError, execute
from groundwork_lab.private import write_private
from groundwork_lab.processes import spawn, stop
from groundwork_lab.settings import Settings

PATIENCE = 120.0  # seconds for a start, which may execute a large redo log
GRACE = 60.0  # seconds for a shutdown, which writes all changed pages


QUIET = ("--skip-networking", "--event-scheduler=OFF")  # only this machine's root reaches the server
UNLOGGED = (*QUIET, "--skip-log-bin", "--read-only=OFF")
PRIMARY = ("--rpl-semi-sync-master-enabled=ON",)
STANDBY = (*QUIET, "--read-only=ON")


class Server:
    """A server with its files. It runs as an unprivileged user, in the namespace of the instance's interface."""

    def __init__(self, files: Files, settings: Settings, journal: Journal, authority: Authority) -> None:
        self.files = files
        self._settings = settings
        self._journal = journal
        self._authority = authority
        self._process: subprocess.Popen[bytes] | None = None
        self._seen = 0  # the bytes of the log that were written before the last start

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ended(self) -> bool:
        """Return whether the server was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self, database: Database, interface: Interface, *options: str) -> None:
        """Start the server with the parameters of the instance, and wait until it accepts connections.

        Raise DatabaseError if it ends before, or OSError.
        """
        self._certify(database.endpoint)
        self.configure(database, interface)
        self._start(options, self._settings.namespace(interface.id))

    def configure(self, database: Database, interface: Interface) -> None:
        """Write the configuration, which the next start reads."""
        for folder in (self.files.logs, self.files.run):
            folder.mkdir(exist_ok=True, mode=0o700)
            shutil.chown(folder, USER)
        text = render(
            self.files,
            database.parameters,
            interface.private_ip,
            database.port,
            logged=database.logged,
            paired=bool(database.standby_id),
        )
        write_private(self.files.config, text.encode())

    def _certify(self, endpoint: str) -> None:
        chain, key = self._authority.issue([endpoint])
        for file, content in ((self.files.certificate, chain), (self.files.key, key)):
            write_private(file, content)
            shutil.chown(file, USER)

    def _start(self, options: Sequence[str], namespace: str | None) -> None:
        self.stop()
        self.files.socket.unlink(missing_ok=True)
        self._seen = self._size_of_log()
        argv = [SERVER, f"--defaults-file={self.files.config}", *options]
        self._process = spawn(argv, self._journal, namespace=namespace, log=self.files.folder / "output.log")
        deadline = time.monotonic() + PATIENCE
        while not _accepts(self.files.socket):
            if self._process.poll() is not None:
                code = self._process.returncode
                self.stop()
                message = f"{SERVER} ended with {code} before it accepted connections: {self._last_error()}"
                raise DatabaseError(message)
            if time.monotonic() > deadline:
                self.stop()
                message = f"Timed out after {PATIENCE:g} s waiting for {SERVER} to accept connections."
                raise DatabaseError(message)
            select.select([], [], [], 0.05)  # there is no event for a socket that another process creates

    def _size_of_log(self) -> int:
        return self.files.errors.stat().st_size if self.files.errors.exists() else 0

    def _last_error(self) -> str:
        """Return the last errors that the server has logged since its start, or that it has printed."""
        if self._size_of_log() > self._seen:
            with self.files.errors.open("rb") as file:
                file.seek(self._seen)
                told = errors_of(file.read().decode(errors="replace"))
            if told:
                return told
        return errors_of((self.files.folder / "output.log").read_text(encoding="utf-8", errors="replace")) or (
            f"its log {self.files.errors} has no error"
        )

    def execute(self, statements: Sequence[str]) -> str:
        return execute(self.files.socket, statements) if statements else ""

    def stop(self) -> None:
        """Shut the server down, if it runs. Raise TimeoutError if it cannot be ended."""
        if self._process is not None:
            stop(self._process, self._journal, grace=GRACE)
            self._process = None


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(str(path)) == 0


def errors_of(log: str) -> str:
    """Return the last three errors of a log of MariaDB in one line."""
    told = [line.split("[ERROR] ", 1)[1] for line in log.splitlines() if "[ERROR] " in line]
    return " ".join(told[-3:])[-500:]
