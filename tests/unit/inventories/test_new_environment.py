"""The playbook groundwork.aws.inventory creates an environment in any folder. It overwrites nothing that users edit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = ("aws_ec2.yml", "connections.yml", "group_vars/all.yml")


def created(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the playbook in a folder without the settings of a checkout."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    own |= {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "ANSIBLE_HOME": str(folder / ".ansible")}
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "groundwork.aws.inventory", *words]
    return subprocess.run(argv, cwd=folder, env=own, capture_output=True, text=True, check=False)


def test_a_created_environment_keeps_what_is_edited(tmp_path: Path) -> None:
    answers = ["-e", json.dumps({"environment_name": "shop", "aws_region": "eu-west-1", "nat_mode": "none"})]
    first = created(tmp_path, *answers)
    assert first.returncode == 0, first.stdout + first.stderr
    shop = tmp_path / "inventories" / "shop"
    assert sorted(str(path.relative_to(shop)) for path in shop.rglob("*.yml")) == sorted(FILES)
    variables = shop / "group_vars" / "all.yml"
    assert "nat_mode: none\n" in variables.read_text() and "eu-west-1b" in variables.read_text()

    variables.write_text("edited: true\n")
    (shop / "connections.yml").write_text("# of an older version\n")
    answers = ["-e", json.dumps({"environment_name": "shop", "aws_region": "us-east-1"})]
    second = created(tmp_path, *answers)
    assert second.returncode == 0, second.stdout + second.stderr
    assert variables.read_text() == "edited: true\n" and "eu-west-1" in (shop / "aws_ec2.yml").read_text()
    assert f"{variables} exists, and is not changed." in second.stdout
    assert (shop / "connections.yml").read_bytes() == (ROOT / "playbooks" / "files" / "connections.yml").read_bytes()


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"environment_name": "Shop!", "aws_region": "eu-west-1"}, "environment_name"),
        ({"environment_name": "shop"}, "aws_region"),
    ],
    ids=["invalid", "missing"],
)
def test_a_wrong_answer_creates_nothing(tmp_path: Path, answers: dict[str, str], problem: str) -> None:
    ran = created(tmp_path, "-e", json.dumps(answers))
    assert ran.returncode != 0 and problem in ran.stdout
    assert not (tmp_path / "inventories").exists()
