"""Releases on a server: planned, unpacked whole or not at all, switched in one stroke, and back again."""

from __future__ import annotations

import grp
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.transaction import Journal
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.releases.packing import Source, pack
from ansible_collections.groundwork.aws.plugins.module_utils.releases.serving import (
    Release,
    Releases,
    Site,
    make_plan,
    parse_releases,
)

APP = Release("app", "/srv/www/app", "new", keep=3, reload=("php8.2-fpm",))


@pytest.mark.parametrize(
    ("site", "unpack", "switch", "prune"),
    [
        (Site(), True, True, ()),
        (Site(("new",), ""), False, True, ()),
        (Site(("new", "old"), "old"), False, True, ()),
        (Site(("c", "b", "a"), "c"), True, True, ("a",)),
        (Site(("c", "b", "a"), "a"), True, True, ("b",)),
    ],
)
def test_what_happens_to_a_site(site: Site, unpack: bool, switch: bool, prune: tuple[str, ...]) -> None:
    (step,) = make_plan([APP], {"app": site}, ()).steps
    assert (step.unpack, step.switch, step.prune) == (unpack, switch, prune)


def test_what_is_current_stays() -> None:
    assert make_plan([APP], {"app": Site(("new", "b", "a"), "new")}, ()).steps == ()


def test_a_pending_reload_is_made_up_for() -> None:
    assert make_plan([APP], {"app": Site(("new",), "new")}, ["php8.2-fpm"]).reload == ("php8.2-fpm",)


def test_sites_that_share_a_service_reload_it_once() -> None:
    other = replace(APP, name="shop", path="/srv/www/shop")
    assert make_plan([APP, other], {}, ()).reload == ("php8.2-fpm",)


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


@dataclass
class FakeServices:
    acted: list[str] = field(default_factory=list)
    broken: BaseException | None = None

    def act(self, action: str, names: Sequence[str]) -> None:
        self.acted.append(f"{action} {' '.join(names)}")
        if self.broken:
            broken, self.broken = self.broken, None
            raise broken


@dataclass
class Server:
    root: Path
    services: FakeServices = field(default_factory=FakeServices)

    def packed(self, text: str, keep: int = 2) -> Release:
        app = self.root / "source"
        (app / "public").mkdir(parents=True, exist_ok=True)
        (app / "public" / "index.php").write_text(text)
        (app / "run.sh").write_text("#!/bin/sh")
        (app / "run.sh").chmod(0o755)
        made = pack("app", Source(str(app)), self.root / "cache", run, check_mode=False)
        group = grp.getgrgid(os.getgid()).gr_name
        return Release("app", str(self.site), made["id"], made["archive"], group, keep, ("php8.2-fpm",))

    @property
    def site(self) -> Path:
        return self.root / "app"

    def converge(self, release: Release, check_mode: bool = False) -> dict[str, Any]:
        releases = Releases(self.services, Journal(self.root / "journal.json"))
        return releases.converge([release], check_mode=check_mode)

    def served(self) -> str:
        return (self.site / "current" / "public" / "index.php").read_text()

    def kept(self) -> list[str]:
        return sorted(path.name for path in (self.site / "releases").iterdir())


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "app" / "releases").mkdir(parents=True)
    return Server(tmp_path)


def test_a_release_is_unpacked_and_becomes_current(server: Server) -> None:
    release = server.packed("one")
    assert server.converge(release)["changed"]
    assert server.served() == "one"
    assert server.services.acted == ["reload php8.2-fpm"]
    folder = server.site / "releases" / release.id
    assert [(folder / name).stat().st_mode & 0o777 for name in ("public", "public/index.php", "run.sh")] == [
        0o750,
        0o640,
        0o750,
    ]


def test_the_second_run_changes_nothing(server: Server) -> None:
    server.converge(server.packed("one"))
    told = server.converge(replace(server.packed("one"), archive=""))
    assert (told["changed"], told["missing"]) == (False, [])
    assert server.services.acted == ["reload php8.2-fpm"]


def test_what_is_served_tells_its_id(server: Server) -> None:
    first, second = server.packed("one"), server.packed("two")
    for release in (first, second, first):
        server.converge(release)
        mark = server.site / "current" / ".groundwork-release"
        assert (mark.read_text(), mark.stat().st_mode & 0o777) == (release.id, 0o640)


def test_it_tells_what_the_site_has(server: Server) -> None:
    first, second = server.packed("one"), server.packed("two")
    assert server.converge(first)["sites"] == {"app": {"current": "", "kept": []}}
    server.converge(second)
    told = server.converge(first, check_mode=True)["sites"]
    assert told == {"app": {"current": second.id, "kept": [second.id, first.id]}}


def test_a_release_that_is_not_here_is_asked_for(server: Server) -> None:
    told = server.converge(replace(server.packed("one"), archive=""))
    assert (told["changed"], told["missing"]) == (True, ["app"])
    assert server.kept() == []


def test_check_mode_tells_the_same_and_does_nothing(server: Server) -> None:
    release = server.packed("one")
    planned = server.converge(release, check_mode=True)
    assert server.kept() == []
    assert server.converge(release) == planned


def test_check_mode_works_without_the_site(tmp_path: Path) -> None:
    assert Server(tmp_path).converge(APP, check_mode=True)["changed"]


def test_old_releases_go_and_the_one_before_stays(server: Server) -> None:
    ids = []
    for text in ("one", "two", "three"):
        release = server.packed(text)
        ids.append(release.id)
        server.converge(release)
    assert server.kept() == sorted(ids[1:])
    assert server.converge(server.packed("three"))["changed"] is False


def test_going_back_needs_no_archive(server: Server) -> None:
    one, two = server.packed("one"), server.packed("two")
    server.converge(one)
    server.converge(two)
    server.converge(replace(one, archive=""))
    assert server.served() == "one"


def test_the_release_before_is_current_again_when_php_does_not_come_back(server: Server) -> None:
    server.converge(server.packed("one"))
    server.services.broken = GroundworkError("php8.2-fpm did not come back")
    with pytest.raises(GroundworkError, match="did not come back\nThe releases from before are current again"):
        server.converge(server.packed("two"))
    assert server.served() == "one"
    assert len(server.services.acted) == 3


def test_the_next_run_reloads_what_a_killed_one_did_not(server: Server) -> None:
    server.converge(server.packed("one"))
    server.services.broken = Killed()
    with pytest.raises(Killed):
        server.converge(server.packed("two"))
    told = server.converge(server.packed("two"))
    assert told["changes"] == [{"action": "reload", "resource": "service", "name": "php8.2-fpm"}]
    assert server.converge(server.packed("two"))["changed"] is False


def test_a_half_unpacked_release_is_begun_again(server: Server) -> None:
    release = server.packed("one")
    partial = server.site / "releases" / f".{release.id}.partial"
    partial.mkdir()
    (partial / "rubbish").write_text("")
    assert server.converge(release, check_mode=True)["missing"] == ["app"]
    server.converge(release)
    assert server.kept() == [release.id]
    assert not (server.site / "current" / "rubbish").exists()


def test_a_broken_archive_is_never_current(server: Server) -> None:
    release = server.packed("one")
    whole = Path(release.archive).read_bytes()
    Path(release.archive).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GroundworkError, match="Could not unpack release"):
        server.converge(release)
    assert not (server.site / "current").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "../x"}, "releases[0].id: '../x' is no id; use letters, digits, dots and hyphens."),
        ({"keep": 1}, "releases[0].keep: 1 is too few; keep 2 or more."),
    ],
)
def test_wrong_options_are_told(change: dict[str, Any], message: str) -> None:
    item = {"name": "app", "path": "/srv", "id": "a", "group": "root", "keep": 3, "reload": [], **change}
    problems = Problems()
    parse_releases({"releases": [item]}, problems)
    assert [str(problem) for problem in problems.found] == [message]
