"""The role servers takes a server out of its load balancers, changes it, and puts it back: what check mode lists."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from cloud import Cloud

from groundwork_lab.credentials import ACCESS_KEY

ROOT = Path(__file__).parents[4]
OUT = ["delete targets public", "create tag groundwork:held"]
BACK = ["create targets public", "delete tag groundwork:held"]
RESTART = ["update server public-1"] * 3


def played(folder: Path, endpoint: str, tasks: str, variables: dict[str, t.Any]) -> tuple[list[str], str]:
    """Return the changes that tasks of the role list in check mode, in their order, and the last text shown."""
    role = {"ansible.builtin.import_role": {"name": "groundwork.aws.servers", "tasks_from": tasks}}
    play = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [role]}]
    (folder / "play.yml").write_text(json.dumps(play))
    own = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "--check"]
    argv += ["-e", "ansible_python_interpreter={{ ansible_playbook_python }}", "play.yml"]
    done = subprocess.run(argv, cwd=folder, env={**os.environ, **own}, check=False, capture_output=True, text=True)
    start = done.stdout.find('{\n    "custom_stats"')
    assert done.returncode == 0 and start >= 0, done.stdout + done.stderr
    output, _end = json.JSONDecoder().raw_decode(done.stdout[start:])
    results = [task["hosts"]["localhost"] for task in output["plays"][0]["tasks"] if task["hosts"]]
    changes = [change for result in results for change in result.get("changes", ())]
    shown = [result["msg"] for result in results if isinstance(result.get("msg"), str)]
    listed = [f"{change['action']} {change['resource']} {change['name']}" for change in changes]
    return [one for one in listed if "parameter" not in one and "file" not in one], (shown or [""])[-1]


def prepared(cloud: Cloud, folder: Path, given: dict[str, t.Any]) -> dict[str, t.Any]:
    """Number the servers, and return the variables of the role."""
    for instance in instances(cloud):
        name = next(tag["Value"] for tag in instance["Tags"] if tag["Key"] == "Name")
        tags = [{"Key": "groundwork:server", "Value": name.rpartition("-")[2]}]
        cloud.ec2.create_tags(Resources=[instance["InstanceId"]], Tags=tags)
    return {
        "environment_name": "dev",
        "aws_region": "eu-central-1",
        "servers_zones": ["eu-central-1a", "eu-central-1b"],
        "servers_tiers": {"public": {"count": 2, "instance_type": "t3.large"}},
        "servers_directory": str(folder),
        "servers_replace_target_groups": {"public": "public", "private": "private"},
        **given,
    }


def instances(cloud: Cloud) -> list[dict[str, t.Any]]:
    return [one for each in cloud.ec2.describe_instances()["Reservations"] for one in each["Instances"]]


@pytest.mark.parametrize(
    ("tasks", "given", "expected"),
    [
        ("resize.yml", {"servers_resize": ["public-1"]}, [*OUT, *RESTART, *BACK]),
        (
            "recover.yml",
            {"servers_recover": ["public-1"]},
            [*OUT, "create key pair servers", *RESTART, "update host keys public-1", *RESTART, *BACK],
        ),
    ],
)
def test_check_mode_lists_the_way_out_and_back(
    tmp_path: Path, balanced: Cloud, tasks: str, given: dict[str, t.Any], expected: list[str]
) -> None:
    variables = prepared(balanced, tmp_path, given)
    assert played(tmp_path, balanced.endpoint, tasks, variables)[0] == expected
    found = instances(balanced)
    assert {one["InstanceType"] for one in found} == {"m1.small"}
    assert not [tag for one in found for tag in one["Tags"] if tag["Key"] == "groundwork:held"]
    assert balanced.ec2.describe_key_pairs()["KeyPairs"] == []


@pytest.mark.parametrize(
    ("tasks", "wish", "reason"),
    [
        ("resize.yml", "servers_resize", "public-1 gets another instance type"),
        ("recover.yml", "servers_recover", "public-1 is being recovered"),
    ],
)
def test_a_server_that_is_held_for_another_reason_stays_held(
    tmp_path: Path, balanced: Cloud, tasks: str, wish: str, reason: str
) -> None:
    variables = prepared(balanced, tmp_path, {wish: ["public-1"]})
    [one] = [one for one in instances(balanced) if {"Key": "Name", "Value": "dev-public-1"} in one["Tags"]]
    for held, comes_back in (("A release failed, and it was not rolled back.", False), (reason, True)):
        balanced.ec2.create_tags(Resources=[one["InstanceId"]], Tags=[{"Key": "groundwork:held", "Value": held}])
        changes, shown = played(tmp_path, balanced.endpoint, tasks, variables)
        assert [change for change in changes if change in (*OUT, *BACK)] == [OUT[0], *(BACK if comes_back else [])]
        assert (f"public-1 ({one['InstanceId']}) stays held: {held}" in shown) == (not comes_back)
