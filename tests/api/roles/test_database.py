"""lamp_database_server managed gets a database, reachable from the servers alone: plan = run, and nothing twice."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from watching import watching

from groundwork_lab.api import ControlPlane
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION, Settings

ROOT = Path(__file__).parents[3]
ROLES = ("network", "firewall", "database")
MANAGED = {"lamp_database_server": "managed"}
PARAMETER = "/groundwork/dev/database/master-password"
VARIABLES = {
    "environment_name": "dev",
    "aws_region": REGION,
    "network_cidr": "10.20.0.0/16",
    "network_zones": ["eu-central-1a", "eu-central-1b"],
    "servers_tiers": {"public": {}, "private": {}, "batch": {"security_groups": ["private-servers"]}},
    "database_engine_version": "10.11",  # that of the lab
}
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
WHOLE = [
    "create security group database",
    "create DB subnet group database",
    "create DB parameter group database-mariadb10-11",
    "update parameters database-mariadb10-11",
    "create DB instance database",
]


class Account:
    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self.printed = ""  # by all runs
        self.addresses: list[str] = []  # of the database, as the last run told it
        self._environment = {
            **os.environ,
            **KEYS,
            "AWS_ENDPOINT_URL": endpoint,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
        }
        self._endpoint = endpoint

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self._endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key="testing",
        )

    def play(self, *words: str, **more: Any) -> list[str]:
        """Run the roles, and return the changes to the database and to its group."""
        results = self._run([{"name": f"groundwork.aws.{role}"} for role in ROLES], *words, **more)
        changes = [change for result in results for change in result.get("changes", [])]
        self.addresses = [result["database"]["address"] for result in results if "database" in result]
        names = (f"{one['action']} {one['resource']} {one['name']}" for one in changes)
        return [name for name in names if "database" in name and "rule" not in name]

    def rotate(self, *words: str) -> list[str]:
        results = self._run([{"name": "groundwork.aws.database", "tasks_from": "rotate.yml"}], *words, **MANAGED)
        changes = [change for result in results for change in result.get("changes", [])]
        return [f"{one['action']} {one['resource']} {one['name']}" for one in changes]

    def restore(self, *words: str, **more: Any) -> list[str]:
        """Run a restore, and return the changes to DB instances."""
        role = {"name": "groundwork.aws.database", "tasks_from": "restore.yml"}
        results = self._run([role], *words, **{**MANAGED, **more})
        changes = [change for result in results for change in result.get("changes", [])]
        names = (f"{one['action']} {one['resource']} {one['name']}" for one in changes)
        return [name for name in names if "DB instance" in name]

    def found(self) -> str:
        """Return the name of the database as other playbooks find it, or the message that there is none."""
        results = self._run([{"name": "groundwork.aws.database", "tasks_from": "find.yml"}], **MANAGED)
        [told] = [one["msg"] for one in results if one.get("failed")] or [
            one["ansible_facts"]["database_address"]
            for one in results
            if "database_address" in one.get("ansible_facts", {})
        ]
        return str(told)

    def _run(self, roles: list[dict[str, str]], *words: str, **more: Any) -> list[dict[str, Any]]:
        tasks = [{"ansible.builtin.import_role": role} for role in roles]
        own = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": own, "tasks": tasks}
        (self._folder / "play.yml").write_text(json.dumps([play]))
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        argv = [ansible, "-i", "localhost,", "play.yml", "-e", json.dumps({**VARIABLES, **more}), *words]
        ran = subprocess.run(argv, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False)
        self.printed += ran.stdout + ran.stderr
        told = json.loads(ran.stdout[ran.stdout.index("{") :])
        return [task["hosts"]["localhost"] for play in told["plays"] for task in play["tasks"]]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    plane = ControlPlane(Settings("test", tmp_path, tmp_path), lambda: None)
    sockets = [socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))]
    plane.serve(sockets)
    with watching(lambda: plane.reconciled(plane.snapshot())):
        yield Account(tmp_path, f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
    plane.close()


def test_one_variable_gets_a_database(account: Account) -> None:
    assert "dev has no database yet; run site.yml without --tags and --limit first." in account.found()
    planned = account.play("--check", **MANAGED)
    assert account.addresses == ["(known after apply)"]
    made = account.play(**MANAGED)
    assert planned == made == WHOLE
    assert account.play(**MANAGED) == []
    assert re.fullmatch(r"dev-database\.[a-z0-9]+\.eu-central-1\.rds\.amazonaws\.com", account.found())
    groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    [own] = [group for group in groups if group["GroupName"] == "dev-database"]
    [rule] = own["IpPermissions"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == ("tcp", 3306, 3306, [])
    sources = [names[pair["GroupId"]] for pair in rule["UserIdGroupPairs"]]
    assert sorted(sources) == ["dev-private-servers", "dev-public-servers"]
    assert own["IpPermissionsEgress"] == []
    # MariaDB on private servers is not let in any more.
    [private] = [group for group in groups if group["GroupName"] == "dev-private-servers"]
    assert 3306 not in [one["FromPort"] for one in private["IpPermissions"]]


def test_the_master_password_is_in_parameter_store_alone_and_rotates(account: Account) -> None:
    account.play(**MANAGED)
    ssm = account.client("ssm")
    former = ssm.get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]
    rotation = ["update DB instance database: master password"]  # Ansible hides what the parameter's module returns
    assert account.rotate("--check") == rotation
    assert account.rotate() == rotation
    current = ssm.get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]
    assert (former["Type"], current["Type"], current["Version"]) == ("SecureString", "SecureString", 2)
    assert former["Value"] != current["Value"]
    assert account.play(**MANAGED) == []
    assert former["Value"] not in account.printed
    assert current["Value"] not in account.printed


def test_the_database_comes_back_from_a_snapshot(account: Account) -> None:
    account.play(**MANAGED)
    address, rds = account.found(), account.client("rds")
    rds.get_waiter("db_instance_available").wait(WaiterConfig={"Delay": 1})
    rds.create_db_snapshot(DBInstanceIdentifier="dev-database", DBSnapshotIdentifier="before")
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="before", WaiterConfig={"Delay": 1})
    planned = account.restore("--check", restore_from="before")
    assert len(rds.describe_db_instances()["DBInstances"]) == 1
    made = account.restore(restore_from="before")
    assert made[:3] == planned
    assert "update DB instance database: master password" in made
    assert account.found() == address
    assert len(rds.describe_db_instances()["DBInstances"]) == 2
    # The whole sequence once more changes nothing, and so does the site.
    assert account.restore(restore_from="before") == account.play(**MANAGED) == []


def test_without_it_there_is_none(account: Account) -> None:
    assert account.play("--check") == []
