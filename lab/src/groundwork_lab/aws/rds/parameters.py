"""The parameters of MariaDB that DB parameter groups have, with their values and rules. Pure functions.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.MariaDB.Parameters.html and
https://mariadb.com/docs/server/server-management/variables-and-modes/server-system-variables
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal, NamedTuple

GIB = 2**30
ApplyType = Literal["static", "dynamic"]


class Parameter(NamedTuple):
    """A parameter. `default` is RDS' value, a formula, or "" for MariaDB's own default."""

    name: str
    default: str
    allowed: str  # `0-1`, `ON,OFF`, or "" for any text
    type: Literal["boolean", "integer", "float", "string", "list"]
    apply: ApplyType
    modifiable: bool
    description: str


SWITCH = "0,1"
CHARACTER_SETS = (
    "big5,dec8,cp850,hp8,koi8r,latin1,latin2,swe7,ascii,ujis,sjis,hebrew,tis620,euckr,koi8u,gb2312,greek,cp1250,gbk,"
    "latin5,armscii8,utf8,utf8mb3,utf8mb4,ucs2,cp866,keybcs2,macce,macroman,cp852,latin7,cp1251,cp1256,cp1257,binary,"
    "geostd8,cp932,eucjpms"
)
TIME_ZONES = (
    "Africa/Cairo,Africa/Casablanca,Africa/Harare,Africa/Johannesburg,Africa/Lagos,Africa/Nairobi,America/Bogota,"
    "America/Buenos_Aires,America/Caracas,America/Chicago,America/Denver,America/Halifax,America/Los_Angeles,"
    "America/Mexico_City,America/New_York,America/Phoenix,America/Santiago,America/Sao_Paulo,America/Toronto,"
    "Asia/Baghdad,Asia/Bangkok,Asia/Calcutta,Asia/Dhaka,Asia/Dubai,Asia/Hong_Kong,Asia/Istanbul,Asia/Jakarta,"
    "Asia/Jerusalem,Asia/Karachi,Asia/Kolkata,Asia/Manila,Asia/Riyadh,Asia/Seoul,Asia/Shanghai,Asia/Singapore,"
    "Asia/Taipei,Asia/Tehran,Asia/Tokyo,Australia/Adelaide,Australia/Brisbane,Australia/Melbourne,Australia/Perth,"
    "Australia/Sydney,Brazil/East,Canada/Eastern,Europe/Amsterdam,Europe/Athens,Europe/Berlin,Europe/Brussels,"
    "Europe/Bucharest,Europe/Budapest,Europe/Dublin,Europe/Helsinki,Europe/Istanbul,Europe/Kiev,Europe/Lisbon,"
    "Europe/London,Europe/Madrid,Europe/Moscow,Europe/Paris,Europe/Prague,Europe/Rome,Europe/Sarajevo,Europe/Sofia,"
    "Europe/Stockholm,Europe/Vienna,Europe/Warsaw,Europe/Zurich,Pacific/Auckland,Pacific/Honolulu,US/Alaska,"
    "US/Central,US/Eastern,US/Mountain,US/Pacific,UTC"
)
MODES = (
    "ALLOW_INVALID_DATES,ANSI_QUOTES,EMPTY_STRING_IS_NULL,ERROR_FOR_DIVISION_BY_ZERO,HIGH_NOT_PRECEDENCE,IGNORE_SPACE,"
    "NO_AUTO_CREATE_USER,NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,NO_DIR_IN_CREATE,NO_ENGINE_SUBSTITUTION,"
    "NO_UNSIGNED_SUBTRACTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT,"
    "REAL_AS_FLOAT,SIMULTANEOUS_ASSIGNMENT,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,TIME_ROUND_FRACTIONAL,TRADITIONAL"
)
_NUMBER = "integer"


def _rows() -> tuple[Parameter, ...]:
    dynamic, static = "dynamic", "static"
    rows: tuple[tuple[str, str, str, str, str, bool, str], ...] = (
        # name, default, allowed values, data type, apply type, modifiable, description
        ("auto_increment_increment", "", "1-65535", _NUMBER, dynamic, True, "Step of AUTO_INCREMENT columns"),
        ("auto_increment_offset", "", "1-65535", _NUMBER, dynamic, True, "Start of AUTO_INCREMENT columns"),
        ("autocommit", "", SWITCH, "boolean", dynamic, True, "Whether each statement is a transaction"),
        ("back_log", "", "1-65535", _NUMBER, static, True, "Connection requests that may wait"),
        ("basedir", "/rdsdbbin/mariadb", "", "string", static, False, "Folder of the installation"),
        ("binlog_cache_size", "32768", "4096-18446744073709547520", _NUMBER, dynamic, True, "Cache of a transaction"),
        ("binlog_format", "MIXED", "STATEMENT,MIXED,ROW", "string", dynamic, True, "Format of the binary log"),
        ("binlog_row_image", "", "FULL,MINIMAL,NOBLOB,FULL_NODUP", "string", dynamic, True, "Columns of a logged row"),
        ("character_set_client", "", CHARACTER_SETS, "string", dynamic, True, "Character set of statements"),
        ("character_set_connection", "", CHARACTER_SETS, "string", dynamic, True, "Character set of literals"),
        ("character_set_database", "", CHARACTER_SETS, "string", dynamic, True, "Character set of the database"),
        ("character_set_results", "", CHARACTER_SETS, "string", dynamic, True, "Character set of results"),
        ("character_set_server", "", CHARACTER_SETS, "string", dynamic, True, "Default character set of databases"),
        ("collation_connection", "", "", "string", dynamic, True, "Collation of the connection"),
        ("collation_server", "", "", "string", dynamic, True, "Default collation of databases"),
        ("connect_timeout", "", "2-31536000", _NUMBER, dynamic, True, "Seconds to wait for a connect packet"),
        ("datadir", "/rdsdbdata/db/", "", "string", static, False, "Folder of the data"),
        ("default_password_lifetime", "", "0-65535", _NUMBER, dynamic, True, "Days until passwords expire"),
        ("default_storage_engine", "InnoDB", "", "string", dynamic, False, "Default storage engine"),
        ("default_week_format", "", "0-7", _NUMBER, dynamic, True, "Default mode of WEEK()"),
        ("div_precision_increment", "", "0-30", _NUMBER, dynamic, True, "Digits that division adds"),
        ("event_scheduler", "", "ON,OFF", "string", dynamic, True, "Whether events are executed"),
        ("explicit_defaults_for_timestamp", "", SWITCH, "boolean", dynamic, True, "Defaults of TIMESTAMP columns"),
        ("ft_max_word_len", "", "10-84", _NUMBER, static, True, "Longest word of a full-text index"),
        ("ft_min_word_len", "", "1-84", _NUMBER, static, True, "Shortest word of a full-text index"),
        ("general_log", "", SWITCH, "boolean", dynamic, True, "Whether the general log is enabled"),
        ("group_concat_max_len", "", "4-18446744073709551615", _NUMBER, dynamic, True, "Longest GROUP_CONCAT()"),
        ("histogram_size", "", "0-255", _NUMBER, dynamic, True, "Bytes of a histogram"),
        ("init_connect", "", "", "string", dynamic, True, "Statements for each client that connects"),
        ("innodb_adaptive_hash_index", "", SWITCH, "boolean", dynamic, True, "Whether hash indexes are built"),
        ("innodb_autoinc_lock_mode", "", "0-2", _NUMBER, static, True, "Lock mode of AUTO_INCREMENT"),
        (
            "innodb_buffer_pool_size",
            "{DBInstanceClassMemory*3/4}",
            "5242880-18446744073709551615",
            _NUMBER,
            dynamic,
            True,
            "Bytes of the buffer pool",
        ),
        ("innodb_data_home_dir", "/rdsdbdata/db/innodb", "", "string", static, False, "Folder of InnoDB's data"),
        ("innodb_file_per_table", "1", SWITCH, "boolean", dynamic, True, "Whether each table has a file"),
        ("innodb_flush_log_at_trx_commit", "1", "0-3", _NUMBER, dynamic, True, "When the redo log is flushed"),
        ("innodb_flush_method", "O_DIRECT", "", "string", static, False, "How InnoDB flushes"),
        ("innodb_flush_neighbors", "", "0-2", _NUMBER, dynamic, True, "Whether neighboring pages are flushed"),
        ("innodb_ft_max_token_size", "", "10-84", _NUMBER, static, True, "Longest word of InnoDB's full-text index"),
        ("innodb_ft_min_token_size", "", "0-16", _NUMBER, static, True, "Shortest word of InnoDB's full-text index"),
        ("innodb_io_capacity", "", "100-18446744073709551615", _NUMBER, dynamic, True, "IOPS of background tasks"),
        ("innodb_io_capacity_max", "", "100-18446744073709551615", _NUMBER, dynamic, True, "Most IOPS of these tasks"),
        ("innodb_lock_wait_timeout", "", "0-100000000", _NUMBER, dynamic, True, "Seconds to wait for a row lock"),
        ("innodb_log_buffer_size", "8388608", "2097152-4294967295", _NUMBER, static, True, "Bytes of the log buffer"),
        ("innodb_log_file_size", "134217728", "4194304-549755813888", _NUMBER, static, True, "Bytes of the redo log"),
        ("innodb_max_dirty_pages_pct", "", "0-99.999", "float", dynamic, True, "Percentage of dirty pages"),
        ("innodb_open_files", "", "10-4294967295", _NUMBER, static, True, "Files that InnoDB keeps open"),
        ("innodb_print_all_deadlocks", "", SWITCH, "boolean", dynamic, True, "Whether deadlocks are logged"),
        ("innodb_read_io_threads", "", "1-64", _NUMBER, dynamic, True, "Threads that read"),
        ("innodb_rollback_on_timeout", "", SWITCH, "boolean", static, True, "Rollback of the transaction on timeout"),
        ("innodb_sort_buffer_size", "", "65536-67108864", _NUMBER, static, True, "Bytes of a sort buffer"),
        ("innodb_stats_on_metadata", "", SWITCH, "boolean", dynamic, True, "Statistics with metadata statements"),
        ("innodb_stats_persistent", "", SWITCH, "boolean", dynamic, True, "Whether statistics are stored"),
        ("innodb_strict_mode", "", SWITCH, "boolean", dynamic, True, "Errors instead of warnings"),
        ("innodb_write_io_threads", "", "1-64", _NUMBER, dynamic, True, "Threads that write"),
        ("interactive_timeout", "", "1-31536000", _NUMBER, dynamic, True, "Seconds of an idle interactive session"),
        ("join_buffer_size", "", "128-18446744073709547520", _NUMBER, dynamic, True, "Bytes of a join buffer"),
        ("key_buffer_size", "16777216", "8-4294967295", _NUMBER, dynamic, True, "Bytes for index blocks of MyISAM"),
        ("lc_time_names", "", "", "string", dynamic, True, "Language of names of days and months"),
        ("local_infile", "1", SWITCH, "boolean", dynamic, True, "Whether LOAD DATA LOCAL is permitted"),
        ("lock_wait_timeout", "", "0-31536000", _NUMBER, dynamic, True, "Seconds to wait for a metadata lock"),
        (
            "log_bin_trust_function_creators",
            "",
            SWITCH,
            "boolean",
            dynamic,
            True,
            "Whether stored functions need no SUPER privilege",
        ),
        ("log_output", "TABLE", "FILE,TABLE,NONE", "list", dynamic, True, "Where the logs are written"),
        ("log_queries_not_using_indexes", "", SWITCH, "boolean", dynamic, True, "Whether these are slow queries"),
        ("log_slow_verbosity", "", "", "list", dynamic, True, "Details of the slow query log"),
        ("log_warnings", "", "0-18446744073709551615", _NUMBER, dynamic, True, "Details of the error log"),
        ("long_query_time", "", "0-31536000", "float", dynamic, True, "Seconds of a slow query"),
        ("lower_case_table_names", "", "0,1", _NUMBER, static, True, "How names of tables are compared"),
        ("max_allowed_packet", "", "1024-1073741824", _NUMBER, dynamic, True, "Bytes of a packet"),
        ("max_binlog_size", "134217728", "4096-1073741824", _NUMBER, dynamic, False, "Bytes of a binary log"),
        ("max_connect_errors", "", "1-4294967295", _NUMBER, dynamic, True, "Interrupted connections of a host"),
        (
            "max_connections",
            "LEAST({DBInstanceClassMemory/25165760},12000)",
            "10-100000",
            _NUMBER,
            dynamic,
            True,
            "Connections at the same time",
        ),
        ("max_heap_table_size", "", "16384-4294966272", _NUMBER, dynamic, True, "Bytes of a MEMORY table"),
        ("max_length_for_sort_data", "", "4-8388608", _NUMBER, dynamic, True, "Bytes for the choice of a sort"),
        ("max_prepared_stmt_count", "", "0-4294967295", _NUMBER, dynamic, True, "Prepared statements"),
        ("max_sort_length", "", "64-8388608", _NUMBER, dynamic, True, "Bytes that are sorted"),
        ("max_statement_time", "", "0-31536000", "float", dynamic, True, "Seconds of a statement"),
        ("max_user_connections", "", "0-2147483647", _NUMBER, dynamic, True, "Connections of an account"),
        ("net_read_timeout", "", "1-31536000", _NUMBER, dynamic, True, "Seconds to wait for data of a client"),
        ("net_retry_count", "", "1-18446744073709551615", _NUMBER, dynamic, True, "Retries of a read"),
        ("net_write_timeout", "", "1-31536000", _NUMBER, dynamic, True, "Seconds to wait for a client that reads"),
        ("old_passwords", "", SWITCH, "boolean", dynamic, True, "Hashes of passwords before version 4.1"),
        ("optimizer_switch", "", "", "list", dynamic, True, "Switches of the optimizer"),
        ("performance_schema", "", SWITCH, "boolean", static, True, "Whether the Performance Schema is enabled"),
        ("pid_file", "/rdsdbdata/log/mariadb-{EndPointPort}.pid", "", "string", static, False, "Path of the pid file"),
        ("port", "{EndPointPort}", "", _NUMBER, static, False, "Port of the server"),
        ("query_cache_limit", "", "0-18446744073709547520", _NUMBER, dynamic, True, "Bytes of a cached result"),
        ("query_cache_size", "", "0-18446744073709547520", _NUMBER, dynamic, True, "Bytes of the query cache"),
        ("query_cache_type", "", "0-2", _NUMBER, dynamic, True, "What the query cache has"),
        ("read_buffer_size", "262144", "8192-2147479552", _NUMBER, dynamic, True, "Bytes of a sequential read"),
        ("read_only", "{TrueIfReplica}", "0,1,{TrueIfReplica}", "string", dynamic, True, "Whether writes are refused"),
        ("read_rnd_buffer_size", "524288", "8192-2147479552", _NUMBER, dynamic, True, "Bytes of a sorted read"),
        ("require_secure_transport", "", SWITCH, "boolean", dynamic, True, "Whether clients must use TLS"),
        ("secure_file_priv", "/tmp", "", "string", static, False, "Folder of LOAD DATA and OUTFILE"),  # noqa: S108
        ("server_audit_logging", "", "ON,OFF", "string", dynamic, False, "Whether the audit plugin logs"),
        ("server_id", "{ServerId}", "", _NUMBER, dynamic, False, "Id of the server in replication"),
        ("skip_name_resolve", "1", SWITCH, "boolean", static, True, "Whether host names of clients are not resolved"),
        ("slow_launch_time", "", "0-31536000", _NUMBER, dynamic, True, "Seconds of a slow thread"),
        ("slow_query_log", "", SWITCH, "boolean", dynamic, True, "Whether the slow query log is enabled"),
        ("socket", "/tmp/mariadb.sock", "", "string", static, False, "Path of the socket"),  # noqa: S108
        ("sort_buffer_size", "", "1024-18446744073709551615", _NUMBER, dynamic, True, "Bytes of a sort"),
        ("sql_mode", "", MODES, "list", dynamic, True, "SQL mode"),
        ("ssl_ca", "/rdsdbdata/rds-metadata/ca-cert.pem", "", "string", static, False, "Path of the authority"),
        ("sync_binlog", "1", "0-4294967295", _NUMBER, dynamic, True, "Commits until the binary log is flushed"),
        ("table_definition_cache", "", "400-2097152", _NUMBER, dynamic, True, "Definitions of tables in memory"),
        ("table_open_cache", "", "10-1048576", _NUMBER, dynamic, True, "Open tables"),
        ("thread_cache_size", "", "0-16384", _NUMBER, dynamic, True, "Threads that are kept for clients"),
        ("thread_handling", "", "no-threads,one-thread-per-connection,pool-of-threads", "string", static, True, "Pool"),
        ("time_zone", "", TIME_ZONES, "string", dynamic, True, "Time zone of the server"),
        ("tls_version", "", "TLSv1.1,TLSv1.2,TLSv1.3", "list", static, True, "Versions of TLS"),
        ("tmp_table_size", "", "1024-18446744073709551615", _NUMBER, dynamic, True, "Bytes of a temporary table"),
        ("tmpdir", "/rdsdbdata/tmp", "", "string", static, False, "Folder of temporary files"),
        (
            "tx_isolation",
            "",
            "READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE",
            "string",
            dynamic,
            True,
            "Default isolation level",
        ),
        ("wait_timeout", "", "1-31536000", _NUMBER, dynamic, True, "Seconds of an idle session"),
    )
    return tuple(Parameter(*row) for row in rows)  # type: ignore[arg-type] # literals


@cache
def table() -> Mapping[str, Parameter]:
    """Return the parameters by name."""
    return {each.name: each for each in _rows()}


def permits(parameter: Parameter, value: str) -> bool:
    """Return whether a parameter can have the value: a number in a range, one of a list, or a formula.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html
    """
    if parameter.type in ("integer", "float") and "{" in value:
        try:
            evaluated(value, GIB, 20, 3306)
        except ValueError:
            return False
        return True
    if not parameter.allowed:
        return bool(value) and "\n" not in value
    if parameter.type == "list":
        return set(value.split(",")) <= set(parameter.allowed.split(","))
    found = re.fullmatch(r"(\d+)-([\d.]+)", parameter.allowed)
    if not found:
        return value in parameter.allowed.split(",") or (
            parameter.type == "string" and value.upper() in parameter.allowed.upper().split(",")
        )
    number = r"\d+" if parameter.type == "integer" else r"\d+(\.\d+)?"
    return bool(re.fullmatch(number, value)) and float(found[1]) <= float(value) <= float(found[2])


# Formulas: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html

_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "LEAST": min,
    "GREATEST": max,
    "SUM": lambda *numbers: float(sum(numbers)),
}


def evaluated(formula: str, memory: int, gib: int, port: int) -> str:
    """Return the value of a parameter's text. `memory` is in bytes. Raise ValueError for a wrong formula.

    >>> evaluated("LEAST({DBInstanceClassMemory/25165760},12000)", 2**30, 20, 3306)
    '42'
    """
    if "{" not in formula:
        return formula
    names = {
        "DBInstanceClassMemory": float(memory),
        "AllocatedStorage": float(gib * GIB),
        "EndPointPort": float(port),
    }
    try:
        tree = ast.parse(formula.strip().replace("{", "(").replace("}", ")"), mode="eval")
        return str(int(_value(tree.body, names)))
    except (SyntaxError, KeyError, ZeroDivisionError, TypeError) as error:
        message = f"{formula} is not a formula"
        raise ValueError(message) from error


def _value(node: ast.expr, names: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return float(node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, names), _value(node.right, names))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return float(_FUNCTIONS[node.func.id](*(_value(each, names) for each in node.args)))
    message = f"{ast.unparse(node)} is not part of a formula"
    raise ValueError(message)


SERVED = ("innodb_file_per_table", "innodb_flush_log_at_trx_commit", "log_output", "max_connections", "sync_binlog")
"""Parameters whose defaults of RDS the lab's servers have. The others have MariaDB's, or are the lab's own."""

ENCRYPTED = ("mariadb11.8",)  # the families whose servers require TLS by default
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl.html


def default(parameter: Parameter, family: str) -> str:
    """Return RDS' default of a parameter, or "" for MariaDB's own."""
    if parameter.name == "require_secure_transport":
        return "1" if family in ENCRYPTED else "0"
    return parameter.default


def effective(values: Mapping[str, str], family: str, memory: int, gib: int, port: int) -> dict[str, str]:
    """Return the parameters that a server gets: the values of its group, and some defaults of RDS.

    `memory` is that of the DB instance class in bytes, `gib` the allocated storage.
    """
    names = (*SERVED, "binlog_format", "require_secure_transport", "skip_name_resolve")
    defaults = {name: default(table()[name], family) for name in names}
    return {
        name: evaluated(value, memory, gib, port)
        for name, value in {**defaults, **values}.items()
        if value != "{TrueIfReplica}"
    }
