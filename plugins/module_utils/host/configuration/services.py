# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd services of this host: reading their state, changing it, and waiting until they are active."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock, wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import Unit

ENABLED = frozenset({"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"})
ACTIVE = frozenset({"active", "reloading"})
BROKEN = frozenset({"failed", "inactive", "deactivating"})
DEADLINE = 60.0  # seconds; php-fpm's process_control_timeout is shorter
JOURNAL_LINES = 20
PROPERTIES = "LoadState,ActiveState,UnitFileState"


class Processes(t.Protocol):
    """The start times of processes. Tests pass a fake."""

    def now(self) -> float:
        """Return the seconds since the machine started."""

    def starts(self, service: str) -> list[float]:
        """Return when each process of a service started, by the same clock."""


class ProcFs:
    """The start times of processes from /proc (proc_pid_stat(5))."""

    def __init__(self, root: Path = Path("/proc")) -> None:
        self._root = root
        self._tick = 1 / os.sysconf("SC_CLK_TCK")

    def now(self) -> float:
        """Return the uptime, rounded down to a tick as the kernel rounds the start of a process."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) // self._tick * self._tick

    def starts(self, service: str) -> list[float]:
        """Return when each process in the service's control group started, for both versions of control groups."""
        return list(self._starts(f"/{service}.service"))

    def _starts(self, group: str) -> t.Iterator[float]:
        for process in self._root.glob("[0-9]*"):
            try:
                groups = (process / "cgroup").read_text().splitlines()
                fields = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
            if any(line.endswith(group) for line in groups):
                yield int(fields[19]) * self._tick


PROCFS = ProcFs()


@dataclass(frozen=True)
class Services:
    """The services of this host."""

    run: Run
    clock: Clock = SYSTEM_CLOCK
    processes: Processes = PROCFS

    def look(self, names: t.Sequence[str]) -> dict[str, Unit]:
        """Return the states of services, from one call of systemctl."""
        return {
            name: Unit(
                enabled=state.get("UnitFileState") in ENABLED,
                active=state.get("ActiveState") in ACTIVE,
                installed=state.get("LoadState") == "loaded",
            )
            for name, state in self._show(names).items()
        }

    def act(self, action: str, names: t.Sequence[str]) -> None:
        """Enable, disable, start, stop, reload or restart services, and wait until they are active again.

        After a reload, wait until the daemon has processes that started after it: `systemctl reload` returns once the
        signal is sent, and the daemon can still fail on its new configuration. Raise GroundworkError with the end of
        the service's journal.
        """
        if action in ("start", "restart"):  # after several failures systemd refuses to start for a while
            self.run(["systemctl", "reset-failed", *names])
        since = self.processes.now()
        done = self.run(["systemctl", action, *names])
        if done.code:
            raise GroundworkError(self._failure(f"Could not {action} {' and '.join(names)}: {done.words}", names))
        if action in ("start", "restart", "reload"):
            for name in names:
                self._await(action, name, since if action == "reload" else None)

    def know_units(self) -> None:
        """Reload the unit files of systemd."""
        succeed(self.run, "reload systemd's units", ["systemctl", "daemon-reload"])

    def _await(self, action: str, name: str, since: float | None) -> None:
        def ready(state: t.Mapping[str, str]) -> bool:
            if state.get("ActiveState") in BROKEN:
                raise GroundworkError(self._failure(f"{name} is not running after its {action}.", [name]))
            return state.get("ActiveState") == "active" and self._renewed(name, since)

        wait_until(
            lambda: self._show([name])[name],
            ready,
            until=f"{name} to be active after its {action}",
            deadline=DEADLINE,
            interval=0.05,
            clock=self.clock,
        )

    def _renewed(self, name: str, since: float | None) -> bool:
        """Return whether the daemon has replaced its workers, or has none. A unit without a daemon has no process."""
        if since is None:
            return True
        starts = self.processes.starts(name)
        return len(starts) <= 1 or any(start >= since for start in starts)

    def _failure(self, words: str, names: t.Sequence[str]) -> str:
        units = [f"--unit={name}" for name in names]
        journal = self.run(["journalctl", *units, f"--lines={JOURNAL_LINES}", "--no-pager", "--output=cat"])
        return f"{words}\nThe end of its journal:\n{journal.out.strip()}"

    def _show(self, names: t.Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        units = [f"{name}.service" for name in names]
        out = succeed(self.run, "read the services", ["systemctl", "show", f"--property={PROPERTIES}", *units])
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in out.strip().split("\n\n")]
        return dict(zip(names, blocks, strict=True))
