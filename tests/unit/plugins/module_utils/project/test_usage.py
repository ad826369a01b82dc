"""A playbook's use of roles and variables is found in its text and in the text of its roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.project.usage import usage

ROOT = Path(__file__).parents[5]
BUILT = {
    *("alb", "backup", "database", "dns", "file_system", "firewall", "image", "lamp", "nat", "network", "servers"),
    "static_site",
}


@pytest.mark.parametrize(
    ("playbook", "roles"),
    [
        ("site", BUILT),
        ("release", {"alb", "database", "file_system", "lamp", "release", "servers"}),
        ("replace", {"database", "file_system", "lamp", "servers"}),
        ("image", {"image", "lamp", "servers"}),
        ("backup", {"backup", "lamp", "servers"}),
        ("restore", {"alb", "backup", "database", "file_system", "lamp", "restore", "servers"}),
        ("restore_database", {"database", "file_system", "lamp", "servers"}),
        ("publish", {"static_site"}),
        ("teardown", {"teardown"}),
        ("inventory", {"firewall", "nat", "network"}),
    ],
)
def test_the_roles_of_each_playbook(playbook: str, roles: set[str]) -> None:
    assert usage(ROOT / "playbooks" / f"{playbook}.yml", ROOT / "roles").roles == roles


def test_a_role_is_found_through_included_tasks_and_other_roles(tmp_path: Path) -> None:
    for role, text in (
        ("web", "import_role: {name: groundwork.aws.base}"),
        ("base", "x: '{{ base_size }}'"),
        ("rest", ""),
    ):
        (tmp_path / "roles" / role / "tasks").mkdir(parents=True)
        (tmp_path / "roles" / role / "tasks" / "main.yml").write_text(text)
    (tmp_path / "tasks.yml").write_text("- import_role: {name: groundwork.aws.web}\n- groundwork.aws.rested:\n")
    (tmp_path / "play.yml").write_text(
        "- include_tasks: tasks.yml\n# groundwork.aws.rest\n- include_tasks: '{{ other }}.yml'\n"
    )
    found = usage(tmp_path / "play.yml", tmp_path / "roles")
    assert found.roles == {"web", "base"}
    assert "base_size" in found.words
    assert usage(tmp_path / "play.yml", tmp_path / "roles", ["rest"]).roles == {"web", "base", "rest"}


def test_a_playbook_that_sets_a_variable_uses_its_role(tmp_path: Path) -> None:
    for role in ("web", "rest"):
        (tmp_path / "roles" / role).mkdir(parents=True)
    (tmp_path / "play.yml").write_text("- vars:\n    web_size: 3\n    # rest_size: 4\n    more: '{{ rest_size }}'\n")
    assert usage(tmp_path / "play.yml", tmp_path / "roles").roles == {"web"}


def test_a_message_that_names_a_variable_sets_none(tmp_path: Path) -> None:
    (tmp_path / "roles" / "web").mkdir(parents=True)
    (tmp_path / "play.yml").write_text("- fail:\n    msg: >-\n      web_size: is missing; give a number.\n")
    assert usage(tmp_path / "play.yml", tmp_path / "roles").roles == set()
