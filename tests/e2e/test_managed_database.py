"""An environment whose sites have their databases on RDS: planned, built, used, rotated, and ended with a snapshot.

It is the environment `dev`, beside whatever there is: a counted server in the public tier, a group in the private one.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import get
from laptop import FPM, ROOT, Laptop, Play, besides_lock
from leaks import Leaks
from sample_app import changed_app
from watching import eventually

ENVIRONMENT = "dev"
INVENTORY = f"inventories/{ENVIRONMENT}"
SERVER = "public-1"
TIERS = ("public", "private")
PARAMETER = f"/groundwork/{ENVIRONMENT}/database/master-password"
DATABASE = f"{ENVIRONMENT}-database"
CA = "/etc/ssl/groundwork-database.pem"
# A release command that needs the database, by the site's own environment.
MIGRATION = """
$e = getenv();
$d = mysqli_init(); $d->ssl_set(null, null, $e['DB_SSL_CA'], null, null);
$d->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, true);
$d->real_connect($e['DB_HOST'], $e['DB_USER'], $e['DB_PASSWORD'], $e['DB_NAME'], 0, '', MYSQLI_CLIENT_SSL);
$d->query('CREATE TABLE IF NOT EXISTS migrations (server VARCHAR(64))');
$d->query("INSERT INTO migrations VALUES ('" . $e['SERVER'] . "')");
"""
APP = {"name": "app", "web_root": "public", "release_command": [["php", "-r", MIGRATION]]}


def major() -> str:
    """Return the version of MariaDB that the lab has: that of the machine."""
    told = subprocess.run(["mariadbd", "--version"], capture_output=True, text=True, check=True).stdout
    return ".".join(told.split(" Ver ")[1].split("-")[0].split(".")[:2])


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    """What the inventory leaves to its owner, fewer servers, and the database."""
    return {
        "firewall_admin_cidrs": ["198.18.0.10/32"],
        "servers_tiers": {
            "public": {"count": 1, "instance_type": "t3.small"},
            "private": {"group": {"min": 1, "max": 1}, "instance_type": "t3.small"},
        },
        "alb_target_groups": [{"name": tier, "tier": tier, "deregistration_delay": 5} for tier in TIERS],
        "lamp_sites": [APP],
        "lamp_database_server": "managed",
        "database_engine_version": major(),
    }


class Environment:
    """The environment `dev`, and runs of its playbooks."""

    def __init__(self, laptop: Laptop, own: dict[str, Any]) -> None:
        self.laptop = laptop
        self.own = own

    def play(self, *words: str, playbook: str = "site.yml", code: int = 0, **variables: object) -> Play:
        given = {**self.own, **variables}
        play = self.laptop.play(*words, playbook=playbook, inventory=INVENTORY, variables=given)
        assert play.code == code, play.failures() or play.errors
        return play

    def on(self, command: str) -> tuple[int, str]:
        return self.laptop.on(SERVER, command, INVENTORY)

    def as_site(self, *words: str) -> tuple[int, str]:
        """Run MariaDB's client in the environment of the site. The password is in no command line."""
        client = f'MYSQL_PWD="$DB_PASSWORD" exec mariadb -h "$DB_HOST" -u "$DB_USER" -N {" ".join(words)} "$DB_NAME"'
        return self.on(f"groundwork-site app -- sh -c {shlex.quote(client)} 2>&1")

    def ask(self, sql: str) -> str:
        code, told = self.as_site('--ssl-ca="$DB_SSL_CA"', "--ssl-verify-server-cert", "-e", shlex.quote(sql))
        assert code == 0, told
        return told

    def urls(self) -> dict[str, str]:
        found = self.laptop.client("elbv2").describe_load_balancers()["LoadBalancers"]
        names = {one["LoadBalancerName"]: one["DNSName"] for one in found}
        return {tier: f"http://{names[f'{ENVIRONMENT}-{tier}']}" for tier in TIERS}

    def visits(self, tier: str) -> int:
        """Return how many visits the sample application counts with this one, in its database."""
        answer = get(f"{self.urls()[tier]}/whoami.php")
        assert answer.status == 200, f"{tier}: {answer.status} {answer.text}"
        return int(answer.json()["visits"])

    def database(self) -> dict[str, Any]:
        [found] = self.laptop.client("rds").describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"]
        return dict(found)

    def apply_status(self) -> str:
        """Return whether the database has the parameters of its group."""
        return str(self.database()["DBParameterGroups"][0]["ParameterApplyStatus"])

    def master_password(self) -> str:
        got = self.laptop.client("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)
        return str(got["Parameter"]["Value"])


def facts(play: Play) -> dict[str, Any]:
    """Return what a run told of the database."""
    return next(result["database"] for _task, _host, result in play.results() if "database" in result)


@pytest.fixture(scope="module")
def dev(laptop: Laptop, own: dict[str, Any]) -> Iterator[Environment]:
    """The environment, of which nothing is left afterwards, however a test ends."""
    environment = Environment(laptop, own)
    yield environment
    rds = laptop.client("rds")
    for one in rds.describe_db_instances()["DBInstances"]:
        name = one["DBInstanceIdentifier"]
        if name.startswith(DATABASE) and one["DBInstanceStatus"] != "deleting":
            rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False)
    wanted: dict[str, Any] = {f"teardown_{kind}": True for kind in ("buckets", "images", "databases")}
    environment.play(playbook="playbooks/teardown.yml", environment_confirm=ENVIRONMENT, **wanted)


@pytest.fixture(scope="module")
def built(dev: Environment) -> Play:
    """The first run, after its plan on an account without the environment."""
    dev.laptop.calls(reset=True)
    planned = dev.play("--check", "--diff")
    assert dev.laptop.calls()["writes"] == {}
    expected = {
        "localhost: create DB instance database",
        "localhost: create DB subnet group database",
        "localhost: create security group database",
        f"{SERVER}: create database app",
        f"{SERVER}: start service groundwork-database-ca",
    }
    assert expected <= set(planned.changes())
    made = dev.play()
    # The image of the group is baked on the way, which a plan on an empty account cannot tell in every detail.
    of_database = [change for change in planned.changes() if "atabase" in change]
    assert of_database == [change for change in made.changes() if "atabase" in change]
    return made


def test_both_tiers_count_in_one_database(dev: Environment, built: Play) -> None:
    assert facts(built)["state"] in ("available", "backing-up")
    first = dev.visits("public")
    assert dev.visits("private") == first + 1
    assert dev.visits("public") == first + 2
    assert int(dev.ask("SELECT visits FROM visits")) == first + 2


@pytest.mark.usefixtures("built")
def test_the_release_command_ran_once_on_it(dev: Environment) -> None:
    assert len(dev.ask("SELECT server FROM migrations").split()) == 1


@pytest.mark.usefixtures("built")
def test_connections_have_tls_and_no_others_are_accepted(dev: Environment) -> None:
    assert "TLSv1" in dev.ask("SHOW SESSION STATUS LIKE 'Ssl_version'")
    code, told = dev.as_site("--skip-ssl", "-e", "'SELECT 1'")
    assert code != 0
    assert "Access denied" in told, told  # with the same password: so MariaDB refuses a connection without TLS
    assert dev.on(f"stat -c '%a %U' {CA}") == (0, "644 root")
    assert dev.on("systemctl show --property ActiveState --value mariadb") == (0, "inactive")


@pytest.mark.usefixtures("built")
def test_a_site_reaches_its_own_database_alone(dev: Environment) -> None:
    shown = dev.ask("SHOW DATABASES").split()
    assert set(shown) == {"app", "information_schema"}


@pytest.mark.usefixtures("built")
def test_the_second_run_changes_nothing(dev: Environment) -> None:
    dev.laptop.calls(reset=True)
    again = dev.play()
    assert (again.changes(), set(again.changed().values())) == ([], {0})
    counted = dev.laptop.calls()
    assert besides_lock(counted) == {}
    assert sum(counted["calls"]["rds"].values()) <= 6, counted["calls"]["rds"]


@pytest.mark.usefixtures("built")
def test_the_master_password_rotates_and_is_nowhere_but_in_parameter_store(dev: Environment, tmp_path: Path) -> None:
    former = dev.master_password()
    argv = [
        "ansible-playbook",
        "-i",
        INVENTORY,
        "playbooks/rotate_database.yml",
        "-vvvv",
        "--diff",
        "-e",
        json.dumps(dev.own),
    ]
    rotated = dev.laptop.run(*argv)
    assert rotated.returncode == 0, rotated.stdout[-4000:]
    current = dev.master_password()
    assert current != former
    leaks = Leaks(tmp_path, [former, current])
    # A new site, so that the server uses the new password.
    sites = [APP, {"name": "shop", "web_root": "public", "server_names": ["shop.test"]}]
    argv = ["ansible-playbook", "-i", INVENTORY, "site.yml", "-vvvv", "--diff", "--tags", "lamp", "-e"]
    with leaks.watching_processes() as processes:
        done = dev.laptop.run(*argv, json.dumps({**dev.own, "lamp_sites": sites}))
    assert done.returncode == 0, done.stdout[-4000:]
    assert leaks.in_text(rotated.stdout + rotated.stderr + done.stdout + done.stderr) == []
    assert processes == set()
    ids = [
        one["InstanceId"]
        for reservation in dev.laptop.client("ec2").describe_instances(
            Filters=[
                {"Name": "tag:groundwork:environment", "Values": [ENVIRONMENT]},
                {"Name": "instance-state-name", "Values": ["running"]},
            ]
        )["Reservations"]
        for one in reservation["Instances"]
    ]
    assert len(ids) == 2
    for instance in ids:
        assert leaks.on_server(instance) == []
    assert leaks.below(ROOT / ".environments") == []
    dev.visits("public")


@pytest.mark.usefixtures("built")
def test_what_waits_for_a_restart_says_so_and_is_made_on_request(dev: Environment) -> None:
    given: dict[str, Any] = {
        "database_parameters": {"max_connections": 60, "innodb_log_buffer_size": 16777216},
        "database_backup_retention_days": 3,
    }
    planned = dev.play("--check", "--tags", "infrastructure", **given).changes()
    assert [change for change in planned if change.endswith(": innodb_log_buffer_size, at the next restart")]
    made = dev.play("--tags", "infrastructure", **given)
    assert made.changes() == planned
    assert eventually(lambda: dev.ask("SELECT @@max_connections"), lambda told: told == "60", 60) == "60"
    waits = eventually(dev.apply_status, lambda status: status == "pending-reboot", 60)
    assert waits == "pending-reboot"
    restarted = dev.play("--tags", "infrastructure", **given, database_apply_immediately=True)
    assert [change for change in restarted.changes() if "restart for its parameters" in change]
    assert dev.ask("SELECT @@innodb_log_buffer_size") == "16777216"
    assert eventually(lambda: dev.visits("private"), lambda count: count > 0, 60)
    told = dev.play(playbook="playbooks/status.yml", **given)
    [shown] = [result["msg"] for task, _host, result in told.results() if task == "Show the state of the environment"]
    assert f"database {DATABASE}: available" in shown, shown


@pytest.mark.usefixtures("built")
def test_a_release_finds_its_database(dev: Environment, tmp_path: Path) -> None:
    [app] = changed_app(tmp_path)["lamp_sites"]
    before = Counter(dev.ask("SELECT server FROM migrations").split())
    dev.play(playbook="playbooks/release.yml", lamp_sites=[{**app, "release_command": APP["release_command"]}])
    after = Counter(dev.ask("SELECT server FROM migrations").split())
    assert sum((after - before).values()) == 1
    assert {dev.visits(tier) > 0 for tier in TIERS} == {True}
    assert dev.on(f"systemctl is-active {FPM}")[1] == "active"


@pytest.mark.usefixtures("built")
def test_what_was_deleted_comes_back_from_a_snapshot(dev: Environment) -> None:
    rds = dev.laptop.client("rds")
    before = dev.database()
    counted = int(dev.ask("SELECT visits FROM visits"))
    rds.create_db_snapshot(DBInstanceIdentifier=DATABASE, DBSnapshotIdentifier="before-the-accident")
    rds.get_waiter("db_snapshot_available").wait(
        DBSnapshotIdentifier="before-the-accident", WaiterConfig={"Delay": 2, "MaxAttempts": 60}
    )
    dev.ask("DROP TABLE visits")
    given: dict[str, Any] = {"restore_from": "before-the-accident"}
    playbook = "playbooks/restore_database.yml"
    unconfirmed = dev.play(playbook=playbook, code=2, **given)
    assert "which have no database for some minutes" in "\n".join(unconfirmed.failures())
    planned = dev.play("--check", "--diff", playbook=playbook, **given)
    assert [change for change in planned.changes() if change.endswith("with an interruption")]
    dev.play(playbook=playbook, environment_confirm=ENVIRONMENT, **given)
    after = dev.database()
    assert (after["DbiResourceId"] != before["DbiResourceId"], after["Endpoint"]) == (True, before["Endpoint"])
    query = ('--ssl-ca="$DB_SSL_CA"', "-e", "'SELECT visits FROM visits'")
    # A server may have the former address of the name for some seconds.
    assert eventually(lambda: dev.as_site(*query), lambda told: told[0] == 0, 60) == (0, str(counted))
    assert dev.visits("private") > counted
    again = dev.play()
    assert (again.changes(), set(again.changed().values())) == ([], {0})
    formers = [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
    [former] = [one for one in formers if one.startswith(f"{DATABASE}-former-")]
    rds.modify_db_instance(DBInstanceIdentifier=former, DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier=former, SkipFinalSnapshot=True)
    rds.delete_db_snapshot(DBSnapshotIdentifier="before-the-accident")
    rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier=former, WaiterConfig={"Delay": 2, "MaxAttempts": 60}
    )


@pytest.mark.usefixtures("built")
def test_the_end_keeps_the_data_in_a_snapshot_and_says_so(dev: Environment) -> None:
    confirmed: dict[str, Any] = {"environment_confirm": ENVIRONMENT, "teardown_buckets": True, "teardown_images": True}
    dev.laptop.calls(reset=True)
    refused = dev.play(playbook="playbooks/teardown.yml", code=2, **confirmed)
    assert "Set database_deletion_protection to false and run groundwork.aws.site." in "\n".join(refused.failures())
    assert besides_lock(dev.laptop.calls()) == {}
    dev.play("--tags", "infrastructure", database_deletion_protection=False)
    eventually(dev.database, lambda one: one["DBInstanceStatus"] == "available", 120)
    planned = dev.play("--check", playbook="playbooks/teardown.yml", **confirmed)
    made = dev.play(playbook="playbooks/teardown.yml", **confirmed)
    for play in (planned, made):
        [says] = [change for change in play.changes() if "delete DB instance" in change]
        assert f"whose data stay in the DB snapshot {DATABASE}-final-" in says
    rds = dev.laptop.client("rds")
    [kept] = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert (kept["DBInstanceIdentifier"], kept["Status"]) == (DATABASE, "available")
    assert rds.describe_db_instances()["DBInstances"] == []
    [found] = [result["found"] for _task, _host, result in made.results() if "found" in result]
    assert {kind: number for kind, number in found.items() if number} == {"DB snapshot": 1}
    shown = [str(result.get("msg", "")) for _task, _host, result in made.results()]
    assert [one for one in shown if "is kept; -e teardown_databases=true removes it." in one]
