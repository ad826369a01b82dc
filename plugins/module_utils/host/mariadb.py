# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases, users and grants of a MariaDB server, through its unix socket as root, with the server's own client.

This needs no other package and no password for root. Only the hash of a user's password, as MariaDB stores it, is
sent, through the client's standard input.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    HIDDEN,
    Secrets,
    fill,
    parameter_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run

DATA = Path("/var/lib/mysql")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,63}")
HOST = re.compile(r"localhost|%|[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
SHORTEST_PASSWORD = 12
# mysql_install_db creates a database of this name, which every user can access.
TEST_DATABASE = "test"
NATIVE = "mysql_native_password"
# https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference
ACCESS_DENIED = re.compile(r"ERROR (1045|1698) ")
BY_SOCKET = "ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket"
ROOT_LOCKED_OUT = f"""\
Another program or person changed how root logs in to MariaDB. This collection logs in as root through the unix socket.
With root's password, run this on the server, then run the playbook again:
  sudo mariadb --user=root --password --execute "{BY_SOCKET}"
Without it, let MariaDB execute the statement at its next start. This interrupts the database for some seconds:
  echo "{BY_SOCKET};" | sudo tee /run/groundwork-root.sql
  sudo systemctl set-environment MYSQLD_OPTS=--init-file=/run/groundwork-root.sql
  sudo systemctl restart mariadb
  sudo systemctl unset-environment MYSQLD_OPTS && sudo rm /run/groundwork-root.sql"""
HASH = re.compile(r"\*[0-9A-F]+")  # a result of native_hash, or its beginning


@dataclass(frozen=True)
class Database:
    """A database with its default character set and collation."""

    name: str
    character_set: str = "utf8mb4"
    collation: str = "utf8mb4_unicode_ci"


@dataclass(frozen=True)
class User:
    """A user, the hosts it can log in from (as MariaDB writes them), and the databases it has all privileges on."""

    name: str
    hosts: tuple[str, ...]
    password_hash: str = field(repr=False)
    databases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Desired:
    """The desired databases and users. Undeclared ones stay, apart from insecure defaults of MariaDB."""

    databases: tuple[Database, ...] = ()
    users: tuple[User, ...] = ()


@dataclass(frozen=True)
class Observed:
    """The observed state of a server. `accounts` contains the JSON of mysql.global_priv, by user and host.

    `grants` are the (user, host, database) with every privilege on the database. `anonymous` is true if the anonymous
    user has grants. `used` are the databases that contain tables.
    """

    databases: t.Mapping[str, Database] = field(default_factory=dict)
    accounts: t.Mapping[tuple[str, str], t.Mapping[str, t.Any]] = field(default_factory=dict)
    grants: frozenset[tuple[str, str, str]] = frozenset()
    anonymous: bool = False
    used: frozenset[str] = frozenset()


# The accounts that mariadb-install-db creates: root can log in by the socket, or by an invalid password.
# https://mariadb.com/kb/en/authentication-from-mariadb-10-4/
FRESH = Observed(
    accounts={
        ("root", "localhost"): {
            "plugin": "mysql_native_password",
            "authentication_string": "invalid",
            "auth_or": [{}, {"plugin": "unix_socket"}],
        }
    }
)


@dataclass(frozen=True)
class Statement:
    """One change, with its SQL. `before` and `after` are what --diff shows."""

    action: t.Literal["create", "update", "delete"]
    resource: str
    name: str
    sql: tuple[str, ...] = field(repr=False)
    before: str = ""
    after: str = ""


def parse_mariadb(options: t.Mapping[str, t.Any], problems: Problems) -> Desired:
    """Return the desired databases and users. Add to `problems` what is wrong.

    The option `secrets` contains the passwords, by the path in their placeholder. Without it only a plan is possible.
    """
    secrets = options.get("secrets")
    databases = tuple(Database(item["name"], item["character_set"], item["collation"]) for item in options["databases"])
    for at, database in enumerate(databases):
        for value in (database.name, database.character_set, database.collation):
            _check_identifier(value, f"databases[{at}]", problems)
    known = {database.name for database in databases}
    users = tuple(_user(item, f"users[{at}]", known, secrets, problems) for at, item in enumerate(options["users"]))
    for kind, names in (("databases", [d.name for d in databases]), ("users", [u.name for u in users])):
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.add(kind, f"'{name}' is used twice", "declare it once")
    return Desired(databases, users)


def _check_identifier(value: str, where: str, problems: Problems) -> None:
    if not IDENTIFIER.fullmatch(value):
        right = "use lower case letters, digits and underscores, a letter first"
        problems.add(where, f"'{value}' is not a valid name", right)


def _user(
    item: t.Mapping[str, t.Any], where: str, known: t.Collection[str], secrets: Secrets | None, problems: Problems
) -> User:
    _check_identifier(item["name"], f"{where}.name", problems)
    if item["name"] == "root":
        problems.add(f"{where}.name", "root can log in by the socket only", "use another name")
    password = password_of(item["password"], f"{where}.password", secrets, problems)
    for name in item["databases"]:
        if name not in known:
            problems.add(f"{where}.databases", f"'{name}' is not a database", "use one of databases")
    hosts = tuple(host_of(text, f"{where}.hosts", problems) for text in item["hosts"])
    return User(item["name"], hosts, native_hash(password), tuple(item["databases"]))


def password_of(given: str, where: str, secrets: Secrets | None, problems: Problems) -> str:
    """Return the password for a placeholder, or the placeholder itself without `secrets`."""
    path = parameter_of(given)
    if path is None:
        right = "write @groundwork(parameter:/path)@, and give the password in secrets by this path"
        problems.add(where, "is not a placeholder for a password", right)
        return ""
    password = fill(given, secrets, where, problems)
    if len(password) < SHORTEST_PASSWORD and path in (secrets or {}):
        problems.add(f"secrets.{path}", "the password is too short", f"use at least {SHORTEST_PASSWORD} characters")
    return password


def host_of(text: str, where: str, problems: Problems) -> str:
    """Return a host as MariaDB's accounts contain it. A CIDR block becomes address/netmask.

    https://mariadb.com/kb/en/create-user/#host-name-component
    """
    if "/" not in text:
        if not HOST.fullmatch(text):
            right = "use localhost, a host name, an IP address or a CIDR block"
            problems.add(where, f"'{text}' is not a valid host", right)
        return text
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        problems.add(where, f"'{text}' is not a valid IPv4 network ({error})", "write it as 10.20.0.0/16")
        return text
    return network.with_netmask


def native_hash(password: str) -> str:
    """Return the hash that mysql_native_password stores. PHP's driver mysqlnd supports no stronger plugin of MariaDB.

    https://mariadb.com/kb/en/authentication-plugin-mysql_native_password/
    """
    once = hashlib.sha1(password.encode(errors="replace"), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def plan(desired: Desired, observed: Observed) -> list[Statement]:
    """Return the statements that turn the observed state into the desired one. Pure."""
    return [
        *_secure(desired, observed),
        *declared(desired, observed),
    ]


def declared(desired: Desired, observed: Observed, privileges: str = "ALL PRIVILEGES") -> list[Statement]:
    """Return the statements that make the declared databases, users and grants. Pure."""
    return [
        *(one for database in desired.databases for one in _database(database, observed)),
        *(one for user in desired.users for host in user.hosts for one in _account(user, host, observed, privileges)),
    ]


def _secure(desired: Desired, observed: Observed) -> t.Iterator[Statement]:
    root = observed.accounts.get(("root", "localhost"))
    if root is not None and _ways(root) != ["unix_socket"]:
        sql = BY_SOCKET
        yield Statement(
            "update",
            "user",
            "root@localhost",
            (sql,),
            f"logs in by: {', '.join(_ways(root))}\n",
            "logs in by: unix_socket\n",
        )
    hosts = {user.name: set(user.hosts) for user in desired.users} | {"root": {"localhost"}, "": set()}
    yield from dropped(hosts, observed)
    if observed.anonymous:
        sql_two = ("DELETE FROM mysql.db WHERE User = ''", "FLUSH PRIVILEGES")
        yield Statement("delete", "grants", "of everybody", sql_two, "grants to the anonymous user\n")
    declared = {database.name for database in desired.databases}
    if TEST_DATABASE in observed.databases.keys() - declared - observed.used:
        sql = f"DROP DATABASE `{TEST_DATABASE}`"
        yield Statement("delete", "database", TEST_DATABASE, (sql,), f"{TEST_DATABASE}, empty\n")


def dropped(hosts: t.Mapping[str, t.Collection[str]], observed: Observed) -> t.Iterator[Statement]:
    """Yield the statements that drop accounts of users, by name, with hosts other than these."""
    for name, host in sorted(observed.accounts):
        if name in hosts and host not in hosts[name]:
            account = f"{name or '(anonymous)'}@{host}"
            yield Statement("delete", "user", account, (f"DROP USER '{name}'@'{host}'",), f"{account}\n")


def _ways(account: t.Mapping[str, t.Any]) -> list[str]:
    """Return the plugins by which an account can log in. An empty alternative stands for the first plugin."""
    alternatives = [way["plugin"] for way in account.get("auth_or", []) if way]
    return [account.get("plugin") or NATIVE, *alternatives]


def _database(database: Database, observed: Observed) -> t.Iterator[Statement]:
    there = observed.databases.get(database.name)
    if there == database:
        return
    verb = "ALTER DATABASE" if there else "CREATE DATABASE IF NOT EXISTS"
    text = f"CHARACTER SET {database.character_set} COLLATE {database.collation}"
    yield Statement(
        "update" if there else "create",
        "database",
        database.name,
        (f"{verb} `{database.name}` {text}",),
        _text(there) if there else "",
        _text(database),
    )


def _text(database: Database) -> str:
    return f"{database.name}: {database.character_set}, {database.collation}\n"


def _account(user: User, host: str, observed: Observed, privileges: str) -> t.Iterator[Statement]:
    name = f"{user.name}@{host}"
    account = f"'{user.name}'@'{host}'"
    there = observed.accounts.get((user.name, host))
    if there is None or not _has_password(there, user.password_hash):
        verb = "CREATE USER IF NOT EXISTS" if there is None else "ALTER USER"
        sql = f"{verb} {account} IDENTIFIED VIA {NATIVE} USING '{user.password_hash}'"
        before = "" if there is None else f"{name}: another password\n"
        action: t.Literal["create", "update"] = "create" if there is None else "update"
        yield Statement(action, "user", name, (sql,), before, f"{name}: (secret, not shown)\n")
    for database in user.databases:
        if (user.name, host, database) not in observed.grants:
            sql = f"GRANT {privileges} ON `{pattern_of(database)}`.* TO {account}"
            yield Statement("create", "grant", f"{database} to {name}", (sql,), "", f"all privileges on {database}\n")


def _has_password(account: t.Mapping[str, t.Any], password_hash: str) -> bool:
    return _ways(account) == [NATIVE] and account.get("authentication_string") == password_hash


def pattern_of(database: str) -> str:
    """Return the database's name for a grant, with its underscores escaped: a plain one matches any character."""
    return database.replace("_", "\\_")


def report(statements: t.Sequence[Statement]) -> dict[str, t.Any]:
    """Return `changed`, `changes` and `diff`, the same in check mode and after a run."""
    return {
        "changed": bool(statements),
        "changes": [{"action": s.action, "resource": s.resource, "name": s.name} for s in statements],
        "diff": [
            {
                "before_header": f"{s.resource} {s.name}",
                "after_header": f"{s.resource} {s.name}",
                "before": s.before,
                "after": s.after,
            }
            for s in statements
        ],
    }


# Keep the hashes out of logs of statements. The binary log contains them, because replicas need them.
# https://mariadb.com/kb/en/server-system-variables/#sql_log_off
UNLOGGED = "SET SESSION sql_log_off = 1, SESSION slow_query_log = 0;\n"
QUESTIONS = """\
SELECT 'database', SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA;
SELECT 'used', TABLE_SCHEMA FROM information_schema.TABLES GROUP BY TABLE_SCHEMA;
SELECT 'account', User, Host, Priv FROM mysql.global_priv;
SELECT 'grant', d.* FROM mysql.db d;
"""


def observe(run: Run, socket: str) -> Observed:
    """Return the observed state, with one call of the client. Raise GroundworkError if it fails."""
    return observed(_said(run, "read MariaDB's databases and users", socket, QUESTIONS))


def _said(run: Run, doing: str, socket: str, sql: str) -> str:
    """Return the output of the client. If it fails, raise GroundworkError with its errors only, without hashes.

    The output can contain the hashes of all accounts, and an error quotes its statement.
    """
    done = run(client(socket), stdin=f"{UNLOGGED}{sql}")
    if done.code:
        words = HASH.sub(HIDDEN, done.err.strip())
        text = f"Could not {doing}: the client mariadb failed with exit code {done.code}:\n{words}"
        raise GroundworkError(f"{text}\n{ROOT_LOCKED_OUT}" if ACCESS_DENIED.search(words) else text)
    return done.out


def client(socket: str) -> list[str]:
    """Return the client's command as root, without option files: these could set another user or a password."""
    return ["mariadb", "--no-defaults", "--user=root", "--protocol=socket", f"--socket={socket}", "--batch", "--raw"]


def _has_all(grant: t.Mapping[str, str]) -> bool:
    privileges = {key: value for key, value in grant.items() if key.endswith("_priv") and key != "Grant_priv"}
    return set(privileges.values()) == {"Y"}


def observed(answer: str, suffices: t.Callable[[t.Mapping[str, str]], bool] = _has_all) -> Observed:
    """Return the observed state from the output of the client. Pure. `suffices` tells grants with every privilege."""
    rows: dict[str, list[list[str]]] = {"database": [], "used": [], "account": [], "grant": []}
    for line in answer.splitlines():
        kind, *cells = line.split("\t")
        rows[kind].append(cells)
    grants = [dict(zip(rows["grant"][0], cells, strict=True)) for cells in rows["grant"][1:]]
    return Observed(
        databases={name: Database(name, charset, collation) for name, charset, collation in rows["database"][1:]},
        accounts={(user, host): json.loads(priv) for user, host, priv in rows["account"][1:]},
        grants=frozenset((g["User"], g["Host"], g["Db"].replace("\\_", "_")) for g in grants if suffices(g)),
        anonymous=any(g["User"] == "" for g in grants),
        used=frozenset(cells[0] for cells in rows["used"][1:]),
    )


def stopped(desired: Desired, data: Path) -> Observed:
    """Return the state of a server that is not running, from its files.

    Only the server can read the tables with the users. Users are created together with their databases, so the users of
    an existing database are assumed to exist.
    """
    if not (data / "mysql").is_dir():
        return FRESH
    databases = {path.parent.name: _database_of(path) for path in data.glob("*/db.opt")}
    made = [user for user in desired.users if databases.keys() & set(user.databases)]
    return Observed(
        databases=databases,
        accounts={
            (user.name, host): {"plugin": NATIVE, "authentication_string": user.password_hash}
            for user in made
            for host in user.hosts
        },
        grants=frozenset(
            (user.name, host, name)
            for user in made
            for host in user.hosts
            for name in user.databases
            if name in databases
        ),
    )


def _database_of(options: Path) -> Database:
    """Return the database that an option file describes. https://mariadb.com/kb/en/create-database/"""
    pairs = dict(line.split("=", 1) for line in options.read_text().splitlines() if "=" in line)
    name, charset, collation = options.parent.name, pairs["default-character-set"], pairs["default-collation"]
    return Database(name, charset, collation)


def converge(run: Run, desired: Desired, socket: str, *, check_mode: bool, data: Path = DATA) -> dict[str, t.Any]:
    """Set up the databases and users. Return the module's result. In check mode MariaDB may be stopped."""
    if check_mode and not Path(socket).exists():
        return report(plan(desired, stopped(desired, data)))
    if not Path(socket).exists():
        raise GroundworkError(f"MariaDB is not running on this server: the socket {socket} does not exist.")
    statements = plan(desired, observe(run, socket))
    if statements and not check_mode:
        sql = "".join(f"{text};\n" for one in statements for text in one.sql)
        _said(run, "change MariaDB's databases and users", socket, sql)
    return report(statements)
