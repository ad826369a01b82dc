"""An environment as AWX and the Automation Platform run it: job templates by ansible-runner, from a project.

The project is as docs/guide/teams.md says. Each job has a folder of its own, which ends with it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT, copy_tracked

pytestmark = pytest.mark.lab

GUIDE = ROOT / "docs" / "guide" / "teams.md"
BIN = Path(sys.executable).parent
NEW = {"environment_name": "shop", "aws_region": "eu-central-1"}


@dataclass(frozen=True)
class Job:
    """A job that has ended. `artifacts` are those that AWX shows, and hands over to the next job of a workflow."""

    status: str
    output: str
    artifacts: Mapping[str, Any]


def ran(*argv: str | Path, cwd: Path) -> None:
    done = subprocess.run([str(word) for word in argv], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the collection, as AWX installs what collections/requirements.yml of the project lists."""
    folder = tmp_path_factory.mktemp("collections")
    copy_tracked(folder / "checkout")
    galaxy: list[str | Path] = [BIN / "ansible-galaxy", "collection"]
    ran(*galaxy, "build", folder / "checkout", "--output-path", folder, cwd=folder)
    [archive] = folder.glob("groundwork-aws-*.tar.gz")
    ran(*galaxy, "install", "--no-deps", archive, "--collections-path", folder / "installed", cwd=folder)
    return folder / "installed"


@pytest.fixture(scope="module")
def project(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an inventory that the collection has written, and the playbooks of the guide."""
    folder = tmp_path_factory.mktemp("project")
    words = [word for name, value in NEW.items() for word in ("-e", f"{name}={value}")]
    play: list[str | Path] = [BIN / "ansible-playbook", "groundwork.aws.inventory", *words]
    ran("env", f"ANSIBLE_COLLECTIONS_PATH={collections}", *play, cwd=folder)
    variables = folder / "inventories" / "shop" / "group_vars" / "all.yml"
    variables.write_text(re.sub(r"\[192\.0\.2\.[^]]*\]|firewall_admin_cidrs: \[\]", _admin, variables.read_text()))
    for name, content in re.findall(r"^    # (\w+\.yml)\n    (- .*)\n", GUIDE.read_text(), re.MULTILINE):
        (folder / name).write_text(f"{content}\n")
    assert {path.name for path in folder.glob("*.yml")} >= {"site.yml", "teardown.yml"}
    return folder


def _admin(found: re.Match[str]) -> str:
    own = "[198.18.0.10/32]"
    return own if found[0].startswith("[") else f"firewall_admin_cidrs: {own}"


@pytest.fixture
def run(lab: Any, collections: Path, project: Path, tmp_path: Path) -> Any:
    """Runs a job template: a playbook of the project, with the answers of its survey."""

    def job(playbook: str, *, check: bool = False, **survey: Any) -> Job:
        folder = tmp_path / "job"
        (folder / "env").mkdir(parents=True)
        (folder / "project").symlink_to(project)
        (folder / "env" / "extravars").write_text(yaml.safe_dump(survey))
        (folder / "env" / "envvars").write_text(yaml.safe_dump({"ANSIBLE_COLLECTIONS_PATH": str(collections)}))
        inventory = project / "inventories" / "shop"
        words = ["run", str(folder), "-p", playbook, "--inventory", str(inventory), "--ident", "1"]
        lab.inside(str(BIN / "ansible-runner"), *words, *(["--cmdline=--check"] if check else []), check=False)
        artifacts = folder / "artifacts" / "1"
        events = [json.loads(path.read_text()) for path in (artifacts / "job_events").glob("*.json")]
        told = [one["event_data"].get("artifact_data", {}) for one in events if one["event"] == "playbook_on_stats"]
        return Job((artifacts / "status").read_text(), (artifacts / "stdout").read_text(), told[0] if told else {})

    return job


def totals(job: Job) -> dict[str, Any]:
    """Return the numbers of changes by action."""
    found: dict[str, Any] = job.artifacts["groundwork"]["totals"]
    return {kind: {action: count for action, count in counts.items() if count} for kind, counts in found.items()}


def test_a_job_in_check_mode_hands_over_its_plan(run: Any) -> None:
    job = run("site.yml", check=True)
    assert job.status == "successful", job.output
    assert not totals(job)["aws"].keys() & {"delete", "replace"}
    assert totals(job)["aws"]["create"] > 20


def test_a_survey_confirms_a_teardown(run: Any) -> None:
    job = run("teardown.yml", environment_confirm="shop")
    assert job.status == "successful", job.output
    assert not totals(job)["aws"].keys() & {"delete", "replace"}, "there is nothing to remove"


def test_a_job_without_the_answer_fails_and_says_what_to_answer(run: Any) -> None:
    job = run("teardown.yml")
    assert job.status == "failed"
    assert "environment_confirm" in job.output
