# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases, users and grants of a managed MariaDB, over TLS as its master user, with MariaDB's own client.

The password is in an option file in memory that only root can read, while the client runs. Statements, which contain
hashes of passwords, go through the client's standard input.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import HIDDEN
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.host import mariadb
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.mariadb import Desired, Observed, Statement

CLIENT = "mariadb"
MEMORY = Path("/run")  # a tmpfs
CONNECT_TIMEOUT = 20  # seconds
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
USER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
# What the master user of RDS has, and so can grant, of what there is for a database.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html
PRIVILEGES: t.Mapping[str, str] = {  # with their columns in mysql.db
    "SELECT": "Select_priv",
    "INSERT": "Insert_priv",
    "UPDATE": "Update_priv",
    "DELETE": "Delete_priv",
    "CREATE": "Create_priv",
    "DROP": "Drop_priv",
    "REFERENCES": "References_priv",
    "INDEX": "Index_priv",
    "ALTER": "Alter_priv",
    "CREATE TEMPORARY TABLES": "Create_tmp_table_priv",
    "LOCK TABLES": "Lock_tables_priv",
    "EXECUTE": "Execute_priv",
    "CREATE VIEW": "Create_view_priv",
    "SHOW VIEW": "Show_view_priv",
    "CREATE ROUTINE": "Create_routine_priv",
    "ALTER ROUTINE": "Alter_routine_priv",
    "EVENT": "Event_priv",
    "TRIGGER": "Trigger_priv",
}
UNREACHED = re.compile(r"ERROR (2002|2003|2005|2013) ")
UNTRUSTED = re.compile(r"ERROR 2026 ")


@dataclass(frozen=True)
class Server:
    """A managed server, its master user, and the file with the authorities that sign its certificate."""

    host: str
    port: int
    user: str
    authorities: str
    password: str = field(repr=False)


def parse_server(options: t.Mapping[str, t.Any], secrets: t.Mapping[str, str] | None, problems: Problems) -> Server:
    """Return the server of the option `databases.server`. Add to `problems` what is wrong with it."""
    host, user = options["host"], options["user"]
    if host != KNOWN_AFTER_APPLY and not HOST.fullmatch(host):
        problems.add("server.host", f"'{host}' is not a host name", "write it as dev-database.example.com")
    if not USER.fullmatch(user):
        problems.add("server.user", f"'{user}' is not the name of a user", "use letters, digits and underscores")
    password = mariadb.password_of(options["password"], "server.password", secrets, problems)
    return Server(host, options["port"], user, options["authorities"], password)


def plan(desired: Desired, observed: Observed) -> list[Statement]:
    """Return the statements that turn the observed state into the desired one. Pure.

    Accounts of others stay, among them those of RDS. Those of declared users with hosts that are not declared do not.
    """
    hosts = {user.name: set(user.hosts) for user in desired.users}
    return [*mariadb.dropped(hosts, observed), *mariadb.declared(desired, observed, ", ".join(PRIVILEGES))]


def suffices(grant: t.Mapping[str, str]) -> bool:
    """Return whether a row of mysql.db has every privilege that the master user can grant."""
    return all(grant.get(column) == "Y" for column in PRIVILEGES.values())


def converge(
    run: Run, desired: Desired, server: Server, *, check_mode: bool, memory: Path = MEMORY
) -> dict[str, t.Any]:
    """Set up the databases and users on the managed server. Return the module's result.

    In check mode the server, the client and the authorities may be missing: then nothing is there yet.
    """
    if check_mode and not _can_ask(server):
        return mariadb.report(plan(desired, Observed()))
    doing = f"read the databases and users of {server.host}"
    answer = _said(run, doing, server, mariadb.QUESTIONS, memory)
    statements = plan(desired, mariadb.observed(answer, suffices))
    if statements and not check_mode:
        sql = "".join(f"{text};\n" for one in statements for text in one.sql)
        _said(run, f"change the databases and users of {server.host}", server, sql, memory)
    return mariadb.report(statements)


def _can_ask(server: Server) -> bool:
    return server.host != KNOWN_AFTER_APPLY and Path(server.authorities).exists() and bool(shutil.which(CLIENT))


def option_file(server: Server) -> str:
    """Return the client's option file. Pure. https://mariadb.com/kb/en/configuring-mariadb-with-option-files/"""
    quoted = server.password.replace("\\", "\\\\").replace('"', '\\"')
    lines = {
        "host": server.host,
        "port": str(server.port),
        "user": server.user,
        "password": f'"{quoted}"',
        "protocol": "tcp",
        "connect-timeout": str(CONNECT_TIMEOUT),
        "ssl-ca": server.authorities,
    }
    settings = "".join(f"{name} = {value}\n" for name, value in lines.items())
    return f"[client]\n{settings}ssl-verify-server-cert\n"


def _said(run: Run, doing: str, server: Server, sql: str, memory: Path) -> str:
    """Return the output of the client. If it fails, raise GroundworkError with its errors only, without secrets."""
    with tempfile.TemporaryDirectory(prefix="groundwork-", dir=memory) as folder:  # mode 0700
        path = Path(folder) / "client.cnf"
        path.touch(mode=0o600)
        path.write_text(option_file(server))
        done = run([CLIENT, f"--defaults-file={path}", "--batch", "--raw"], stdin=sql)
    if done.code:
        words = mariadb.HASH.sub(HIDDEN, done.err.strip()).replace(server.password, HIDDEN)
        text = f"Could not {doing}: the client mariadb failed with exit code {done.code}:\n{words}"
        raise GroundworkError(f"{text}\n{remedy(words)}".rstrip())
    return done.out


def remedy(words: str) -> str:
    """Return what to do about an error of the client, or "". Pure."""
    if mariadb.ACCESS_DENIED.search(words):
        return (
            "Another program or person changed the master password. Run playbooks/rotate_database.yml, which sets it."
        )
    if UNREACHED.search(words):
        return (
            "This server does not reach the database. Its security groups must be among firewall_database_clients; run "
            "site.yml without --tags."
        )
    if UNTRUSTED.search(words):
        return (
            "The certificate of the database is not signed by the authorities in lamp_database_ca_url. Give the bundle "
            "of the partition, and run site.yml."
        )
    return ""
