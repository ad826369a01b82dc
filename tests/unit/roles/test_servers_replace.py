"""The real playbook `replace.yml` with successors that fail or are unreachable: the kept servers and the final report.

Fakes record what the modules would do. Ansible itself runs the tasks and selects the hosts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.exhaustive  # each of them starts Ansible several times

ROOT = Path(__file__).parents[3]
FAKED = ("in_controller", "preflight", "server", "http_probe")
SERVERS = [
    {"name": name, "id": f"i-{name}", "tier": "private", "successor": f"{name}-next"}
    for name in ("private-1", "private-2")
]
LAMP = {
    "main": [{"name": "Configure", "groundwork.aws.server": {}}],
    "see_releases": [{"name": "See", "ansible.builtin.set_fact": {"lamp_releases": [], "lamp_hosts": {}}}],
}
PLACES = "Complete the replacement: "
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
def replaced(tmp_path: Path, stage: Any) -> Any:
    """Return a function that runs batches with rules and returns the calls and the final report, "" after success."""
    own = stage(["roles/servers", "roles/file_system", "roles/database"], FAKED, LAMP)

    def run(batches: list[list[dict[str, str]]], *rules: dict[str, str]) -> tuple[list[str], str]:
        hosts = {server["name"]: {"server_id": server["id"]} for server in SERVERS}
        variables = {**VARIABLES, "servers_directory": str(tmp_path)}
        servers = {"children": {"tier_private": {"hosts": hosts}}}
        inventory = {"all": {"vars": variables, "children": {"servers": servers, "successors": {}}}}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
        playbook = str(ROOT / "playbooks" / "replace.yml")
        returns: dict[str, Any] = {"batches": batches, "lines": [], "urls": {}, "names": {}}
        played = own.play("hosts.yml", playbook, rules, returns)
        tasks = [
            task["hosts"]
            for play in played.told["plays"]
            for task in play["tasks"]
            if "Report what" in task["task"]["name"]
        ]
        stories = [str(result["msg"]) for hosts in tasks for result in hosts.values()]
        assert (played.code == 0) == (not stories), played.told
        assert len(stories) < 2
        return played.done, "".join(stories)

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
    assert done[-2:] == ["Register the predecessors again: ", "Terminate the successors: "]
    assert done.count("Launch the successors: ") == 1
    assert PLACES not in done
    names = ", ".join(server["name"] for server in batches[0])
    assert story.splitlines() == [
        f"{names} could not be replaced. The successors are terminated, and all servers serve as before.",
        "Fix the cause and run the same command again: it continues from here.",
        told,
    ]


def test_what_the_balancers_say_is_told_once(replaced: Any) -> None:
    story = replaced(TOGETHER, {"task": "Register the successors", "then": "one is unhealthy"})[1]
    assert story.splitlines()[2:] == ["- Register the successors with the target groups: one is unhealthy"]


def test_of_many_batches_those_before_keep_their_places(replaced: Any) -> None:
    done, story = replaced(ONE_BY_ONE, {"task": "Configure", "host": "private-2-next", "then": "unreachable"})
    assert done.count(PLACES) == 1
    assert story.startswith("private-2 could not be replaced.")
