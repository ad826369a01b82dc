"""Every playbook that changes servers calls EC2 only for servers that are missing in the inventory."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

pytestmark = pytest.mark.exhaustive  # each of them starts Ansible several times

ROOT = Path(__file__).parents[3]
ROLES = sorted(f"roles/{path.name}" for path in (ROOT / "roles").iterdir() if path.name != "lamp")
LAMP = {"main": [{"name": "Configure", "groundwork.aws.server": {}}]}
CHECK = {"task": "Check that the inventory shows the servers", "then": "it does not show public-1"}
ASKED = "Check that the inventory shows the servers: localhost"
PREFLIGHT = "Check all variables: "  # once for all hosts
COUNTED: Mapping[str, Any] = {
    "public": {"count": 2, "instance_type": "t3.small"},
    "private": {"count": "1", "instance_type": "t3.small"},
    "workers": {"group": {"min": 1, "max": 2}, "instance_type": "t3.small"},
}
ALL = ("public-1", "public-2", "private-1")
LAMP_ONLY = ("site.yml", "--tags", "lamp")


# What every run does before it connects to servers.
ACCESS = ("Get the environment's key pair", "Record the servers' SSH host keys")


@pytest.fixture
def done(tmp_path: Path, stage: Any) -> Any:
    """Return a function that runs a playbook with options and an inventory of servers and returns the calls."""
    own = stage(ROLES, ("in_controller", "preflight", "server", "http_probe"), LAMP)

    def run(
        playbook: Sequence[str], shown: Sequence[str], tiers: Mapping[str, Any] | None = None, **host: Any
    ) -> tuple[int, list[str]]:
        group_vars = yaml.safe_load((ROOT / "inventories" / "dev" / "group_vars" / "all.yml").read_text())
        variables = {
            **group_vars,
            "servers_tiers": dict(tiers or COUNTED),
            "servers_directory": str(tmp_path),
            "network_public_cidrs": ["10.20.0.0/24"],
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        groups: dict[str, Any] = {f"tier_{tier}": {"hosts": {}} for tier in ("public", "private")}
        for name in shown:
            groups[f"tier_{name.partition('-')[0]}"]["hosts"][name] = {"server_id": f"i-{name}", **host}
        children = {"controller": {"hosts": {"localhost": {}}}, "servers": {"children": groups}, "planned": {}}
        inventory = {"all": {"vars": variables, "children": children}}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
        name, *words = playbook
        played = own.play("hosts.yml", str(ROOT / name), [CHECK], {}, *words)
        return played.code, [line for line in played.done if not line.startswith(ACCESS)]

    return run


@pytest.mark.parametrize(
    ("playbook", "before"),
    [
        (("site.yml",), [PREFLIGHT]),
        (LAMP_ONLY, [PREFLIGHT]),
        (("playbooks/release.yml",), [PREFLIGHT]),
        (("playbooks/replace.yml", "-e", "servers_replace=outdated"), [PREFLIGHT]),
    ],
    ids=lambda value: " ".join(value)[:20],
)
def test_a_playbook_ends_where_the_check_fails(done: Any, playbook: Sequence[str], before: list[str]) -> None:
    assert done(playbook, []) == (2, [*before, ASKED])


def test_with_all_servers_shown_ec2_is_not_asked(done: Any) -> None:
    code, what = done(LAMP_ONLY, ALL)
    assert (code, sorted(what)) == (0, sorted([PREFLIGHT, *(f"Configure: {name}" for name in ALL)]))


@pytest.mark.parametrize(
    ("shown", "checked", "not_shown"),
    [
        (ALL, COUNTED, []),
        ((*ALL, "public-1-next"), COUNTED, []),
        (ALL[1:], COUNTED, ["public-1"]),
        (ALL[:2], COUNTED, ["private-1"]),
        (ALL[:2], ["public", "unknown"], []),
        ([], COUNTED, list(ALL)),
        ([], ["workers"], []),
        ([], [], []),
    ],
)
@pytest.mark.parametrize("server_id", ["i-1", "{{ undefined_in_an_older_inventory }}"])
def test_ec2_is_asked_only_when_a_counted_server_is_not_shown(
    shown: Sequence[str], checked: Sequence[str], not_shown: list[str], server_id: str
) -> None:
    loader = DataLoader()
    role = ROOT / "roles" / "servers"
    variables = {
        **loader.load_from_file(str(role / "vars" / "main.yml"), trusted_as_template=True),
        "ansible_search_path": [str(role)],
        "servers_tiers": dict(COUNTED),
        "servers_check": {"tiers": list(checked)},
        "groups": {f"tier_{tier}": [name for name in shown if name.startswith(tier)] for tier in ("public", "private")},
        "hostvars": {name: {"inventory_hostname": name, "server_id": trust_as_template(server_id)} for name in shown},
    }
    expected = not_shown if server_id == "i-1" else [name for name in ALL if name.partition("-")[0] in checked]
    told = Templar(loader, variables).template(variables["__servers_not_shown"])
    assert sorted(told) == sorted(expected)


def test_a_release_to_no_tier_asks_nothing(done: Any) -> None:
    assert done(("playbooks/release.yml", "-e", '{"release_tiers": []}'), []) == (0, [PREFLIGHT])


def test_a_release_that_no_server_can_get_is_refused(done: Any) -> None:
    words = ("-e", '{"release_tiers": [], "lamp_release": "nowhere"}')
    assert done(("playbooks/release.yml", *words), []) == (2, [PREFLIGHT])
