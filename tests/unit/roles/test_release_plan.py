"""The action plugin `release_plan` needs no connection and returns the whole release in check mode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
HAS = {"app": {"current": "old", "kept": ["old"]}}
ARGUMENTS = {
    "servers": [{"name": f"public-{n}", "tier": "public", "serving": True, "sites": HAS} for n in (1, 2)],
    "releases": [{"name": "app", "path": "/srv/www/app", "id": "new", "archive": "/nowhere/app-new.tar.gz"}],
    "canary": 1,
    "batch": "50%",
    "tiers": {"public": ["public-1", "public-2"]},
    "groups": {"public": "public"},
    "urls": {"public": "http://public.test"},
    "hosts": {"app": ""},
    "probe_paths": ["/"],
}
LINES = [
    f"{batch}: {name}: app old -> new, drained first"
    for batch, name in (("canary", "public-1"), ("batch 2", "public-2"))
]


@pytest.fixture
def plan(tmp_path: Path) -> Any:
    """Return a function that runs the task with changed arguments and command line options and returns its result."""

    def planned(*words: str, **given: Any) -> dict[str, Any]:
        task = {"groundwork.aws.release_plan": {**ARGUMENTS, **given}}
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
        (tmp_path / "play.yml").write_text(json.dumps(play))
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
        }
        ansible = Path(sys.executable).with_name("ansible-playbook")
        argv = [str(ansible), "-i", "localhost,", "play.yml", *words]
        done = subprocess.run(argv, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
        told = json.loads(done.stdout[done.stdout.index("{") :])
        result: dict[str, Any] = told["plays"][0]["tasks"][0]["hosts"]["localhost"]
        return result

    return planned


def test_a_run_is_told_what_to_do(plan: Any) -> None:
    told = plan()
    assert (told["changed"], "changes" in told, told["lines"]) == (False, False, LINES)
    assert [batch["servers"] for batch in told["batches"]] == [["public-1"], ["public-2"]]


def test_check_mode_tells_what_a_run_would_change(plan: Any) -> None:
    told = plan("--check")
    assert (told["changed"], told["lines"]) == (True, LINES)
    assert [change["name"] for change in told["changes"]] == ["app new on public-1", "app new on public-2"]
    assert [part["after"] for part in told["diff"]] == ["public-1: app new\n", "public-2: app new\n"]


def test_what_nobody_has_is_refused(plan: Any) -> None:
    told = plan(releases=[{**ARGUMENTS["releases"][0], "archive": None}])
    assert told["failed"]
    assert "lamp_release: 'new' of 'app' is not on public-1, public-2" in told["msg"]
    assert told["problems"][0]["variable"] == "lamp_release"
