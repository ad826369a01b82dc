"""A managed MariaDB: what its master user is asked for, where its password is, and what is told when it fails."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import placeholder
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.host import managed, mariadb
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.mariadb import (
    NATIVE,
    Database,
    Desired,
    Observed,
    User,
    native_hash,
)

MASTER = 'corr"ect\\horse'
HOST = "dev-database.c1.eu-central-1.rds.amazonaws.com"
HASH = native_hash("a password of a site")
CIDR = "10.20.0.0/255.255.0.0"
WANTED = Desired((Database("my_shop"),), (User("my_shop", (CIDR,), HASH, ("my_shop",)),))
ACCOUNT = {"access": 0, "plugin": NATIVE, "authentication_string": HASH}
COLUMNS = [*managed.PRIVILEGES.values(), "Grant_priv", "Delete_history_priv"]


def answer(*, master: str = "groundwork", less: str = "") -> str:
    """What the client says of a server with everything, apart from the privilege `less`."""
    cells = ["N" if name in (less, "Grant_priv", "Delete_history_priv") else "Y" for name in COLUMNS]
    lines = [
        "database\tSCHEMA_NAME\tDEFAULT_CHARACTER_SET_NAME\tDEFAULT_COLLATION_NAME",
        "database\tmy_shop\tutf8mb4\tutf8mb4_unicode_ci",
        "database\tmysql\tutf8mb4\tutf8mb4_general_ci",
        "used\tTABLE_SCHEMA",
        "used\tmysql",
        "account\tUser\tHost\tPriv",
        f'account\tmy_shop\t{CIDR}\t{{"access":0,"plugin":"{NATIVE}","authentication_string":"{HASH}"}}',
        f'account\t{master}\t%\t{{"access":1,"plugin":"{NATIVE}","authentication_string":"*00"}}',
        'account\trdsadmin\tlocalhost\t{"access":1}',
        "\t".join(["grant", "Host", "Db", "User", *COLUMNS]),
        "\t".join(["grant", CIDR, "my\\_shop", "my_shop", *cells]),
    ]
    return "".join(f"{line}\n" for line in lines)


def server(folder: Path, **given: Any) -> managed.Server:
    authorities = folder / "authorities.pem"
    authorities.touch()
    return managed.Server(
        **{
            "host": HOST,
            "port": 3306,
            "user": "groundwork",
            "authorities": str(authorities),
            "password": MASTER,
            **given,
        }
    )


class Client:
    """Answers in place of the client, and looks at its option file."""

    def __init__(self, said: str, failing: str = "") -> None:
        self.said = said
        self.failing = failing
        self.asked: list[str] = []
        self.argv: list[str] = []
        self.option_file = ""
        self.modes: list[int] = []
        self.path = Path()

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        self.asked.append(stdin)
        self.argv = list(argv)
        self.path = Path(argv[1].removeprefix("--defaults-file="))
        self.option_file = self.path.read_text()
        self.modes = [stat.S_IMODE(path.stat().st_mode) for path in (self.path, self.path.parent)]
        return Done(1, "", self.failing) if self.failing else Done(0, self.said, "")


@pytest.fixture(autouse=True)
def _client_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed.shutil, "which", lambda _name: "/usr/bin/mariadb")


def test_a_new_server_gets_everything(tmp_path: Path) -> None:
    client = Client("\n".join(line for line in answer().splitlines() if "my" not in line) + "\n")
    result = managed.converge(client, WANTED, server(tmp_path), check_mode=False, memory=tmp_path)
    assert [f"{one['action']} {one['resource']} {one['name']}" for one in result["changes"]] == [
        "create database my_shop",
        f"create user my_shop@{CIDR}",
        f"create grant my_shop to my_shop@{CIDR}",
    ]
    [_questions, sql] = client.asked
    assert f"IDENTIFIED VIA {NATIVE} USING '{HASH}'" in sql
    assert f"TRIGGER ON `my\\_shop`.* TO 'my_shop'@'{CIDR}'" in sql
    assert "GRANT ALL" not in sql
    assert HASH not in str(result)


def test_a_server_with_everything_is_asked_once(tmp_path: Path) -> None:
    client = Client(answer())
    assert managed.converge(client, WANTED, server(tmp_path), check_mode=False, memory=tmp_path)["changes"] == []
    assert client.asked == [mariadb.QUESTIONS]


def test_a_missing_privilege_is_granted(tmp_path: Path) -> None:
    client = Client(answer(less="Trigger_priv"))
    [change] = managed.converge(client, WANTED, server(tmp_path), check_mode=True, memory=tmp_path)["changes"]
    assert change["resource"] == "grant"


def test_users_of_others_stay(tmp_path: Path) -> None:
    assert tmp_path
    there = Observed(accounts={("rdsadmin", "localhost"): {}, ("root", "localhost"): {}, ("my_shop", "%"): ACCOUNT})
    dropped = [one.name for one in managed.plan(WANTED, there) if one.action == "delete"]
    assert dropped == ["my_shop@%"]


def test_the_password_is_in_memory_for_root_alone_and_only_meanwhile(tmp_path: Path) -> None:
    client = Client(answer())
    managed.converge(client, WANTED, server(tmp_path), check_mode=False, memory=tmp_path)
    assert client.argv[0] == "mariadb"
    assert not [word for word in client.argv if "horse" in word]
    assert 'password = "corr\\"ect\\\\horse"' in client.option_file
    assert "ssl-verify-server-cert" in client.option_file
    assert client.modes == [0o600, 0o700]
    assert not client.path.parent.exists()


@pytest.mark.parametrize("given", [{"host": KNOWN_AFTER_APPLY}, {"authorities": "/nowhere/authorities.pem"}])
def test_a_plan_before_the_server_is_there(tmp_path: Path, given: dict[str, str]) -> None:
    client = Client("")
    planned = managed.converge(client, WANTED, server(tmp_path, **given), check_mode=True, memory=tmp_path)
    assert [one["resource"] for one in planned["changes"]] == ["database", "user", "grant"]
    assert client.asked == []


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("ERROR 1045 (28000): Access denied for user 'groundwork'@'10.20.2.4'", "Run playbooks/rotate_database.yml"),
        ("ERROR 2002 (HY000): Can't connect to server on 'x' (115)", "must be among firewall_database_clients"),
        ("ERROR 2026 (HY000): TLS/SSL error: self-signed certificate", "the authorities in lamp_database_ca_url"),
        (f"ERROR 1064 (42000) near '{HASH}' and '{MASTER}'", "near '(secret, not shown)' and '(secret, not shown)'"),
    ],
)
def test_a_failure_has_a_remedy_and_no_secret(tmp_path: Path, words: str, remedy: str) -> None:
    client = Client("", failing=words)
    with pytest.raises(GroundworkError) as caught:
        managed.converge(client, WANTED, server(tmp_path), check_mode=False, memory=tmp_path)
    assert remedy in str(caught.value)
    assert f"Could not read the databases and users of {HOST}" in str(caught.value)
    assert HASH not in str(caught.value) and MASTER not in str(caught.value)
    assert not client.path.exists()


def test_what_is_refused() -> None:
    problems = Problems()
    path = "/groundwork/dev/database/master-password"
    given = {"host": "no host", "port": 3306, "user": "a b", "authorities": "/x", "password": placeholder(path)}
    managed.parse_server(given, {path: "correct-horse-battery"}, problems)
    assert [one.variable for one in problems.found] == ["server.host", "server.user"]
