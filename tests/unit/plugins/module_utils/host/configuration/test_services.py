"""Services: read in one call, and awaited until they work with new processes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import Unit
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import ProcFs, Services

ACTIVE = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
RELOADING = "LoadState=loaded\nActiveState=reloading\nUnitFileState=enabled\n"
FAILED = "LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\n"
ABSENT = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n"


class FakeSystemd:
    """Answers `systemctl show` with one state after the other, the last one for good."""

    def __init__(self, *states: str, code: int = 0) -> None:
        self.states = list(states)
        self.code = code
        self.asked: list[Sequence[str]] = []

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        self.asked.append(argv)
        if argv[:2] == ["systemctl", "show"]:
            return Done(0, self.states.pop(0) if len(self.states) > 1 else self.states[0], "")
        if argv[0] == "journalctl":
            return Done(0, "AH00072: address already in use\n", "")
        return Done(self.code, "", "Job failed." if self.code else "")


class FakeProcesses:
    """Processes whose starts are told one list after the other."""

    def __init__(self, *starts: list[float]) -> None:
        self.told = list(starts)

    def now(self) -> float:
        return 100.0

    def starts(self, service: str) -> list[float]:
        return self.told.pop(0) if len(self.told) > 1 else self.told[0]


class FakeClock:
    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float, /) -> None:
        self.time += seconds


def services(systemd: FakeSystemd, *starts: list[float]) -> Services:
    return Services(systemd, FakeClock(), FakeProcesses(*(starts or ([],))))


def test_all_services_are_read_in_one_call() -> None:
    systemd = FakeSystemd(f"{ACTIVE}\n{ABSENT}")
    assert services(systemd).look(["apache2", "mariadb"]) == {
        "apache2": Unit(enabled=True, active=True, installed=True),
        "mariadb": Unit(),
    }
    assert len(systemd.asked) == 1


def test_no_services_are_not_asked_for() -> None:
    systemd = FakeSystemd(ACTIVE)
    assert services(systemd).look([]) == {}
    assert systemd.asked == []


def test_a_reload_is_awaited_until_there_are_new_workers() -> None:
    systemd = FakeSystemd(RELOADING, ACTIVE)
    services(systemd, [50.0, 60.0], [50.0, 60.0], [50.0, 100.0]).act("reload", ["apache2"])
    assert sum(argv[:2] == ["systemctl", "show"] for argv in systemd.asked) == 4


def test_a_daemon_without_workers_is_believed() -> None:
    services(FakeSystemd(ACTIVE), [50.0]).act("reload", ["php8.2-fpm"])


def test_a_unit_without_a_daemon_is_believed() -> None:
    services(FakeSystemd(ACTIVE), []).act("reload", ["rules"])


@pytest.mark.parametrize("action", ["start", "restart", "reload"])
def test_a_service_that_does_not_come_back_is_told_with_its_journal(action: str) -> None:
    with pytest.raises(GroundworkError, match=f"apache2 is not running after its {action}.*\n.*\nAH00072"):
        services(FakeSystemd(FAILED)).act(action, ["apache2"])


def test_a_service_that_never_gets_ready_is_given_up() -> None:
    with pytest.raises(GroundworkError, match="Timed out after 60 s waiting for apache2 to be active after its reload"):
        services(FakeSystemd(ACTIVE), [50.0, 60.0]).act("reload", ["apache2"])


def test_systemctls_refusal_is_told() -> None:
    with pytest.raises(GroundworkError, match=r"Could not restart apache2 and mariadb: Job failed\."):
        services(FakeSystemd(ACTIVE, code=1)).act("restart", ["apache2", "mariadb"])


def test_processes_of_a_service_are_found_in_any_version_of_control_groups(tmp_path) -> None:
    start = ["0"] * 18
    for pid, groups in {
        "10": "0::/system.slice/apache2.service\n",
        "11": "9:name=systemd:/system.slice/apache2.service\n8:pids:/\n",
        "12": "0::/system.slice/ssh.service\n",
    }.items():
        folder = tmp_path / pid
        folder.mkdir()
        (folder / "cgroup").write_text(groups)
        (folder / "stat").write_text(f"{pid} (a) b) S {' '.join(start)} {pid}00 0\n")
    tick = ProcFs(tmp_path)._tick
    assert sorted(ProcFs(tmp_path).starts("apache2")) == [1000 * tick, 1100 * tick]


WORKER = "groundwork-app-queue@1"


def worker(
    active: str, sub: str = "running", *, since: float = 0, result: str = "success", load: str = "loaded"
) -> str:
    """Return the properties of a worker, which became active at a time in seconds."""
    return (
        f"LoadState={load}\nActiveState={active}\nSubState={sub}\nResult={result}\nNRestarts=4\n"
        f"ActiveEnterTimestampMonotonic={int(since * 1e6)}\n"
    )


@pytest.mark.parametrize(
    ("states", "fault", "seconds"),
    [
        ([worker("active", since=-60)], "", 0),
        ([worker("active")], "", 3),
        ([worker("activating", "start"), worker("active", since=1)], "", 4),
        ([worker("activating", "auto-restart"), worker("active", since=2)], "", 5),
        (
            [worker("active"), worker("activating", "auto-restart", result="exit-code")],
            "failed (exit-code), and sys",
            1,
        ),
        ([worker("active"), worker("failed", "failed", result="start-limit-hit")], "is failed (start-limit-hit)", 1),
        ([worker("inactive", "dead")], "is inactive (success)", 0),
        ([worker("inactive", "dead", load="not-found")], "is not installed on this server; run site.yml", 0),
        ([worker("activating", "auto-restart")], "ends soon after each start", 31),
    ],
)
def test_a_worker_has_to_keep_running(states: list[str], fault: str, seconds: float) -> None:
    systemd = FakeSystemd(*states)
    own = services(systemd)
    found = own.idle([WORKER])
    assert own.clock.monotonic() <= seconds
    if not fault:
        assert found == {}
    else:
        assert found[WORKER].startswith(f"{WORKER} does not run: it {fault}")
        assert found[WORKER].endswith("The end of its journal:\nAH00072: address already in use")


def test_workers_that_failed_may_start_again() -> None:
    systemd = FakeSystemd(ACTIVE)
    services(systemd).work("start", [WORKER])
    assert [list(argv) for argv in systemd.asked] == [
        ["systemctl", "reset-failed", WORKER],
        ["systemctl", "start", WORKER],
    ]


def test_running_services_are_found_by_patterns() -> None:
    def run(argv: Sequence[str], /, *, stdin: str = "") -> Done:
        assert argv[-1] == "groundwork-*@*.service"
        return Done(0, f"{WORKER}.service loaded active running Worker\n", "")

    assert Services(run).running(["groundwork-*@*"]) == [WORKER]


def test_a_timer_that_is_stopped_has_not_failed() -> None:
    """systemd lets a timer fail when the unit that it starts is removed."""
    systemd = FakeSystemd(ACTIVE)
    services(systemd).act("stop", ["groundwork-app-nightly.timer"])
    assert [argv[1:] for argv in systemd.asked] == [
        ["stop", "groundwork-app-nightly.timer"],
        ["reset-failed", "groundwork-app-nightly.timer"],
    ]


def test_a_timer_keeps_its_suffix() -> None:
    systemd = FakeSystemd(ACTIVE)
    assert services(systemd).look(["groundwork-app-nightly.timer"])["groundwork-app-nightly.timer"].active
    assert systemd.asked[0][-1] == "groundwork-app-nightly.timer"
