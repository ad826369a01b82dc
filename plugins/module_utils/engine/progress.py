# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell how far a module is while it runs: in a file, which an action shows. A module has no output before its end."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GROUNDWORK_PROGRESS"  # the environment variable that hands the path of the file to modules
INTERVAL = 15.0  # seconds between two lines about a wait


def tell(line: str) -> None:
    """Write a line for the user, if an action shows it."""
    if path := os.environ.get(VARIABLE):
        with Path(path).open("a", encoding="utf-8") as opened:
            opened.write(f"{line}\n")


def awaiting(until: str, waited: float, deadline: float, standing: str) -> str:
    """Return the line about a wait: for what, for how long, for how long at most, and how far it is."""
    told = f"Waiting for {until}: {waited:.0f} s of at most {deadline:.0f} s."
    return f"{told} {standing}" if standing else told
