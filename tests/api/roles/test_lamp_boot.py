"""Servers of Auto Scaling groups get the configuration of other servers at boot, with placeholders for own values."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from groundwork_lab.api import ControlPlane
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION, Settings

pytestmark = pytest.mark.exhaustive  # each test starts Ansible several times

ROOT = Path(__file__).parents[3]
PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - ansible.builtin.include_role: {name: groundwork.aws.lamp, tasks_from: boot.yml}
    - ansible.builtin.include_role: {name: groundwork.aws.servers, tasks_from: groups.yml}
"""
TIER = {"instance_type": "t3.small"}
GROUP = {**TIER, "group": {"min": 0, "max": 2}, "image": {"id": "ami-0123456789abcdef0"}}
VARIABLES = {
    "environment_name": "dev",
    "aws_region": REGION,
    "network_cidr": "10.20.0.0/16",
    "network_zones": ["eu-central-1a"],
    "network_public_cidrs": ["10.20.0.0/24"],
    "servers_tiers": {
        "public": {**TIER, "count": 1},
        "private": GROUP,
        "own": {**GROUP, "user_data": "#!/bin/sh"},
    },
}
UPLOAD = "Upload what the servers fetch"
Results = dict[str, dict[str, Any]]  # of tasks, by their names
NAME = "@groundwork(instance-id)@"
PASSWORD = "@groundwork(parameter:/groundwork/dev/lamp/app/database-password)@"


class Played:
    """The resources in the account after a run in check mode and a normal run of the role."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        account = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": endpoint}
        self._environment = {
            **os.environ,
            **account,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
        }
        self.folder = folder
        self.s3 = boto3.client("s3", region_name=REGION, endpoint_url=endpoint, **_keys())
        self.iam = boto3.client("iam", region_name=REGION, endpoint_url=endpoint, **_keys())
        self.ssm = boto3.client("ssm", region_name=REGION, endpoint_url=endpoint, **_keys())

    def play(self, *words: str) -> Results:
        """Return the results of the tasks by task name."""
        ansible = Path(sys.executable).with_name("ansible-playbook")
        argv = [str(ansible), "-i", "localhost,", "play.yml", "-e", "@variables.json", *words]
        done = subprocess.run(argv, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False)
        told = json.loads(done.stdout[done.stdout.index("{") :])
        tasks = [task for play in told["plays"] for task in play["tasks"]]
        return {task["task"]["name"].rpartition(" : ")[2]: task["hosts"]["localhost"] for task in tasks}

    def objects(self) -> dict[str, bytes]:
        """Return all objects in the environment's bucket."""
        [bucket] = [one["Name"] for one in self.s3.list_buckets()["Buckets"]]
        keys = [one["Key"] for one in self.s3.list_objects_v2(Bucket=bucket)["Contents"]]
        return {key: self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _keys() -> dict[str, str]:
    return {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": "testing"}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Played]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Played, Results, Results]]:
    """An account, and what a run in check mode and the first run in it told."""
    with opened(tmp_path_factory.mktemp("built")) as account:
        yield account, account.play("--check"), account.play()


@contextmanager
def opened(tmp_path: Path) -> Iterator[Played]:
    """Open an account for a block."""
    plane = ControlPlane(Settings("test", tmp_path, tmp_path), lambda: None)
    sockets = [socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))]
    plane.serve(sockets)
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    (tmp_path / "variables.json").write_text(json.dumps(VARIABLES | {"lamp_archive_folder": str(tmp_path / "packed")}))
    try:
        yield Played(tmp_path, f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
    finally:
        plane.close()


def test_a_group_boots_into_what_the_role_makes_of_a_server(built: tuple[Played, Results, Results]) -> None:
    account, planned, made = built[0], built[1][UPLOAD], built[2][UPLOAD]
    assert planned["changes"] == made["changes"]
    assert planned["tiers"] == made["tiers"]
    assert list(made["tiers"]) == ["private"], "what is counted, or does something else at boot, needs nothing"
    objects = account.objects()
    [bundle] = [key for key in objects if key.startswith("boot/")]
    desired = json.loads(zipfile.ZipFile(io.BytesIO(objects[bundle])).read("desired.json"))
    files = {one["path"]: one for one in desired["configuration"]["files"]}
    pool = files["/etc/php/8.2/fpm/pool.d/groundwork-app.conf"]["content"]
    assert f"env[SERVER] = '{NAME}'" in pool
    assert "env[TIER] = 'private'" in pool
    secret = files["/etc/php/8.2/fpm/pool.d/groundwork-app.secret.conf"]
    assert f"env[DB_PASSWORD] = {PASSWORD.replace(')@', '|php-fpm)@')}\n" in secret["content"]
    assert [user["password"] for user in desired["databases"]["users"]] == [PASSWORD]
    assert [f"releases/app/{one['id']}.tar.gz" in objects for one in desired["releases"]] == [True]
    assert [page["path"] for one in desired["releases"] for page in one["pages"]] == ["/"]
    name = "/groundwork/dev/lamp/app/database-password"
    password = account.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"].encode()
    assert [key for key, content in objects.items() if password in content] == []


def test_its_role_may_read_that_and_nothing_else(built: tuple[Played, Results, Results]) -> None:
    """The IAM role exists although no Auto Scaling group is created, because there is no image."""
    account, _planned, played = built
    refusal = played["Manage the Auto Scaling groups"]["msg"]
    assert "the image ami-0123456789abcdef0 or the image of another tier does not exist" in refusal
    assert [role["RoleName"] for role in account.iam.list_roles()["Roles"]] == ["dev-private"]
    policy = account.iam.get_role_policy(RoleName="dev-private", PolicyName="groundwork")["PolicyDocument"]
    bucket = played[UPLOAD]["bucket"]
    assert {one["Action"]: one["Resource"] for one in policy["Statement"]} == {
        "ssm:GetParameter": [
            "arn:aws:ssm:eu-central-1:123456789012:parameter/groundwork/dev/lamp/app/database-password"
        ],
        "s3:GetObject": [f"arn:aws:s3:::{bucket}/boot/private/*", f"arn:aws:s3:::{bucket}/releases/app/*"],
    }


def test_a_release_that_is_nowhere_is_refused_in_check_mode_too(built: tuple[Played, Results, Results]) -> None:
    refused = built[0].play("--check", "-e", "lamp_release=000000000000")[UPLOAD]
    assert refused["failed"]
    assert "the release '000000000000' of 'app' is neither in the bucket nor packed on the controller" in refused["msg"]


def test_a_release_of_the_bucket_needs_no_archive(built: tuple[Played, Results, Results]) -> None:
    account, _planned, played = built
    made = played[UPLOAD]
    [name] = [change["name"] for change in made["changes"] if change["resource"] == "release archive"]
    shutil.rmtree(account.folder / "packed")
    again = account.play("-e", f"lamp_release={name.split()[1]}")[UPLOAD]
    assert (again["changes"], again["tiers"]) == ([], made["tiers"])


OWN = "/groundwork/dev/lamp/app"
LOCKS = f"groundwork-123456789012-{REGION}"


def test_secrets_and_schedules_give_the_role_exactly_their_rights(account: Played, tmp_path: Path) -> None:
    schedule = {"name": "report", "command": "php report.php", "on_calendar": "daily"}
    secrets = [{"name": "KEY"}, {"name": "MAIL", "parameter": "/mail/password"}]
    site = {"name": "app", "database": False, "secrets": secrets, "schedules": [schedule]}
    site |= {"release_command": ["php migrate.php"], "release_command_timeout": 60}
    variables = json.loads((tmp_path / "variables.json").read_text())
    (tmp_path / "variables.json").write_text(json.dumps({**variables, "lamp_sites": [site]}))
    account.ssm.put_parameter(Name="/mail/password", Value="two\nlines of it", Type="SecureString")
    reading = "Read the passwords and secrets, and create those that are missing"
    refused = [one["msg"] for one in account.play("--check")[reading]["results"] if one.get("failed")]
    assert refused[0].startswith(
        "The value of the parameter /mail/password cannot be used, because it cannot be written"
    )
    account.ssm.put_parameter(Name="/mail/password", Value="o'brien's word", Type="SecureString", Overwrite=True)
    account.s3.create_bucket(Bucket=LOCKS, CreateBucketConfiguration={"LocationConstraint": REGION})
    first = account.play()[UPLOAD]
    assert first["tiers"]["private"]["parameters"] == [f"{OWN}/KEY", "/mail/password"]
    policy = account.iam.get_role_policy(RoleName="dev-private", PolicyName="groundwork")["PolicyDocument"]
    allowed = {one["Action"]: one["Resource"] for one in policy["Statement"]}
    parameters = f"arn:aws:ssm:{REGION}:123456789012:parameter"
    assert allowed["ssm:GetParameter"] == [f"{parameters}{OWN}/KEY", f"{parameters}/mail/password"]
    assert allowed["s3:PutObject"] == [
        f"arn:aws:s3:::{LOCKS}/{prefix}/dev/*" for prefix in ("claims", "schedules", "commands")
    ]
    [key] = [one["Key"] for one in account.s3.list_objects_v2(Bucket=first["bucket"], Prefix="boot/")["Contents"]]
    bundle = account.s3.get_object(Bucket=first["bucket"], Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(bundle)) as packed:
        [release] = json.loads(packed.read("desired.json"))["releases"]
    assert (release["command"]["lines"], release["command"]["timeout"]) == (["php migrate.php"], 60)
    assert f"WorkingDirectory=/srv/www/app/releases/{release['id']}\n" in release["command"]["unit"]
    value = account.ssm.get_parameter(Name=f"{OWN}/KEY", WithDecryption=True)["Parameter"]["Value"]
    assert [secret for secret in (value, "o'brien's word") if secret.encode() in bundle] == []
    account.ssm.put_parameter(Name=f"{OWN}/KEY", Value="another value", Type="SecureString", Overwrite=True)
    again = account.play()[UPLOAD]
    assert again["tiers"]["private"]["user_data"] != first["tiers"]["private"]["user_data"], "servers are replaced"


STAYS = "Show that the database is not taken back"


def test_going_back_to_a_release_with_commands_is_told_before_it_is_uploaded(account: Played, tmp_path: Path) -> None:
    site = {"name": "app", "database": False, "release_command": ["php migrate.php"]}
    variables = json.loads((tmp_path / "variables.json").read_text())
    (tmp_path / "variables.json").write_text(json.dumps({**variables, "lamp_sites": [site]}))
    account.s3.create_bucket(Bucket=LOCKS, CreateBucketConfiguration={"LocationConstraint": REGION})
    first = account.play()
    [name] = [change["name"] for change in first[UPLOAD]["changes"] if change["resource"] == "release archive"]
    identity = name.split()[1]
    pinned = ("--check", "-e", f"lamp_release={identity}")
    assert "msg" not in account.play(*pinned)[STAYS], "no server has run its commands"
    record = {"state": "succeeded", "server": "i-1", "message": ""}
    account.s3.put_object(Bucket=LOCKS, Key=f"commands/dev/vpc-1/app/{identity}", Body=json.dumps(record).encode())
    again = account.play(*pinned)
    assert list(again).index(STAYS) < list(again).index(UPLOAD)
    [told] = again[STAYS]["msg"]
    assert told.startswith(f"The release {identity} of app was served before. Its release command does not run again")


MASTER = "/groundwork/dev/database/master-password"


@pytest.mark.parametrize("counted", [1, 0])
def test_groups_make_the_databases_on_rds_where_there_is_no_counted_server(
    account: Played, tmp_path: Path, counted: int
) -> None:
    """The database is there, as if its role had run. With counted servers the groups may not read its password."""
    variables = json.loads((tmp_path / "variables.json").read_text())
    own = {
        "lamp_database_server": "managed",
        "database_address": "dev-database.c1.eu-central-1.rds.amazonaws.com",
        "servers_tiers": {**variables["servers_tiers"], "public": {**TIER, "count": counted}},
    }
    (tmp_path / "variables.json").write_text(json.dumps({**variables, **own}))
    made = account.play()[UPLOAD]
    assert made["tiers"]["private"]["parameters"] == [
        *([] if counted else [MASTER]),
        "/groundwork/dev/lamp/app/database-password",
    ]
    objects = account.objects()
    [bundle] = [key for key in objects if key.startswith("boot/")]
    packed = zipfile.ZipFile(io.BytesIO(objects[bundle]))
    desired = json.loads(packed.read("desired.json"))
    assert [name for name in packed.namelist() if name.endswith("host/managed.py")]
    assert bool(desired["databases"]) == (not counted)
    assert counted or desired["databases"]["server"]["password"] == f"@groundwork(parameter:{MASTER})@"
    pool = next(one for one in desired["configuration"]["files"] if one["path"].endswith("groundwork-app.conf"))
    assert f"env[DB_HOST] = '{own['database_address']}'" in pool["content"]
