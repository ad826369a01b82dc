"""The values of parameters: ranges, lists and formulas."""

from __future__ import annotations

import pytest

from groundwork_lab.aws.rds.parameters import GIB, effective, evaluated, permits, table


@pytest.mark.parametrize(
    ("name", "value", "permitted"),
    [
        ("max_connections", "10", True),
        ("max_connections", "9", False),
        ("max_connections", "1.5", False),
        ("long_query_time", "0.5", True),
        ("require_secure_transport", "1", True),
        ("require_secure_transport", "ON", False),
        ("binlog_format", "row", True),
        ("sql_mode", "STRICT_TRANS_TABLES,NO_ZERO_DATE", True),
        ("sql_mode", "STRICT_TRANS_TABLES,NONE", False),
        ("collation_server", "utf8mb4_unicode_ci", True),
        ("init_connect", "SET NAMES utf8mb4", True),
        ("init_connect", "SET NAMES utf8mb4\nport = 1", False),
        ("read_only", "{TrueIfReplica}", True),
        ("innodb_buffer_pool_size", "{DBInstanceClassMemory*1/2}", True),
        ("innodb_buffer_pool_size", "{__import__}", False),
    ],
)
def test_what_a_parameter_permits(name: str, value: str, permitted: bool) -> None:
    assert permits(table()[name], value) is permitted


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("50", "50"),
        ("{DBInstanceClassMemory*3/4}", str(2 * GIB * 3 // 4)),
        ("LEAST({DBInstanceClassMemory/25165760},12000)", "85"),
        ("GREATEST({DBInstanceClassMemory/25165760},100)", "100"),
        ("SUM({AllocatedStorage/1073741824},1)", "21"),
        ("{EndPointPort}", "3306"),
    ],
)
def test_a_formula_is_evaluated(formula: str, expected: str) -> None:
    assert evaluated(formula, 2 * GIB, 20, 3306) == expected


@pytest.mark.parametrize("formula", ["{", "{Unknown}", "{1/0}", "f({EndPointPort})", "{EndPointPort**9}", "{'a'}"])
def test_what_is_no_formula(formula: str) -> None:
    with pytest.raises(ValueError, match="formula"):
        evaluated(formula, GIB, 20, 3306)


@pytest.mark.parametrize(("family", "value"), [("mariadb10.11", "0"), ("mariadb11.8", "1")])
def test_newer_servers_require_tls(family: str, value: str) -> None:
    assert effective({}, family, GIB, 20, 3306)["require_secure_transport"] == value
