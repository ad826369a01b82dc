"""The keeper of one DB instance: a thread that makes the instance what the control plane wants.

It sleeps until the control plane wants something else, or its server ends. While the server runs, it looks at the free
space of the volume every few seconds, because there is no event for that.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from groundwork_lab.apart import described
from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Database, DatabaseOrigin, Interface
from groundwork_lab.plane.databases import volumes
from groundwork_lab.plane.databases.config import Files, account_statements, changes
from groundwork_lab.plane.databases.programs import DatabaseError
from groundwork_lab.plane.databases.server import Server
from groundwork_lab.plane.databases.snapshots import Snapshots, replay
from groundwork_lab.settings import Settings

Trouble = Literal["", "storage-full", "incompatible-parameters", "failed"]
LOOK = 2.0  # seconds between two looks at the free space
FULL, ROOM = 0.01, 0.02  # the parts of the volume that are free when it is full, and when it is not full any more
RETRY = (1.0, 2.0, 5.0, 15.0)  # seconds until the next attempt, by consecutive failures

_log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """What the control plane wants: the instance, its network interface, and its pending snapshots."""

    database: Database
    interface: Interface
    snapshots: frozenset[str]


@dataclass(frozen=True)
class Surroundings:
    """What the keepers of a lab share. `data` returns the files of an instance, `template` those of a new server."""

    settings: Settings
    journal: Journal
    authority: Authority
    snapshots: Snapshots
    files: Callable[[str], Files]
    template: Callable[[], Path]
    changed: Callable[[], None]
    trouble: Callable[[str, Trouble], None]


class Keeper:
    """The keeper of the instance `name`, a DbiResourceId."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self.name = name
        self.server = Server(around.files(name), around.settings, around.journal, around.authority)
        self.error = ""
        self._around = around
        self._files = around.files(name)
        self._lock = threading.Lock()
        self._wanted: Wanted | None = None
        self._applied: Database | None = None
        self._closing = False
        self._trouble: Trouble = ""
        self._failures = 0
        self._wake_reader, self._wake_writer = os.pipe()
        for each in (self._wake_reader, self._wake_writer):
            os.set_blocking(each, False)
        self._thread = threading.Thread(target=self._run, name=f"database-{name}")
        self._thread.start()

    # Called by the manager

    def give(self, wanted: Wanted) -> None:
        """Want something, perhaps the same as before."""
        with self._lock:
            same, self._wanted = wanted == self._wanted, wanted
        if not same:
            self._wake()

    def has_applied(self, database: Database) -> bool:
        with self._lock:
            return self._applied == database

    def close(self) -> None:
        """Stop the server and end the thread. The files stay."""
        with self._lock:
            self._closing = True
        self._wake()
        self._thread.join()
        for each in (self._wake_reader, self._wake_writer):
            os.close(each)

    def delete(self) -> None:
        """Delete the files of a closed keeper."""
        volumes.delete(self._files, self._around.journal)

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # the pipe is full, so that the thread wakes anyway
            os.write(self._wake_writer, b".")

    # The thread

    def _run(self) -> None:
        while not self._closing:
            with self._lock:
                wanted = self._wanted
            if wanted is not None:
                self._try(wanted)
            self._await()
        self._end()

    def _try(self, wanted: Wanted) -> None:
        try:
            busy = self._converge(wanted)
        except Exception as error:  # a failure must not end the thread, which tries again
            if described(error) != self.error:
                _log.exception("The DB instance %s (%s) cannot be served", wanted.database.name, self.name)
            self.error = described(error)
            self._failures += 1
            self._around.changed()
        else:
            self.error, self._failures = "", 0
            if busy:
                self._around.changed()

    def _await(self) -> None:
        """Wait until there is something to do."""
        timeout = RETRY[min(self._failures, len(RETRY)) - 1] if self._failures else None
        if timeout is None and self.server.running:
            timeout = LOOK
        watched = [self._wake_reader]
        pid = self._watch_server()
        if pid is not None:
            watched.append(pid)
        try:
            select.select(watched, [], [], timeout)
        finally:
            if pid is not None:
                os.close(pid)
        with suppress(BlockingIOError):
            os.read(self._wake_reader, 4096)

    def _watch_server(self) -> int | None:
        """Return a descriptor that is readable when the server has ended."""
        if not self.server.running or self.server.pid is None:
            return None
        with suppress(ProcessLookupError):
            return os.pidfd_open(self.server.pid)
        return None

    def _converge(self, wanted: Wanted) -> bool:
        """Make the instance as wanted. Return whether there was something to do."""
        database = wanted.database
        busy = self._serve(wanted) if self._differs(database) else False
        for name in sorted(wanted.snapshots):
            if not self._around.snapshots.exists(name):
                running = self.server.running
                self._around.snapshots.take(name, self._files, running=running, logged=database.logged)
                busy = True
        self._look()
        return busy

    def _differs(self, database: Database) -> bool:
        return self._applied != database or (self.server.ended and not database.stopped)

    def _serve(self, wanted: Wanted) -> bool:
        database, before = wanted.database, self._applied
        if self.server.ended:
            _log.error("The server of %s has ended; starting it again.", database.name)
        if not self._files.image.exists():
            self._make(wanted)
            before = None
        if volumes.is_small(self._files, database.gib):
            self.server.stop()
            volumes.grow(self._files, database.gib, self._around.journal)
        volumes.mount(self._files, self._around.journal)
        if database.stopped:
            self.server.stop()
        else:
            self._run_server(wanted, before)
        self._tell("")
        with self._lock:
            self._applied = database
        return True

    def _run_server(self, wanted: Wanted, before: Database | None) -> None:
        database = wanted.database
        if before is None or not self.server.running or _restarts(before, database):
            self._start(wanted)
        else:
            self.server.execute(changes(before.parameters, database.parameters))
            self.server.configure(database, wanted.interface)
        if before is None or (before.user, before.password) != (database.user, database.password):
            self.server.execute(account_statements(database.user, database.password, database.schema))

    def _start(self, wanted: Wanted) -> None:
        try:
            self.server.start(wanted.database, wanted.interface)
        except DatabaseError:
            full = volumes.free(self._files) < FULL
            self._tell("storage-full" if full else "incompatible-parameters")
            raise

    def _make(self, wanted: Wanted) -> None:
        """Make the files of a new instance: those of a new server, or of a backup."""
        database, journal = wanted.database, self._around.journal
        self._files.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        if database.origin is None:
            volumes.create(self._files, database.gib, self._around.template(), journal)
            return
        volumes.restore(self._files, self._around.snapshots.image(database.origin.snapshot))
        if database.origin.source:
            volumes.mount(self._files, journal)
            self._replay(wanted, database.origin)

    def _replay(self, wanted: Wanted, origin: DatabaseOrigin) -> None:
        """Execute the binary logs of the source on the restored files. If that fails, they are made again."""
        if origin.until is None:
            raise AssertionError(origin)
        try:
            self.server.start_alone(wanted.database, wanted.interface)
            place = self._around.snapshots.place(origin.snapshot)
            replay(self._around.files(origin.source), place, origin.until, self._files.socket)
            self.server.stop()
        except (DatabaseError, OSError):
            self.server.stop()
            volumes.unmount(self._files, self._around.journal)
            self._files.image.unlink()
            raise

    def _look(self) -> None:
        """Report whether the volume is full."""
        if self.server.running:
            free = volumes.free(self._files)
            if free < FULL:
                self._tell("storage-full")
            elif free > ROOM and self._trouble == "storage-full":
                self._tell("")

    def _tell(self, trouble: Trouble) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._around.trouble(self.name, trouble)

    def _end(self) -> None:
        try:
            self.server.stop()
            volumes.unmount(self._files, self._around.journal)
        except OSError as error:
            self.error = described(error)
            _log.exception("The DB instance %s cannot be stopped", self.name)


def _restarts(before: Database, now: Database) -> bool:
    """Return whether the server has to be started again: for a reboot, or an option that it reads at its start."""
    return (before.boots, before.port, before.endpoint, before.logged) != (
        now.boots,
        now.port,
        now.endpoint,
        now.logged,
    )
