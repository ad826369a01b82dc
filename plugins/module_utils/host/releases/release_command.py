# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the commands of a release once, on one of all servers that get it (docs/decisions/0052).

The servers have one record of a release, an object in S3 that changes by conditional writes alone. The server that has
written it runs the commands, as a unit of systemd. The others wait for the result before they serve the release.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import time
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import hide
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.claiming import (
    CLAIM_PATIENCE,
    Place,
    place_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import (
    Cloud,
    FetchError,
    RefusedError,
    Request,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import commands, files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Command, Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.logs import LINE_LENGTH, secrets_in

PREFIX = "commands"  # in the bucket of the locks
RUNNING, SUCCEEDED, FAILED = "running", "succeeded", "failed"
PAUSE = 2.0  # seconds between two looks at the record of another server
READY_PATIENCE = 240.0  # seconds: a database server is configured in the same run
MARGIN = 60  # seconds after which a server that has not recorded the end of its commands has died
LINES = 20  # of the output
UNITS = Path("/run/systemd/system")
LOCKS = Path("/run/groundwork")
TIMED_OUT = 124  # timeout(1)
PROPERTIES = "ActiveState,Result,InvocationID,ExecMainCode,ExecMainStatus,ExecStart"
EXITED = "1"  # CLD_EXITED, waitid(2)
PROCESS = re.compile(r"; code=(\S+) ; status=(\S+) \}$")
# S3 has not written: the condition is not met, or another request is changing the object at the same time.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
UNMET = (404, 409, 412)
ABSENT = (403, 404)  # without the permission to list a bucket, S3 answers 403 for an object that does not exist


T = t.TypeVar("T")


class CommandError(GroundworkError):
    """The commands of a release failed. Nothing serves the release yet."""


@dataclass(frozen=True)
class Record:
    """What is known of the commands of a release. `run` is the run of ansible-playbook that started them.

    `until` is the time, in seconds since 1970, at which commands that run have ended or their server has died.
    """

    state: str
    server: str
    run: str = ""
    at: float = 0.0
    until: float = 0.0
    message: str = ""


class Found(t.NamedTuple):
    """The object of a record."""

    record: Record
    etag: str


def standing(found: Found | None, server: str, run: str, now: float, *, awaited: bool) -> str:
    """Return what a server may do: RUNNING to run the commands, SUCCEEDED, FAILED, or "" to wait. Pure.

    The server holds its own lock, so that a record that it has written itself is one of a process that was killed. A
    failure is final for those who waited for it, and within the same run of ansible-playbook.
    """
    if found is None:
        return RUNNING
    record = found.record
    if record.state == SUCCEEDED:
        return SUCCEEDED
    if record.state == FAILED:
        return FAILED if awaited or (run and record.run == run) else RUNNING
    return RUNNING if record.server == server or now >= record.until else ""


@dataclass(frozen=True)
class Ledger:
    """The record of one release. Its key has the VPC: an environment that was removed and built again begins anew."""

    place: Place
    key: str

    def read(self) -> Found | None:
        """Return the record, or None if it does not exist."""
        try:
            headers, content = self.place.cloud.send("s3", Request("GET", self.place.host, f"/{self.key}"))
        except RefusedError as error:
            if error.status in ABSENT:
                return None
            raise
        return Found(Record(**json.loads(content)), headers.get("etag", ""))

    def write(self, record: Record, found: Found | None) -> bool:
        """Write the record in place of the one that was found. Return whether that one was still there.

        A write whose response was lost is recognized by its content.
        """
        condition = {"if-match": found.etag} if found else {"if-none-match": "*"}
        body = json.dumps(asdict(record)).encode()
        try:
            self.place.cloud.send("s3", Request("PUT", self.place.host, f"/{self.key}", condition, body))
        except RefusedError as error:
            if error.status not in UNMET:
                raise
            now = self.read()
            return now is not None and now.record == record
        return True

    def conclude(self, claimed: Record, result: Record) -> bool:
        """Write the result in place of the own claim. Return whether no other server had taken the claim over.

        Raise LookupError if the claim cannot be read: the permissions of a new role come late.
        """
        now = self.read()
        if now is None:
            raise LookupError(f"the record {self.key} cannot be read")
        if now.record != claimed:
            return now.record == result
        return self.write(result, now)


def ledger_of(cloud: Cloud, release: Release, command: Command) -> Ledger:
    """Return the ledger of a release, whose place is known from the instance metadata."""
    place = place_of(cloud)
    vpc = cloud.metadata(f"network/interfaces/macs/{cloud.metadata('mac')}/vpc-id")
    return Ledger(place, f"{PREFIX}/{command.environment}/{vpc}/{release.name}/{release.id}")


@dataclass(frozen=True)
class Once:
    """Runs the commands of releases. Tests replace all but `run`: the run of ansible-playbook, "" at a first boot."""

    run: str = ""
    execute: Run = commands.run
    cloud: Cloud = field(default_factory=lambda: Cloud("", ""))
    clock: Clock = SYSTEM_CLOCK
    now: t.Callable[[], float] = time.time
    units: Path = UNITS
    locks: Path = LOCKS

    def ensure(self, release: Release, command: Command) -> bool:
        """Return once the commands have succeeded: True if this server has run them. Raise CommandError."""
        with self._lock(release):
            ledger = self._patiently("read the instance metadata", lambda: ledger_of(self.cloud, release, command))
            claimed = self._claimed(ledger, release, command)
            if claimed is None:
                return False
            failure = self._failure(release, command)
            state = FAILED if failure else SUCCEEDED
            result = Record(state, claimed.server, self.run, at=self.now(), message=failure)
            kept = self._patiently("record the result", lambda: ledger.conclude(claimed, result))
            self._remove(release)
        if failure:
            raise CommandError(f"{failure}\n{_remedy(release)}")
        if not kept:
            raise CommandError(f"The commands of {release.name} {release.id} succeeded too late. {_remedy(release)}")
        return True

    @contextlib.contextmanager
    def _lock(self, release: Release) -> t.Iterator[None]:
        """Wait for another process of this server that runs the commands, such as one whose controller was killed."""
        self.locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.locks / f"release-command-{release.name}").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _patiently(self, doing: str, attempt: t.Callable[[], T]) -> T:
        try:
            return self.cloud.patiently(doing, attempt, CLAIM_PATIENCE)
        except FetchError as error:
            raise GroundworkError(
                f"{error} In S3 the servers agree on the one that runs the release commands. Run site.yml, which gives "
                "them a role for that. The role of an instance_profile of your own must be allowed s3:GetObject and "
                f"s3:PutObject on {PREFIX}/ in the bucket of the locks."
            ) from None

    def _claimed(self, ledger: Ledger, release: Release, command: Command) -> Record | None:
        """Return the record if this server is to run the commands, None if they have succeeded. Raise CommandError."""
        end = self.clock.monotonic() + READY_PATIENCE
        awaited = False
        while True:
            found = self._patiently("read the record of the release commands", ledger.read)
            step = standing(found, ledger.place.server, self.run, self.now(), awaited=awaited)
            if step == SUCCEEDED:
                return None
            if found and step == FAILED:
                raise CommandError(f"{found.record.server} has run it. {found.record.message}\n{_remedy(release)}")
            obstacle = self._obstacle(release, command) if step == RUNNING else ""
            if step == RUNNING and not obstacle and (mine := self._claim(ledger, command, found)):
                return mine
            if obstacle and self.clock.monotonic() >= end:
                raise CommandError(f"{obstacle}\n{_remedy(release)}")
            awaited = awaited or not obstacle
            self.clock.sleep(PAUSE)

    def _claim(self, ledger: Ledger, command: Command, found: Found | None) -> Record | None:
        """Write the record of this server in place of the one that was found. Return None if that has changed."""
        now = self.now()
        mine = Record(RUNNING, ledger.place.server, self.run, at=now, until=now + command.longest + MARGIN)
        won = self._patiently("claim the release commands", lambda: ledger.write(mine, found))
        return mine if won else None

    def _obstacle(self, release: Release, command: Command) -> str:
        """Return why the commands cannot run yet, or "": the database server may be configured in the same run."""
        done = self.execute(command.ready) if command.ready else None
        if done is None or done.code == 0:
            return ""
        words = hide(done.words, secrets_in(release.hide))
        return (
            f"The release command of {release.name} {release.id} was not run, because its database has not accepted "
            f"the site for {READY_PATIENCE:.0f} s.\n{words}"
        )

    def _failure(self, release: Release, command: Command) -> str:
        """Run the commands. Return what failed with the end of the output, or ""."""
        name = unit_of(release)
        path = self.units / name
        left = self._show(name)
        # A process that was killed has left its unit: the commands still run, or have ended without a record.
        if not (left.get("ActiveState") in ("active", "activating") and _content(path) == command.unit):
            self.execute(["systemctl", "stop", name])
            path.parent.mkdir(parents=True, exist_ok=True)
            files.put(Entry(str(path), "file", content=command.unit.encode()))
            succeed(self.execute, "reload systemd's units", ["systemctl", "daemon-reload"])
            self.execute(["systemctl", "reset-failed", name])
        done = self.execute(["timeout", str(command.timeout), "systemctl", "start", name])
        if done.code == TIMED_OUT:
            self.execute(["systemctl", "stop", name])
        state = self._show(name)
        if done.code == 0 and state.get("ActiveState") == "active":
            return ""
        how = f"timed out after {command.timeout} s" if done.code == TIMED_OUT else ended(state)
        which = failed_command(state.get("ExecStart", ""), command.lines)
        output = hide(self._output(state.get("InvocationID", "")) or done.words, secrets_in(release.hide))
        output = "\n".join(line[:LINE_LENGTH] for line in output.splitlines())
        told = ["The end of its output:", *(f"  {line}" for line in output.splitlines())] if output else []
        words = "\n".join([f"The release command of {release.name} {release.id} {how}: {which}", *told])
        return hide(words, secrets_in(release.hide))

    def _show(self, name: str) -> dict[str, str]:
        """Return the properties of the unit. There is a line of ExecStart for each command, which are joined."""
        found: dict[str, str] = {}
        out = succeed(self.execute, "read the unit", ["systemctl", "show", f"--property={PROPERTIES}", name])
        for line in out.splitlines():
            key, _equals, value = line.partition("=")
            found[key] = f"{found[key]}\n{value}" if key in found else value
        return found

    def _output(self, invocation: str) -> str:
        if not invocation:
            return ""
        self.execute(["journalctl", "--sync"])
        match = f"_SYSTEMD_INVOCATION_ID={invocation}"
        done = self.execute(["journalctl", match, f"--lines={LINES}", "--no-pager", "--output=cat"])
        return done.out.strip()

    def _remove(self, release: Release) -> None:
        """Remove the unit, whose result is recorded."""
        name = unit_of(release)
        self.execute(["systemctl", "stop", name])
        self.execute(["systemctl", "reset-failed", name])
        files.discard(str(self.units / name))
        self.execute(["systemctl", "daemon-reload"])


def _content(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _remedy(release: Release) -> str:
    return (
        f"No server serves {release.name} {release.id}, and what was served before stays. Correct the application or "
        "its release_command in lamp_sites, and run again: the release commands then run again."
    )


def unit_of(release: Release) -> str:
    """Return the name of the unit. No worker or schedule has a name with colons."""
    return f"groundwork-release:{release.name}:{release.id}.service"


def ended(state: t.Mapping[str, str]) -> str:
    """Return how the process of a unit ended. Pure."""
    result, status = state.get("Result", ""), state.get("ExecMainStatus", "")
    if result == "exit-code" and state.get("ExecMainCode") == EXITED:
        return f"failed with exit code {status}"
    return f"failed ({result or 'it did not start'})"


def failed_command(exec_start: str, lines: t.Sequence[str]) -> str:
    """Return the last command that was started, from the property ExecStart of its unit. Pure."""
    codes = [found[1] for line in exec_start.splitlines() if (found := PROCESS.search(line))]
    started = [line for line, code in zip(lines, codes, strict=False) if code != "(null)"]
    return started[-1] if started else ", ".join(lines)
