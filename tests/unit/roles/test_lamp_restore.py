"""The real tasks with which the servers restore: what each is told, in which order, and what a failure stops."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.exhaustive  # each of them starts Ansible

ROOT = Path(__file__).parents[3]
PARTS = [f"roles/lamp/{part}" for part in ("defaults", "meta", "templates", "vars")]
FAKED = ("s3_backups_info", "server_backup")
IDS = {name: f"20261130T023000Z-{name}" for name in ("private-1", "private-2")}
SAFETY = "20261130T120000Z-private-1-safety"
VARIABLES = {
    "environment_name": "dev",
    "aws_region": "eu-central-1",
    "server_tier": "private",
    "backup_enabled": True,
    "servers_tiers": {"private": {"count": 3, "instance_type": "t3.small"}},
    "lamp_sites": [{"name": "shop"}],
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
}
ASKED = {"from": "newest", "site": "shop", "beside": False, "safety": True}
FOUND = [
    {
        "task": "Find the backup",
        "host": name,
        "then": "",
        "result": {"backup": {"id": identity, "age": 60, "sites": ["shop"]}, "ids": [identity], "urls": {"a": "first"}},
    }
    for name, identity in IDS.items()
]
MADE = {"task": "Make a backup", "then": "", "result": {"backup": {"id": SAFETY}}}
SIGNED = {"task": "Sign", "then": "", "result": {"urls": {"a": "second"}}}
NONE = {"task": "Find the backup", "host": "private-3", "then": "", "result": {"ids": [], "backup": {}}}
RULES = [*FOUND, NONE, MADE, SIGNED]


@pytest.fixture
def restored(tmp_path: Path, stage: Any) -> Any:
    """Return a function that restores with rules, and returns the result, and the options of each call."""
    tasks = yaml.safe_load((ROOT / "roles" / "lamp" / "tasks" / "restore.yml").read_text())
    own = stage(PARTS, FAKED, {"restore": tasks})

    def run(*rules: dict[str, Any]) -> tuple[Any, list[Any]]:
        role = {"name": "groundwork.aws.lamp", "tasks_from": "restore.yml", "rolespec_validate": False}
        play = {"hosts": "servers", "gather_facts": False, "any_errors_fatal": True, "vars": {"lamp_restore": ASKED}}
        (tmp_path / "play.yml").write_text(yaml.safe_dump([{**play, "tasks": [{"ansible.builtin.import_role": role}]}]))
        hosts = {name: {"server_name": name} for name in (*IDS, "private-3")}
        servers = {"children": {"servers": {"hosts": hosts}}, "vars": VARIABLES}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": servers}))
        played = own.play("hosts.yml", "play.yml", [*RULES, *rules], {"changes": []})
        return played, [json.loads(line) for line in (tmp_path / "given").read_text().splitlines()]

    return run


def test_all_make_a_backup_before_one_restores_and_urls_are_new(restored: Any) -> None:
    played, given = restored()
    assert played.code == 0, played.told
    order = [line.partition(":")[0] for line in played.done]
    assert order.index("Restore the data") > max(at for at, task in enumerate(order) if task.startswith("Make a"))
    assert "Restore the data: private-3" not in played.done, "it has no such backup"
    made = [options for task, options in given if task.startswith("Make a backup")]
    assert [one["backup"] for one in made] == list(IDS.values())
    assert {(one["site"], one["urls"]["a"]) for one in made} == {("shop", "first")}
    last = [options for task, options in given if task == "Restore the data"]
    assert [one["backup"] for one in last] == list(IDS.values())
    assert {(one["urls"]["a"], one["safety"]) for one in last} == {("second", SAFETY)}
    told = [r.get("msg") for play in played.told["plays"] for task in play["tasks"] for r in task["hosts"].values()]
    assert "private-3 has no backup 'newest' of shop: what it has stays as it is." in told


def test_without_a_backup_of_one_server_none_restores(restored: Any) -> None:
    failing = {"task": "Make a backup", "host": "private-2", "then": "No backup was made."}
    played, _given = restored(failing)
    assert played.code != 0
    assert not [line for line in played.done if line.startswith("Restore the data")]


def test_incomplete_data_of_an_earlier_restore_need_no_backup(restored: Any) -> None:
    nothing = {"task": "Make a backup", "then": "", "result": {"backup": {}}}
    played, given = restored({**nothing, "host": "private-1"})
    assert played.code == 0, played.told
    last = {options["backup"]: options["safety"] for task, options in given if task == "Restore the data"}
    assert last[IDS["private-1"]] == ""
