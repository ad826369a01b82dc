"""The summary of a run of ansible-playbook: what its tasks have noted, as text, as a file, and as statistics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
PLANNED = {"planned": True, "configuration": {"packages": ["apache2"]}}
PLAY: list[dict[str, Any]] = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"name": "Plan", "groundwork.aws.server": PLANNED},
            {"name": "Only look", "groundwork.aws.server": PLANNED, "changed_when": False},
            {
                "name": "Sum up",
                "groundwork.aws.run_summary": {
                    "environment_name": "dev",
                    "file": "{{ playbook_dir }}/summary.json",
                    "outputs": {"urls": ["https://www.example.com/"]},
                },
                "run_once": True,
            },
        ],
    }
]


def play(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump(PLAY))
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    own = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_SHOW_CUSTOM_STATS": "true", **more}
    argv = [program, "-i", "a,b,", str(playbook), *words]
    return subprocess.run(argv, cwd=ROOT, env=own, check=False, capture_output=True, text=True)


def test_a_plan_is_summed_up(tmp_path: Path) -> None:
    ran = play(tmp_path, "--check")
    assert ran.returncode == 0, ran.stdout
    assert (
        "\nPlan of the environment dev: 0 to create, 0 to update, 0 to replace, 0 to delete; 2 changes on" in ran.stdout
    )
    assert "\n  server on a, b: install 1 package\n" in ran.stdout
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written["planned"] is True
    assert written["outputs"] == {"urls": ["https://www.example.com/"]}
    [component] = written["components"]
    change = {"action": "install", "resource": "package", "name": "apache2"}
    assert component == {"name": "server", "changes": [], "servers": [{"names": ["a", "b"], "changes": [change]}]}
    assert '"urls": [' in ran.stdout.partition("CUSTOM STATS")[2]


def test_output_of_json_is_not_spoilt(tmp_path: Path) -> None:
    ran = play(tmp_path, "--check", ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    told = json.loads(ran.stdout)
    result = told["plays"][0]["tasks"][-1]["hosts"]["a"]
    assert result["summary"]["totals"]["servers"]["install"] == 2


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "summary.json").mkdir()
    ran = play(tmp_path, "--check")
    assert ran.returncode == 2
    assert "environment_summary_file: could not write" in ran.stdout + ran.stderr
