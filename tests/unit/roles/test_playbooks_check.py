"""Every playbook checks its variables before the first API call, with any --tags and --limit."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.groundwork.aws.plugins.module_utils.project.usage import usage

ROOT = Path(__file__).parents[3]
WRONG = {"int": "long", "bool": "perhaps"}


def bad_variables(role: Path) -> dict[str, Any]:
    """Return a wrong value for the first of the role's variables that is a number, true or false, or has choices."""
    options = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    names = (name for name, spec in options.items() if spec["type"] in WRONG or "choices" in spec)
    first = next(name for name in names if name.startswith(f"{role.name}_"))
    return {first: WRONG.get(options[first]["type"], "neither")}


# Wrong values by role, and one of the environment's own.
BAD = {role.name: bad_variables(role) for role in (ROOT / "roles").iterdir()} | {"": {"aws_region": ["eu-central-1"]}}
RUNS = [
    "site.yml --tags lamp",
    "site.yml --tags static_site --check",
    "site.yml --skip-tags infrastructure --limit tier_public",
    "playbooks/release.yml --limit private-1",
    "playbooks/replace.yml --tags nothing",
    "playbooks/recover.yml --check",
    "playbooks/resize.yml --check",
    "playbooks/rotate.yml --check",
    "playbooks/backup.yml --tags drill",
    "playbooks/restore.yml --check",
    "playbooks/restore_database.yml --check",
    "playbooks/rotate_origin.yml --check",
    "playbooks/rotate_database.yml --check",
    "playbooks/image.yml --check",
    "playbooks/status.yml",
    "playbooks/logs.yml --check",
    "playbooks/ssh_config.yml --check",
    "playbooks/run.yml",
    "playbooks/maintenance.yml --check",
    "playbooks/publish.yml --tags releases",
    "playbooks/teardown.yml",
]


@pytest.fixture
def connections() -> Iterator[tuple[str, list[Any]]]:
    """An endpoint that rejects all requests and records them."""
    came: list[Any] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            came.append(address)
            connection.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", came
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def environment_folder(folder: Path) -> Path:
    """Create an inventory of the environment `local` with one static server in each tier, without a call to EC2."""
    inventory = folder / "inventories" / "local"
    inventory.mkdir(parents=True)
    (inventory / "group_vars").symlink_to(ROOT / "inventories" / "local" / "group_vars")
    (inventory / "connections.yml").symlink_to(ROOT / "inventories" / "connections.yml")
    (folder / "roles").symlink_to(ROOT / "roles")  # where the static site of `local` is
    tiers = {tier: {f"{tier}-1": {"ec2_instance_id": f"i-{tier}"}} for tier in ("public", "private")}
    hosts = {f"tier_{tier}": {"hosts": hosts} for tier, hosts in tiers.items()}
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    return inventory


def played(
    inventory: Path, endpoint: str, run: str, variables: dict[str, Any], **more: str
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return each task, host and result of a run of ansible-playbook."""
    playbook, *words = run.split()
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "AWS_ENDPOINT_URL": endpoint,
        **more,
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    argv = [program, "-i", str(inventory), "-e", json.dumps(variables), str(ROOT / playbook), *words]
    ran = subprocess.run(argv, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    told = json.loads(ran.stdout[ran.stdout.index("{") :])
    tasks = [task for play in told["plays"] for task in play["tasks"]]
    return [(task["task"]["name"], host, result) for task in tasks for host, result in task["hosts"].items()]


@pytest.mark.parametrize("run", RUNS)
def test_what_is_wrong_is_told_before_anything_is_asked_or_made(run: str, tmp_path: Path, connections: Any) -> None:
    endpoint, came = connections
    playbook = ROOT / "playbooks" / Path(run.split(maxsplit=1)[0]).name
    roles = {*usage(playbook, ROOT / "roles").roles, ""}
    variables = {name: value for role in BAD for name, value in BAD[role].items()}
    [(task, _host, result)] = played(environment_folder(tmp_path), endpoint, run, variables)
    assert task == "Check all variables"
    wrong = {problem["variable"].partition("[")[0] for problem in result["problems"]}
    assert wrong >= {name for role in roles for name in BAD[role]}
    assert len(result["problems"]) == len(wrong), "a problem is told twice"
    assert came == []
    assert not (tmp_path / ".environments").exists()


def test_a_variable_of_some_servers_is_checked_too(tmp_path: Path, connections: Any) -> None:
    endpoint, _came = connections
    inventory = environment_folder(tmp_path)
    (inventory / "tiers.yml").write_text(yaml.safe_dump({"tier_private": {"vars": {"lamp_memory_mb": "four"}}}))
    [(_task, _host, result)] = played(inventory, endpoint, "site.yml --tags lamp", {})
    assert result["problems"] == [
        {
            "variable": "lamp_memory_mb",
            "wrong": "'four' is not a whole number (on private-1)",
            "right": "give a whole number",
        }
    ]


def test_the_table_has_every_playbook() -> None:
    creating = {"inventory.yml"}  # makes an inventory, so that it has none to check
    playbooks = {path.name for path in (ROOT / "playbooks").glob("*.yml")}
    assert {Path(run.split()[0]).name for run in RUNS} == playbooks - creating


@pytest.mark.parametrize("run", ["site.yml", "playbooks/teardown.yml --check", "playbooks/publish.yml --tags releases"])
def test_without_credentials_one_message_says_what_to_do(
    run: str, tmp_path: Path, connections: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    endpoint, came = connections
    inventory = environment_folder(tmp_path)
    (inventory / "hosts.yml").unlink()
    (inventory / "aws_ec2.yml").symlink_to(ROOT / "inventories" / "local" / "aws_ec2.yml")
    alone = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    results = played(inventory, endpoint, run, {"environment_confirm": "local"}, **alone)
    [message] = [result["msg"] for _task, _host, result in results if result.get("failed")]
    assert message.startswith("AWS credentials were not found. Nothing was changed. Give them by a profile")
    assert came == []
