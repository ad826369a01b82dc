"""A site with shared_everywhere gets a file system, reachable from the servers alone: plan = run, and nothing twice."""

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
ROLES = ("network", "firewall", "file_system")
SITE = {"name": "album", "shared": ["media"], "shared_everywhere": True}
VARIABLES = {
    "environment_name": "dev",
    "aws_region": REGION,
    "network_cidr": "10.20.0.0/16",
    "network_zones": ["eu-central-1a", "eu-central-1b"],
    "servers_tiers": {"public": {}, "private": {}, "batch": {"security_groups": ["private-servers"]}},
    "lamp_sites": [SITE],
}
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
WHOLE = ["create file system files", "create mount target files-a", "create mount target files-b"]


class Account:
    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
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
        self.ec2 = boto3.client(
            "ec2",
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key="testing",
        )

    def play(self, *words: str, **more: Any) -> list[str]:
        """Run the roles, and return the changes to the file system and to the group of its mount targets."""
        results = self._run([{"name": f"groundwork.aws.{role}"} for role in ROLES], *words, **more)
        changes = [change for result in results for change in result.get("changes", [])]
        names = (f"{one['action']} {one['resource']} {one['name']}" for one in changes)
        return [name for name in names if "files" in name.split()[-1]]

    def found(self) -> str:
        """Return the name of the file system as other playbooks find it, or the message that there is none."""
        results = self._run([{"name": "groundwork.aws.file_system", "tasks_from": "find.yml"}])
        [told] = [one.get("msg") for one in results if one.get("failed")] or [
            one["ansible_facts"]["file_system_name"]
            for one in results
            if "file_system_name" in one.get("ansible_facts", {})
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


def test_a_site_with_shared_everywhere_gets_a_file_system(account: Account) -> None:
    assert "dev has no file system yet; run site.yml without --tags and --limit first." in account.found()
    planned = account.play("--check")
    made = account.play()
    assert planned == made
    assert made[-3:] == WHOLE
    assert account.play() == []
    assert re.fullmatch(r"fs-[0-9a-f]+\.efs\.eu-central-1\.amazonaws\.com", account.found())
    groups = account.ec2.describe_security_groups()["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    [files] = [group for group in groups if group["GroupName"] == "dev-files"]
    [rule] = files["IpPermissions"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == ("tcp", 2049, 2049, [])
    sources = [names[pair["GroupId"]] for pair in rule["UserIdGroupPairs"]]
    assert sorted(sources) == ["dev-private-servers", "dev-public-servers"]


def test_other_sites_get_none(account: Account) -> None:
    assert account.play("--check", lamp_sites=[{**SITE, "shared_everywhere": False}, {"name": "app"}]) == []
