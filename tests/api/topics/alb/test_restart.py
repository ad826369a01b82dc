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


def played(folder: Path, endpoint: str, tasks: str, variables: dict[str, t.Any]) -> list[str]:
    """Return the changes that tasks of the role list in check mode, in their order."""
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
    return [f"{change['action']} {change['resource']} {change['name']}" for change in changes]


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
    for instance in (one for each in balanced.ec2.describe_instances()["Reservations"] for one in each["Instances"]):
        name = next(tag["Value"] for tag in instance["Tags"] if tag["Key"] == "Name")
        tags = [{"Key": "groundwork:server", "Value": name.rpartition("-")[2]}]
        balanced.ec2.create_tags(Resources=[instance["InstanceId"]], Tags=tags)
    variables = {
        "environment_name": "dev",
        "aws_region": "eu-central-1",
        "servers_zones": ["eu-central-1a", "eu-central-1b"],
        "servers_tiers": {"public": {"count": 2, "instance_type": "t3.large"}},
        "servers_directory": str(tmp_path),
        "servers_replace_target_groups": {"public": "public", "private": "private"},
        **given,
    }
    found = played(tmp_path, balanced.endpoint, tasks, variables)
    assert [change for change in found if "parameter" not in change and "file" not in change] == expected
    instances = [one for each in balanced.ec2.describe_instances()["Reservations"] for one in each["Instances"]]
    assert {one["InstanceType"] for one in instances} == {"m1.small"}
    assert not [tag for one in instances for tag in one["Tags"] if tag["Key"] == "groundwork:held"]
    assert balanced.ec2.describe_key_pairs()["KeyPairs"] == []
