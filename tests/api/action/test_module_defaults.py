"""Options of the connection are given once, by `module_defaults` with the action group of the modules that call AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from cloud import Cloud

from groundwork_lab.credentials import ACCESS_KEY

ROOT = Path(__file__).parents[3]
MODULES = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if "run_module" in path.read_text()}
# A module of each action plugin that modules of AWS have.
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  module_defaults:
    group/groundwork.aws.aws:
      environment_name: dev
      profile: shop
      region: eu-central-1
      endpoint_url: "{{ endpoint }}"
      aws_config: {user_agent_extra: given-once, retries: {mode: standard, max_attempts: 2}}
  tasks:
    - groundwork.aws.ec2_vpc_network:
        cidr: 10.20.0.0/16
        zones: [eu-central-1a]
    - groundwork.aws.ssm_generated_secret:
        name: /groundwork/dev/lamp/shop/database-password
        component: lamp
    - groundwork.aws.http_probe:
        probes: [{name: shop, url: "{{ endpoint }}", servers: [public-1]}]
"""


def test_a_group_has_every_module_that_calls_aws() -> None:
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    assert set(groups["aws"]) == MODULES and len(groups["aws"]) == len(MODULES)


def test_the_connection_is_given_once(tmp_path: Path, cloud: Cloud) -> None:
    """The credentials are in the profile alone, the endpoint and the region in the defaults alone."""
    (tmp_path / "credentials").write_text(
        f"[shop]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = correct-horse-battery\n"
    )
    (tmp_path / "play.yml").write_text(PLAY)
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    own |= {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "play.yml", "--check"]
    argv += ["-e", json.dumps({"endpoint": cloud.endpoint})]
    ran = subprocess.run(argv, cwd=tmp_path, env=own, check=False, capture_output=True, text=True)
    tasks = json.loads(ran.stdout[ran.stdout.index("{") :])["plays"][0]["tasks"]
    results = [task["hosts"]["localhost"] for task in tasks]
    assert [result.get("msg") for result in results if result.get("failed")] == []
    assert len(results) == 3
    given = results[0]["invocation"]["module_args"]
    assert (given["profile"], given["aws_config"]["retries"]["max_attempts"]) == ("shop", 2)
