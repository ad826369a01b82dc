"""Fixtures that run the collection's real roles with fake modules, which record what they would do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from deprecations import own_deprecations

ROOT = Path(__file__).parents[3]
FAKE = Path(__file__).with_name("fake_action.py")
EVERYWHERE = (  # tasks of every playbook
    "Check the AWS account, and take the lock",
    "Release the lock",
    "Show what was changed",
)
WHOLE = (
    "galaxy.yml",
    "meta",
    "plugins/modules",
    "plugins/module_utils",
    "plugins/plugin_utils",
    "plugins/doc_fragments",
    "plugins/filter",
)


@dataclass(frozen=True)
class Played:
    """The exit code of ansible-playbook, the output of its JSON callback, and the calls of the fakes in order."""

    code: int
    told: dict[str, Any]
    done: list[str]


@dataclass(frozen=True)
class Stage:
    """A folder with a collections path in which playbooks run."""

    folder: Path
    collections: Path

    def play(
        self, inventory: str, playbook: str, rules: Iterable[Mapping[str, Any]], returns: Any, *words: str
    ) -> Played:
        """Run a playbook. `rules` and `returns` are for the fakes, see fake_action.py."""
        (self.folder / "rules").write_text(json.dumps(list(rules)))
        (self.folder / "returns").write_text(json.dumps(returns))
        (self.folder / "done").touch()
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": f"{self.collections}:{ROOT / '.collections'}",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_DEPRECATION_WARNINGS": "true",
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ROLE_FAKES": str(self.folder),
        }
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", inventory, playbook, *words]
        ran = subprocess.run(argv, cwd=self.folder, env=environment, check=False, capture_output=True, text=True)
        told = json.loads(ran.stdout[ran.stdout.index("{") :])
        assert own_deprecations(ran.stderr, told) == []
        done = [line for line in (self.folder / "done").read_text().splitlines() if not line.startswith(EVERYWHERE)]
        return Played(ran.returncode, told, done)


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Stage]:
    """Return a function that creates a stage.

    The stage contains the `parts` of the collection, and the fake for each action plugin in `faked`, for the lock, the
    summary and the module amazon.aws.ec2_tag. `lamp` contains the tasks of the role lamp by file name.
    """

    def make(parts: Iterable[str], faked: Iterable[str], lamp: Mapping[str, list[dict[str, Any]]]) -> Stage:
        own = tmp_path / "collections" / "ansible_collections" / "groundwork" / "aws"
        for folder in ("plugins/action", "roles/lamp/tasks"):
            (own / folder).mkdir(parents=True)
        for part in (*WHOLE, *parts):
            (own / part).symlink_to(ROOT / part)
        for name in (*faked, "environment_lock", "run_summary"):
            (own / "plugins" / "action" / f"{name}.py").symlink_to(FAKE)
        tagging = tmp_path / "collections" / "ansible_collections" / "amazon" / "aws" / "plugins" / "action"
        tagging.mkdir(parents=True)
        (tagging / "ec2_tag.py").symlink_to(FAKE)
        for name, tasks in lamp.items():
            (own / "roles" / "lamp" / "tasks" / f"{name}.yml").write_text(yaml.safe_dump(tasks))
        return Stage(tmp_path, tmp_path / "collections")

    return make
