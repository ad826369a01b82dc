"""The transaction: what goes live, what is brought back, and what the next run mends."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import (
    Entry,
    Include,
    Purge,
    Server,
    Service,
    Touch,
    Validator,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import Unit
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Host, converge

ME = pwd.getpwuid(os.getuid()).pw_name
MINE = grp.getgrgid(os.getgid()).gr_name


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


@dataclass
class FakeServices:
    """Services that remember what was asked of them; `broken` names actions that fail, once each."""

    units: dict[str, Unit]
    broken: dict[str, BaseException] = field(default_factory=dict)
    acted: list[str] = field(default_factory=list)

    def look(self, names: Sequence[str]) -> dict[str, Unit]:
        return {name: self.units.get(name, Unit()) for name in names}

    def act(self, action: str, names: Sequence[str]) -> None:
        self.acted.append(f"{action} {' '.join(names)}")
        if action in self.broken:
            raise self.broken.pop(action)

    def know_units(self) -> None:
        self.acted.append("daemon-reload")

    def running(self, patterns: Sequence[str]) -> list[str]:
        assert list(patterns) == ["groundwork-*@*"]
        return sorted(name for name, unit in self.units.items() if "@" in name and unit.active)


@dataclass
class Stage:
    """A host in a folder."""

    root: Path
    services: FakeServices
    refusal: str = ""
    rehearsed: list[Any] = field(default_factory=list)

    def run(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        if argv[0] == "missing":
            raise GroundworkError("The command missing does not exist on this server.")
        told = {"--show": "apache2 installed\n", "--search": f"apache2: {self.root / 'packaged.conf'}\n"}
        return Done(int(argv[0] == "false"), told.get(argv[1], "") if argv[0] == "dpkg-query" else "", "")

    def rehearse(self, run: Any, accounts: Any, entries: Any, validators: Any, /) -> None:
        self.rehearsed.append((entries, validators))
        if self.refusal:
            raise GroundworkError(self.refusal)

    def host(self) -> Host:
        return Host(self.run, self.services, self.rehearse, self.root / "journals")

    def converge(self, *contents: tuple[str, str], check_mode: bool = False, **more: Any) -> dict[str, Any]:
        entries = tuple(
            Entry(str(self.root / name), "file", text.encode(), owner=ME, group=MINE, touch=Touch(reload=("apache2",)))
            for name, text in contents
        )
        validators = (Validator(("check",), frozenset({"apache2"})), Validator(("other",), frozenset({"mariadb"})))
        desired = Server("web", ("apache2",), (), entries, (), (), validators, (Service("apache2"),))
        return converge(self.host(), Server(**{**vars(desired), **more}), check_mode=check_mode)

    def text(self, name: str) -> str:
        return (self.root / name).read_text()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, FakeServices({"apache2": Unit(enabled=True, active=True, installed=True)}))


@pytest.fixture
def settled(stage: Stage) -> Stage:
    stage.converge(("a.conf", "one"))
    stage.services.acted.clear()
    return stage


def test_files_are_written_and_services_reloaded(stage: Stage) -> None:
    result = stage.converge(("a.conf", "one"))
    assert result["changed"]
    assert stage.text("a.conf") == "one"
    assert stage.services.acted == ["reload apache2"]


def test_the_second_run_changes_nothing(settled: Stage) -> None:
    assert settled.converge(("a.conf", "one")) == {"changed": False, "changes": [], "diff": []}
    assert settled.services.acted == []


def test_check_mode_tells_the_same_and_does_nothing(settled: Stage) -> None:
    planned = settled.converge(("a.conf", "two"), check_mode=True)
    assert (settled.text("a.conf"), settled.services.acted) == ("one", [])
    assert planned == settled.converge(("a.conf", "two"))


@pytest.mark.parametrize("check", [("false",), ("missing",)])
def test_a_service_whose_effect_was_undone_is_reloaded(stage: Stage, check: tuple[str, ...]) -> None:
    works: dict[str, Any] = {"services": (Service("apache2", check=("true",)),)}
    undone: dict[str, Any] = {"services": (Service("apache2", check=check),)}
    assert stage.converge(**works)["changes"] == []
    planned = stage.converge(**undone, check_mode=True)
    assert stage.services.acted == []
    assert stage.converge(**undone) == planned
    assert planned["changes"] == [{"action": "reload", "resource": "service", "name": "apache2"}]
    assert [(diff["before"], diff["after"]) for diff in planned["diff"]] == [
        ("active, enabled, without effect\n", "active, enabled, reloaded\n")
    ]
    assert stage.services.acted == ["reload apache2"]


def test_a_service_that_is_stopped_is_not_checked(stage: Stage) -> None:
    stage.services.units.clear()
    asked = stage.converge(services=(Service("apache2", check=("false",)),), check_mode=True)
    assert [change["action"] for change in asked["changes"]] == ["enable", "start"]


def test_only_the_validators_of_touched_services_run(stage: Stage) -> None:
    stage.converge(("a.conf", "one"))
    assert [validator.argv for validator in stage.rehearsed[-1][1]] == [("check",)]


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_a_validator_refuses_never_goes_live(settled: Stage, check_mode: bool) -> None:
    settled.refusal = "line 1: no"
    with pytest.raises(GroundworkError, match="line 1: no"):
        settled.converge(("a.conf", "bad"), ("b.conf", "new"), check_mode=check_mode)
    assert settled.text("a.conf") == "one"
    assert not (settled.root / "b.conf").exists()
    assert settled.services.acted == []


def test_everything_is_restored_when_a_service_does_not_come_back(settled: Stage) -> None:
    settled.services.broken["reload"] = GroundworkError("apache2 did not come back")
    with pytest.raises(GroundworkError, match="did not come back\nAll files are restored"):
        settled.converge(("a.conf", "bad"), ("b.conf", "new"))
    assert settled.text("a.conf") == "one"
    assert not (settled.root / "b.conf").exists()
    assert settled.services.acted == ["reload apache2", "reload apache2"]
    assert settled.converge(("a.conf", "one"))["changed"] is False


def test_a_file_that_cannot_be_written_brings_the_others_back(settled: Stage) -> None:
    with pytest.raises(GroundworkError, match=r"Could not set .*missing/b\.conf to the state 'file'"):
        settled.converge(("a.conf", "two"), ("missing/b.conf", "new"))
    assert settled.text("a.conf") == "one"


def test_the_next_run_mends_a_killed_one(settled: Stage) -> None:
    settled.services.broken["reload"] = Killed()
    with pytest.raises(Killed):
        settled.converge(("a.conf", "two"))
    settled.services.acted.clear()
    planned = settled.converge(("a.conf", "two"), check_mode=True)
    assert planned["changes"] == [{"action": "reload", "resource": "service", "name": "apache2"}]
    assert settled.converge(("a.conf", "two"))["changes"] == planned["changes"]
    assert settled.services.acted == ["reload apache2"]
    assert settled.converge(("a.conf", "two"))["changed"] is False


def test_a_killed_run_still_knows_the_last_good_files(settled: Stage) -> None:
    settled.services.broken["reload"] = Killed()
    with pytest.raises(Killed):
        settled.converge(("a.conf", "bad"))
    settled.services.broken["reload"] = GroundworkError("apache2 did not come back")
    with pytest.raises(GroundworkError, match="All files are restored"):
        settled.converge(("a.conf", "bad"))
    assert settled.text("a.conf") == "one"


def test_the_journal_is_for_root_alone(settled: Stage) -> None:
    settled.services.broken["reload"] = Killed()
    with pytest.raises(Killed):
        settled.converge(("a.conf", "two"))
    assert (settled.root / "journals" / "web.json").stat().st_mode & 0o777 == 0o600


def test_files_from_before_are_purged(settled: Stage) -> None:
    purges = (Purge(str(settled.root / "*.conf"), Touch(reload=("apache2",))),)
    changes = settled.converge(("b.conf", "new"), purges=purges)["changes"]
    assert {"action": "delete", "resource": "file", "name": str(settled.root / "a.conf")} in changes
    assert not (settled.root / "a.conf").exists()


FOREIGN = pytest.mark.parametrize(
    ("name", "keep", "stays"),
    [
        ("99-mine.conf", (), False),
        ("99-mine.conf", ("*/99-*.conf",), True),
        ("packaged.conf", (), True),
        (".hidden.conf", (), True),
        ("mine.txt", (), True),
        ("a.conf", (), True),
    ],
)


@FOREIGN
def test_a_file_of_others_is_set_aside(settled: Stage, name: str, keep: tuple[str, ...], stays: bool) -> None:
    """Unless it is kept, of a package, not included, or declared."""
    path = settled.root / name
    before = path.read_text() if path.exists() else "mine"
    path.write_text(before)
    (settled.root / f"{name}.set-aside").write_text("an earlier one")
    (settled.root / "folder.conf").mkdir()
    includes = (Include(str(settled.root / "*.conf"), keep, Touch(restart=("apache2",))),)
    planned = settled.converge(("a.conf", "one"), includes=includes, check_mode=True)
    assert path.read_text() == before
    assert settled.converge(("a.conf", "one"), includes=includes) == planned
    assert path.exists() is stays
    aside = [{"action": "set aside", "resource": "file", "name": str(path)}]
    assert planned["changes"][:1] == ([] if stays else aside)
    assert settled.services.acted == ([] if stays else ["restart apache2"])
    kept = {one.read_text() for one in settled.root.glob(f"{name}.set-aside*")}
    assert kept == ({"an earlier one"} if stays else {"an earlier one", "mine"})
    assert settled.converge(("a.conf", "one"), includes=includes)["changes"] == []


def test_a_file_of_others_is_back_when_a_service_fails(settled: Stage) -> None:
    (settled.root / "99-mine.conf").write_text("mine")
    settled.services.broken = {"restart": GroundworkError("no start")}
    includes = (Include(str(settled.root / "*.conf"), (), Touch(restart=("apache2",))),)
    with pytest.raises(GroundworkError, match="All files are restored"):
        settled.converge(("a.conf", "one"), includes=includes)
    assert settled.text("99-mine.conf") == "mine"


def test_a_link_takes_the_place_of_a_file(settled: Stage) -> None:
    entries = (Entry(str(settled.root / "a.conf"), "link", target="b.conf"),)
    settled.converge(entries=entries)
    assert (settled.root / "a.conf").readlink() == Path("b.conf")
    assert settled.converge(entries=entries)["changed"] is False


def test_no_unfinished_file_is_left(settled: Stage) -> None:
    settled.converge(("a.conf", "two"), ("b.conf", "new"))
    assert sorted(path.name for path in settled.root.iterdir()) == ["a.conf", "b.conf", "journals"]


def test_purged_files_may_be_in_several_folders(settled: Stage) -> None:
    for folder in ("one", "two"):
        (settled.root / folder / "private").mkdir(parents=True)
        (settled.root / folder / "private" / "salts.php").touch()
        (settled.root / folder / "private" / ".salts.php.groundwork").touch()
    purges = (Purge(str(settled.root / "*" / "private" / "*")),)
    changes = settled.converge(("a.conf", "one"), purges=purges)["changes"]
    assert [one["name"] for one in changes] == [f"{settled.root}/{one}/private/salts.php" for one in ("one", "two")]
    assert not list(settled.root.glob("*/private/[!.]*"))


WORKERS = ("groundwork-app-queue@1", "groundwork-app-queue@2")


@pytest.mark.parametrize(("active", "acted"), [(True, [f"try-restart {WORKERS[0]}"]), (False, [])])
def test_a_service_that_is_left_as_it_is_restarts_only_if_it_runs(
    settled: Stage, active: bool, acted: list[str]
) -> None:
    settled.services.units[WORKERS[0]] = Unit(enabled=active, active=active, installed=True)
    services = (Service("apache2"), Service(WORKERS[0], None, None))
    entry = Entry(str(settled.root / "unit"), "file", b"new", owner=ME, group=MINE, touch=Touch(restart=WORKERS[:1]))
    more: dict[str, Any] = {"services": services, "purged_services": ("groundwork-*@*",)}
    planned = settled.converge(entries=(entry,), check_mode=True, **more)
    assert settled.converge(entries=(entry,), **more) == planned
    assert settled.services.acted == acted
    assert settled.converge(entries=(entry,), **more)["changed"] is False


def test_a_running_service_that_is_not_declared_any_more_is_stopped(settled: Stage) -> None:
    settled.services.units.update(dict.fromkeys(WORKERS, Unit(enabled=True, active=True, installed=True)))
    more: dict[str, Any] = {
        "services": (Service("apache2"), Service(WORKERS[0], None, None)),
        "purged_services": ("groundwork-*@*",),
    }
    planned = settled.converge(check_mode=True, **more)
    assert planned["changes"] == [{"action": "stop", "resource": "service", "name": WORKERS[1]}]
    assert settled.converge(**more) == planned
    assert settled.services.acted == [f"stop {WORKERS[1]}"]
