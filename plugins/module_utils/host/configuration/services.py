# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemd services of this host: seen, acted on, and watched until they are really back."""

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
    """What is known of processes; tests pass a fake."""

    def now(self) -> float:
        """Seconds since the machine started."""

    def starts(self, service: str) -> list[float]:
        """When each of a service's processes started, on the same clock."""


class ProcFs:
    """Processes as /proc tells them (proc_pid_stat(5))."""

    def __init__(self, root: Path = Path("/proc")) -> None:
        self._root = root
        self._tick = 1 / os.sysconf("SC_CLK_TCK")

    def now(self) -> float:
        """Rounded down to a tick, as the kernel rounds the start of a process."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) // self._tick * self._tick

    def starts(self, service: str) -> list[float]:
        """When each process in the service's control group started, whatever version control groups have."""
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
        """All of them in one call of systemctl."""
        return {
            name: Unit(
                enabled=state.get("UnitFileState") in ENABLED,
                active=state.get("ActiveState") in ACTIVE,
                installed=state.get("LoadState") == "loaded",
            )
            for name, state in self._show(names).items()
        }

    def act(self, action: str, names: t.Sequence[str]) -> None:
        """Enable, disable, start, stop, reload or restart, and wait until it is done.

        After a reload that means: until the daemon works with processes younger than the reload. `systemctl reload`
        itself returns when the signal is sent, and a daemon can still stumble over what it then reads.
        Raises GroundworkError with the end of the service's journal.
        """
        if action in ("start", "restart"):  # after failures systemd refuses to start for a while
            self.run(["systemctl", "reset-failed", *names])
        since = self.processes.now()
        done = self.run(["systemctl", action, *names])
        if done.code:
            raise GroundworkError(self._sad_story(f"Could not {action} {' and '.join(names)}: {done.words}", names))
        if action in ("start", "restart", "reload"):
            for name in names:
                self._await(action, name, since if action == "reload" else None)

    def know_units(self) -> None:
        """Have systemd read its unit files again."""
        succeed(self.run, "reload systemd's units", ["systemctl", "daemon-reload"])

    def _await(self, action: str, name: str, since: float | None) -> None:
        def ready(state: t.Mapping[str, str]) -> bool:
            if state.get("ActiveState") in BROKEN:
                raise GroundworkError(self._sad_story(f"{name} is not running after its {action}.", [name]))
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
        """A daemon that reloads replaces its workers; one that has none tells nothing by its processes."""
        if since is None:
            return True
        starts = self.processes.starts(name)
        return len(starts) == 1 or any(start >= since for start in starts)

    def _sad_story(self, words: str, names: t.Sequence[str]) -> str:
        units = [f"--unit={name}" for name in names]
        journal = self.run(["journalctl", *units, f"--lines={JOURNAL_LINES}", "--no-pager", "--output=cat"])
        return f"{words}\nThe end of its journal:\n{journal.out.strip()}"

    def _show(self, names: t.Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        units = [f"{name}.service" for name in names]
        out = succeed(self.run, "read the state of the services", ["systemctl", "show", f"--property={PROPERTIES}", *units])
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in out.strip().split("\n\n")]
        return dict(zip(names, blocks, strict=True))
