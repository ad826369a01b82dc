# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of this host. A new daemon does not start before it is configured."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock, wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done, Run, succeed, tail

LISTS = Path("/var/lib/apt/lists")
LISTS_VALID = 3600.0  # seconds
LOCK_TIMEOUT = 300  # seconds: cloud-init and apt-daily hold dpkg's lock in the first minutes of a server
LOCKED = "lock was locked by another process"
RUNTIME_UNITS = Path("/run/systemd/system")
# A condition that fails makes systemd skip the start without an error. A reboot removes the file, as it is below /run.
# https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html#Conditions%20and%20Asserts
HOLD = "[Unit]\nConditionPathExists=/run/groundwork/never\n"


def installed(run: Run, names: t.Sequence[str]) -> frozenset[str]:
    """Return the packages that are installed and configured."""
    if not names:
        return frozenset()
    done = run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names])
    pairs = (line.split(" ", 1) for line in done.out.splitlines() if " " in line)
    return frozenset(name for name, status in pairs if status == "installed")


def install(
    run: Run, names: t.Sequence[str], *, hold: t.Sequence[str], lists: Path = LISTS, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Install packages without recommended ones. The services in `hold` do not start.

    Raise GroundworkError with the output of apt, or that of the update if the package lists could not be fetched.
    """
    for service in hold:
        _hold_file(service).parent.mkdir(parents=True, exist_ok=True)
        _hold_file(service).write_text(HOLD)
    lock = ["-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT}"]
    succeed(_patient(run, clock), "complete the last installation", ["dpkg", "--configure", "-a", "--force-confold"])
    # Without --error-on, an unreachable mirror is only a warning. If the old lists suffice, the error does not matter.
    refresh = ["apt-get", "--quiet", *lock, "update", "--error-on=any"]
    refreshed = run(refresh) if not _fresh(lists) else None
    conffiles = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
    argv = ["apt-get", "--quiet", "--yes", "--no-install-recommends", *lock, *conffiles, "install", *names]
    try:
        succeed(run, "install the packages", argv)
    except GroundworkError as error:
        if refreshed is None or refreshed.code == 0:
            raise
        raise GroundworkError(
            f"Could not install the packages: the package lists could not be fetched.\n{tail(refreshed)}\n"
            "Give the server a route to its mirrors (a private server needs a NAT gateway: nat_mode; its security "
            "group must allow the connection; host names must resolve), or mirrors that it can reach; then run again."
        ) from error


def _patient(run: Run, clock: Clock) -> Run:
    """Return a `Run` that waits while another process holds dpkg's lock, because dpkg itself does not wait."""

    def patient(argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        return wait_until(
            lambda: run(argv, stdin=stdin),
            lambda done: LOCKED not in done.err,
            until="another process to release dpkg's lock",
            deadline=LOCK_TIMEOUT,
            interval=1.0,
            clock=clock,
        )

    return patient


def release_holds(run: Run, services: t.Iterable[str]) -> None:
    """Remove the holds of services, so that they can start."""
    held = [service for service in services if _hold_file(service).exists()]
    for service in held:
        _hold_file(service).unlink()
        _hold_file(service).parent.rmdir()
    if held:
        succeed(run, "reload systemd's units", ["systemctl", "daemon-reload"])


def _hold_file(service: str) -> Path:
    return RUNTIME_UNITS / f"{service}.service.d" / "groundwork-hold.conf"


def _fresh(lists: Path) -> bool:
    """Return whether the package lists exist and are recent. apt moves new lists into that folder."""
    if not any(lists.glob("*Packages*")):
        return False
    return time.time() - lists.stat().st_mtime < LISTS_VALID
