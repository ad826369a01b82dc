"""The commands of a release succeed once, on one server, whatever happens to servers, requests and processes."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from conditional_bucket import Bucket, Server
from release_server import FakeServices
from release_server import Server as Host

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.claiming import CLAIM_PATIENCE
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Command, Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.planning import Site, make_plan, report
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.release_command import (
    FAILED,
    MARGIN,
    READY_PATIENCE,
    RUNNING,
    SUCCEEDED,
    CommandError,
    Found,
    Once,
    Record,
    ended,
    failed_command,
    standing,
    unit_of,
)

COMMAND = Command("dev", "[Service]\n", ("php migrate", "php warm"), timeout=100)
APP = Release("app", "/srv/www/app", "one", reload=("php8.2-fpm",), command=COMMAND)
KEY = "/commands/dev/vpc-1/app/one"
EXEC_START = (
    "{ path=/usr/bin/env ; argv[]=/usr/bin/env -- php migrate ; ignore_errors=no ; start_time=[x] ; stop_time=[x] ; "
    "pid=7 ; code=exited ; status=%d }"
)


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


@dataclass
class Systemd:
    """systemd with one unit, whose commands exit with the next of `codes`, the last one again and again."""

    codes: list[int] = field(default_factory=lambda: [0])
    output: str = "migrated"
    ready: list[int] = field(default_factory=lambda: [0])
    during: Callable[[], Any] = lambda: None
    state: str = "inactive"
    ran: int = 0
    killed: str = ""  # the step at which the module's process is killed

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        words = [word for word in argv if not word.startswith("-")]
        if words[0] == "ready":
            return Done(self.ready.pop(0) if len(self.ready) > 1 else self.ready[0], "", "no database")
        if words[0] == "journalctl":
            return Done(0, self.output, "")
        if words[0] == "timeout":
            return self.start()
        if words[1] == "stop":
            self.state = "inactive"
        if words[1] == "show":
            code = self.codes[0]
            shown = {
                "ActiveState": self.state,
                "InvocationID": "0a1b",
                "ExecMainCode": "1",
                "ExecMainStatus": str(code),
            }
            shown |= {"ExecStart": EXEC_START % code, "Result": "exit-code" if code else "success"}
            return Done(0, "".join(f"{name}={value}\n" for name, value in shown.items()), "")
        return Done(0, "", "")

    def start(self) -> Done:
        if self.state != "active":
            if self.killed == "before":
                raise Killed
            if len(self.codes) > 1 and self.ran:
                self.codes.pop(0)
            self.ran += 1
            self.during()
            self.state = "failed" if self.codes[0] else "active"
        if self.killed:
            raise Killed
        return Done(124 if self.codes[0] == 124 else int(self.codes[0] > 0), "", "")


class Machine(Server):
    """A server with systemd. Its clocks are the same one, which only its waiting moves."""

    def __init__(self, name: str, bucket: Bucket, root: Path, systemd: Systemd | None = None, **more: Any) -> None:
        super().__init__(name, bucket, **more)
        self.systemd = systemd or Systemd()
        self.root = root / name

    def once(self, run: str = "") -> Once:
        clock = SimpleNamespace(monotonic=lambda: self.time, sleep=self.sleep)
        return Once(
            run,
            self.systemd,
            self.cloud(),
            cast(Any, clock),
            lambda: self.time,
            self.root / "units",
            self.root / "locks",
        )

    def ensure(self, run: str = "", command: Command = COMMAND) -> bool:
        return self.once(run).ensure(APP, command)


def record(bucket: Bucket) -> Record:
    return Record(**json.loads(bucket.objects[KEY]))


def test_one_server_runs_the_commands_and_no_later_one(tmp_path: Path) -> None:
    bucket = Bucket()
    first, second, much_later = (Machine(f"i-{number}", bucket, tmp_path) for number in (1, 2, 3))
    much_later.time = 1e9
    assert [one.ensure("run") for one in (first, second, much_later)] == [True, False, False]
    assert [one.systemd.ran for one in (first, second, much_later)] == [1, 0, 0]
    assert (record(bucket).state, record(bucket).server) == (SUCCEEDED, "i-1")
    assert list((tmp_path / "i-1" / "units").iterdir()) == [], "the unit is removed"


def test_servers_that_come_at_once_wait_for_the_first(tmp_path: Path) -> None:
    bucket, turn = Bucket(), threading.Lock()
    answer = bucket.answer

    def one_at_a_time(*request: Any) -> tuple[int, str]:
        with turn:
            return answer(*request)

    bucket.answer = one_at_a_time  # type: ignore[method-assign]
    machines = [Machine(f"i-{number}", bucket, tmp_path) for number in range(4)]
    for machine in machines:
        machine.systemd.during = lambda: time.sleep(0.1)
        machine.sleep = lambda _seconds: time.sleep(0.01)  # type: ignore[method-assign]
    results: dict[str, bool] = {}
    threads = [
        threading.Thread(target=lambda one=one: results.update({one.name: one.ensure("run")}))  # type: ignore[misc]
        for one in machines
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results.values()) == [False, False, False, True]
    assert sum(one.systemd.ran for one in machines) == 1


def test_a_failure_is_told_with_its_output_and_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "pool").write_text("[app]\nenv[KEY] = 'hunter2-hunter2'\n")
    bucket = Bucket()
    machine = Machine("i-1", bucket, tmp_path, Systemd([3], "no table\nKEY=hunter2-hunter2"))
    with pytest.raises(CommandError) as error:
        machine.once("run").ensure(replace(APP, hide=(str(tmp_path / "pool"),)), COMMAND)
    assert "The release command of app one failed with exit code 3: php migrate" in str(error.value)
    assert "no table" in str(error.value)
    assert "No server serves app one, and what was served before stays." in str(error.value)
    assert "hunter2" not in str(error.value) + str(bucket.objects)
    assert record(bucket).state == FAILED


def test_a_failure_is_final_within_a_run_and_the_next_run_repeats_it(tmp_path: Path) -> None:
    bucket = Bucket()
    failing, other, late = (Machine(f"i-{number}", bucket, tmp_path, Systemd([1, 0])) for number in (1, 2, 3))
    for machine in (failing, other, late, failing):
        with pytest.raises(CommandError, match="exit code 1"):
            machine.ensure("run")
    assert [one.systemd.ran for one in (failing, other, late)] == [1, 0, 0]
    assert failing.ensure("the next run")
    assert failing.systemd.ran == 2
    assert not other.ensure("the next run")


def test_commands_that_take_too_long_are_stopped(tmp_path: Path) -> None:
    machine = Machine("i-1", Bucket(), tmp_path, Systemd([124]))
    with pytest.raises(CommandError, match="timed out after 100 s: php migrate"):
        machine.ensure()
    assert machine.systemd.state == "inactive"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_was_killed_is_continued_on_its_server(tmp_path: Path, moment: str) -> None:
    """What had succeeded without a record is recorded, and does not run again."""
    bucket = Bucket()
    machine = Machine("i-1", bucket, tmp_path, Systemd(killed=moment))
    with pytest.raises(Killed):
        machine.ensure("run")
    assert record(bucket).state == RUNNING
    machine.systemd.killed = ""
    assert machine.ensure("the next run")
    assert machine.systemd.ran == 1
    assert machine.time == 0, "it did not wait"


def test_commands_that_were_corrected_do_not_continue_those_that_were_killed(tmp_path: Path) -> None:
    machine = Machine("i-1", Bucket(), tmp_path, Systemd(killed="after"))
    with pytest.raises(Killed):
        machine.ensure("run")
    machine.systemd.killed = ""
    assert machine.ensure("the next run", replace(COMMAND, unit="[Service]\nExecStart=/bin/true\n"))
    assert machine.systemd.ran == 2


def test_another_server_takes_over_when_the_commands_must_have_ended(tmp_path: Path) -> None:
    bucket = Bucket()
    lost, other = Machine("i-1", bucket, tmp_path, Systemd(killed="before")), Machine("i-2", bucket, tmp_path)
    with pytest.raises(Killed):
        lost.ensure("run")
    assert other.ensure("the next run")
    assert COMMAND.longest + MARGIN <= other.time < COMMAND.longest + MARGIN + 5
    lost.systemd.killed = ""
    assert not lost.ensure("the next run")


def test_a_result_that_comes_too_late_is_not_recorded(tmp_path: Path) -> None:
    bucket = Bucket()
    late, other = Machine("i-1", bucket, tmp_path), Machine("i-2", bucket, tmp_path)
    other.time = 1e6
    late.systemd.during = lambda: other.ensure("run")
    with pytest.raises(CommandError, match="succeeded too late"):
        late.ensure("run")
    assert record(bucket).server == "i-2"


def test_the_commands_wait_for_the_database(tmp_path: Path) -> None:
    """Another server, whose database is ready earlier, may run them meanwhile."""
    waiting = Machine("i-1", Bucket(), tmp_path, Systemd(ready=[1, 1, 1, 0]))
    assert waiting.ensure(command=replace(COMMAND, ready=("ready",)))
    assert 0 < waiting.time < 10
    never = Machine("i-2", Bucket(), tmp_path, Systemd(ready=[1]))
    with pytest.raises(CommandError, match=r"has not accepted the site for 240 s\.\nno database"):
        never.ensure(command=replace(COMMAND, ready=("ready",)))
    assert READY_PATIENCE <= never.time < READY_PATIENCE + 5
    assert (never.systemd.ran, never.bucket.objects) == (0, {})


def test_a_server_that_cannot_reach_s3_runs_nothing(tmp_path: Path) -> None:
    machine = Machine("i-1", Bucket(), tmp_path, lost=lambda _when: True)
    with pytest.raises(GroundworkError, match="must be allowed s3:GetObject and s3:PutObject on commands/"):
        machine.ensure()
    assert machine.systemd.ran == 0
    assert CLAIM_PATIENCE <= machine.time < 2 * CLAIM_PATIENCE


@pytest.mark.parametrize("seed", range(40))
def test_commands_succeed_once_whatever_is_lost_and_killed(tmp_path: Path, seed: int) -> None:
    """Requests are lost, processes are killed, servers are replaced. At last each server serves the release."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible choice
    bucket, now, succeeded = Bucket(), 0.0, 0
    machines = [Machine(f"i-{n}", bucket, tmp_path, lost=lambda _: chance.random() < 0.1) for n in range(3)]
    for run in range(12):
        for machine in chance.sample(machines, len(machines)):
            machine.time = now = max(now, machine.time) + 1
            machine.systemd.killed = chance.choice(["before", "after", "", ""])
            machine.systemd.codes = [chance.choice([0, 1])] if machine.systemd.state == "inactive" else [0]
            before = bucket.objects.get(KEY, "")
            try:
                succeeded += machine.ensure(f"run {run}")
            except (Killed, CommandError):
                assert SUCCEEDED not in before
            now = max(now, machine.time)
    for machine in machines:
        machine.systemd.killed, machine.systemd.codes, machine.time = "", [0], now + 1e4
        succeeded += machine.ensure("last")
    assert succeeded == 1
    assert record(bucket).state == SUCCEEDED


RUNS = Record(RUNNING, "i-1", "run", at=0, until=100)


@pytest.mark.parametrize(
    ("record", "server", "run", "now", "awaited", "expected"),
    [
        (None, "i-2", "run", 0, False, RUNNING),
        (RUNS, "i-1", "run", 0, False, RUNNING),
        (RUNS, "i-2", "run", 99, False, ""),
        (RUNS, "i-2", "run", 100, False, RUNNING),
        (replace(RUNS, state=SUCCEEDED), "i-1", "another", 1e9, False, SUCCEEDED),
        (replace(RUNS, state=FAILED), "i-2", "run", 0, False, FAILED),
        (replace(RUNS, state=FAILED), "i-2", "another", 0, True, FAILED),
        (replace(RUNS, state=FAILED), "i-2", "another", 0, False, RUNNING),
        (replace(RUNS, state=FAILED, run=""), "i-2", "", 0, False, RUNNING),
    ],
)
def test_what_a_record_means(
    record: Record | None, server: str, run: str, now: float, awaited: bool, expected: str
) -> None:
    found = Found(record, "etag") if record else None
    assert standing(found, server, run, now, awaited=awaited) == expected


def test_which_command_failed_and_how() -> None:
    not_started = "{ path=/usr/bin/env ; argv[]=x ; pid=0 ; code=(null) ; status=0/0 }"
    assert failed_command(f"{EXEC_START % 0}\n{not_started}", COMMAND.lines) == "php migrate"
    assert failed_command(f"{EXEC_START % 0}\n{EXEC_START % 1}", COMMAND.lines) == "php warm"
    assert failed_command("", COMMAND.lines) == "php migrate, php warm"
    assert ended({"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "3"}) == "failed with exit code 3"
    assert ended({"Result": "oom-kill", "ExecMainCode": "2", "ExecMainStatus": "9"}) == "failed (oom-kill)"
    assert ended({}) == "failed (it did not start)"
    assert unit_of(APP) == "groundwork-release:app:one.service"


# In the releases of a server -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "runs"),
    [
        (Site(), True),
        (Site(("old",), "old"), True),
        (Site(("one", "old"), "old"), True),
        (Site(("one", "old"), "old", served=True), False),
        (Site(("one",), "one", served=True), False),
    ],
    ids=["first", "new", "failed before", "back", "current"],
)
def test_which_releases_run_their_command(site: Site, runs: bool) -> None:
    told = report(make_plan([APP], {"app": site}, ()))["changes"]
    change = {"action": "run", "resource": "release command", "name": "app one: php migrate, php warm"}
    assert (change in told) is runs


@dataclass
class Ledger:
    """Runs commands, and tells what was served meanwhile."""

    host: Host
    error: GroundworkError | None = None
    elsewhere: bool = False
    served: list[str] = field(default_factory=list)

    def ensure(self, release: Release, command: Command) -> bool:
        assert (release.folder / "public" / "index.php").exists()
        self.served.append(self.host.served() if (self.host.site / "current").exists() else "")
        if self.error:
            raise self.error
        return not self.elsewhere


def test_the_command_runs_in_the_new_release_before_the_switch_and_a_failure_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "app" / "releases").mkdir(parents=True)
    host = Host(tmp_path, FakeServices())
    ledger = Ledger(host)

    def converged(text: str, *, check_mode: bool = False) -> list[str]:
        releases = replace(host.releases(), once=cast(Once, ledger))
        release = replace(host.packed(text), command=COMMAND)
        result = releases.converge([release], check_mode=check_mode)
        return [f"{change['action']} {change['resource']}" for change in result["changes"]]

    planned = converged("one", check_mode=True)
    assert converged("one") == planned
    assert "run release command" in planned
    assert converged("one") == []
    ledger.error = CommandError("no table")
    host.services.acted.clear()
    with pytest.raises(CommandError):
        converged("two")
    assert (host.served(), host.services.acted) == ("one", [])
    assert not (tmp_path / "journal.json").exists()
    ledger.error, ledger.elsewhere = None, True
    assert "run release command" not in converged("two"), "another server has run it"
    assert host.served() == "two"
    assert "run release command" not in converged("one"), "going back"
    assert ledger.served == ["", "one", "one"]


def test_going_back_tells_before_that_the_database_stays(tmp_path: Path) -> None:
    (tmp_path / "app" / "releases").mkdir(parents=True)
    host = Host(tmp_path, FakeServices())
    releases = replace(host.releases(), once=cast(Once, Ledger(host)))
    first, second = (replace(host.packed(text), command=COMMAND) for text in ("one", "two"))

    def told(release: Release, *, check_mode: bool = False) -> list[str]:
        warnings: list[str] = releases.converge([release], check_mode=check_mode).get("warnings", [])
        return [one for one in warnings if "is not undone" in one]

    assert (told(first), told(second)) == ([], [])
    back = replace(first, archive="")
    [warning] = told(back, check_mode=True)
    assert warning.startswith(
        f"The release {first.id} of app was served before. Its release command does not run again"
    )
    assert told(replace(back, command=None), check_mode=True) == [], "a release that is taken back, or has no commands"
    assert told(back) == [warning]
    assert told(back) == []
