"""Every playbook parses without a deprecation of ours, and the names of others' variables stay in one kind of file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from deprecations import own_deprecations

ROOT = Path(__file__).parents[2]
PLAYBOOKS = ["site.yml", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("playbooks/*.yml"))]
# A word that begins with the prefix of amazon.aws' variables, unless it is part of a module's name with its collection.
VARIABLE = re.compile(r"(?<!\w)(?<!aws\.)ec2_\w+")


def test_every_playbook_parses_without_a_deprecation() -> None:
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "--syntax-check", "-i", "localhost,", *PLAYBOOKS]
    own = {**os.environ, "ANSIBLE_DEPRECATION_WARNINGS": "true", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    checked = subprocess.run(argv, cwd=ROOT, env=own, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert own_deprecations(checked.stderr) == []


def test_only_the_inventories_name_variables_of_amazon_aws() -> None:
    """They differ between its versions, so the inventories compose variables of the collection's own."""
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    files = [
        path
        for folder in ("roles", "playbooks", "inventories")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".yml", ".j2") and not path.name.startswith("aws_ec2.yml")
    ]
    named = {f"{path.relative_to(ROOT)}: {word}" for path in files for word in VARIABLE.findall(path.read_text())}
    assert len(files) > 50
    assert {one for one in named if one.rpartition(" ")[2] not in modules} == set()


def test_attributes_have_defaults_that_jinja_uses() -> None:
    """The filter `map` takes `default=none` for no default, and an element without the attribute is an error."""
    files = [path for folder in ("roles", "playbooks") for path in (ROOT / folder).rglob("*.yml")]
    assert [str(path.relative_to(ROOT)) for path in files if re.search(r"default=none\b", path.read_text(), re.I)] == []


def test_no_server_restores_before_all_have_made_their_backups() -> None:
    plays = yaml.safe_load((ROOT / "playbooks" / "restore.yml").read_text())
    [strategy] = [play.get("strategy") for play in plays if play["name"] == "Restore the data"]
    assert strategy == "linear"


def test_every_playbook_takes_the_lock_after_the_preflight_and_releases_it_last() -> None:
    creating = {"inventory"}  # makes an inventory, and calls no AWS
    looking = {"status", "logs", "run", "ssh_config"}  # change nothing at AWS, and must work while another run hangs
    for path in (ROOT / "playbooks").glob("*.yml"):
        tasks = re.findall(r"groundwork\.aws\.preflight|tasks/take_lock\.yml|tasks/end_run\.yml", path.read_text())
        if path.stem not in creating | looking:
            assert (tasks[0], tasks[1], tasks[-1]) == (
                "groundwork.aws.preflight",
                "tasks/take_lock.yml",
                "tasks/end_run.yml",
            ), path.name
