"""tools/generate writes what follows from the documentation of a module, and finds what is out of date."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
MODULE = "plugins/modules/ec2_security_groups.py"
SPEC = "roles/firewall/meta/argument_specs.yml"
OPTION = """\
          fragment:
            description: A kind of fragment, only for rules of O(groups) with V(icmp).
            type: int
            choices: [0, 8]
"""
BEFORE = "          ports:\n            description:\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the files that the tool reads and writes."""
    for folder in ("plugins/modules", "plugins/module_utils/arguments", "roles", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def generate(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "tools" / "generate"), *options]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def spec(tree: Path, role: str = "firewall") -> dict[str, Any]:
    loaded = yaml.safe_load((tree / "roles" / role / "meta" / "argument_specs.yml").read_text())
    options: dict[str, Any] = loaded["argument_specs"]["main"]["options"]
    return options


def arguments(tree: Path, module: str) -> dict[str, Any]:
    spec: dict[str, Any] = runpy.run_path(str(tree / f"plugins/module_utils/arguments/{module}.py"))["ARGUMENTS"]
    return spec


def test_a_new_option_of_a_rule_is_written_once(tree: Path) -> None:
    edit(tree / MODULE, BEFORE, OPTION + BEFORE)
    stale = generate(tree, "--check")
    assert stale.returncode == 1
    for path in ("plugins/module_utils/arguments/ec2_security_groups.py", SPEC, "roles/firewall/README.md"):
        assert path in stale.stderr

    assert generate(tree).returncode == 0
    assert generate(tree, "--check").returncode == 0
    for way in ("ingress", "egress"):
        known = arguments(tree, "ec2_security_groups")["groups"]["options"][way]["options"]["fragment"]
        assert known == {"type": "int", "choices": [0, 8]}
        described = "A kind of fragment, only for rules of O(firewall_groups) with V(icmp)."
        in_role = spec(tree)["firewall_groups"]["options"][way]["options"]["fragment"]
        assert in_role == {**known, "description": described}
        assert f"| `firewall_groups[].{way}[].fragment` | int |" in (tree / "roles/firewall/README.md").read_text()


def test_a_new_variable_needs_its_name_and_a_mark(tree: Path) -> None:
    option = "  strict:\n    description: Whether to be strict.\n    type: bool\n    default: true\n  purge:\n"
    edit(tree / MODULE, "  purge:\n", option)
    mark = "        # Written by tools/generate from ec2_security_groups.strict:\n"
    edit(tree / SPEC, "      firewall_purge:\n", f"      firewall_strict:\n{mark}      firewall_purge:\n")
    assert generate(tree).returncode == 0
    known = {"description": "Whether to be strict.", "type": "bool", "default": True}
    assert spec(tree)["firewall_strict"] == known
    assert yaml.safe_load((tree / "roles/firewall/defaults/main.yml").read_text())["firewall_strict"] is True


def test_what_is_above_a_mark_stays(tree: Path) -> None:
    edit(tree / SPEC, "description: All security groups.", "description: Mine.")
    assert generate(tree).returncode == 0
    assert spec(tree)["firewall_groups"]["description"] == "Mine."
    assert "required" not in spec(tree)["firewall_groups"]  # it has a default in defaults/main.yml


def test_what_is_below_a_mark_is_written_again(tree: Path) -> None:
    edit(tree / "roles/nat/meta/argument_specs.yml", "choices: [none, single, per_zone]", "choices: [none]")
    assert generate(tree, "--check").returncode == 1
    assert generate(tree).returncode == 0
    assert spec(tree, "nat")["nat_mode"]["choices"] == ["none", "single", "per_zone"]


def test_what_a_documentation_cannot_say_is_in_the_spec(tree: Path) -> None:
    users = arguments(tree, "server")["databases"]["options"]["users"]["options"]
    assert users["password"] == {"type": "str", "required": True, "no_log": True}
    assert spec(tree, "static_site")["static_site_secrets"]["no_log"] is True


def test_a_mark_of_an_unknown_option_is_an_error(tree: Path) -> None:
    edit(tree / SPEC, "from ec2_security_groups.purge:", "from ec2_security_groups.prune:")
    failed = generate(tree)
    assert failed.returncode == 1
    right = "use one of groups, purge, moving, kept_ports"
    assert failed.stderr == f"generate: {SPEC}: 'prune' has 'prune', which is not an option; {right}.\n"


def test_the_spec_of_a_deleted_module_is_deleted(tree: Path) -> None:
    (tree / "plugins/module_utils/arguments/former.py").write_text("ARGUMENTS = {}\n")
    assert "former.py" in generate(tree, "--check").stderr
    assert generate(tree).returncode == 0
    assert not (tree / "plugins/module_utils/arguments/former.py").exists()
