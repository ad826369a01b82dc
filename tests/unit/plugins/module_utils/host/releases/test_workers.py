"""Workers of a release: restarted after its pages were answered, started if they do not run, and told if they fail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from release_server import FakeServices, Server

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import Answer, Page
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.planning import Plan, Site, make_plan, report
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.serving import WorkersError

ONE, TWO = "groundwork-app-queue@1", "groundwork-app-queue@2"
APP = Release("app", "/srv/www/app", "new", reload=("php8.2-fpm",), workers=(ONE, TWO))
CURRENT = {"app": Site(("new",), "new")}
OUTDATED = {"app": Site(("new", "old"), "old")}


@pytest.mark.parametrize(
    ("observed", "states", "pending", "restart", "start"),
    [
        (CURRENT, {ONE: "active", TWO: "active"}, (), (), ()),
        (CURRENT, {ONE: "activating", TWO: "reloading"}, (), (), ()),
        (CURRENT, {ONE: "failed", TWO: "active"}, (), (), (ONE,)),
        (OUTDATED, {ONE: "inactive", TWO: "active"}, (), (TWO,), (ONE,)),
        (CURRENT, {ONE: "active", TWO: "active"}, (TWO, "php8.2-fpm"), (TWO,), ()),
        ({}, {}, (), (), (ONE, TWO)),
    ],
)
def test_what_happens_to_workers(
    observed: dict[str, Site], states: dict[str, str], pending: tuple[str, ...], restart: Any, start: Any
) -> None:
    plan = make_plan([APP], observed, pending, states)
    assert (plan.restart, plan.start) == (restart, start)
    assert set(plan.reload) <= {"php8.2-fpm"}


def test_a_plan_tells_its_workers() -> None:
    changes = report(Plan((), (), restart=(ONE,), start=(TWO,)))["changes"]
    assert changes == [
        {"action": "restart", "resource": "service", "name": ONE},
        {"action": "start", "resource": "service", "name": TWO},
    ]


@dataclass
class Workers(FakeServices):
    """Workers with active states. Those of `failing` do not run, by the release that is served."""

    current: Path = Path()
    state: dict[str, str] = field(default_factory=dict)
    failing: str = ""  # the text of the release with which they fail
    secret: str = ""

    def states(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.state.get(name, "inactive") for name in names}

    def work(self, action: str, names: Sequence[str]) -> None:
        self.acted.append(f"{action} {' '.join(names)}")
        fails = self.failing == (self.current / "public" / "index.php").read_text()
        self.state.update(dict.fromkeys(names, "failed" if fails else "active"))

    def failure(self, name: str) -> str:
        return f"{name} failed: {self.secret}"

    def idle(self, names: Sequence[str]) -> dict[str, str]:
        return {name: f"{name} failed: {self.secret}" for name in names if self.states([name])[name] != "active"}


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "app" / "releases").mkdir(parents=True)
    return Server(tmp_path, Workers(current=tmp_path / "app" / "current"))


def worked(server: Server, text: str, answers: str = "", **more: Any) -> dict[str, Any]:
    """Release an application. Its page fails if its text is `answers`."""
    page = Page("app", "/", "200", 1.0, "127.0.0.1", (), True, "")

    def ask(pages: Collection[Page]) -> list[Answer]:
        wrong = "answered 500" if pages and server.served() == answers else ""
        return [Answer(one, 500 if wrong else 200, wrong) for one in pages]

    release = replace(server.packed(text), workers=(ONE, TWO), pages=(page,) if answers else ())
    server.services.acted.clear()
    return server.releases(ask).converge([release], check_mode=False, **more)


def test_the_first_release_starts_its_workers_and_the_second_restarts_them(server: Server) -> None:
    worked(server, "one")
    assert server.services.acted == ["reload php8.2-fpm", f"start {ONE} {TWO}"]
    worked(server, "two")
    assert server.services.acted == ["reload php8.2-fpm", f"restart {ONE} {TWO}"]
    again = worked(server, "two")
    assert (again["changed"], server.services.acted) == (False, [])


def test_a_release_that_is_taken_back_leaves_its_workers_alone(server: Server) -> None:
    worked(server, "one", answers="two")
    with pytest.raises(GroundworkError) as error:
        worked(server, "two", answers="two")
    assert error.value.details["taken_back"]
    assert server.services.acted == ["reload php8.2-fpm", "reload php8.2-fpm"]


def test_a_worker_that_failed_with_the_release_is_told(server: Server) -> None:
    worked(server, "one")
    server.services.failing = "two"  # type: ignore[attr-defined]
    with pytest.raises(WorkersError, match=f"{ONE}, {TWO} ran before this release. Correct the worker") as error:
        worked(server, "two")
    assert error.value.details == {"idle_workers": [ONE, TWO]}
    with pytest.raises(WorkersError) as again:
        worked(server, "two")
    assert again.value.details["taken_back"] == {}, "the release is not the cause: it did not change"
    assert server.services.acted == [f"start {ONE} {TWO}"]


def test_a_worker_that_fails_when_a_release_is_taken_back_is_a_warning(server: Server) -> None:
    server.services.failing = "one"  # type: ignore[attr-defined]
    result = worked(server, "one", require_pages=False)
    assert result["warnings"] == [f"{ONE} failed: ", f"{TWO} failed: "]


def test_the_log_of_a_worker_is_told_without_secrets(server: Server, tmp_path: Path) -> None:
    (tmp_path / "pool").write_text("[app]\nenv[KEY] = 'hunter2-hunter2'\n")
    server.services.failing, server.services.secret = "one", "hunter2-hunter2"  # type: ignore[attr-defined]
    release = replace(server.packed("one"), workers=(ONE,), hide=(str(tmp_path / "pool"),))
    with pytest.raises(WorkersError) as error:
        server.converge(release)
    assert "hunter2" not in str(error.value)


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


def test_the_next_run_restarts_the_workers_of_an_interrupted_one(server: Server) -> None:
    worked(server, "one")
    server.services.broken = Killed()
    with pytest.raises(Killed):
        worked(server, "two")
    worked(server, "two")
    assert server.services.acted == ["reload php8.2-fpm", f"restart {ONE} {TWO}"]


def test_the_failure_of_a_job_is_a_warning_without_secrets(server: Server, tmp_path: Path) -> None:
    (tmp_path / "pool").write_text("[app]\nenv[KEY] = 'hunter2-hunter2'\n")
    server.services.state = {"groundwork-app-nightly": "failed"}  # type: ignore[attr-defined]
    server.services.secret = "hunter2-hunter2"  # type: ignore[attr-defined]
    jobs = ("groundwork-app-nightly", "groundwork-app-hourly")
    release = replace(server.packed("one"), jobs=jobs, hide=(str(tmp_path / "pool"),))
    assert server.converge(release)["warnings"] == ["groundwork-app-nightly failed: (secret, not shown)"]
    assert server.services.acted == ["reload php8.2-fpm"]
