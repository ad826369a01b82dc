from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from groundwork_lab.plane.databases.config import Files, account_statements, changes, literal, render
from groundwork_lab.plane.databases.programs import DatabaseError, version
from groundwork_lab.plane.databases.server import errors_of
from groundwork_lab.plane.databases.snapshots import Place, logs_since

FILES = Files(Path("/state/db-1"))
ADDRESS = IPv4Address("10.0.10.40")


def lines(parameters: dict[str, str], *, logged: bool = True) -> list[str]:
    return render(FILES, parameters, ADDRESS, 3306, logged=logged).splitlines()


def test_a_server_has_its_address_its_certificate_and_its_files() -> None:
    found = lines({})
    assert found[0] == "[mariadbd]"
    expected = (
        "user = mysql",
        "datadir = /state/db-1/volume/data",
        "bind_address = 10.0.10.40",
        "port = 3306",
        "ssl_cert = /state/db-1/server.pem",
        "log_bin = /state/db-1/logs/mysql-bin-changelog",
        "innodb_buffer_pool_size = 67108864",
    )
    assert set(expected) <= set(found)


def test_without_backups_there_are_no_binary_logs() -> None:
    found = lines({}, logged=False)
    assert "skip_log_bin" in found
    assert not any(line.startswith("log_bin") for line in found)


def test_parameters_have_the_names_of_options() -> None:
    found = lines({"time_zone": "Europe/Berlin", "innodb_buffer_pool_size": "134217728", "init_connect": 'SET @a="b"'})
    assert "default_time_zone = Europe/Berlin" in found
    assert "innodb_buffer_pool_size = 134217728" in found
    assert r'init_connect = "SET @a=\"b\""' in found


def test_a_parameter_does_not_override_what_the_lab_sets() -> None:
    found = lines({"port": "1"})
    assert found.index("port = 3306") > found.index("port = 1")


def test_changed_parameters_are_set() -> None:
    before = {"max_connections": "42", "time_zone": "UTC", "log_output": "TABLE", "sync_binlog": "1"}
    now = {"max_connections": "50", "log_output": "FILE", "sync_binlog": "1", "long_query_time": "0.5"}
    assert changes(before, now) == [
        "SET GLOBAL log_output = 'FILE'",
        "SET GLOBAL long_query_time = 0.5",
        "SET GLOBAL max_connections = 50",
        "SET GLOBAL time_zone = DEFAULT",
    ]


@pytest.mark.parametrize(("text", "expected"), [("a", "'a'"), ("a'b", "'a''b'"), ("a\\'", "'a\\\\'''")])
def test_a_string_of_sql(text: str, expected: str) -> None:
    assert literal(text) == expected


def test_the_master_user_has_no_privilege_of_the_server() -> None:
    *_, grant = account_statements("admin", "secret", "shop")
    assert grant.startswith("GRANT SELECT, INSERT")
    assert grant.endswith("ON *.* TO 'admin'@'%' WITH GRANT OPTION")
    assert not {"SUPER", "FILE", "SHUTDOWN"} & set(grant.replace(",", "").split())
    assert account_statements("admin", "secret", "shop")[0] == "CREATE DATABASE IF NOT EXISTS `shop`"
    assert not any("DATABASE IF" in each for each in account_statements("admin", "secret", ""))


def test_the_version_of_the_package() -> None:
    assert version("mariadbd  Ver 11.8.3-MariaDB-0+deb13u1 for debian-linux-gnu on x86_64 (Debian 13)") == "11.8.3"
    with pytest.raises(DatabaseError, match="does not tell its version"):
        version("mysqld")


def test_the_last_errors_of_a_log() -> None:
    log = "1 [Note] a\n2 [ERROR] first\n3 [ERROR] second\n4 [Warning] b\n5 [ERROR] third\n6 [ERROR] fourth\n"
    assert errors_of(log) == "second third fourth"
    assert errors_of("1 [Note] a\n") == ""


def test_the_binary_logs_from_a_place_on(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.logs.mkdir()
    for name in ("000001", "000002", "000003", "index"):
        Path(f"{files.log_names}.{name}").touch()
    found = logs_since(Place(str(tmp_path), "mysql-bin-changelog.000002", 4))
    assert [each.name[-6:] for each in found] == ["000002", "000003"]
