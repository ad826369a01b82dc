"""The keeper of one DB instance: a thread that makes the instance what the control plane wants.

It sleeps until the control plane wants something else, or a server ends. While a server runs, it looks at the free
space of the volume every few seconds, because there is no event for that.
"""

from __future__ import annotations

import logging
import os
import select
import shutil
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from groundwork_lab.apart import described
from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Database, Interface
from groundwork_lab.plane.databases import volumes
from groundwork_lab.plane.databases.config import Files
from groundwork_lab.plane.databases.pair import Pair
from groundwork_lab.plane.databases.programs import DatabaseError
from groundwork_lab.plane.databases.server import UNLOGGED
from groundwork_lab.plane.databases.snapshots import Place, Snapshots, replay
from groundwork_lab.settings import Settings

Trouble = Literal["", "storage-full", "incompatible-parameters", "failed"]
LOOK = 2.0  # seconds between two looks at the free space
FULL, ROOM = 0.01, 0.02  # the parts of the volume that are free when it is full, and when it is not full any more
RETRY = (1.0, 2.0, 5.0, 15.0)  # seconds until the next attempt, by consecutive failures

_log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """What the control plane wants: the instance, its network interface, that of a standby, and pending snapshots."""

    database: Database
    interface: Interface
    standby: Interface | None
    snapshots: frozenset[str]

    @property
    def interfaces(self) -> dict[str, Interface]:
        return {each.id: each for each in (self.interface, self.standby) if each is not None}


@dataclass(frozen=True)
class Surroundings:
    """What the keepers of a lab share.

    `folder` returns that of an instance, and `template` the data of a new server. `failed_over` gets the id of an
    instance and that of its new primary's network interface.
    """

    settings: Settings
    journal: Journal
    authority: Authority
    snapshots: Snapshots
    folder: Callable[[str], Path]
    template: Callable[[], Path]
    changed: Callable[[], None]
    trouble: Callable[[str, Trouble], None]
    failed_over: Callable[[str, str], None]


class Keeper:
    """The keeper of the instance `name`, a DbiResourceId."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self.name = name
        self.error = ""
        self.pair = Pair(around.folder(name), around.settings, around.journal, around.authority)
        self._around = around
        self._lock = threading.Lock()
        self._wanted: Wanted | None = None
        self._applied: Database | None = None
        self._closing = False
        self._trouble: Trouble | None = ""
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
            before, self._wanted = self._wanted, wanted
        same = wanted == before
        if before is not None and before.database.boots != wanted.database.boots:
            self._trouble = None  # the control plane, which asks for a reboot, forgets it
        if not same:
            self._wake()

    def has_applied(self, database: Database) -> bool:
        with self._lock:
            return self._applied == database

    def close(self) -> None:
        """Stop the servers and end the thread. The files stay."""
        with self._lock:
            self._closing = True
        self._wake()
        self._thread.join()
        for each in (self._wake_reader, self._wake_writer):
            os.close(each)

    def delete(self) -> None:
        """Delete the files of a closed keeper. Raise OSError."""
        self.pair.close()
        if self.pair.folder.exists():
            shutil.rmtree(self.pair.folder)

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
        try:
            self.pair.close()
        except OSError as error:
            self.error = described(error)
            _log.exception("The DB instance %s cannot be stopped", self.name)

    def _try(self, wanted: Wanted) -> None:
        try:
            busy = self._converge(wanted)
        except Exception as error:  # a failure must not end the thread, which tries again
            if described(error) != self.error:
                _log.exception("The DB instance %s (%s) cannot be served", wanted.database.name, self.name)
            self.error = described(error)
            self._failures += 1
            if self._applied is None and self._failures == len(RETRY) and not self._trouble:
                self._tell("failed")  # it could not be created
            self._around.changed()
        else:
            self.error, self._failures = "", 0
            if busy:
                self._around.changed()

    def _await(self) -> None:
        """Wait until there is something to do."""
        timeout = RETRY[min(self._failures, len(RETRY)) - 1] if self._failures else None
        if timeout is None and self.pair.primary.running:
            timeout = LOOK
        with ExitStack() as stack:
            watched = [self._wake_reader]
            for server in self.pair.servers:
                if server.running and server.pid is not None:
                    with suppress(ProcessLookupError):
                        watched.append(os.pidfd_open(server.pid))  # readable when the server has ended
                        stack.callback(os.close, watched[-1])
            select.select(watched, [], [], timeout)
        with suppress(BlockingIOError):
            os.read(self._wake_reader, 4096)

    def _converge(self, wanted: Wanted) -> bool:
        """Make the instance as wanted. Return whether there was something to do."""
        database = wanted.database
        busy = self._applied != database or (self.pair.broken and not database.stopped)
        if busy:
            self._serve(wanted)
        for name in sorted(wanted.snapshots):
            if not self._around.snapshots.exists(name):
                primary = self.pair.primary
                self._around.snapshots.take(name, primary.files, running=primary.running, logged=database.logged)
                busy = True
        self._look()
        return busy

    def _serve(self, wanted: Wanted) -> None:
        database, before, pair = wanted.database, self._applied, self.pair
        crashed = pair.primary.ended
        if crashed:
            _log.error("The server of %s has ended.", database.name)
        if not pair.primary.files.image.exists():
            self._make(wanted)
        if before is not None and wanted.standby is not None and self._fails_over(database, before):
            self._around.failed_over(self.name, pair.fail_over(before, wanted.interfaces))
        stopped = pair.grow(database.gib)
        if crashed and before is not None and _loses_logs(before, database):
            pair.run_alone(before, wanted.interface, None)
        if database.stopped:
            pair.stop()
        else:
            self._start(wanted, None if stopped else before)
        self._tell("")
        with self._lock:
            self._applied = database

    def _fails_over(self, database: Database, before: Database) -> bool:
        """Return whether the standby has to become the primary: on request, or because the primary has ended."""
        asked = database.failovers != before.failovers
        return self.pair.can_fail_over and not database.stopped and (asked or self.pair.primary.ended)

    def _start(self, wanted: Wanted, before: Database | None) -> None:
        try:
            if wanted.standby is None:
                self.pair.run_alone(wanted.database, wanted.interface, before)
            else:
                self.pair.run(wanted.database, wanted.interfaces, before)
        except DatabaseError:
            with self._lock:
                outdated = self._wanted is not None and self._wanted.database.boots != wanted.database.boots
            if not self.pair.primary.running and not outdated:
                full = volumes.free(self.pair.primary.files) < FULL
                self._tell("storage-full" if full else "incompatible-parameters")
            raise

    def _make(self, wanted: Wanted) -> None:
        """Make the files of a new instance: those of a new server, or of a backup."""
        database, files = wanted.database, self.pair.primary.files
        files.folder.parent.mkdir(mode=0o711, exist_ok=True)
        files.folder.mkdir(mode=0o711, exist_ok=True)
        origin = database.origin
        if origin is None:
            volumes.create(files, database.gib, self._around.template(), self._around.journal)
            return
        image, place = self._around.snapshots.base(origin, self._around.folder(origin.source))
        volumes.restore(files, image)
        if origin.until is not None and place is not None:
            try:
                self._replay(wanted, files, place)
            except (DatabaseError, OSError):
                self.pair.close()
                files.image.unlink()
                raise

    def _replay(self, wanted: Wanted, files: Files, place: Place) -> None:
        """Execute the binary logs of the source on the restored files."""
        origin, primary = wanted.database.origin, self.pair.primary
        if origin is None or origin.until is None:
            raise AssertionError(wanted)
        volumes.mount(files, self._around.journal)
        primary.start(wanted.database, wanted.interface, *UNLOGGED)
        replay(place, origin.until, files.socket)
        primary.stop()

    def _look(self) -> None:
        """Report whether the volume is full."""
        if self.pair.primary.running:
            free = volumes.free(self.pair.primary.files)
            if free < FULL:
                self._tell("storage-full")
            elif free > ROOM and self._trouble == "storage-full":
                self._tell("")

    def _tell(self, trouble: Trouble) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._around.trouble(self.name, trouble)


def _loses_logs(before: Database, now: Database) -> bool:
    """Return whether a server stops to write binary logs, which decide on its last transactions after a crash."""
    return bool(before.logged or before.standby_id) and not (now.logged or now.standby_id)
