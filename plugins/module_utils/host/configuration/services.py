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

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import DeadlineError, GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock, wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import Unit

ENABLED = frozenset({"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"})
ACTIVE = frozenset({"active", "reloading"})
BROKEN = frozenset({"failed", "inactive", "deactivating"})
DEADLINE = 60.0  # seconds; php-fpm's process_control_timeout is shorter
JOURNAL_LINES = 20
PROPERTIES = "LoadState,ActiveState,UnitFileState"
SUFFIXES = (".timer", ".mount")  # of units that are no services
STEADY = 3.0  # seconds for which a worker has to run
STEADY_DEADLINE = 30.0
WORKER_PROPERTIES = "LoadState,ActiveState,SubState,Result,NRestarts,ActiveEnterTimestampMonotonic"


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
        if action == "stop":  # the timer of a unit that was removed has failed
            self.run(["systemctl", "reset-failed", *names])
        if action in ("start", "restart", "reload"):
            for name in names:
                self._await(action, name, since if action == "reload" else None)

    def running(self, patterns: t.Sequence[str]) -> list[str]:
        """Return the names of the services that run or are about to start again, and match one of the patterns."""
        units = [_unit(pattern) for pattern in patterns]
        argv = ["systemctl", "list-units", "--plain", "--no-legend", "--full", "--state=active,activating,reloading"]
        out = succeed(self.run, "list the services", [*argv, *units])
        return sorted(line.split()[0].removesuffix(".service") for line in out.splitlines() if line.strip())

    def states(self, names: t.Sequence[str]) -> dict[str, str]:
        """Return the active states of services, as systemd names them: active, activating, failed, inactive."""
        return {name: state.get("ActiveState", "") for name, state in self._show(names).items()}

    def work(self, action: str, names: t.Sequence[str]) -> None:
        """Start or restart workers. `idle` returns those that do not keep running."""
        self.run(["systemctl", "reset-failed", *names])
        self.run(["systemctl", action, *names])

    def idle(self, names: t.Sequence[str]) -> dict[str, str]:
        """Wait until each worker has run for `STEADY` seconds, or has failed. Return what is wrong, by name.

        A worker may end by itself and be started again, if it does not do so all the time.
        """

        def settled(states: t.Mapping[str, t.Mapping[str, str]]) -> bool:
            return all(_fault(state) or self._is_steady(state) for state in states.values())

        try:
            found = wait_until(
                lambda: self._show(names, WORKER_PROPERTIES),
                settled,
                until="the workers to keep running",
                deadline=STEADY_DEADLINE,
                interval=0.25,
                clock=self.clock,
            )
        except DeadlineError as error:
            found = error.seen
        faults = {name: _fault(state) or "ends soon after each start" for name, state in found.items()}
        return {
            name: self._failure(f"{name} does not run: it {fault}.", [name])
            for name, fault in faults.items()
            if not self._is_steady(found[name])
        }

    def _is_steady(self, state: t.Mapping[str, str]) -> bool:
        since = int(state.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        return state.get("ActiveState") == "active" and self.clock.monotonic() - since >= STEADY

    def failure(self, name: str) -> str:
        """Return a message about a service that has failed, with the end of its journal."""
        return self._failure(f"{name} has failed.", [name])

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

    def _show(self, names: t.Sequence[str], properties: str = PROPERTIES) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        units = [_unit(name) for name in names]
        out = succeed(self.run, "read the services", ["systemctl", "show", f"--property={properties}", *units])
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in out.strip().split("\n\n")]
        return dict(zip(names, blocks, strict=True))


def _unit(name: str) -> str:
    """Return the name of a unit, which is a service unless its name has the suffix of another kind."""
    return name if name.endswith(SUFFIXES) else f"{name}.service"


def _fault(state: t.Mapping[str, str]) -> str:
    """Return what is wrong with a worker that does not run, or "" if it runs or is about to. Pure."""
    if state.get("LoadState") != "loaded":
        return "is not installed on this server; run site.yml, which installs the workers"
    active, result = state.get("ActiveState"), state.get("Result", "")
    if active in ("failed", "inactive"):
        return f"is {active} ({result})"
    if state.get("SubState", "").startswith("auto-restart") and result != "success":
        return f"failed ({result}), and systemd starts it again (restarts: {state.get('NRestarts', '?')})"
    return ""
