"""MariaDB: what its answers say, what has to be said to it, and what is never shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from nasty_secrets import FOR_EVERYBODY, NOT_FOR_FPM

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import placeholder
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.mariadb import (
    FRESH,
    NATIVE,
    Database,
    Desired,
    Observed,
    User,
    converge,
    native_hash,
    observed,
    parse_mariadb,
    pattern_of,
    plan,
    report,
)

PASSWORD = "correct-horse-battery"
HASH = "*3EE9F23773B00B12326F2A3D2CBC8CD7956CACC7"
SHOP = Database("shop")
ACCOUNT = {"access": 0, "plugin": "mysql_native_password", "authentication_string": HASH}
ROOT = {"plugin": "unix_socket", "authentication_string": "", "auth_or": [{}]}
WANTED = Desired((SHOP,), (User("shop", ("localhost",), HASH, ("shop",)),))
THERE = Observed(
    databases={"shop": SHOP},
    accounts={("root", "localhost"): ROOT, ("shop", "localhost"): ACCOUNT},
    grants=frozenset({("shop", "localhost", "shop")}),
)
# As `mariadb --batch --raw` of MariaDB 10.11 answers, with fewer columns in mysql.db.
ANSWER = """\
database\tSCHEMA_NAME\tDEFAULT_CHARACTER_SET_NAME\tDEFAULT_COLLATION_NAME
database\tmy_shop\tutf8mb4\tutf8mb4_unicode_ci
used\tTABLE_SCHEMA
used\tmy_shop
account\tUser\tHost\tPriv
account\troot\tlocalhost\t{"access":1,"plugin":"unix_socket","authentication_string":"","auth_or":[{}]}
grant\tHost\tDb\tUser\tSelect_priv\tGrant_priv\tDelete_history_priv
grant\tlocalhost\tmy\\_shop\tshop\tY\tN\tY
grant\tlocalhost\tother\tshop\tY\tN\tN
grant\t%\ttest\t\tY\tN\tY
"""


def sql(desired: Desired, there: Observed) -> list[str]:
    return [text for statement in plan(desired, there) for text in statement.sql]


def test_the_hash_is_mariadbs_own() -> None:
    assert native_hash(PASSWORD) == HASH


def test_the_answer_is_understood() -> None:
    there = observed(ANSWER)
    assert there.databases == {"my_shop": Database("my_shop")}
    assert there.accounts == {("root", "localhost"): {"access": 1, **ROOT}}
    assert there.grants == frozenset({("shop", "localhost", "my_shop"), ("", "%", "test")})
    assert (there.anonymous, there.used) == (True, frozenset({"my_shop"}))


def test_a_server_without_grants_answers_less() -> None:
    assert observed("").grants == frozenset()


def test_what_is_there_is_left_alone() -> None:
    assert plan(WANTED, THERE) == []


def test_a_new_server_gets_everything() -> None:
    assert sql(WANTED, Observed()) == [
        "CREATE DATABASE IF NOT EXISTS `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        f"CREATE USER IF NOT EXISTS 'shop'@'localhost' IDENTIFIED VIA mysql_native_password USING '{HASH}'",
        "GRANT ALL PRIVILEGES ON `shop`.* TO 'shop'@'localhost'",
    ]


def with_accounts(**accounts: dict[str, Any]) -> Observed:
    named = {tuple(key.split("__")): value for key, value in accounts.items()}
    return Observed(THERE.databases, {**THERE.accounts, **named}, THERE.grants, THERE.anonymous, THERE.used)


DEBIANS_ROOT = {
    "plugin": "mysql_native_password",
    "authentication_string": "invalid",
    "auth_or": [{}, {"plugin": "unix_socket"}],
}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (
            with_accounts(root__localhost=DEBIANS_ROOT),
            ["ALTER USER 'root'@'localhost' IDENTIFIED VIA unix_socket"],
        ),
        (
            with_accounts(shop__localhost={**ACCOUNT, "authentication_string": "*OTHER"}),
            [f"ALTER USER 'shop'@'localhost' IDENTIFIED VIA mysql_native_password USING '{HASH}'"],
        ),
        (
            with_accounts(shop__localhost={**ACCOUNT, "auth_or": [{}, {"plugin": "unix_socket"}]}),
            [f"ALTER USER 'shop'@'localhost' IDENTIFIED VIA mysql_native_password USING '{HASH}'"],
        ),
        (
            Observed({**THERE.databases}, {("root", "%"): ROOT, **THERE.accounts}, THERE.grants),
            ["DROP USER 'root'@'%'"],
        ),
        (Observed({**THERE.databases}, {("", "%"): {}, **THERE.accounts}, THERE.grants), ["DROP USER ''@'%'"]),
        (
            Observed({**THERE.databases}, {("shop", "10.0.0.0/255.0.0.0"): ACCOUNT, **THERE.accounts}, THERE.grants),
            ["DROP USER 'shop'@'10.0.0.0/255.0.0.0'"],
        ),
        (Observed({**THERE.databases}, {("people", "%"): ACCOUNT, **THERE.accounts}, THERE.grants), []),
        (
            Observed({**THERE.databases, "test": Database("test")}, THERE.accounts, THERE.grants, anonymous=True),
            ["DELETE FROM mysql.db WHERE User = ''", "FLUSH PRIVILEGES", "DROP DATABASE `test`"],
        ),
        (
            Observed(
                {**THERE.databases, "test": Database("test")}, THERE.accounts, THERE.grants, used=frozenset({"test"})
            ),
            [],
        ),
        (
            Observed({"shop": Database("shop", "latin1", "latin1_swedish_ci")}, THERE.accounts, THERE.grants),
            ["ALTER DATABASE `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"],
        ),
        (Observed(THERE.databases, THERE.accounts), ["GRANT ALL PRIVILEGES ON `shop`.* TO 'shop'@'localhost'"]),
    ],
)
def test_what_is_wrong_is_mended(there: Observed, expected: list[str]) -> None:
    assert sql(WANTED, there) == expected


def test_an_underscore_stands_for_itself_in_a_grant() -> None:
    assert pattern_of("my_shop") == "my\\_shop"


def test_a_password_or_its_hash_is_never_shown() -> None:
    statements = [*plan(WANTED, Observed()), *plan(WANTED, with_accounts(shop__localhost={"plugin": "", "x": HASH}))]
    told = str(report(statements)) + repr(statements) + repr(WANTED)
    assert HASH not in told
    assert PASSWORD not in told


PATH = "/groundwork/dev/lamp/shop/database-password"
OPTIONS: dict[str, Any] = {
    "secrets": {PATH: PASSWORD},
    "databases": [{"name": "shop", "character_set": "utf8mb4", "collation": "utf8mb4_unicode_ci"}],
    "users": [
        {"name": "shop", "hosts": ["localhost", "10.20.0.0/16"], "password": placeholder(PATH), "databases": ["shop"]}
    ],
}


def user(**changes: Any) -> dict[str, Any]:
    return {**OPTIONS, "users": [{**OPTIONS["users"][0], **changes}]}


@pytest.mark.parametrize("password", [secret for secret in (*FOR_EVERYBODY, *NOT_FOR_FPM) if len(secret) >= 12])
def test_the_password_is_hashed_byte_for_byte(password: str) -> None:
    (parsed,) = parse_mariadb({**OPTIONS, "secrets": {PATH: password}}, Problems()).users
    assert parsed.password_hash == native_hash(password)


def test_a_plan_needs_no_password() -> None:
    problems = Problems()
    parse_mariadb({name: value for name, value in OPTIONS.items() if name != "secrets"}, problems)
    assert problems.found == []


@pytest.mark.parametrize("answer", ["", f"account\tshop\tlocalhost\t{HASH}"])
def test_no_hash_is_in_an_error(tmp_path, answer: str) -> None:
    """MariaDB cuts the statement off that it quotes, and the client has answered some questions before it fails."""
    socket = tmp_path / "mysqld.sock"
    socket.touch()
    near = f"syntax to use near 'VIA {NATIVE} USING '{HASH}' or '{HASH[:9]}"

    def failing(argv: Sequence[str], /, *, stdin: str = "") -> Done:
        return Done(1, answer, f"ERROR 1064 (42000) at line 2: {near}")

    with pytest.raises(GroundworkError, match="the client mariadb failed with exit code 1:\nERROR 1064") as failed:
        converge(failing, WANTED, str(socket), check_mode=False)
    assert HASH[1:9] not in str(failed.value)
    assert "account" not in str(failed.value)


def test_a_network_is_written_as_mariadb_knows_it() -> None:
    (parsed,) = parse_mariadb(OPTIONS, Problems()).users
    assert parsed.hosts == ("localhost", "10.20.0.0/255.255.0.0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {**OPTIONS, "secrets": {PATH: "0123456789a"}},
            f"secrets.{PATH}: the password is too short; use at least 12 characters.",
        ),
        (
            user(password=PASSWORD),
            "users[0].password: is not a placeholder for a password; write @groundwork(parameter:/path)@, and "
            "give the password in secrets by this path.",
        ),
        (
            {**OPTIONS, "secrets": {}},
            f"users[0].password: contains a placeholder for {PATH}, which is not in "
            f"secrets; add the value of this parameter to secrets.",
        ),
        (user(name="root"), "users[0].name: root can log in by the socket only; use another name."),
        (user(databases=["blog"]), "users[0].databases: 'blog' is not a database; use one of databases."),
        (
            user(hosts=["x' OR '"]),
            "users[0].hosts: 'x' OR '' is not a valid host; use localhost, a host name, an IP address or a CIDR block.",
        ),
        (
            user(hosts=["10.20.0.1/16"]),
            "users[0].hosts: '10.20.0.1/16' is not a valid IPv4 network (10.20.0.1/16 has host bits set); "
            "write it as 10.20.0.0/16.",
        ),
        (
            {**OPTIONS, "users": [], "databases": [{**OPTIONS["databases"][0], "name": "a`; DROP"}]},
            "databases[0]: 'a`; DROP' is not a valid name; use lower case letters, digits and "
            "underscores, a letter first.",
        ),
        ({**OPTIONS, "users": OPTIONS["users"] * 2}, "users: 'shop' is used twice; declare it once."),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], message: str) -> None:
    problems = Problems()
    parse_mariadb(options, problems)
    assert [str(problem) for problem in problems.found] == [message]


class FakeClient:
    """Answers the questions, and remembers what else was said."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.said: list[str] = []
        self.argvs: list[Sequence[str]] = []

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        self.argvs.append(argv)
        assert stdin.startswith("SET SESSION sql_log_off = 1, SESSION slow_query_log = 0;\n")
        if "SELECT" in stdin:
            return Done(0, self.answer, "")
        self.said.append(stdin)
        return Done(0, "", "")


def test_everything_is_said_at_once_and_by_standard_input(tmp_path) -> None:
    socket = tmp_path / "mysqld.sock"
    socket.touch()
    client = FakeClient("")
    assert converge(client, WANTED, str(socket), check_mode=False)["changed"]
    (said,) = client.said
    assert said.count(";\n") == 1 + 3
    assert HASH not in str(client.argvs)


def test_check_mode_says_nothing(tmp_path) -> None:
    socket = tmp_path / "mysqld.sock"
    socket.touch()
    client = FakeClient("")
    assert converge(client, WANTED, str(socket), check_mode=True)["changed"]
    assert client.said == []


def test_a_server_that_is_not_there_yet_is_planned(tmp_path) -> None:
    client = FakeClient("")
    told = converge(client, WANTED, str(tmp_path / "none"), check_mode=True, data=tmp_path)
    assert len(told["changes"]) == 4
    assert client.argvs == []


def test_a_server_that_is_stopped_is_known_by_its_files(tmp_path) -> None:
    for name in ("mysql", "shop", "performance_schema"):
        (tmp_path / name).mkdir()
    options = "default-character-set=utf8mb4\ndefault-collation=utf8mb4_unicode_ci\n"
    (tmp_path / "shop" / "db.opt").write_text(options)
    client = FakeClient("")

    def changes(desired: Desired) -> list[tuple[str, str, str]]:
        told = converge(client, desired, str(tmp_path / "none"), check_mode=True, data=tmp_path)
        return [(one["action"], one["resource"], one["name"]) for one in told["changes"]]

    assert changes(WANTED) == []
    blog = User("blog", ("localhost",), HASH, ("blog",))
    assert changes(Desired((*WANTED.databases, Database("blog")), (*WANTED.users, blog))) == [
        ("create", "database", "blog"),
        ("create", "user", "blog@localhost"),
        ("create", "grant", "blog to blog@localhost"),
    ]
    (tmp_path / "shop" / "db.opt").write_text(options.replace("unicode_ci", "bin"))
    assert changes(WANTED) == [("update", "database", "shop")]
    assert client.argvs == []


def test_a_server_that_is_not_there_is_an_error(tmp_path) -> None:
    with pytest.raises(GroundworkError, match="MariaDB is not running on this server"):
        converge(FakeClient(""), WANTED, str(tmp_path / "none"), check_mode=False)


def test_a_fresh_server_is_planned_with_root_by_the_socket_only() -> None:
    first, *others = plan(WANTED, FRESH)
    assert (first.action, first.resource, first.name) == ("update", "user", "root@localhost")
    assert others == plan(WANTED, Observed())
