"""A new topic, made from docs/adding-a-topic.md in a copy of the collection, needs three lines outside of its files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT, tracked

TEXT = (ROOT / "docs" / "adding-a-topic.md").read_text()
FILE = re.compile(r"^`(\S+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("meta/", "playbooks/", "plugins/", "roles/", "tools/")
WRITTEN = {  # by tools/generate, and by tools/index
    "plugins/module_utils/arguments/sqs_queues.py",
    "roles/queues/README.md",
    "meta/runtime.yml",
    "plugins/module_utils/project/checks.py",
    "plugins/module_utils/project/removals.py",
}

# A queue is made, planned again, and torn down. Services other than SQS have no resources.
LIFE = """
import json
import boto3
from moto import mock_aws
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import converge_teardown
from ansible_collections.groundwork.aws.plugins.module_utils.topics.queues.run import converge_queues

class Nothing:
    def can_paginate(self, operation):
        return False
    def __getattr__(self, operation):
        return lambda **arguments: {}

class Clients:
    def client(self, service, **extra):
        return sqs if service == "sqs" else Nothing()

with mock_aws():
    sqs = boto3.client("sqs", region_name="eu-central-1")
    def run(converge, **options):
        return converge(Run({"environment_name": "dev", "tags": {}, **options}, Clients(), print))
    other = sqs.create_queue(QueueName="dev-by-hand")["QueueUrl"]
    results = [run(converge_queues, queues=[{"name": "mail", "retention": 3600}]) for _ in range(2)]
    results.append(run(converge_teardown, environment_confirm="dev", images=False, buckets=False, deadline=600))
    told = [[f"{one['action']} {one['resource']} {one['name']}" for one in result["changes"]] for result in results]
    left = sqs.list_queues()["QueueUrls"] == [other]
    print(json.dumps({"changes": told, "found": results[-1]["found"]["queue"], "left": left}))
"""


def run(argv: Sequence[Any], folder: Path, *, code: int = 0) -> str:
    """Return what a program prints in the copy, which is the collection that Python and Ansible find."""
    collections = str(folder.parents[2])
    own = {**os.environ, "PYTHONPATH": collections, "ANSIBLE_COLLECTIONS_PATH": collections}
    own |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    ran = subprocess.run([str(one) for one in argv], cwd=folder, env=own, check=False, capture_output=True, text=True)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the collection with the files and the lines of the text, and what tools/index writes."""
    folder = tmp_path_factory.mktemp("collections") / "ansible_collections" / "groundwork" / "aws"
    for name in (name for name in tracked() if name.startswith(COPIED)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    for name, text in FILE.findall(TEXT):
        assert not (folder / name).exists()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "lines.diff").write_text("".join(DIFF.findall(TEXT)))
    run(["git", "apply", "lines.diff"], folder)
    (folder / "lines.diff").unlink()
    for tool in ("generate", "index"):
        run([sys.executable, f"tools/{tool}"], folder)
    return folder


def test_three_lines_are_written_outside_of_the_topics_own_files(collection: Path) -> None:
    files = [path for path in collection.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    names = {str(path.relative_to(collection)) for path in files}
    own = {name for name, _text in FILE.findall(TEXT)}
    changed = {name for name in names - own - WRITTEN if (collection / name).read_bytes() != (ROOT / name).read_bytes()}
    assert changed == {"playbooks/site.yml"}
    was, now = ((folder / "playbooks" / "site.yml").read_text().splitlines() for folder in (ROOT, collection))
    differing = [line for line in ndiff(was, now) if line[0] in "+-" and line[1:].strip()]
    assert [line[0] for line in differing] == ["+", "+", "+"]


@pytest.mark.parametrize(
    ("retention", "problem"), [(5, "5 is out of range"), ("long", "'long' is not a whole number"), (3600, None)]
)
def test_the_preflight_knows_its_rules(collection: Path, retention: Any, problem: str | None) -> None:
    variables = {
        "environment_name": "dev",
        "aws_region": "eu-central-1",
        "queues_queues": [{"name": "mail", "retention": retention}],
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    argv = [program, "-i", "localhost,", "-e", json.dumps(variables), "playbooks/site.yml"]
    told = run(argv, collection, code=2)  # the variables of the other roles are missing
    tasks = [task for play in json.loads(told[told.index("{") :])["plays"] for task in play["tasks"]]
    problems = {one["variable"]: one["wrong"] for one in tasks[0]["hosts"]["localhost"]["problems"]}
    assert problems["network_cidr"] == "is missing"
    assert problems.get("queues_queues[0].retention") == problem


def test_the_teardown_removes_its_resources(collection: Path) -> None:
    told = json.loads(run([sys.executable, "-c", LIFE], collection))
    assert told == {"changes": [["create queue mail"], [], ["delete queue mail"]], "found": 0, "left": True}


def test_its_module_has_the_options_of_an_environment(collection: Path) -> None:
    runtime = (collection / "meta" / "runtime.yml").read_text()
    assert "    - sqs_queues\n" in runtime
    assert "    sqs_queues:\n      action_plugin: groundwork.aws.in_controller\n" in runtime
