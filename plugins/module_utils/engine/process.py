# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The identity of a process: who runs it, and whether it still runs, as far as this machine can tell."""

from __future__ import annotations

import getpass
import os
import platform
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process that holds something. On its machine, `pid` and `started` show whether it still runs."""

    who: str
    token: str
    machine: str = ""
    pid: int = 0
    started: str = ""


def process(pid: int) -> Process:
    """Return the identity of a process of this machine, with a new token."""
    try:
        who = f"{getpass.getuser()}@{platform.node()}"
    except (KeyError, OSError):  # the user of a container may not have a name
        who = f"{os.getuid()}@{platform.node()}"
    return Process(who, secrets.token_hex(8), machine(), pid, started(pid))


def this_process() -> Process:
    """Return the identity of this process, with a new token."""
    return process(os.getpid())


def has_ended(one: Process) -> bool:
    """Return whether a process ran on this machine and does not run any more."""
    if not one.machine or one.machine != machine():
        return False
    found = started(one.pid)
    return found != one.started if found else not _is_hidden(one.pid)


def _is_hidden(pid: int) -> bool:
    """Return whether a process of another user exists that /proc does not show (its mount option hidepid)."""
    if Path(f"/proc/{pid}/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def runs(pid: int, since: str) -> bool:
    """Return whether the process `pid` of this machine that started at `since` still runs."""
    if since:
        return started(pid) == since
    try:  # without /proc, as on macOS
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def machine() -> str:
    """Return an id of this machine's boot and PID namespace, or "" if it is not available."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def started(pid: int) -> str:
    """Return the start time of a process in clock ticks since the boot (see proc(5), `stat`), or "" if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if stat[0] in ("X", "Z") else stat[19]
    except (OSError, IndexError):
        return ""
