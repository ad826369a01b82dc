"""The playbook `replace.yml` as it is, over successors that fail or die: who is kept, who goes on, and what is told.

What it does to servers and balancers is written down by fakes; the order, and who takes part, is Ansible's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FAKE = Path(__file__).with_name("fake_action.py")
FAKED = ("in_controller", "preflight", "releases", "http_probe")
SERVERS = [
    {"name": name, "id": f"i-{name}", "tier": "private", "successor": f"{name}-next"}
    for name in ("private-1", "private-2")
]
LAMP = {
    "main": [{"name": "Configure", "groundwork.aws.releases": {}}],
    "see_releases": [{"name": "See", "ansible.builtin.set_fact": {"lamp_releases": [], "lamp_hosts": {}}}],
}
PLACES = "Give them their predecessors' places: "
VARIABLES = {
    "environment_name": "dev",
    "aws_region": "eu-central-1",
    "network_zones": ["eu-central-1a"],
    "network_public_cidrs": ["10.20.0.0/24"],
    "servers_tiers": {"private": {"count": 2, "instance_type": "t3.small"}},
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A collections path: this collection, whose hands are the fakes."""
    own = tmp_path / "collections" / "ansible_collections" / "groundwork" / "aws"
    for folder in ("plugins/action", "roles/lamp/tasks"):
        (own / folder).mkdir(parents=True)
    for part in (
        "galaxy.yml",
        "meta",
        "plugins/modules",
        "plugins/module_utils",
        "plugins/doc_fragments",
        "roles/servers",
    ):
        (own / part).symlink_to(ROOT / part)
    for name in FAKED:
        (own / "plugins" / "action" / f"{name}.py").symlink_to(FAKE)
    for name, tasks in LAMP.items():
        (own / "roles" / "lamp" / "tasks" / f"{name}.yml").write_text(yaml.safe_dump(tasks))
    return tmp_path / "collections"


@pytest.fixture
def replaced(tmp_path: Path, collection: Path) -> Any:
    """A function from batches and rules to what was done, and what was told at the end; "" when all went well."""

    def run(batches: list[list[dict[str, str]]], *rules: dict[str, str]) -> tuple[list[str], str]:
        hosts = {server["name"]: {"ec2_instance_id": server["id"]} for server in SERVERS}
        variables = {**VARIABLES, "servers_directory": str(tmp_path)}
        servers = {"children": {"tier_private": {"hosts": hosts}}}
        inventory = {"all": {"vars": variables, "children": {"servers": servers, "successors": {}}}}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
        (tmp_path / "rules").write_text(json.dumps(rules))
        (tmp_path / "returns").write_text(json.dumps({"batches": batches, "lines": [], "urls": {}}))
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": f"{collection}:{ROOT / '.collections'}",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
            "ROLE_FAKES": str(tmp_path),
        }
        ansible = Path(sys.executable).with_name("ansible-playbook")
        argv = [str(ansible), "-i", "hosts.yml", str(ROOT / "playbooks" / "replace.yml")]
        done = subprocess.run(argv, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
        told = json.loads(done.stdout[done.stdout.index("{") :])
        tasks = [
            task["hosts"] for play in told["plays"] for task in play["tasks"] if "Tell what" in task["task"]["name"]
        ]
        stories = [str(result["msg"]) for hosts in tasks for result in hosts.values()]
        assert (done.returncode == 0) == (not stories), done.stdout
        assert len(stories) < 2
        return (tmp_path / "done").read_text().splitlines(), "".join(stories)

    return run


ONE_BY_ONE = [[server] for server in SERVERS]
TOGETHER = [SERVERS]


@pytest.mark.parametrize(("batches", "count"), [(ONE_BY_ONE, 2), (TOGETHER, 1)])
def test_each_batch_takes_its_places(replaced: Any, batches: Any, count: int) -> None:
    done, story = replaced(batches)
    assert story == ""
    assert done.count(PLACES) == done.count("Launch the successors: ") == count
    # Those of a batch are configured at the same time.
    assert sorted(line for line in done if line.startswith("Configure")) == [
        f"Configure: {server['successor']}" for server in SERVERS
    ]


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("unreachable", "- private-1-next could not be reached."),
        ("no space is left", "- private-1-next: Configure: no space is left"),
    ],
)
@pytest.mark.parametrize("batches", [ONE_BY_ONE, TOGETHER], ids=["one by one", "together"])
def test_who_fails_takes_its_batch_along_and_no_other_begins(replaced: Any, batches: Any, then: str, told: str) -> None:
    done, story = replaced(batches, {"task": "Configure", "host": "private-1-next", "then": then})
    assert done[-2:] == ["Put the predecessors back: ", "Terminate the successors: "]
    assert done.count("Launch the successors: ") == 1
    assert PLACES not in done
    names = ", ".join(server["name"] for server in batches[0])
    assert story.splitlines() == [
        f"{names} could not be replaced. The successors are gone, and all serve as before.",
        "Mend the cause and run the same again: it goes on from here.",
        told,
    ]


def test_what_the_balancers_say_is_told_once(replaced: Any) -> None:
    story = replaced(TOGETHER, {"task": "Put the successors into", "then": "one is unhealthy"})[1]
    assert story.splitlines()[2:] == ["- Put the successors into the balancers: one is unhealthy"]


def test_of_many_batches_those_before_keep_their_places(replaced: Any) -> None:
    done, story = replaced(ONE_BY_ONE, {"task": "Configure", "host": "private-2-next", "then": "unreachable"})
    assert done.count(PLACES) == 1
    assert story.startswith("private-2 could not be replaced.")
