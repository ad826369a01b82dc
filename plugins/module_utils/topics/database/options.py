# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `rds_database_instance`, without calls to AWS."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    DB_SNAPSHOT_ID,
    KMS_KEY_ARN,
    RESOURCE_NAME,
    TIER_NAME,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import fill, parameter_of
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database import windows
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.versions import (
    check_version,
    family_of,
    major_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import parse_zones

COMPONENT = "database"
NAME = "database"
ENGINE = "mariadb"
PORT = 3306
MASTER = "groundwork"  # the name of the master user
STORAGE_TYPE = "gp3"
NEWEST = "newest"  # the latest second that can be restored
RESTORE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
LEAST_STORAGE, MOST_STORAGE = 20, 65536  # GiB of gp3 for MariaDB
# GiB from which gp3 has IOPS that can be set, and that a request for more storage has to repeat.
STRIPED_STORAGE = 400
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
LEAST_GROWTH = 1.1  # the maximum, as a multiple of the storage
MOST_RETENTION = 35  # days. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
GROUPS_LIMIT = 5
FEWEST_ZONES = 2
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Types.html
INSTANCE_CLASS = re.compile(r"db\.[a-z][a-z0-9]*\d[a-z0-9-]*\.(micro|small|medium|large|\d{0,2}xlarge)")
PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
PASSWORD = re.compile(r"[!#-.0-?A-~]{8,41}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Without TLS no connection is accepted. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl.html
FIXED: t.Mapping[str, str] = {"require_secure_transport": "1"}
# The same as on servers with their own MariaDB.
USUAL: t.Mapping[str, str] = {
    "character_set_server": "utf8mb4",
    "collation_server": "utf8mb4_unicode_ci",
    "local_infile": "0",
}


@dataclass(frozen=True)
class Database:
    """The desired DB instance. `storage` and `most_storage` are in GiB; `most_storage` is 0 for one that does not grow.

    `parameters` are those of the parameter group, `given` the names of those that the user has given. `password` is the
    value for the placeholder, KNOWN_AFTER_APPLY in a plan, and `password_version` the version of its parameter.
    `at_once` is whether changes with an interruption are made without waiting for the maintenance window.
    `restore_from` is the backup whose data the database gets, "" for those that it has.
    """

    instance_class: str
    version: str
    storage: int
    most_storage: int
    multi_az: bool
    retention: int
    backup_window: str
    maintenance_window: str
    protected: bool
    at_once: bool
    kms_key: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    parameters: t.Mapping[str, str]
    given: frozenset[str]
    deadline: float
    password_version: int
    password: str = field(repr=False)
    restore_from: str = ""

    @property
    def family(self) -> str:
        """Return the family of the parameter group."""
        return family_of(self.version)

    @property
    def parameter_group(self) -> str:
        """Return the name of the parameter group, without the environment. A group has one family for ever."""
        return f"{NAME}-{ENGINE}{major_of(self.version).replace('.', '-')}"


def parse_database(options: t.Mapping[str, t.Any], problems: Problems) -> Database | None:
    """Return the desired database, or None if the options of `rds_database_instance` add problems."""
    before = len(problems.found)
    settings = parse_settings(options, problems)
    groups = tuple(options["security_groups"])
    if not 1 <= len(groups) <= GROUPS_LIMIT:
        problems.add("security_groups", f"has {len(groups)} names", f"name 1 to {GROUPS_LIMIT} security groups")
    for at, group in enumerate(groups):
        if not RESOURCE_NAME.fullmatch(group):
            where = f"security_groups[{at}]"
            problems.add(where, f"'{group}' is not the name of a security group", "give the name of a declared group")
    password = _password(options, problems)
    restore_from = _backup(options.get("restore_from") or "", problems)
    if len(problems.found) > before:
        return None
    password_version = options["password_version"]
    own = {"password": password, "password_version": password_version, "restore_from": restore_from}
    return Database(**settings, groups=groups, **own)


def _backup(given: str, problems: Problems) -> str:
    """Return the backup to restore: NEWEST, a time that exists, or the id of a snapshot, in lower case."""
    right = f"give {NEWEST}, a time in UTC as 2026-11-30T02:30:00Z, or the id of a DB snapshot"
    if RESTORE_TIME.fullmatch(given):
        try:
            datetime.fromisoformat(given)
        except ValueError:
            problems.add("restore_from", f"the time {given} does not exist", right)
        return given
    if given and not DB_SNAPSHOT_ID.fullmatch(given):
        problems.add("restore_from", f"'{given}' is neither a time nor the id of a DB snapshot", right)
    return given.lower()


def parse_settings(options: t.Mapping[str, t.Any], problems: Problems) -> dict[str, t.Any]:
    """Return the members of the desired database that are variables of the role. Add to `problems` what is wrong."""
    environment = str(options.get("environment_name") or "")
    if "--" in environment:
        # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
        wrong = f"'{environment}' has two hyphens side by side, which the name of a DB instance must not have"
        problems.scope("").add("environment_name", wrong, "use another name for an environment with a managed database")
    zones = parse_zones(options["zones"], options.get("region"), problems)
    if len(zones) == 1:
        wrong = "has one zone, and RDS needs subnets in two for any database"
        problems.add("zones", wrong, "name the zones of the network, two or more")
    tier = options["tier"]
    if not TIER_NAME.fullmatch(tier):
        problems.add("tier", f"'{tier}' is not the name of a tier", "give the name of a tier of the network")
    if not INSTANCE_CLASS.fullmatch(options["instance_class"]):
        wrong = f"'{options['instance_class']}' is not an instance class of RDS"
        problems.add("instance_class", wrong, "write it as db.t4g.small")
    version = str(options["engine_version"])
    check_version(version, problems)
    _check_storage(options["storage_gib"], options["max_storage_gib"], problems)
    check_range("backup_retention_days", options["backup_retention_days"], 1, MOST_RETENTION, problems)
    backup, maintenance = options["backup_window"].lower(), options["maintenance_window"].lower()
    windows.check(backup, maintenance, problems)
    key = options.get("kms_key_id") or ""
    region = options.get("region")
    if key and not KMS_KEY_ARN.fullmatch(key):
        right = "give an ARN such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        problems.add("kms_key_id", f"'{key}' is not the ARN of a KMS key", right)
    elif key and region and key.split(":")[3] != region:
        problems.add("kms_key_id", f"'{key}' is a key of another region", f"give a key of {region}")
    check_range("deadline", options["deadline"], 300, 14400, problems)
    parameters = _parameters(options.get("parameters") or {}, problems)
    return {
        "instance_class": options["instance_class"],
        "version": version,
        "storage": options["storage_gib"],
        "most_storage": options["max_storage_gib"],
        "multi_az": options["multi_az"],
        "retention": options["backup_retention_days"],
        "backup_window": backup,
        "maintenance_window": maintenance,
        "protected": options["deletion_protection"],
        "at_once": options["apply_immediately"],
        "kms_key": key,
        "subnets": tuple(f"{tier}-{zone[-1]}" for zone in zones if zone),
        "parameters": {**USUAL, **parameters, **FIXED},
        "given": frozenset(parameters),
        "deadline": float(options["deadline"]),
    }


def _check_storage(storage: int, most: int, problems: Problems) -> None:
    check_range("storage_gib", storage, LEAST_STORAGE, MOST_STORAGE, problems)
    if most == 0 or not LEAST_STORAGE <= storage <= MOST_STORAGE:
        return
    if most > MOST_STORAGE:
        check_range("max_storage_gib", most, LEAST_STORAGE, MOST_STORAGE, problems)
    elif most < storage * LEAST_GROWTH:
        wrong = f"{most} is less than 10 % more than the storage of {storage} GiB, the least that AWS accepts"
        least = -(-storage * 11 // 10)
        problems.add("max_storage_gib", wrong, f"give at least {least}, or 0 for storage that does not grow")


def _parameters(given: t.Mapping[str, t.Any], problems: Problems) -> dict[str, str]:
    """Return the parameters as RDS has them: texts."""
    found: dict[str, str] = {}
    for name, value in given.items():
        where = f"parameters.{name}"
        if not PARAMETER.fullmatch(str(name)):
            problems.add(where, "is not the name of a parameter", "write it as max_connections")
        elif name in FIXED:
            problems.add(where, "the collection sets it, so that every connection has TLS", "remove it")
        elif not isinstance(value, (bool, int, str)):
            problems.add(where, f"{value!r} is neither text nor a whole number", "give a value such as 200")
        else:
            text = str(int(value)) if isinstance(value, bool) else str(value)
            if not text or CONTROL.search(text):
                wrong = "is empty, or contains a line break or another control character"
                problems.add(where, wrong, "give a value, or remove the parameter, which then has its default value")
            found[str(name)] = text
    return found


def _password(options: t.Mapping[str, t.Any], problems: Problems) -> str:
    """Return the master password for its placeholder. Without its value only a plan is possible."""
    given, secrets = options["password"], options.get("secrets") or {}
    path = parameter_of(given)
    if path is None:
        right = "write @groundwork(parameter:/path)@, and give the password in secrets by this path"
        problems.add("password", "is not a placeholder for a password", right)
        return ""
    value = fill(given, secrets, "password", problems) if secrets else KNOWN_AFTER_APPLY
    if value and value != KNOWN_AFTER_APPLY and not PASSWORD.fullmatch(value):
        wrong = "RDS cannot have this master password"
        right = "use 8 to 41 printable ASCII characters, without slashes, quotation marks, at signs and blanks"
        problems.add(f"secrets.{path}", wrong, right)
    return value
