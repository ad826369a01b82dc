"""MariaDB's configuration and statements for a DB instance. Pure functions.

https://mariadb.com/docs/server/server-management/install-and-upgrade-mariadb/configuring-mariadb/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

USER = "mysql"  # of the Debian package
BUFFER_POOL = "67108864"  # bytes, unless the parameter group has a number: the machine has less memory than on AWS
OPTIONS = {"time_zone": "default_time_zone", "tx_isolation": "transaction_isolation"}
"""The options of the server whose names are not those of the variables."""

PRIVILEGES = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, "
    "CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"
)
"""The privileges of the master user.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html
"""


@dataclass(frozen=True)
class Files:
    """The files of a DB instance below its folder. Those in `volume` are on its storage."""

    folder: Path

    @property
    def image(self) -> Path:
        """Return the sparse file with the content of the volume."""
        return self.folder / "volume.ext4"

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    @property
    def data(self) -> Path:
        return self.volume / "data"

    @property
    def temporary(self) -> Path:
        return self.volume / "tmp"

    @property
    def logs(self) -> Path:
        """Return the folder of the binary logs. RDS keeps them in S3, so that they do not fill the storage."""
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """Return the folder of what the server creates while it runs."""
        return self.folder / "run"

    @property
    def socket(self) -> Path:
        return self.run / "socket"

    @property
    def errors(self) -> Path:
        return self.run / "error.log"

    @property
    def config(self) -> Path:
        return self.folder / "my.cnf"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @property
    def log_names(self) -> Path:
        """Return what the names of the binary logs begin with."""
        return self.logs / "mysql-bin-changelog"


def render(
    files: Files,
    parameters: Mapping[str, str],
    address: IPv4Address,
    port: int,
    *,
    logged: bool,
    paired: bool = False,
) -> str:
    """Return the configuration of a server. Its own lines come after the parameters, which cannot override them.

    A server that is `paired` is the primary or the standby of a Multi-AZ deployment.
    """
    own = {
        "user": USER,
        "datadir": files.data,
        "tmpdir": files.temporary,
        "secure_file_priv": files.temporary,
        "socket": files.socket,
        "pid_file": files.run / "pid",
        "log_error": files.errors,
        "bind_address": address,
        "port": port,
        "ssl_cert": files.certificate,
        "ssl_key": files.key,
        "server_id": int(address),
        "innodb_flush_method": "O_DIRECT",
        "skip_stack_trace": None,  # which the server makes with other programs, that outlive it
        "skip_log_bin": None,
    }
    if logged or paired:
        del own["skip_log_bin"]
        own |= {"log_bin": files.log_names, "max_binlog_size": 134217728}
    if paired:
        own |= {**REPLICATION, "relay_log": files.run / "relay"}
    given = {"innodb_buffer_pool_size": BUFFER_POOL, **parameters}
    lines = [_line(OPTIONS.get(name, name), value) for name, value in sorted(given.items())]
    return "\n".join(["[mariadbd]", *lines, *(_line(name, value) for name, value in own.items()), ""])


REPLICATION: Mapping[str, object] = {
    "log_slave_updates": 1,
    "rpl_semi_sync_master_timeout": 2**64 - 1,  # ms: a commit waits for the standby, however long that takes
    "rpl_semi_sync_master_wait_no_slave": 1,
    "rpl_semi_sync_master_wait_point": "AFTER_SYNC",
    "skip_slave_start": None,
}
"""The options of the servers of a Multi-AZ deployment. No session sees a transaction that the standby does not have.

https://mariadb.com/docs/server/ha-and-performance/standard-replication/semisynchronous-replication
"""

REPLICATOR = "rdsrepladmin"  # the account of the standby at the primary


def replicator_statements(password: str) -> list[str]:
    """Return the statements that give the standby its account, which exists for connections of this machine only."""
    name = f"{literal(REPLICATOR)}@'localhost'"
    return [
        f"CREATE USER IF NOT EXISTS {name}",
        f"ALTER USER {name} IDENTIFIED BY {literal(password)}",
        f"GRANT REPLICATION SLAVE ON *.* TO {name}",
    ]


def attach_statements(position: str, password: str, port: int) -> list[str]:
    """Return the statements with which a new standby begins to follow the primary from a GTID position on."""
    return [f"SET GLOBAL gtid_slave_pos = {literal(position)}", *follow_statements(password, port)]


def follow_statements(password: str, port: int) -> list[str]:
    """Return the statements with which a standby follows the primary, which answers on a port of its own network."""
    return [
        "SET GLOBAL rpl_semi_sync_slave_enabled = 1",
        f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = {literal(REPLICATOR)}, "
        f"MASTER_PASSWORD = {literal(password)}, MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos",
        "START SLAVE",
    ]


def _line(name: str, value: object) -> str:
    if value is None:
        return name
    text = str(value)
    return f"{name} = {text}" if re.fullmatch(r"[\w./:-]*", text) else f'{name} = "{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def literal(text: str) -> str:
    """Return a string of SQL. https://mariadb.com/docs/server/reference/sql-structure/sql-language-structure/string-literals"""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def account_statements(user: str, password: str, schema: str) -> list[str]:
    """Return the statements that give the master user its password and its privileges, and create the database."""
    name = f"{literal(user)}@'%'"
    identified = f"IDENTIFIED BY {literal(password)}"
    return [
        *([f"CREATE DATABASE IF NOT EXISTS `{schema}`"] if schema else []),
        f"CREATE USER IF NOT EXISTS {name} {identified}",
        f"ALTER USER {name} {identified}",
        f"GRANT {PRIVILEGES} ON *.* TO {name} WITH GRANT OPTION",
    ]


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the statements that change the parameters of a server that runs."""
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return [f"SET GLOBAL {name} = {_variable(now.get(name))}" for name in names]


def _variable(value: str | None) -> str:
    if value is None:
        return "DEFAULT"
    return value if re.fullmatch(r"-?\d+(\.\d+)?", value) else literal(value)


def script(statements: Iterable[str]) -> str:
    return "".join(f"{each};\n" for each in statements)


BACKUP = (
    "SET SESSION lock_wait_timeout = 10",  # seconds: a commit may wait for a standby that has ended
    "BACKUP STAGE START",
    "BACKUP STAGE FLUSH",
    "BACKUP STAGE BLOCK_DDL",
    "BACKUP STAGE BLOCK_COMMIT",
    "FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS",
)
"""The statements after which nothing is committed until `BACKUP STAGE END`.

The last one writes the commits of the last second to InnoDB's log. Without it they are only prepared there, and the
binary logs, which a copy of the volume does not have, decide on them when a server starts.
https://mariadb.com/docs/server/reference/sql-statements/administrative-sql-statements/backup-commands/backup-stage
"""
