"""A module gives the same in Ansible's own process and in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml
from cloud import Cloud

from groundwork_lab.credentials import ACCESS_KEY

ROOT = Path(__file__).parents[3]
SECRET = "correct-horse-battery"
PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    groundwork.aws.ec2_vpc_network: {environment_name: dev, region: eu-central-1}
  tasks:
    - groundwork.aws.ec2_vpc_network:
        cidr: "{{ item }}"
        zones: [eu-central-1a, eu-central-1b]
      loop: [10.20.0.0/16, 193.0.0.0/16, 10.20.0.0/33]
      ignore_errors: true # the wrong value is one of the cases
      check_mode: true
      diff: true
"""


def played(folder: Path, endpoint: str, **environment: str) -> tuple[dict[str, t.Any], str]:
    """The loop's result, and what was printed at -vvv; `environment` is the task's."""
    play = yaml.safe_load(PLAY)
    play[0]["tasks"][0]["environment"] = environment
    (folder / "play.yml").write_text(json.dumps(play))
    own = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "-vvv"]
    argv += ["-e", "ansible_python_interpreter={{ ansible_playbook_python }}", "play.yml"]
    done = subprocess.run(argv, cwd=folder, env={**os.environ, **own}, check=False, capture_output=True, text=True)
    start = done.stdout.find('{\n    "custom_stats"')
    assert done.returncode == 0 and start >= 0, done.stdout + done.stderr
    output, _end = json.JSONDecoder().raw_decode(done.stdout[start:])
    return output["plays"][0]["tasks"][0]["hosts"]["localhost"], done.stdout


def test_it_gives_the_same_in_both_places(tmp_path: Path, cloud: Cloud) -> None:
    here, printed = played(tmp_path, cloud.endpoint)
    beside, printed_beside = played(tmp_path, cloud.endpoint, SOMETHING="set")
    assert "EXEC" not in printed and "EXEC" in printed_beside
    good, _odd, bad = here["results"]
    assert good["diff"] and good["changes"][0] == {"action": "create", "resource": "vpc", "name": "main"}
    if "invocation" in good:  # ansible-core 2.21 does not tell it of the items of a loop
        assert good["invocation"]["module_args"]["secret_key"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
        assert good["invocation"]["module_args"]["subnet_prefix"] == 24  # a default of the module's spec
    assert any("not private address space" in warning for warning in here["warnings"])
    assert "cidr" in bad["msg"]
    assert here == beside
    assert SECRET not in printed
