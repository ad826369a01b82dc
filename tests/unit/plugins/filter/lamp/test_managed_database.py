"""Sites on the managed database: what servers run, what sites get, and which server makes the databases."""

from __future__ import annotations

import ast
import subprocess
import sys
import typing as t

import pytest
from lamp_variables import given

from ansible_collections.groundwork.aws.plugins.filter.lamp import lamp
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.authorities import BUNDLE, PROGRAM, UNIT

ADDRESS = "dev-database.c1.eu-central-1.rds.amazonaws.com"
MASTER = "@groundwork(parameter:/groundwork/dev/database/master-password)@"


def variables(**more: t.Any) -> dict[str, t.Any]:
    return given(**{"database_server": "managed", "database_address": ADDRESS, **more})


def files(found: t.Any) -> dict[str, t.Any]:
    return {one["path"]: one for one in found["files"]}


def test_servers_have_the_client_and_run_no_database() -> None:
    found = lamp(variables(), "configuration")
    assert "mariadb-client" in found["packages"]
    assert "mariadb-server" not in found["packages"]
    services = {one["name"]: one.get("state", "started") for one in found["services"]}
    assert (services["mariadb"], services["groundwork-database-ca"]) == ("stopped", "started")
    image = lamp(variables(), "image_configuration")
    assert "mariadb-client" in image["packages"]
    assert "mariadb-server" not in image["packages"]
    assert "mariadb" not in lamp(variables(), "watched")["services"]


def test_sites_get_the_name_of_the_database_and_its_authorities() -> None:
    found = files(lamp(variables(), "configuration"))
    pool = found["/etc/php/8.2/fpm/pool.d/groundwork-app.conf"]["content"]
    assert f"env[DB_HOST] = '{ADDRESS}'" in pool
    assert f"env[DB_SSL_CA] = '{BUNDLE}'" in pool
    environment = found["/etc/groundwork/sites/app/environment"]["content"]
    assert f'DB_SSL_CA="{BUNDLE}"' in environment


def test_sites_without_a_managed_database_have_nothing_of_it() -> None:
    for own in (
        given(),
        given(database_server="private-1"),
        variables(sites=[{"name": "app", "database": False}]),
    ):
        found = lamp(own, "configuration")
        assert not {PROGRAM, UNIT} & set(files(found))
        assert "mariadb-client" not in found["packages"]
        assert {PROGRAM, UNIT} <= {one["pattern"] for one in found["purge"]}
        assert "groundwork-database-ca" in found["purge_services"]
        assert "DB_SSL_CA" not in str(files(found))


def test_one_server_makes_the_databases() -> None:
    assert lamp(variables(), "databases") is None
    found = lamp(variables(database_maker=True, sites=[{"name": "app"}, {"name": "my-shop"}]), "databases")
    assert found["server"] == {
        "host": ADDRESS,
        "port": 3306,
        "user": "groundwork",
        "password": MASTER,
        "authorities": BUNDLE,
    }
    assert found["databases"] == [{"name": "app"}, {"name": "my_shop"}]
    assert [(user["name"], user["hosts"]) for user in found["users"]] == [
        ("app", ["10.20.0.0/16"]),
        ("my_shop", ["10.20.0.0/16"]),
    ]
    assert lamp(variables(database_maker=True, sites=[{"name": "app", "database": False}]), "databases") is None


def test_the_master_password_is_in_no_file_and_no_kept_secret() -> None:
    own = variables(database_maker=True)
    assert "master-password" not in str(lamp(own, "configuration"))
    assert [one["name"] for one in lamp(own, "kept_secrets")] == ["/groundwork/dev/lamp/app/database-password"]


def program() -> str:
    return str(
        files(lamp(variables(database_ca_url="https://example.test/bundle.pem"), "configuration"))[PROGRAM]["content"]
    )


def test_the_authorities_are_fetched_by_a_valid_program() -> None:
    ast.parse(program())
    assert 'URL = "https://example.test/bundle.pem"' in program()
    assert f"ExecStart={PROGRAM}" in files(lamp(variables(), "configuration"))[UNIT]["content"]


@pytest.mark.parametrize(("exists", "code"), [(True, 0), (False, 1)])
def test_without_an_answer_the_former_authorities_stay(tmp_path: t.Any, exists: bool, code: int) -> None:
    bundle = tmp_path / "bundle.pem"
    if exists:
        bundle.write_text("of the last boot")
    text = program().replace(BUNDLE, str(bundle)).replace("PATIENCE = 120", "PATIENCE = 0")
    text = text.replace("https://example.test/bundle.pem", "https://127.0.0.1:1/bundle.pem")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode, bundle.exists()) == (code, exists)
    assert "https://127.0.0.1:1/bundle.pem: " in done.stdout
    assert not exists or bundle.read_text() == "of the last boot"
