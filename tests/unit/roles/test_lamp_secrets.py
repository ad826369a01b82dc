"""Errors in the passwords of an inventory contain the variable's name and never the password."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORD = "Jq7xW2kTz9"
NUMBER = "1234567890123456"
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - groundwork.aws.preflight: {roles: [network, firewall, servers, lamp]}
"""
SHARED = """
    environment_name: dev
    aws_region: eu-central-1
    network_cidr: 10.20.0.0/16
    network_zones: [eu-central-1a]
    firewall_admin_cidrs: [198.51.100.7/32]
    servers_directory: /srv/environments/dev
    servers_tiers: {public: {count: 1, instance_type: t3.small}}
"""
NAME = "lamp_database_passwords"
GIVEN = {
    "template": (f'{NAME}: {{app: "{WORD}-{{{{ 1 + }}}}"}}', f"{NAME}: the template of the value fails"),
    "undefined": (f'{NAME}: {{app: "{WORD}-{{{{ {WORD} }}}}"}}', f"{NAME}: the template of the value fails"),
    "list": (f"{NAME}: [{WORD}-password]", f"{NAME}: the value is not a dictionary"),
    "text": (f"{NAME}: {WORD}-password", f"{NAME}: the value is not a dictionary"),
    "list-inside": (f"{NAME}: {{app: [{WORD}-password]}}", f"{NAME}.app: the password is not text"),
    "dictionary-inside": (f"{NAME}: {{app: {{value: {WORD}-password}}}}", f"{NAME}.app: the password is not text"),
    "number": (f"{NAME}: {{app: {NUMBER}}}", f"{NAME}.app: the password is not text"),
    "line-break": (f'{NAME}: {{app: "{WORD}\\npassword"}}', f"{NAME}.app: php-fpm cannot read this password"),
    "site": (f"{NAME}: {{appp: {WORD}-password}}", f"{NAME}.appp: is not the name of a site"),
    "misspelt": (f"lamp_database_password: {{app: {WORD}-password}}", f"did you mean {NAME}"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the complete output of a run with a host for each of these passwords."""
    folder = tmp_path_factory.mktemp("passwords")
    (folder / "play.yml").write_text(PLAY)
    hosts = "".join(f"    {host}:\n      {given}\n" for host, (given, _wrong) in GIVEN.items())
    (folder / "inventory.yml").write_text(f"all:\n  vars:{SHARED}  hosts:\n{hosts}")
    own = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_LOG_PATH": str(folder / "log"),
    }
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.yml", "-vvvv", "play.yml"]
    done = subprocess.run(
        argv, cwd=folder, env={**os.environ, **own}, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stdout + done.stderr + (folder / "log").read_text()


@pytest.mark.parametrize("host", GIVEN)
def test_a_wrong_password_is_refused_by_name(host: str, told: str) -> None:
    part = rf"^fatal: \[{host}\]: FAILED! =>(.*?)(?=^fatal|^PLAY)"
    message = re.findall(part, told, re.DOTALL | re.MULTILINE)[0]
    assert GIVEN[host][1] in message


def test_no_password_is_told(told: str) -> None:
    assert [line for line in told.splitlines() if WORD in line or NUMBER in line] == []
