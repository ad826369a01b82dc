# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of MariaDB on RDS, and the end of their support. These functions are pure."""

from __future__ import annotations

import re
import typing as t
from datetime import date, timedelta

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

VERSION = re.compile(r"(?P<major>\d{2}\.\d{1,2})(\.(?P<minor>\d{1,3}))?")
# The end of RDS' standard support, by major version. AWS gives months, here by their last days. After it, AWS upgrades
# an instance by itself, with an interruption.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html
SUPPORT_ENDS: t.Mapping[str, date] = {
    "10.6": date(2026, 8, 31),
    "10.11": date(2028, 2, 29),
    "11.4": date(2029, 5, 31),
    "11.8": date(2030, 6, 30),
}
NOTICE = timedelta(days=365)  # before the end of the support, during which every run tells of it
CALENDAR = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html"


def major_of(version: str) -> str:
    """Return the major version of a valid version, as `11.4` of `11.4.5`."""
    return ".".join(version.split(".")[:2])


def number_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparisons. What follows a hyphen is AWS' own."""
    return tuple(int(part) for part in version.partition("-")[0].split("."))


def family_of(version: str) -> str:
    """Return the parameter group family of a version, as `mariadb11.4`."""
    return f"mariadb{major_of(version)}"


def check_version(version: str, problems: Problems, variable: str = "engine_version") -> None:
    """Add to `problems` a version that RDS does not have. Warn of one that is newer than those known here."""
    if not VERSION.fullmatch(version):
        problems.add(variable, f"'{version}' is not a version of MariaDB", "write it as 11.4, or as 11.4.5, in quotes")
        return
    major = major_of(version)
    if major in SUPPORT_ENDS:
        return
    if number_of(major) > max(map(number_of, SUPPORT_ENDS)):
        problems.warn(variable, f"the end of AWS' support for MariaDB {major} is not known here; see {CALENDAR}")
    else:
        right = f"give one of {', '.join(SUPPORT_ENDS)}"
        problems.add(variable, f"RDS does not have MariaDB {major}", right)


def end_of_support(version: str) -> date | None:
    """Return the day on which AWS ends its support for a version, None if it is not known."""
    return SUPPORT_ENDS.get(major_of(version))


def ending(version: str, today: date) -> str:
    """Return a sentence without its full stop about a support that ends within a year or has ended, or ""."""
    end = end_of_support(version)
    if end is None or today < end - NOTICE:
        return ""
    what = f"its support for MariaDB {major_of(version)} on {end}"
    if today > end:
        return f"AWS has ended {what}, and upgrades the database by itself, with an interruption"
    return f"AWS ends {what}, and then upgrades the database by itself, with an interruption"
