# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that tell what a drill has found, and what a restore has changed. Pure."""

from __future__ import annotations

import typing as t

HOUR, MINUTE = 3600, 60


def age_of(seconds: float) -> str:
    """Return an age in words, as "3 h 20 min"."""
    hours, rest = divmod(int(seconds), HOUR)
    return f"{hours} h {rest // MINUTE} min" if hours else f"{rest // MINUTE} min"


def counted(sites: t.Mapping[str, t.Mapping[str, int]]) -> list[str]:
    """Return a line for each site, with how many there are of each of its parts."""
    return [f"{name}: {', '.join(f'{count} {what}' for what, count in found.items())}" for name, found in sites.items()]


def drill_lines(drill: t.Mapping[str, t.Any], age: float) -> list[str]:
    """Return the lines of a drill. `age` is that of the backup, in seconds."""
    if "seconds" not in drill:  # check mode
        return [f"The backup {drill['id']}, {age_of(age)} old, would be restored in isolation and checked."]
    told = f"The backup {drill['id']}, {age_of(age)} old, was restored in isolation in {drill['seconds']} s."
    return [f"{told} All is as it was recorded.", *(f"  {line}" for line in counted(drill["sites"]))]


def restore_lines(restored: t.Mapping[str, t.Any], changes: t.Iterable[t.Mapping[str, str]]) -> list[str]:
    """Return the lines of a restore: what was in the backup, where it is now, and what is still there of before."""
    return [
        f"From the backup {restored['id']}:",
        *(f"  {line}" for line in counted(restored.get("sites", {}))),
        *(f"  {one['resource']} {one['name']}" for one in changes),
        *(f"  The former files are in {folder}. Remove it when it is not needed." for folder in restored["kept"]),
    ]
