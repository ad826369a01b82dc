# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of this run's lock on its environment, in a file that every writer checks before each write.

A process beside the run keeps the lock and this file (docs/decisions/0040). A run without such a file has no lock, as a
role in a playbook of the user: then nothing is checked.
"""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError

VARIABLE = "GROUNDWORK_LOCK"  # the environment variable that hands the path of the file to modules
# A clock that all processes of this machine share, and that goes on while the machine is suspended.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class State(t.NamedTuple):
    """The lock of an environment. It is surely held until the time `until` of `now`. `lost` says why it is not."""

    environment: str
    until: float
    lost: str = ""


def now() -> float:
    """Return the seconds of the clock of `State.until`."""
    return time.clock_gettime(CLOCK)


def write_state(path: Path, state: State) -> None:
    """Replace the file at once, so that a reader finds the old or the new state."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps(state._asdict()), encoding="utf-8")
    beside.replace(path)


def read_state(path: Path) -> State | None:
    """Return the state in the file, or None if it does not exist."""
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def problem(state: State | None, at: float) -> str:
    """Return why a run with this state must not write at the time `at`, or ""."""
    if state is None or (not state.lost and at < state.until):
        return ""
    why = state.lost or (
        "The lock of this run could not be renewed in time: the machine was suspended, AWS was not reachable, or the "
        "process that renews it was killed. Another run may have begun."
    )
    return f"{why} This run has stopped before its next change. Run again to continue; nothing is lost."


def check_lock(path: Path | None = None) -> None:
    """Raise GroundworkError if this run had the lock of its environment, and has lost it."""
    given = path or os.environ.get(VARIABLE)
    if given and (why := problem(read_state(Path(given)), now())):
        raise GroundworkError(why)
