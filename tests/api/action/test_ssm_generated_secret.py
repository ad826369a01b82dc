"""A generated secret can be registered, and is not shown: neither in a loop nor at -vvv, on this machine or another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cloud import Cloud

from groundwork_lab.credentials import ACCESS_KEY

ROOT = Path(__file__).parents[3]
PARAMETER = "/groundwork/dev/lamp/shop/database-password"
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - groundwork.aws.ssm_generated_secret:
        environment_name: dev
        region: eu-central-1
        component: lamp
        name: "{{ item }}"
      loop: [/groundwork/dev/lamp/shop/database-password, aws]
      register: secrets
      environment: "{{ elsewhere }}"
      ignore_errors: true # the wrong value is one of the cases
    - ansible.builtin.assert:
        that: secrets.results[0].value | length == 32
"""


@pytest.mark.parametrize("elsewhere", ["{}", '{"SOMETHING": "set"}'], ids=["in Ansible's process", "in its own"])
def test_nothing_of_a_secret_is_shown_but_a_failure_is(tmp_path: Path, cloud: Cloud, elsewhere: str) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    own = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "tmp"),
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "correct-horse-battery",
    }
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "-vvvv"]
    argv += ["-e", "ansible_python_interpreter={{ ansible_playbook_python }}", "-e", f'{{"elsewhere": {elsewhere}}}']
    done = subprocess.run(
        [*argv, "play.yml"], cwd=tmp_path, env={**os.environ, **own}, check=False, capture_output=True, text=True
    )
    value = cloud.of("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]["Value"]
    told = done.stdout + done.stderr + (tmp_path / "log").read_text()
    assert done.returncode == 0, told
    assert value not in told
    assert "name: 'aws' is not a valid parameter path" in told
