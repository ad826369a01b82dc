"""The servers of one DB instance: a primary, and in a Multi-AZ deployment a standby in another zone.

The standby has files, a namespace and an address of its own. It gets each transaction by semi-synchronous replication
before the client learns that it is committed, and nothing of the primary's is committed without it. Replication does
not pass the VPC's packet filters, as on AWS: a relay connects the standby's own network with the primary's socket.

When the primary ends, or on request, the standby executes what it has received, and becomes the primary. The old
primary's files are deleted, except its binary logs: the new standby begins with a copy of the new primary.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
"""

from __future__ import annotations

import logging
import secrets
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Database, Interface
from groundwork_lab.plane.databases import volumes
from groundwork_lab.plane.databases.config import (
    Files,
    account_statements,
    attach_statements,
    changes,
    follow_statements,
    replicator_statements,
)
from groundwork_lab.plane.databases.programs import DatabaseError, replication
from groundwork_lab.plane.databases.server import PRIMARY, QUIET, STANDBY, Server
from groundwork_lab.plane.databases.snapshots import Epoch, Place, add_epoch, place_of
from groundwork_lab.processes import spawn, stop, wait_listening
from groundwork_lab.settings import Settings

RELAY = 33306  # the port of the relay, on the loopback of the standby's namespace
DRAIN = 60  # seconds for a standby to execute what it has received

_log = logging.getLogger(__name__)


class Pair:
    """The servers of the instance whose files are below `folder`. Each server has a folder with a number of its own."""

    def __init__(self, folder: Path, settings: Settings, journal: Journal, authority: Authority) -> None:
        self.folder = folder
        self._settings = settings
        self._journal = journal
        self._authority = authority
        self._number = 0
        self.primary = self._new()
        self.standby: Server | None = None
        self.interface_id = ""  # of the primary
        self._attached = False
        self._relay: subprocess.Popen[bytes] | None = None
        self._secret = secrets.token_hex(16)
        self._began: float | None = None  # when the last failover began, until its epoch is noted

    def _new(self) -> Server:
        """Return a server with new files."""
        files = Files(self.folder / str(self._number))
        self._number += 1
        return Server(files, self._settings, self._journal, self._authority)

    @property
    def servers(self) -> list[Server]:
        return [self.primary, *([self.standby] if self.standby else [])]

    @property
    def broken(self) -> bool:
        """Return whether a server or the relay has ended by itself."""
        relay = self._relay is not None and self._relay.poll() is not None
        return relay or any(each.ended for each in self.servers)

    @property
    def can_fail_over(self) -> bool:
        return self._attached and self.standby is not None and self.standby.running

    # One server

    def run_alone(self, database: Database, interface: Interface, before: Database | None) -> None:
        """Run the primary without a standby. A standby of before is deleted."""
        self.interface_id = interface.id
        if self.standby is not None:
            self.primary.stop()
            self._drop(self.standby)
            self.standby = None
        if before is None or not self.primary.running or restarts(before, database):
            self.primary.start(database, interface)
        else:
            self.primary.execute(changes(before.parameters, database.parameters))
            self.primary.configure(database, interface)
        if before is None or _account(before) != _account(database):
            self.primary.execute(account_statements(database.user, database.password, database.schema))

    # Two servers

    def run(self, database: Database, interfaces: Mapping[str, Interface], before: Database | None) -> None:
        """Run the primary and the standby. A new standby begins with a copy of the primary."""
        own, other = self._sides(database, interfaces)
        if self.standby is None:
            self.primary.stop()
            self._form(database, own, other)
            return
        if before is None or not self.primary.running or restarts(before, database):
            self._end_standby()
            self.primary.start(database, own, *PRIMARY)
            self._follow(database, other, follow_statements(self._secret, RELAY))
        else:
            if self.broken or not self.standby.running:
                self._end_standby()
                self._follow(database, other, follow_statements(self._secret, RELAY))
            for server, interface in ((self.primary, own), (self.standby, other)):
                server.execute(changes(before.parameters, database.parameters))
                server.configure(database, interface)
        if before is None or _account(before) != _account(database):
            self.primary.execute(account_statements(database.user, database.password, database.schema))

    def _sides(self, database: Database, interfaces: Mapping[str, Interface]) -> tuple[Interface, Interface]:
        """Return the interfaces of the primary and of the standby. The control plane learns of a failover later."""
        names = [database.interface_id, database.standby_id]
        if self.interface_id not in names:
            self.interface_id = database.interface_id
        names.remove(self.interface_id)
        return interfaces[self.interface_id], interfaces[names[0]]

    def _form(self, database: Database, own: Interface, other: Interface) -> None:
        """Begin a pair with the files of the primary, which does not run. No client reaches it until it is copied."""
        files = self.primary.files
        self.primary.start(database, own, *QUIET)
        self.primary.execute(
            [
                *account_statements(database.user, database.password, database.schema),
                *replicator_statements(self._secret),
            ]
        )
        position = self.primary.execute(["SELECT @@gtid_current_pos"]).strip()
        place = place_of(files, self.primary.execute(["SHOW MASTER STATUS"]).splitlines())
        self.primary.stop()
        standby = self._new()
        standby.files.folder.mkdir(mode=0o711)
        volumes.copy_whole(files, standby.files.image)
        if self._began is not None and place is not None:
            self._remember(self._began, place, standby.files.image)
            self._began = None
        self.standby = standby
        self.primary.start(database, own, *PRIMARY)
        self._follow(database, other, attach_statements(position, self._secret, RELAY))

    def _remember(self, began: float, place: Place, copied: Path) -> None:
        """Note that binary logs since `began` are those of this primary, and keep a copy of its volume, `copied`."""
        image = self.folder / f"epoch-{self._number}.ext4"
        volumes.copy(copied, image)
        # In whole seconds, as times of restores: one in the second of the failover has what was before it.
        add_epoch(self.folder, Epoch(float(int(began) + 1), place, str(image)))

    def _follow(self, database: Database, interface: Interface, statements: list[str]) -> None:
        """Start the standby and its relay, and let it follow the primary."""
        if self.standby is None:
            raise AssertionError(database.name)
        volumes.mount(self.standby.files, self._journal)
        self.standby.start(database, interface, *STANDBY)
        namespace = self._settings.namespace(interface.id)
        listening = f"TCP-LISTEN:{RELAY},bind=127.0.0.1,fork,reuseaddr"
        argv = ["socat", listening, f"UNIX-CONNECT:{self.primary.files.socket}"]
        self._relay = spawn(argv, self._journal, namespace=namespace, log=self.standby.files.folder / "relay.log")
        wait_listening(self._relay, namespace, "127.0.0.1", RELAY)
        self.standby.execute(statements)
        self._await(self.standby, lambda told: told.get("Slave_IO_Running") == "Yes", "to follow the primary")
        self._attached = True

    def _await(self, standby: Server, ready: Callable[[Mapping[str, str]], bool], what: str) -> None:
        """Wait until the standby tells that something is true. Raise DatabaseError if it stops, or takes too long."""
        deadline = time.monotonic() + DRAIN
        while True:
            told = replication(standby.files.socket)
            if ready(told):
                return
            words = told.get("Last_IO_Error") or told.get("Last_SQL_Error") or ""
            if told.get("Slave_SQL_Running") == "No" or time.monotonic() > deadline:
                message = f"The standby in {standby.files.folder} failed {what}: {words or 'it took too long'}"
                raise DatabaseError(message)
            select.select([], [], [], 0.05)  # there is no event for the state of a thread of the server

    def fail_over(self, database: Database, interfaces: Mapping[str, Interface]) -> str:
        """Let the standby be the primary, with what it has received, and make a new standby.

        Return the id of the new primary's interface.
        """
        own, other = self._sides(database, interfaces)
        if self.standby is None:
            raise AssertionError(database.name)
        old, new = self.primary, self.standby
        old.stop()
        new.execute(["STOP SLAVE IO_THREAD"])
        received = replication(new.files.socket).get("Gtid_IO_Pos", "")
        if received and new.execute([f"SELECT MASTER_GTID_WAIT('{received}', {DRAIN})"]).strip() != "0":
            message = f"The standby of {database.name} did not execute what it has received within {DRAIN} s."
            raise DatabaseError(message)
        new.execute(["STOP SLAVE", "RESET SLAVE ALL"])
        self._end_standby()
        self.primary, self.standby, self.interface_id = new, None, other.id
        self._began = time.time()
        self._drop(old)
        self._form(database, other, own)
        return other.id

    def _end_standby(self) -> None:
        self._attached = False
        if self._relay is not None:
            stop(self._relay, self._journal)
            self._relay = None
        if self.standby is not None:
            self.standby.stop()

    def _drop(self, server: Server) -> None:
        """Delete the files of a server, except its binary logs."""
        if server is self.standby:
            self._end_standby()
        server.stop()
        volumes.unmount(server.files, self._journal)
        for each in server.files.folder.iterdir():
            if each == server.files.logs:
                continue
            shutil.rmtree(each) if each.is_dir() else each.unlink()

    # Both

    def grow(self, gib: int) -> bool:
        """Let the volumes have at least `gib` GiB. Return whether servers were stopped for that."""
        small = [each for each in self.servers if volumes.is_small(each.files, gib)]
        if small:
            self.stop()
            for each in small:
                volumes.grow(each.files, gib, self._journal)
        for each in self.servers:
            volumes.mount(each.files, self._journal)
        return bool(small)

    def stop(self) -> None:
        """Stop all servers: first the primary, so that the standby has everything."""
        self.primary.stop()
        self._end_standby()

    def close(self) -> None:
        """Stop all servers and unmount their volumes."""
        self.stop()
        for each in self.servers:
            volumes.unmount(each.files, self._journal)


def restarts(before: Database, now: Database) -> bool:
    """Return whether a server has to be started again: for a reboot, or an option that it reads at its start."""
    return _options(before) != _options(now)


def _options(database: Database) -> tuple[object, ...]:
    return (database.boots, database.port, database.endpoint, database.logged, bool(database.standby_id))


def _account(database: Database) -> tuple[str, str]:
    return (database.user, database.password)
