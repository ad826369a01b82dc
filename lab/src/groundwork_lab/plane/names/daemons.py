"""The processes of the lab's DNS: Unbound, the resolver, and Knot, an authoritative server."""

from __future__ import annotations

import logging
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from groundwork_lab.journal import Journal
from groundwork_lab.plane.names import config
from groundwork_lab.processes import spawn, stop, wait_listening
from groundwork_lab.settings import RESOLVER

PATIENCE = 10.0  # seconds for a daemon to start

_log = logging.getLogger(__name__)


class NamesError(Exception):
    """A daemon that refuses a command, with what it says."""


class Daemon:
    """A process that is restarted if it has ended. Its folder has its log and its control socket."""

    def __init__(
        self, argv: Sequence[str], folder: Path, address: IPv4Address, namespace: str, journal: Journal
    ) -> None:
        self._argv = argv
        self._folder = folder
        self._address = address
        self._namespace = namespace
        self._journal = journal
        self._process: subprocess.Popen[bytes] | None = None

    def started(self) -> bool:
        """Start the process if it does not run, and wait until it listens. Return whether it was started."""
        if self._process is not None:
            if self._process.poll() is None:
                return False
            _log.error("%s ended with code %s; restarting it.", self._argv[0], self._process.returncode)
            self.close()
        log = self._folder / f"{Path(self._argv[0]).name}.log"
        self._process = spawn(self._argv, self._journal, namespace=self._namespace, log=log)
        wait_listening(self._process, self._namespace, str(self._address), 53)
        self._wait_for_control()
        return True

    def _wait_for_control(self) -> None:
        deadline = time.monotonic() + PATIENCE
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            while client.connect_ex(str(self._folder / "control")) != 0:
                if time.monotonic() > deadline:
                    message = f"Timed out after {PATIENCE:g} s waiting for {self._argv[0]} to take commands."
                    raise TimeoutError(message)
                select.select([], [], [], 0.02)  # there is no event for a socket that another process creates

    def close(self) -> None:
        if self._process is not None:
            stop(self._process, self._journal)
            self._process = None


class Resolver:
    """Unbound. Its own zones are files, which it reads again when they change.

    It runs from a copy of the program: Debian's AppArmor profile for /usr/sbin/unbound permits it no other folders than
    those of the machine's own resolver.
    """

    def __init__(self, folder: Path, namespace: str, journal: Journal, global_endpoints: Iterable[str]) -> None:
        self._folder = folder
        self._config = folder / "unbound.conf"
        self._global_endpoints = tuple(global_endpoints)
        self._program = folder / "unbound"
        argv = [str(self._program), "-d", "-c", str(self._config)]
        self._daemon = Daemon(argv, folder, RESOLVER, namespace, journal)
        self._zones: dict[str, str] = {}
        self._blocked: frozenset[str] = frozenset()

    def start(self, zones: Mapping[str, str]) -> None:
        """Write the files and start Unbound. Raise OSError, or NamesError if it rejects its configuration."""
        shutil.copy(shutil.which("unbound") or "unbound", self._program)
        self._write(zones)
        write_atomically(self._config, config.resolver(self._folder, self._global_endpoints))
        _run(["unbound-checkconf", str(self._config)])
        self._daemon.started()

    def apply(self, zones: Mapping[str, str], blocked: frozenset[str]) -> None:
        """Answer from these zones, and that the names at and below the `blocked` domains do not exist."""
        changed = self._write(zones)
        if self._daemon.started():
            self._blocked = frozenset()
        else:
            for domain in changed:
                self._control("auth_zone_reload", domain)
        for domain in self._blocked - blocked:
            self._control("local_zone_remove", domain)
            self._blocked -= {domain}
        for domain in blocked - self._blocked:
            self._control("local_zone", domain, "always_nxdomain")
            self._blocked |= {domain}

    def forget(self, domain: str) -> None:
        """Remove the names at and below the domain from the cache."""
        self._control("flush_zone", domain)

    def close(self) -> None:
        self._daemon.close()

    def _write(self, zones: Mapping[str, str]) -> list[str]:
        changed = [domain for domain, text in zones.items() if self._zones.get(domain) != text]
        for domain in changed:
            write_atomically(self._folder / f"{domain}.zone", zones[domain])
            self._zones[domain] = zones[domain]
        return changed

    def _control(self, *command: str) -> None:
        _run(["unbound-control", "-c", str(self._config), *command])


class NameServer:
    """Knot, with the zones of one address."""

    def __init__(self, folder: Path, address: IPv4Address, namespace: str, journal: Journal) -> None:
        self._folder = folder
        self._address = address
        self._config = folder / "knot.conf"
        self._daemon = Daemon(["knotd", "-c", str(self._config)], folder, address, namespace, journal)
        self._files: dict[str, Path] = {}
        self._served: dict[str, str] = {}

    def apply(self, zones: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, NamesError | None]]:
        """Serve these zones: an id and the text of a file, by name. Yield the name of each one that changed.

        A zone that Knot rejects is yielded with the error. Knot serves it as it was.
        """
        (self._folder / "db").mkdir(parents=True, exist_ok=True)
        files = {name: self._folder / f"{identity}.zone" for name, (identity, _) in zones.items()}
        for name, (_, text) in zones.items():
            if self._served.get(name) != text or self._files.get(name) != files[name]:
                write_atomically(files[name], text)
        new = files != self._files
        if new:
            write_atomically(self._config, config.name_server(self._folder, self._address, files))
        if self._daemon.started():
            self._served.clear()
        elif new:
            self._control("reload")
        for file in set(self._files.values()) - set(files.values()):
            file.unlink(missing_ok=True)
        self._files = files
        for name in self._served.keys() - zones.keys():
            del self._served[name]
            yield name, None
        for name, (_, text) in zones.items():
            if self._served.get(name) != text:
                yield name, self._reloaded(name, text)

    def _reloaded(self, name: str, text: str) -> NamesError | None:
        try:
            self._control("-b", "zone-reload", name)
        except NamesError as error:
            return error
        self._served[name] = text
        return None

    def close(self) -> None:
        self._daemon.close()

    def _control(self, *command: str) -> None:
        _run(["knotc", "-s", str(self._folder / "control"), *command])


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        message = f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}"
        raise NamesError(message)


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees either the old or the new text."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    new = Path(file.name)
    new.chmod(0o644)
    new.replace(path)
