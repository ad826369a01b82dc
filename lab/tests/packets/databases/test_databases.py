"""DB instances: MariaDB's client in hosts' namespaces, and servers behind their security group. Requires root."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from groundwork_lab.apart import UnservedError
from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import (
    Database,
    DatabaseOrigin,
    DatabaseSnapshot,
    Interface,
    SecurityGroup,
    SecurityGroupRule,
    World,
)
from groundwork_lab.plane.databases import DatabaseManager
from groundwork_lab.plane.fabric import Fabric
from groundwork_lab.processes import NETNS
from groundwork_lab.settings import Settings

pytestmark = pytest.mark.lab

PATIENCE = 60.0  # seconds
PASSWORD = "correct'horse\\1"
ADDRESSES = {
    "site": IPv4Address("10.0.10.40"),
    "copy": IPv4Address("10.0.10.41"),
    "past": IPv4Address("10.0.10.42"),
    "twin": IPv4Address("10.0.10.43"),
    "other": IPv4Address("10.0.1.43"),  # of the standby, in another zone
}
DOMAIN = "c0.eu-central-1.rds.amazonaws.com"
PARAMETERS = {"require_secure_transport": "1", "max_connections": "20", "skip_name_resolve": "1"}
INSIDE = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


def interface(world: World, name: str, address: IPv4Address) -> Interface:
    return replace(
        world.interfaces["eni-web3" if name == "other" else "eni-app1"],
        id=f"eni-{name}",
        mac=f"02:00:00:00:01:{int(address) % 256:02x}",
        private_ip=address,
        public_ip=None,
        security_group_ids=("sg-db",),
        owner="database",
        owner_id=f"db-{name}",
    )


def database(name: str, **options: Any) -> Database:
    given: dict[str, Any] = {
        "id": f"db-{name}",
        "name": name,
        "endpoint": f"{name}.{DOMAIN}",
        "port": 3306,
        "interface_id": f"eni-{name}",
        "gib": 1,
        "stopped": False,
        "generation": 1,
        "boots": 0,
        "user": "admin",
        "password": PASSWORD,
        "schema": "shop",
        "parameters": PARAMETERS,
        "logged": True,
        **options,
    }
    return Database(**given)


@dataclass
class Site:
    """Hosts of the group `app`, which may reach the group `db`, and servers in the latter."""

    settings: Settings
    world: World
    fabric: Fabric
    databases: DatabaseManager
    authority: Path
    hosts: Path
    wake: threading.Event
    troubles: dict[str, str] = field(default_factory=dict)
    primaries: dict[str, str] = field(default_factory=dict)  # as failovers report them

    def apply(self, **changes: Any) -> None:
        """Apply the databases and snapshots, and wait until nothing is pending."""
        self.world = replace(self.world, **changes)
        self.fabric.reconcile(self.world)
        self.until(self._applied)

    def _applied(self) -> bool:
        self.databases.reconcile(self.world)
        return not self.databases.pending()

    def until(self, done: Callable[[], bool]) -> None:
        """Wait until something is true, which is looked at when a keeper reports."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.wake.clear()
            if done():
                return
            assert time.monotonic() < deadline, "timed out"
            self.wake.wait(0.2)

    def with_database(self, made: Database) -> None:
        self.apply(databases={**self.world.databases, made.id: made})

    def take(self, name: str, pending: bool = True) -> None:
        taken = DatabaseSnapshot(name, "db-site", pending)
        self.apply(database_snapshots={**self.world.database_snapshots, name: taken})

    def ask(
        self, sql: str, *options: str, of: str = "site", host: str = "eni-app1", user: str = "admin", tls: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run MariaDB's client on a host. It verifies the name of the server."""
        secure = [f"--ssl-ca={self.authority}", "--ssl-verify-server-cert"] if tls else ["--skip-ssl"]
        client = ["mariadb", "--no-defaults", f"--host={of}.{DOMAIN}", f"--user={user}", "--connect-timeout=2"]
        command = [*client, *secure, "--batch", "--skip-column-names", *options, "-e", sql]
        entering = ["nsenter", f"--net={NETNS / self.settings.namespace(host)}", "unshare", "--mount"]
        return subprocess.run(
            [*entering, "sh", "-c", INSIDE, "sh", str(self.hosts), *command],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "MYSQL_PWD": PASSWORD},
        )

    def rows(self, sql: str, of: str = "site") -> list[str]:
        asked = self.ask(sql, of=of)
        assert asked.returncode == 0, asked.stderr
        return asked.stdout.split("\n")[:-1]


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[Site]:
    ingress = SecurityGroupRule("tcp", 3306, 3306, group_ids=("sg-app",))
    group = SecurityGroup("sg-db", "vpc-1", "db", ingress=(ingress,), egress=())
    interfaces = {f"eni-{name}": interface(world, name, address) for name, address in ADDRESSES.items()}
    given = replace(
        world,
        interfaces={**world.interfaces, **interfaces},
        security_groups={**world.security_groups, "sg-db": group},
        databases={"db-site": database("site")},
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gwdb", dir="/tmp")))
        folder.chmod(0o711)
        settings = Settings("gwdb", folder, folder)
        journal = Journal(settings.journal)
        fabric = stack.enter_context(closing(Fabric(settings, journal)))
        fabric.start()
        authority = Authority(settings)
        authority.start()
        wake, troubles, primaries = threading.Event(), {}, {}
        manager = DatabaseManager(
            settings,
            journal,
            authority,
            changed=wake.set,
            trouble=lambda name, what: troubles.update({name: what}),
            failed_over=lambda name, interface: primaries.update({name: interface}),
        )
        stack.enter_context(closing(manager))
        hosts = folder / "hosts"
        hosts.write_text("".join(f"{address} {name}.{DOMAIN}\n" for name, address in ADDRESSES.items()))
        made = Site(settings, given, fabric, manager, settings.authority / "ca.pem", hosts, wake, troubles, primaries)
        made.apply()
        yield made


def server_pid(site: Site, name: str = "site") -> int:
    pid = site.databases._keepers[f"db-{name}"].pair.primary.pid
    assert pid is not None
    return pid


def test_a_client_of_the_group_reaches_the_server_over_tls(site: Site) -> None:
    assert site.rows("SELECT CURRENT_USER(), DATABASE()") == ["admin@%\tNULL"]
    [version] = site.rows("SHOW STATUS LIKE 'Ssl_version'")
    assert version.split("\t")[1] in ("TLSv1.2", "TLSv1.3")
    assert "shop" in site.rows("SHOW DATABASES")
    assert "ERROR 1045 (28000): Access denied" in site.ask("SELECT 1", tls=False).stderr


def test_another_group_does_not_reach_it(site: Site) -> None:
    asked = site.ask("SELECT 1", host="eni-web1")
    assert (asked.returncode, "Can't connect" in asked.stderr) == (1, True)


def test_the_master_user_has_rights_but_is_no_superuser(site: Site) -> None:
    site.rows("CREATE USER 'shop'@'%' IDENTIFIED BY 'x'; GRANT SELECT, INSERT ON shop.* TO 'shop'@'%'")
    assert "SUPER" in site.ask("SET GLOBAL max_connections = 10").stderr
    assert "Access denied" in site.ask("SELECT 1 INTO OUTFILE 'x'").stderr
    assert site.ask("SELECT 1", user="root").returncode == 1
    status = Path(f"/proc/{server_pid(site)}/status").read_text()
    uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert "0" not in uids


def test_parameters_are_changed_at_once_or_with_a_reboot(site: Site) -> None:
    changed = database("site", generation=2, parameters={**PARAMETERS, "max_connections": "33"})
    pid = server_pid(site)
    site.with_database(changed)
    assert site.rows("SELECT @@max_connections, @@performance_schema") == ["33\t0"]
    rebooted = replace(changed, generation=3, boots=1, parameters={**PARAMETERS, "performance_schema": "1"})
    assert server_pid(site) == pid
    site.with_database(rebooted)
    assert site.rows("SELECT @@max_connections, @@performance_schema") == ["20\t1"]
    assert server_pid(site) != pid
    zone = {**rebooted.parameters, "time_zone": "Europe/Berlin", "sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"}
    site.with_database(replace(rebooted, generation=4, parameters=zone))
    assert site.rows("SELECT @@global.time_zone") == ["Europe/Berlin"]
    site.with_database(database("site", generation=5, boots=2))


def test_a_password_is_changed(site: Site) -> None:
    now = site.world.databases["db-site"]
    site.with_database(replace(now, generation=6, password="another-horse"))
    assert "Access denied" in site.ask("SELECT 1").stderr
    site.with_database(replace(now, generation=7))
    assert site.rows("SELECT 1") == ["1"]


def test_committed_rows_survive_the_death_of_the_server(site: Site) -> None:
    site.rows("CREATE TABLE shop.orders (id INT PRIMARY KEY); INSERT INTO shop.orders VALUES (1), (2)")
    pid = server_pid(site)
    os.kill(pid, signal.SIGKILL)
    primary = site.databases._keepers["db-site"].pair.primary
    site.until(lambda: primary.pid not in (None, pid) and site.ask("SELECT 1").returncode == 0)
    assert site.rows("SELECT id FROM shop.orders") == ["1", "2"]


def test_a_server_that_died_gives_up_its_binary_logs(site: Site) -> None:
    now, keeper = site.world.databases["db-site"], site.databases._keepers["db-site"]
    with keeper._lock:  # it learns of both at once
        site.rows("DELETE FROM shop.orders; INSERT INTO shop.orders VALUES (1); INSERT INTO shop.orders VALUES (2)")
        os.kill(server_pid(site), signal.SIGKILL)
        site.world.databases["db-site"] = replace(now, generation=8, logged=False)
        assert keeper._wanted is not None
        keeper._wanted = keeper._wanted._replace(database=site.world.databases["db-site"])
    site.apply()
    assert site.rows("SELECT id FROM shop.orders") == ["1", "2"]
    site.with_database(replace(now, generation=9))


def test_a_snapshot_is_restored_to_a_new_instance(site: Site) -> None:
    site.rows("DELETE FROM shop.orders WHERE id = 2; INSERT INTO shop.orders VALUES (2)")
    site.take("first")  # which has the commits of the last second too
    site.rows("INSERT INTO shop.orders VALUES (3)")
    site.with_database(database("copy", origin=DatabaseOrigin("first"), gib=2, logged=False))
    assert site.rows("SELECT id FROM shop.orders", of="copy") == ["1", "2"]
    assert site.rows("SELECT id FROM shop.orders") == ["1", "2", "3"]
    volume = site.settings.state / "databases/db-copy/0/volume"
    size = os.statvfs(volume)
    assert size.f_blocks * size.f_frsize > 1.8 * 2**30
    site.apply(databases={"db-site": site.world.databases["db-site"]})
    assert not volume.parent.parent.exists()


def test_an_instance_is_restored_to_a_point_in_time(site: Site) -> None:
    site.take("base")
    site.rows("INSERT INTO shop.orders VALUES (4)")
    [before] = site.rows("SELECT UNIX_TIMESTAMP() + 1")
    site.until(lambda: time.time() > int(before) + 1)
    site.rows("INSERT INTO shop.orders VALUES (5); DELETE FROM shop.orders WHERE id < 3")
    until = datetime.fromtimestamp(int(before), UTC)
    site.with_database(database("past", origin=DatabaseOrigin("base", "db-site", until)))
    assert site.rows("SELECT id FROM shop.orders", of="past") == ["1", "2", "3", "4"]
    assert site.rows("SELECT id FROM shop.orders") == ["3", "4", "5"]
    site.apply(databases={"db-site": site.world.databases["db-site"]}, database_snapshots={})
    assert site.databases._snapshots.names() == set()


def test_a_stopped_instance_keeps_its_data(site: Site) -> None:
    now = site.world.databases["db-site"]
    site.with_database(replace(now, generation=10, stopped=True))
    assert "Can't connect" in site.ask("SELECT 1").stderr
    site.take("cold")
    site.with_database(replace(now, generation=11, boots=now.boots + 1))
    assert site.rows("SELECT id FROM shop.orders") == ["3", "4", "5"]


def test_a_full_storage_is_told_and_grows(site: Site) -> None:
    now = site.world.databases["db-site"]
    site.rows("CREATE TABLE shop.blobs (content LONGBLOB)")
    volume = site.settings.state / "databases/db-site/0/volume"
    with (volume / "tmp/ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, os.statvfs(volume).f_bavail * 4096 - 100 * 2**20)
    fill = "USE shop; INSERT INTO blobs SELECT REPEAT('x', 15000000) FROM seq_1_to_8"
    site.until(lambda: site.ask(fill).returncode != 0)
    site.until(lambda: site.troubles.get("db-site") == "storage-full")
    site.until(lambda: recovered(site, replace(now, generation=12, gib=2)))
    assert site.troubles["db-site"] == ""
    site.rows("INSERT INTO shop.orders VALUES (6)")
    assert site.rows("SELECT id FROM shop.orders") == ["3", "4", "5", "6"]


def test_parameters_that_do_not_fit_are_told(site: Site) -> None:
    now = site.world.databases["db-site"]
    wrong = replace(now, generation=13, boots=now.boots + 5, parameters={**PARAMETERS, "collation_server": "no_such"})
    with pytest.raises(UnservedError):
        site.with_database(wrong)
    assert site.troubles["db-site"] == "incompatible-parameters"
    site.until(lambda: recovered(site, replace(now, generation=14, boots=now.boots + 6)))
    assert (site.troubles["db-site"], site.rows("SELECT 1")) == ("", ["1"])


def recovered(site: Site, wanted: Database) -> bool:
    site.world = replace(site.world, databases={"db-site": wanted})
    try:
        site.databases.reconcile(site.world)
    except UnservedError:
        return False
    return not site.databases.pending()


# Multi-AZ


WAITING = """
SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
WHERE VARIABLE_NAME = 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS'
"""


def twin(site: Site, **options: Any) -> None:
    site.with_database(database("twin", standby_id="eni-other", **options))


def follow_failover(site: Site, generation: int, **options: Any) -> None:
    """Apply what the control plane makes of a failover: the interfaces change their places."""
    now = site.world.databases["db-twin"]
    swapped = replace(now, interface_id=now.standby_id, standby_id=now.interface_id, generation=generation, **options)
    site.with_database(swapped)


def primary_of(site: Site) -> str:
    """Return the name under which the host finds the address of the primary."""
    return site.world.databases["db-twin"].interface_id.removeprefix("eni-")


def ask_primary(site: Site, sql: str) -> list[str]:
    """Ask the primary by its address, because the test has no names that move."""
    asked = site.ask(sql, "--skip-ssl-verify-server-cert", of=primary_of(site))
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.split("\n")[:-1]


def test_a_standby_has_each_row_and_takes_over(site: Site) -> None:
    twin(site)
    pair = site.databases._keepers["db-twin"].pair
    ask_primary(site, "CREATE TABLE shop.orders (id INT PRIMARY KEY); INSERT INTO shop.orders VALUES (1)")
    assert "Can't connect" in site.ask("SELECT 1", of="other").stderr
    assert ask_primary(site, "SHOW STATUS LIKE 'Rpl_semi_sync_master_status'") == ["Rpl_semi_sync_master_status\tON"]
    assert pair.standby is not None
    assert pair.standby.files.image.stat().st_ino != pair.primary.files.image.stat().st_ino
    os.kill(server_pid(site, "twin"), signal.SIGKILL)
    site.until(lambda: site.primaries.get("db-twin") == "eni-other")
    follow_failover(site, 2)
    assert ask_primary(site, "SELECT id FROM shop.orders") == ["1"]
    ask_primary(site, "INSERT INTO shop.orders VALUES (2)")


def test_nothing_is_committed_without_the_standby(site: Site) -> None:
    pair = site.databases._keepers["db-twin"].pair
    assert pair.standby is not None
    assert pair.standby.pid is not None
    os.kill(pair.standby.pid, signal.SIGSTOP)
    try:
        writer = threading.Thread(target=ask_primary, args=(site, "INSERT INTO shop.orders VALUES (3)"))
        writer.start()
        site.until(lambda: ask_primary(site, WAITING) == ["1"])
        assert ask_primary(site, "SELECT id FROM shop.orders") == ["1", "2"]
    finally:
        os.kill(pair.standby.pid, signal.SIGCONT)
    writer.join(PATIENCE)
    assert ask_primary(site, "SELECT id FROM shop.orders") == ["1", "2", "3"]


def test_a_standby_that_dies_is_started_again(site: Site) -> None:
    pair = site.databases._keepers["db-twin"].pair
    standby = pair.standby
    assert standby is not None
    assert standby.pid is not None
    os.kill(standby.pid, signal.SIGKILL)
    ask_primary(site, "DELETE FROM shop.orders WHERE id = 3; INSERT INTO shop.orders VALUES (3)")
    site.until(lambda: pair.can_fail_over and not pair.broken)
    assert pair.standby is standby
    assert site.primaries == {"db-twin": "eni-other"}  # as before


def test_a_failover_on_request_and_a_restore_across_it(site: Site) -> None:
    site.apply(database_snapshots={"twin-base": DatabaseSnapshot("twin-base", "db-twin", True)})
    ask_primary(site, "INSERT INTO shop.orders VALUES (4)")
    site.primaries.clear()
    now = site.world.databases["db-twin"]
    site.with_database(replace(now, generation=3, failovers=1))
    assert site.primaries == {"db-twin": now.standby_id}
    follow_failover(site, 4)
    ask_primary(site, "INSERT INTO shop.orders VALUES (5)")
    [until] = ask_primary(site, "SELECT UNIX_TIMESTAMP() + 1")
    site.until(lambda: time.time() > int(until) + 1)
    ask_primary(site, "INSERT INTO shop.orders VALUES (6)")
    origin = DatabaseOrigin("twin-base", "db-twin", datetime.fromtimestamp(int(until), UTC))
    site.with_database(database("past", origin=origin))
    assert site.rows("SELECT id FROM shop.orders", of="past") == ["1", "2", "3", "4", "5"]


def test_a_deployment_becomes_one_server_again(site: Site) -> None:
    now = site.world.databases["db-twin"]
    changed = {**PARAMETERS, "max_connections": "44"}
    site.with_database(replace(now, generation=5, parameters=changed))
    assert ask_primary(site, "SELECT @@max_connections") == ["44"]
    site.with_database(replace(now, generation=6, boots=1))
    site.with_database(replace(now, generation=7, boots=1, stopped=True))
    site.with_database(replace(now, generation=8, boots=2))
    site.with_database(replace(now, generation=9, boots=2, standby_id=""))
    assert ask_primary(site, "SELECT COUNT(*) FROM shop.orders") == ["6"]
