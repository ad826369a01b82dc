"""A backup that is asked for is a new one, with the sites that matter, and a failure says how to go on."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import making, restoring, running
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done

ID = "20261130T023000Z-private-1"
OLD = "2020-01-01T00:00:00Z"
FROM = {"backup": ID, "urls": {}, "site": ""}
PLAIN = {"backup": "", "urls": {}, "site": ""}


class Server:
    """A server whose service leaves a state at each start. It records what it runs."""

    def __init__(self, place: Path, *states: dict[str, t.Any]) -> None:
        self.place = place
        self.states = iter(states)
        self.ran: list[str] = []
        (place / "plan.json").write_text(json.dumps({"server": "private-1"}))

    def __call__(self, argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        self.ran.append(" ".join(argv[:3]))
        if argv[:2] == ["systemctl", "start"]:
            state = next(self.states)
            (self.place / "backup.json").write_text(json.dumps(state))
            return Done(1 if state.get("failure") else 0, "", "")
        return Done(0, "told by the journal", "")

    def make(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        place = self.place
        own = {"state": place / "backup.json", "plan": place / "plan.json", "marks": place / "restoring.json"}
        return running.make_now(self, options, check_mode=False, **own)


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup with two sites, which is to be restored."""
    manifest = {"id": ID, "sites": {"shop": {}, "blog": {}}}
    monkeypatch.setattr(running.Objects, "manifest", lambda _objects: manifest)


def state(kind: str = "last", **more: t.Any) -> dict[str, t.Any]:
    return {kind: {"id": f"new-{kind}", "began": making.iso(4e9), "failed": {}, **more}}


def test_a_backup_that_was_already_running_is_not_the_one_that_is_asked_for(tmp_path: Path) -> None:
    server = Server(tmp_path, state(began=OLD), state())
    assert server.make(PLAIN)["backup"]["id"] == "new-last"
    assert server.ran == ["systemctl start groundwork-backup.service"] * 2


def test_a_failure_is_told_in_the_words_of_the_service(tmp_path: Path) -> None:
    failure = {"failure": {"at": making.iso(4e9), "message": "no bucket"}}
    with pytest.raises(GroundworkError, match=r"^No backup was made: no bucket$"):
        Server(tmp_path, failure).make(PLAIN)
    with pytest.raises(GroundworkError, match=r"^No backup was made: told by the journal$"):
        Server(tmp_path, {}, {}).make(PLAIN)


def test_a_site_that_is_not_in_it_is_a_failure(tmp_path: Path) -> None:
    partial = {**state(failed={"blog": "broken."}), "failure": {"at": making.iso(4e9), "message": "x"}}
    with pytest.raises(GroundworkError, match=r"^The backup new-last was made, but it lacks blog: broken\.$"):
        Server(tmp_path, partial).make(PLAIN)


@pytest.mark.usefixtures("sites")
def test_before_a_restore_only_the_sites_matter_that_are_restored(tmp_path: Path) -> None:
    partial = {**state("safety", failed={"other": "broken"}), "failure": {"at": making.iso(4e9), "message": "x"}}
    server = Server(tmp_path, partial)
    assert server.make(FROM)["backup"]["id"] == "new-safety"
    assert server.ran == [
        "systemctl start groundwork-backup-safety.service",
        "systemctl reset-failed groundwork-backup-safety.service",
    ]
    partial["safety"]["failed"] = {"blog": "broken"}
    with pytest.raises(GroundworkError, match="it lacks blog: broken"):
        Server(tmp_path, partial).make(FROM)
    assert Server(tmp_path, partial).make({**FROM, "site": "shop"})["backup"]["id"] == "new-safety"


@pytest.mark.usefixtures("sites")
def test_before_a_restore_is_repeated_incomplete_data_need_no_backup(tmp_path: Path) -> None:
    making.record(tmp_path / "restoring.json", shop={"backup": ID, "safety": "S-1"})
    partial = {**state("safety", failed={"shop": "incomplete"}), "failure": {"at": making.iso(4e9), "message": "x"}}
    assert Server(tmp_path, partial).make(FROM)["backup"]["id"] == "new-safety"
    server = Server(tmp_path)
    assert server.make({**FROM, "site": "shop"}) == {"changed": False, "changes": [], "backup": {}}
    assert server.ran == []


def test_a_failure_names_the_backup_and_what_it_left(tmp_path: Path) -> None:
    marks = tmp_path / "restoring.json"
    again = f"To restore again, run groundwork.aws.restore with restore_from={ID}"
    assert running.again(PLAIN, marks) == []
    assert running.again(FROM, marks) == [f"{again}."]
    making.record(marks, shop={"backup": ID, "safety": "S-1"}, blog={"backup": "another", "safety": ""})
    [left, way] = running.again({**FROM, "site": "shop"}, marks)
    assert left.startswith("The data of shop are incomplete")
    assert left.endswith("What was there before is in the backup S-1.")
    assert way == f"{again} and restore_site=shop."


def test_an_error_of_the_disk_is_told_with_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device", "/srv/x")

    monkeypatch.setattr(running, "restore", full)
    with pytest.raises(GroundworkError, match=rf"(?s)No space left on device: '/srv/x'\nTo .* restore_from={ID}\.$"):
        running.converge(lambda _argv: Done(0, "", ""), {**FROM, "state": "restored"}, check_mode=False)
    with pytest.raises(GroundworkError, match=r"'/srv/x'$"):
        running.converge(lambda _argv: Done(0, "", ""), {**FROM, "state": "restored"}, check_mode=True)


def test_marks_are_those_of_incomplete_restores(tmp_path: Path) -> None:
    making.record(tmp_path / "m.json", shop={"backup": ID, "safety": ""}, blog=None)
    assert restoring.interrupted(tmp_path / "m.json") == {"shop": {"backup": ID, "safety": ""}}
