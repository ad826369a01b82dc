# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The heartbeat: a process beside the run that renews its lock, and releases it when the run has ended.

It is a fork of the process that has taken the lock, so that it starts at once and has its client. It also releases the
lock of a run that was killed.
"""

from __future__ import annotations

import os
import signal
import time
import typing as t
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.held import State, now, write_state
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import runs
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.claim import (
    LAST_REQUEST,
    OURS,
    RENEWAL,
    TRUST,
    Claim,
    loss,
    standing,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.store import Store

RETRY = 5.0  # seconds to the next attempt after a renewal that failed
KILLED = "The ansible-playbook of this run was killed, and its lock is being released."
GLANCE = 0.1  # seconds between two looks at the run


class Taken(t.NamedTuple):
    """A lock that this run has taken. `begun` is the time of `held.now` at which the request was sent."""

    claim: Claim
    etag: str
    begun: float


@dataclass(frozen=True)
class Heart:
    """The work of the heartbeat. `has_ended` returns whether the run has ended, and waits for that so many seconds."""

    store: Store
    state: Path
    has_ended: t.Callable[[float], bool]
    now: t.Callable[[], float] = now
    sleep: t.Callable[[float], None] = time.sleep

    def beat(self, taken: Taken) -> None:
        """Renew the lock until the run has ended, and release it then. Return earlier if the lock is lost.

        A run that was killed leaves its state file, and workers that may still write. They stop before their next
        change, and get time for the request that they have sent.
        """
        due = taken.begun + RENEWAL
        while not self.has_ended(max(0.0, due - self.now())):
            try:
                renewed = self._renewed(taken)
            except GroundworkError:  # the run stops when `until` has passed
                due = self.now() + RETRY
                continue
            if renewed is None:
                return
            taken = renewed
            due = taken.begun + RENEWAL
            self._tell(held(taken))
        if self.state.exists() and not over(self.state).exists():
            self._tell(State(taken.claim.environment, 0.0, KILLED))
            self.sleep(LAST_REQUEST)
        with suppress(GroundworkError):  # then the lease expires
            self.store.delete(taken.etag)

    def _tell(self, state: State) -> None:
        """Write the state. If that fails, the run stops when the time of the state before has passed."""
        with suppress(OSError):
            write_state(self.state, state)

    def _renewed(self, taken: Taken) -> Taken | None:
        """Return the renewed lock, or None if it is lost."""
        begun, claim = self.now(), taken.claim.renewed()
        etag = self.store.replace(claim, taken.etag)
        if not etag:
            found = self.store.read()
            if not found or standing(found, claim.owner.token) != OURS:
                self._tell(State(claim.environment, 0.0, loss(claim.environment, found)))
                return None
            claim, etag = found.claim, found.etag  # by a request whose response was lost
        return Taken(claim, etag, begun)


def held(taken: Taken) -> State:
    """Return the state of a lock that was just taken or renewed."""
    return State(taken.claim.environment, taken.begun + TRUST)


def start(store: Store, taken: Taken, state: Path) -> None:
    """Start the heartbeat of the run whose process is the claim's owner."""
    write_state(state, held(taken))
    store.clients.client("s3").close()  # its connections must not be shared between two processes
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:  # nothing of the caller may run here
        os.setsid()
        if not os.fork():
            _let_go()
            Heart(store, state, Watch(taken.claim.owner.pid, taken.claim.owner.started, state)).beat(taken)
            over(state).unlink(missing_ok=True)
    finally:
        os._exit(0)


def _let_go() -> None:
    """Release all files of the parent, and ignore the signals that end the run: the heartbeat ends after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir("/")


@dataclass(frozen=True)
class Watch:
    """The run has ended if its process has, if it asks for the release, or if its state file does not exist."""

    pid: int
    started: str
    state: Path

    def __call__(self, seconds: float) -> bool:
        """Wait for up to this many seconds, and return whether the run has ended."""
        end = time.monotonic() + seconds
        while runs(self.pid, self.started) and self.state.exists() and not over(self.state).exists():
            if time.monotonic() >= end:
                return False
            time.sleep(GLANCE)
        return True


def over(state: Path) -> Path:
    """Return the file that a run creates to have its lock released. The heartbeat removes it when that is done."""
    return state.with_name(f"{state.name}.over")
