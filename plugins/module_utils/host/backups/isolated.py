# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A MariaDB of its own for a short time: with its own folder and socket, without a network. It leaves nothing."""

from __future__ import annotations

import contextlib
import gzip
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.dumps import (
    Digests,
    Table,
    as_root,
    dump_argv,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed

ACCOUNT = "mysql"
START = 60.0  # seconds until MariaDB accepts connections
STOP = 60.0
INTERVAL = 0.1
CHUNK = 1024**2
DATA, SOCKET, ERRORS, PID = "data", "socket", "errors", "pid"


@contextlib.contextmanager
def isolated(run: Run, folder: Path) -> t.Iterator[str]:
    """Yield the socket of a new MariaDB whose files are all in `folder`, and stop it afterwards.

    `folder` exists, and the account of MariaDB can enter it. Raise GroundworkError if it does not start.
    """
    place = folder / "mariadb"
    place.mkdir(mode=0o700)
    user = pwd.getpwnam(ACCOUNT)
    os.chown(place, user.pw_uid, user.pw_gid)
    data, socket = place / DATA, place / SOCKET
    own = ["--no-defaults", f"--datadir={data}"]
    first = [f"--user={ACCOUNT}", "--auth-root-authentication-method=socket", "--skip-test-db"]
    made = run(["mariadb-install-db", *own, *first])
    if made.code:
        raise GroundworkError(f"Could not create an isolated MariaDB: {made.words[-2000:]}")
    more = [f"--socket={socket}", f"--pid-file={place / PID}", f"--log-error={place / ERRORS}", "--skip-networking"]
    small = ["--innodb-buffer-pool-size=64M", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]
    # It ends with this process, also if that is killed.
    account = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--pdeathsig=KILL"]
    argv = [*account, "mariadbd", *own, *more, *small, "--max-allowed-packet=1G", "--event-scheduler=OFF"]
    # It has to run beside this process, which AnsibleModule.run_command does not do.
    server = subprocess.Popen(  # pylint: disable=ansible-bad-function
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(run, server, str(socket), place / ERRORS)
        yield str(socket)
    finally:
        _stop(server)


def _await(run: Run, server: subprocess.Popen[bytes], socket: str, errors: Path) -> None:
    end = time.monotonic() + START
    while run(as_root("mariadb", socket, "--execute=SELECT 1")).code:
        if server.poll() is not None or time.monotonic() > end:
            said = errors.read_text(errors="replace")[-2000:] if errors.exists() else ""
            raise GroundworkError(f"The isolated MariaDB did not start within {START:.0f} s: {said}")
        time.sleep(INTERVAL)  # MariaDB does not tell its parent when it accepts connections


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@contextlib.contextmanager
def workplace(folder: Path) -> t.Iterator[Path]:
    """Create a folder that is removed afterwards. What a run that was killed has left there is removed first."""
    clear(folder)
    folder.mkdir(mode=0o711, parents=True)
    folder.chmod(0o711)  # whatever the umask is: MariaDB has to enter it
    try:
        yield folder
    finally:
        clear(folder)


def clear(folder: Path) -> None:
    """Remove a folder with all that is in it."""
    if folder.exists():
        shutil.rmtree(folder)


def load(dump: Path, socket: str, database: str) -> None:
    """Read a compressed dump into a database. Raise GroundworkError with the words of the client."""
    argv = as_root("mariadb", socket, "--binary-mode", "--default-character-set=utf8mb4", database)
    with tempfile.TemporaryFile() as errors, gzip.open(dump) as source:
        # AnsibleModule.run_command has its whole input in memory.
        client = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        )
        wrong = ""
        try:
            with t.cast(t.IO[bytes], client.stdin) as pipe:
                shutil.copyfileobj(source, pipe, CHUNK)
        except BrokenPipeError:
            pass  # the client tells why it has ended
        except (OSError, EOFError, ValueError) as error:
            wrong = f"{dump.name} cannot be unpacked: {error}"
            client.kill()
        code = client.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    if wrong or code:
        raise GroundworkError(wrong or f"MariaDB did not accept {dump.name}: {said[-2000:]}")


def tables_of(run: Run, socket: str, database: str) -> dict[str, Table]:
    """Return the tables of a database with their rows and digests. Raise GroundworkError."""
    digests = Digests()
    views = _views(run, socket, database)
    plain = ["--skip-triggers", "--skip-routines", "--skip-events"]
    argv = dump_argv(socket, database, *plain, *(f"--ignore-table={database}.{view}" for view in views))
    with tempfile.TemporaryFile() as errors:
        # AnsibleModule.run_command has its whole output in memory.
        with subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as process:
            for line in t.cast(t.IO[bytes], process.stdout):
                digests.line(line)
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    if process.returncode or not digests.complete:
        raise GroundworkError(f"Could not read the database {database}: {said[-2000:]}")
    return digests.tables()


def _views(run: Run, socket: str, database: str) -> list[str]:
    sql = f"SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '{database}'"  # noqa: S608 - a name
    argv = as_root("mariadb", socket, "--batch", "--skip-column-names", f"--execute={sql}")
    return succeed(run, f"read the views of {database}", argv).splitlines()
