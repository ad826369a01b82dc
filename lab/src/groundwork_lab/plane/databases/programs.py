"""MariaDB's programs: the version of the server, a new data folder, and statements for a server that runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from groundwork_lab.plane.databases.config import USER, script

SERVER = "mariadbd"
CLIENT = ("mariadb", "--no-defaults", "--user=root", "--batch", "--skip-column-names")


NEUTRAL = "SET SESSION sql_mode = '', max_statement_time = 0"
"""Makes a session independent of the parameters of the server: strings have backslashes, and statements have time."""


UNWANTED = "DELETE FROM global_priv WHERE User IN ('', 'mysql')"
"""Removes the accounts that anybody, and the system's user, would have."""


class DatabaseError(Exception):
    """A program of MariaDB or of the volume has failed, with what it says."""


def version(text: str | None = None) -> str:
    """Return the version of the machine's MariaDB, from what `mariadbd --version` prints. Raise DatabaseError."""
    text = run([SERVER, "--version"]) if text is None else text
    found = re.search(r"Ver (\d+\.\d+\.\d+)", text)
    if found is None:
        message = f"{SERVER} does not tell its version: {text.strip()}"
        raise DatabaseError(message)
    return found[1]


def run(argv: Iterable[str], text: str = "", fine: Collection[int] = (0,)) -> str:
    """Run a program with this input and return its output. Raise DatabaseError if its exit code is not `fine`."""
    command = list(argv)
    done = subprocess.run(command, check=False, capture_output=True, text=True, input=text)
    if done.returncode not in fine:
        message = f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}"
        raise DatabaseError(message)
    return done.stdout


def install(folder: Path) -> None:
    """Make the data folder of a new server, with the time zones, and no account but root's on this machine.

    It is complete when it has its name. Raise DatabaseError.
    """
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)  # left over from a copy that was interrupted, or not there
    new.mkdir(parents=True, mode=0o700)
    shutil.chown(new, USER)
    run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--user={USER}",
            f"--datadir={new}",
            "--skip-test-db",
            "--auth-root-authentication-method=socket",
            "--auth-root-socket-user=root",
        ]
    )
    zones = run(["mariadb-tzinfo-to-sql", "/usr/share/zoneinfo"])
    statements = script(["USE mysql", zones.rstrip().rstrip(";"), UNWANTED])
    run([SERVER, "--no-defaults", f"--user={USER}", f"--datadir={new}", "--bootstrap"], statements)
    new.rename(folder)


def execute(socket: Path, statements: Iterable[str]) -> str:
    """Execute statements as root on a server of this machine, and return the rows. Raise DatabaseError."""
    return run([*CLIENT, f"--socket={socket}"], script([NEUTRAL, *statements]))


def replication(socket: Path) -> dict[str, str]:
    """Return SHOW SLAVE STATUS of a server by column. Raise DatabaseError."""
    argv = [each for each in CLIENT if each != "--skip-column-names"]
    lines = run([*argv, f"--socket={socket}"], script(["SHOW SLAVE STATUS"])).splitlines()
    return dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=False)) if len(lines) > 1 else {}


class Session:
    """A session of root with a server, whose locks are kept until its end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, *statements: str) -> list[str]:
        """Execute statements and return the lines of their results. Raise DatabaseError."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError(self._process.args)
        mark = "-- done --"
        self._process.stdin.write(script([*statements, f"SELECT '{mark}'"]))
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.strip() == mark:
                return lines
            lines.append(line.rstrip("\n"))
        words = self._process.stderr.read() if self._process.stderr else ""
        message = f"The session with the server ended: {words.strip()}"
        raise DatabaseError(message)


@contextmanager
def session(socket: Path) -> Iterator[Session]:
    """Have a session of root with a server."""
    argv = [*CLIENT, "--unbuffered", f"--socket={socket}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            found = Session(process)
            found.ask(NEUTRAL)
            yield found
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
