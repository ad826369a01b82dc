"""The role `lamp` plans servers that do not exist yet from the data with which existing servers are configured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PASSWORD = "correct-horse-battery"
PLAYBOOK = """
- hosts: servers
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: groundwork.aws.lamp
"""
SERVER = {"server_planned": True, "ansible_connection": "ansible.builtin.ssh", "ansible_host": "192.0.2.1"}


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that runs the role with variables and returns the exit code and the output at -vvv."""
    folder = tmp_path_factory.mktemp("lamp")

    @cache
    def played(variables: str) -> tuple[int, str]:
        hosts = {
            name: {**SERVER, "server_name": name, "server_tier": name.removesuffix("-1")}
            for name in ("public-1", "private-1")
        }
        given = json.loads(variables)
        names = [site["name"] for site in given.get("lamp_sites", [{"name": "app"}])]
        shared = {
            "environment_name": "dev",
            "aws_region": "eu-central-1",
            "network_cidr": "10.20.0.0/16",
            "network_public_cidrs": ["10.20.0.0/24", "10.20.1.0/24"],
            "lamp_database_passwords": dict.fromkeys(names, PASSWORD),
            "lamp_archive_folder": str(folder / "archives"),
            **given,
        }
        (folder / "inventory.json").write_text(json.dumps({"servers": {"hosts": hosts, "vars": shared}}))
        (folder / "play.yml").write_text(PLAYBOOK)
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
        }
        ansible = Path(sys.executable).with_name("ansible-playbook")
        argv = [str(ansible), "-i", "inventory.json", "play.yml", "--check", "--diff", "-vvv"]
        done = subprocess.run(argv, cwd=folder, env=environment, check=False, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def with_variables(**variables: Any) -> tuple[int, str]:
        return played(json.dumps(variables))

    return with_variables


@pytest.fixture(scope="module")
def plan(play: Any) -> Any:
    """Return a function that runs the role with variables and returns the results by server and the output at -vvv."""

    def planned(**variables: Any) -> tuple[dict[str, Any], str]:
        code, printed = play(**variables)
        assert code == 0, printed
        return results(printed), printed

    return planned


def results(printed: str) -> dict[str, Any]:
    """Return the results of the planning task by server."""
    part = printed.split("Configure Apache, PHP and MariaDB, and release the applications]", maxsplit=1)[1].split(
        "\nTASK ", maxsplit=1
    )[0]
    decoder = json.JSONDecoder()
    found = {}
    for name in ("public-1", "private-1"):
        start = part.index(f"changed: [{name}] => ") + len(f"changed: [{name}] => ")
        found[name] = decoder.raw_decode(part[start:])[0]
    return found


def told(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(one["action"], one["resource"], one["name"]) for one in result["changes"]}


def test_no_connection_is_made(plan: Any) -> None:
    printed = plan()[1]
    assert "192.0.2.1" not in printed.replace('"ansible_host": "192.0.2.1"', "")
    assert "unreachable=0" in printed


def test_everything_of_a_server_is_told(plan: Any) -> None:
    planned = plan()[0]
    assert {
        ("install", "package", "apache2"),
        ("install", "package", "mariadb-server"),
        ("create", "account", "site-app"),
        ("create", "file", "/etc/apache2/sites-available/groundwork-01-app.conf"),
        ("create", "link", "/etc/apache2/mods-enabled/mpm_event.load"),
        ("create", "file", "/etc/php/8.2/fpm/pool.d/groundwork-app.conf"),
        ("start", "service", "apache2"),
        ("create", "database", "app"),
        ("create", "user", "app@localhost"),
        ("reload", "service", "php8.2-fpm"),
    } <= told(planned["public-1"])


def test_only_the_balancers_subnets_are_trusted(plan: Any) -> None:
    printed = plan()[1]
    assert printed.count("+RemoteIPInternalProxy 10.20.0.0/24") == 2
    assert printed.count("+RemoteIPInternalProxy") == 4
    https = "&& %{HTTP:X-Forwarded-Proto} == 'https'\" HTTPS=on"
    trusted = [line for line in printed.splitlines() if line.endswith(https)]
    places = {line.partition("-ipmatch '")[2].partition("'")[0] for line in trusted}
    assert (places, len(trusted)) == ({"10.20.0.0/24", "10.20.1.0/24", "127.0.0.1"}, 6)


def test_a_password_is_never_printed(plan: Any) -> None:
    for variables in ({}, {"lamp_sites": [{"name": "my-shop"}]}):
        printed = plan(**variables)[1]
        assert PASSWORD not in printed


def test_each_server_has_its_own_database_that_nobody_reaches(plan: Any) -> None:
    printed = plan()[1]
    assert printed.count("+bind-address = 127.0.0.1") == 2
    assert printed.count("+env[DB_HOST] = 'localhost'") == 2


def test_one_server_can_be_everybodys_database(plan: Any) -> None:
    planned, printed = plan(lamp_database_server="private-1")
    assert ("create", "user", "app@10.20.0.0/255.255.0.0") in told(planned["private-1"])
    assert ("install", "package", "mariadb-server") not in told(planned["public-1"])
    assert not {name for action, resource, name in told(planned["public-1"]) if resource in ("database", "user")}
    assert printed.count("+bind-address = (known after apply)") == 1
    assert printed.count("+env[DB_HOST] = '(known after apply)'") == 1


def test_a_managed_database_is_made_by_one_server(plan: Any) -> None:
    planned, printed = plan(lamp_database_server="managed", network_cidr="10.20.0.0/16")
    user = ("create", "user", "app@10.20.0.0/255.255.0.0")
    assert user in told(planned["public-1"]) or user in told(planned["private-1"])
    assert len([name for name in planned if user in told(planned[name])]) == 1
    for result in planned.values():
        assert ("install", "package", "mariadb-client") in told(result)
        assert ("install", "package", "mariadb-server") not in told(result)
        assert ("start", "service", "groundwork-database-ca") in told(result)
    assert printed.count("+env[DB_HOST] = '(known after apply)'") == 2


def test_sites_are_kept_apart(plan: Any) -> None:
    planned, printed = plan(lamp_sites=[{"name": "app"}, {"name": "my-shop", "server_names": ["shop.example.com"]}])
    assert {
        ("create", "account", "site-my-shop"),
        ("create", "account", "code-my-shop"),
        ("create", "directory", "/srv/www/my-shop/tmp"),
        ("create", "file", "/etc/apache2/sites-available/groundwork-02-my-shop.conf"),
        ("create", "database", "my_shop"),
        ("create", "grant", "my_shop to my_shop@localhost"),
    } <= told(planned["public-1"])
    assert "+user = site-my-shop" in printed
    assert "+    ServerName shop.example.com" in printed
    ready = "(-d '/srv/www/app/current' || -d '/srv/www/my-shop/current') "
    ready += "&& ! -e '/srv/www/app/.unready' && ! -e '/srv/www/my-shop/.unready' "
    assert f"{ready}|| ! (-R '10.20.0.0/24' || -R '10.20.1.0/24')" in printed


def test_a_release_by_its_id_is_made_current_and_nothing_is_packed(plan: Any, tmp_path: Path) -> None:
    packed = tmp_path / "app-3f2a9c01d4e5.tar.gz"
    packed.touch()
    planned = plan(lamp_release="3f2a9c01d4e5", lamp_archive_folder=str(tmp_path))[0]
    assert list(tmp_path.iterdir()) == [packed]
    assert {change[2] for change in told(planned["public-1"]) if "release" in change[1]} == {"app 3f2a9c01d4e5"}


def test_the_other_sites_are_released_beside_a_release_by_its_id(plan: Any, tmp_path: Path) -> None:
    (tmp_path / "app-3f2a9c01d4e5.tar.gz").touch()
    planned, _printed = plan(
        lamp_sites=[{"name": "app"}, {"name": "my-shop", "server_names": ["shop.example.com"]}],
        lamp_release="app:3f2a9c01d4e5",
        lamp_archive_folder=str(tmp_path),
    )
    app, shop = sorted(change[2] for change in told(planned["public-1"]) if change[1] == "release")
    assert app == "app 3f2a9c01d4e5"
    assert re.fullmatch("my-shop [0-9a-f]{12}", shop)


def test_a_release_that_is_nowhere_is_refused(play: Any, tmp_path: Path) -> None:
    code, printed = play(lamp_release="000000000000", lamp_archive_folder=str(tmp_path))
    assert code != 0
    for name in ("public-1", "private-1"):
        assert f"lamp_release: '000000000000' is neither on {name} nor packed in {tmp_path}" in printed
