"""The checks of the members of requests, with AWS' codes and words. Pure functions, except for `refuse`.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html and
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from groundwork_lab.aws.context import refuse

Request = Mapping[str, Any]
Members = dict[str, Any]

TAGS_LIMIT = 50
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY, WEEK, HALF_HOUR = 24 * 60, 7 * 24 * 60, 30  # minutes
RESERVED = frozenset({"rdsadmin", "rdsrepladmin", "mysql", "mariadb", "mariadb.sys", "admin_rds"})
STORAGE = {"gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536), "standard": (5, 3072)}
PROVISIONED = ("io1", "io2")
GP3_STRIPED = 400  # GiB from which IOPS and throughput of gp3 can be set
GP3_IOPS, GP3_THROUGHPUT = (12000, 64000), (500, 4000)  # of striped storage, the latter in MiB/s
GP3_SMALL = {"Iops": 3000, "StorageThroughput": 125}
RESERVED_SCHEMAS = frozenset({"mysql", "information_schema", "performance_schema", "sys", "innodb", "test"})


def invalid(message: str) -> NoReturn:
    refuse("InvalidParameterValue", message)


def combination(message: str) -> NoReturn:
    refuse("InvalidParameterCombination", message)


def identifier(member: str, value: str, limit: int = 63) -> str:
    """Return an identifier in lower case. Refuse one that is not valid."""
    if not re.fullmatch("[a-zA-Z](-?[a-zA-Z0-9])*", value) or len(value) > limit:
        invalid(
            f"The parameter {member} is not a valid identifier. Identifiers must begin with a letter; must contain "
            "only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "
            "consecutive hyphens."
        )
    return value.lower()


def group_name(member: str, value: str) -> str:
    """Return the name of a DB subnet group or parameter group in lower case."""
    if not re.fullmatch(r"[a-zA-Z0-9 ._-]{1,255}", value):
        invalid(f"The parameter {member} is not a valid identifier: {value}")
    return value.lower()


def password(value: str) -> str:
    if len(value) < 8:
        invalid("The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.")
    if len(value) > 41:
        invalid("The parameter MasterUserPassword is not a valid password because it is longer than 41 characters.")
    if not re.fullmatch(r"[!-~]+", value) or set(value) & set('/@"'):
        invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', "
            "'@', '\"', ' ' may be used."
        )
    return value


def user(value: str) -> str:
    if not re.fullmatch("[a-zA-Z][a-zA-Z0-9_]{0,15}", value):
        invalid(
            "The parameter MasterUsername is not a valid identifier. It must begin with a letter and have 1 to 16 "
            "letters, digits and underscores."
        )
    if value.lower() in RESERVED:
        invalid(f"MasterUsername {value} cannot be used as it is a reserved word used by the engine")
    return value


def schema(value: str) -> str:
    if not re.fullmatch("[a-zA-Z][a-zA-Z0-9_]{0,63}", value):
        invalid("DBName must begin with a letter and contain only alphanumeric characters.")
    if value.lower() in RESERVED_SCHEMAS:
        invalid(f"DBName {value} cannot be used as it is a reserved word used by the engine")
    return value


def port(value: int) -> int:
    if not 1150 <= value <= 65535:
        invalid(f"Invalid port: {value}. Valid values are 1150-65535.")
    return value


def retention(value: int) -> int:
    if not 0 <= value <= 35:
        invalid(f"Invalid backup retention period: {value}. Valid values are 0-35 days.")
    return value


def storage(kind: str, gib: int) -> None:
    """Refuse a storage type or a size in GiB that RDS for MariaDB does not have.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
    """
    if kind not in STORAGE:
        invalid(f"Invalid storage type: {kind}")
    least, most = STORAGE[kind]
    if not least <= gib <= most:
        invalid(f"Invalid storage size for engine name mariadb and storage type {kind}: {gib}")


def performance(kind: str, gib: int, iops: int | None, throughput: int | None) -> None:
    """Refuse IOPS and throughput that do not fit the storage."""
    if kind in PROVISIONED and not iops:
        combination(f"You must specify an iops value for storage type {kind}")
    if kind in PROVISIONED and iops and not (1000 <= iops <= 256000 and 0.5 * gib <= iops <= 1000 * gib):
        combination(f"The iops to gib ratio or the IOPS value is not valid for storage type {kind}: {iops}")
    if kind == "gp3" and (iops or throughput) and gib < GP3_STRIPED:
        combination("You can't specify IOPS or storage throughput for engine mariadb and a storage size less than 400.")
    if kind == "gp3" and iops and not GP3_IOPS[0] <= iops <= GP3_IOPS[1]:
        invalid(f"Invalid iops value for storage type gp3: {iops}. Valid values are {GP3_IOPS[0]}-{GP3_IOPS[1]}.")
    if kind == "gp3" and throughput and not GP3_THROUGHPUT[0] <= throughput <= GP3_THROUGHPUT[1]:
        invalid(f"Invalid storage throughput for storage type gp3: {throughput}.")
    if kind in ("gp2", "standard") and (iops or throughput):
        combination(f"You can't specify IOPS or storage throughput for storage type {kind}.")


def baseline(settings: Members) -> Members:
    """Return the IOPS and the throughput (MiB/s) of storage for which none were given.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage
    """
    if settings["StorageType"] != "gp3":
        return {}
    if settings["AllocatedStorage"] < GP3_STRIPED:
        return GP3_SMALL
    return {"Iops": GP3_IOPS[0], "StorageThroughput": GP3_THROUGHPUT[0]}


def ceiling(most: int, gib: int) -> int:
    """Return the maximum of storage autoscaling. Refuse one that is not 10 % above the storage."""
    if most < gib * 1.1:
        combination(
            f"Invalid max storage size for engine name mariadb: {most}. "
            f"The maximum must be at least 10% more than the allocated storage of {gib} GiB."
        )
    return most


# Windows: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupWindow.html


def backup_window(value: str) -> str:
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", value)
    if not found:
        invalid(f"Invalid backup window format: {value}. It must have the format hh24:mi-hh24:mi.")
    _, length = _daily(value)
    if length < HALF_HOUR:
        invalid("The backup window must be at least 30 minutes.")
    return value


def maintenance_window(value: str) -> str:
    day = "({})".format("|".join(DAYS))
    time = r"([01]\d|2[0-3]):([0-5]\d)"
    if not re.fullmatch(f"{day}:{time}-{day}:{time}", value.lower()):
        invalid(f"Invalid maintenance window format: {value}. It must have the format ddd:hh24:mi-ddd:hh24:mi.")
    _, length = _weekly(value.lower())
    if not HALF_HOUR <= length < DAY:
        invalid("The maintenance window must be at least 30 minutes and less than 24 hours.")
    return value.lower()


def apart(backup: str, maintenance: str) -> None:
    """Refuse windows that overlap."""
    begin, length = _daily(backup)
    first, span = _weekly(maintenance)
    for day in range(-1, 8):
        start = day * DAY + begin
        if start < first + span and first < start + length:
            invalid("The backup window and maintenance window must not overlap.")


def _daily(window: str) -> tuple[int, int]:
    """Return the begin of a daily window in minutes of the day, and its length in minutes."""
    begin, end = (int(each[:2]) * 60 + int(each[3:]) for each in window.split("-"))
    return begin, (end - begin) % DAY


def _weekly(window: str) -> tuple[int, int]:
    begin, end = (DAYS.index(each[:3]) * DAY + int(each[4:6]) * 60 + int(each[7:9]) for each in window.split("-"))
    return begin, (end - begin) % WEEK


# Tags


def tags(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of a request as a dictionary. Refuse invalid, duplicate, and too many ones.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html
    """
    pairs = [(each["Key"], each.get("Value") or "") for each in given]
    if len(dict(pairs)) < len(pairs):
        invalid("Tag keys must be unique.")
    for key, value in pairs:
        if not re.fullmatch(r"[\w\s.:/=+@-]{1,128}", key) or not re.fullmatch(r"[\w\s.:/=+@-]{0,256}", value):
            invalid(f"Invalid tag: {key}={value}")
        if key.lower().startswith(("aws:", "rds:")):
            invalid(f"Tag keys must not begin with aws: or rds:: {key}")
    if len(pairs) > TAGS_LIMIT:
        combination(f"A resource can have a maximum of {TAGS_LIMIT} tags.")
    return dict(pairs)


def told_tags(given: Mapping[str, str]) -> list[Members]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


# Lists


def page(request: Request, member: str, told: list[Members], least: int = 20) -> Members:
    """Return a part of a list: MaxRecords of it (20 to 100, by default 100), after Marker, which is a place in it."""
    size = int(request.get("MaxRecords") or 100)
    if not least <= size <= 100:
        invalid(f"Invalid value {size} for MaxRecords. Must be between {least} and 100")
    marker = str(request.get("Marker") or "0")
    if not marker.isdigit() or int(marker) > len(told):
        invalid("Invalid Marker")
    end = int(marker) + size
    return {member: told[int(marker) : end]} | ({"Marker": str(end)} if end < len(told) else {})


def filters(request: Request, known: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of a request's filters by name. Refuse a name that the operation does not have."""
    found = {}
    for each in request.get("Filters") or []:
        if each["Name"] not in known:
            invalid(f"Unrecognized filter name: {each['Name']}")
        found[each["Name"]] = list(each.get("Values") or [])
    return found
