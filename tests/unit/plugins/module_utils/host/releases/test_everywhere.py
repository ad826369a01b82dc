"""Shared folders on a file system of all servers: nothing is lost or replaced, whoever comes first."""

from __future__ import annotations

import os
import shutil
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from clock import Clock
from release_server import Server, open_way

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import everywhere, serving
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import Folders

ACCOUNT = "daemon"  # of the site here, and its group


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


def killed(*_given: object) -> t.NoReturn:
    raise Killed


class Servers:
    """Servers that have one file system at the folder `files`."""

    def __init__(self, root: Path) -> None:
        self.root, self.files = root, root / "files"
        self.files.mkdir()
        open_way(self.files)

    def new(self, name: str, own: t.Mapping[str, str]) -> tuple[Server, Release]:
        """Return a server with files of its own, and the release that makes them those of all servers."""
        server = Server(self.root / name)
        (server.site / "releases").mkdir(parents=True)
        open_way(server.site)
        for path, text in own.items():
            (server.site / "shared" / path).parent.mkdir(parents=True, exist_ok=True)
            (server.site / "shared" / path).write_text(text)
        for place in (server.site / "shared", *(server.site / "shared").rglob("*")) if own else ():
            shutil.chown(place, ACCOUNT, ACCOUNT)
        media = server.root / "source" / "public" / "media"
        media.mkdir(parents=True)
        (media / "packed.txt").write_text("packed")
        folders = Folders(("public/media",), ("set.txt",), account=ACCOUNT, web_root="public", files=str(self.files))
        return server, replace(server.packed("1"), group=ACCOUNT, private_group=ACCOUNT, folders=folders)

    def text(self, path: str) -> str:
        return (self.files / "app" / path).read_text()


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Servers:
    monkeypatch.setattr(serving, "require_mounted", lambda *_given: None)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "files")
    open_way(tmp_path)
    return Servers(tmp_path)


def converge(server: Server, release: Release, check_mode: bool = False) -> dict[str, t.Any]:
    # The real attribute `run` and `clock` are for the mount alone, which is there.
    server.services.run = server.services.clock = None  # type: ignore[attr-defined]
    return server.converge(release, check_mode)


def told(result: dict[str, t.Any]) -> list[str]:
    return [f"{one['action']} {one['resource']}" for one in result["changes"]]


def test_the_first_server_brings_the_first_content_and_the_others_use_it(servers: Servers) -> None:
    for name in ("one", "two"):
        server, release = servers.new(name, {})
        converge(server, release)
        assert (server.site / "shared").readlink() == servers.files / "app"
        assert (server.site / "current" / "public" / "media" / "packed.txt").read_text() == "packed"
        (servers.files / "app" / "public" / "media" / "packed.txt").write_text("packed")
        assert told(converge(server, release)) == []
    assert {path.stat().st_uid for path in (servers.files / "app").rglob("*")} == {1}


def test_what_servers_have_is_copied_once_and_kept(servers: Servers) -> None:
    one, first = servers.new("one", {"public/media/a": "a", "public/media/both": "one", "extra/deep/x": "x"})
    two, second = servers.new("two", {"public/media/b": "b", "public/media/both": "two", "set.txt": "set"})
    assert "move shared folder" in told(converge(one, first, check_mode=True))
    assert (one.site / "shared").is_dir()
    assert not (servers.files / "app").exists()
    assert "move shared folder" in told(converge(one, first))
    [copied, left] = converge(two, second)["warnings"]
    assert f"kept in {two.site}/shared.local" in copied
    assert "1 files" in left
    assert "public/media/both" in left
    found = {name: servers.text(f"public/media/{name}") for name in ("a", "b", "both")}
    assert found == {"a": "a", "b": "b", "both": "one"}
    assert (servers.text("extra/deep/x"), servers.text("set.txt")) == ("x", "set")
    assert (two.site / "shared.local" / "public" / "media" / "both").read_text() == "two"
    for server, release in ((one, first), (two, second)):
        again = converge(server, release)
        assert (again["changes"], again.get("warnings")) == ([], None)


def test_modes_times_and_links_are_those_of_the_server(servers: Servers) -> None:
    server, release = servers.new("one", {"public/media/a": "a"})
    place = server.site / "shared" / "public" / "media"
    (place / "a").chmod(0o640)
    os.utime(place / "a", (1000, 1000))
    (place / "link").symlink_to("a")
    (place / "out").symlink_to("/etc")
    converge(server, release)
    media = servers.files / "app" / "public" / "media"
    status = (media / "a").stat()
    assert (status.st_mode & 0o777, status.st_mtime, status.st_uid, status.st_nlink) == (0o640, 1000, 1, 1)
    assert (str((media / "link").readlink()), str((media / "out").readlink())) == ("a", "/etc")
    assert {path.name for path in media.iterdir()} == {"a", "link", "out"}


@pytest.mark.parametrize("step", ["symlink_to", "rename", "mkdir", "chmod"])
@pytest.mark.parametrize("at", [1, 2])
def test_killed_anywhere_nothing_is_lost(servers: Servers, monkeypatch: pytest.MonkeyPatch, step: str, at: int) -> None:
    own = {"public/media/a": "a", "public/media/b": "b"}
    server, release = servers.new("one", own)
    real, count = getattr(Path, step), 0

    def killing(path: Path, *given: t.Any, **named: t.Any) -> t.Any:
        nonlocal count
        count += 1
        if count == at:
            raise Killed
        return real(path, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, step, killing)
        with pytest.raises(Killed):
            everywhere.move(release)
            converge(server, release)
    converge(server, release)
    kept = server.site / "shared.local"
    for path, text in own.items():
        assert text in (
            (kept / path).read_text(),
            servers.text(path) if (servers.files / "app" / path).exists() else "",
        )
    assert servers.text("public/media/a") == "a"
    assert told(converge(server, release)) == []


def test_what_was_written_before_an_interrupted_run_is_copied(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, release = servers.new("one", {"public/media/a": "a"})
    with monkeypatch.context() as patched:
        patched.setattr(Path, "symlink_to", killed)
        with pytest.raises(Killed):
            everywhere.move(release)
    assert not os.path.lexists(server.site / "shared")
    (server.site / "shared.moving" / "public" / "media" / "late").write_text("late")
    converge(server, release)
    assert servers.text("public/media/late") == "late"
    assert not (server.site / "shared.moving").exists()


def test_a_second_copy_that_fails_is_continued(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link is in place already, and what was written during the first copy is not on the file system yet."""
    server, release = servers.new("one", {"public/media/a": "a"})
    real = everywhere.copy_missing

    def failing(source: Path, target: Path) -> list[str]:
        if source.name != "shared":
            raise OSError(5, "Input/output error")
        found = real(source, target)
        (source / "public" / "media" / "late").write_text("late")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(everywhere, "copy_missing", failing)
        with pytest.raises(GroundworkError, match=r"Input/output error.*Run again"):
            everywhere.move(release)
    assert (server.site / "shared").is_symlink()
    assert not everywhere.is_moved(release)
    converge(server, release)
    assert servers.text("public/media/late") == "late"
    assert told(converge(server, release)) == []


def test_nothing_is_moved_to_the_place_of_a_mount_that_has_gone(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, release = servers.new("one", {"public/media/a": "a"})
    monkeypatch.setattr(os.path, "ismount", lambda _path: False)
    with pytest.raises(GroundworkError, match="has just gone away"):
        everywhere.move(release)
    assert (server.site / "shared" / "public" / "media" / "a").read_text() == "a"
    assert not (servers.files / "app").exists()


def test_a_folder_that_becomes_served_can_be_read_by_the_web_server(servers: Servers) -> None:
    server, release = servers.new("one", {})
    converge(server, replace(release, folders=replace(release.folders, shared=("data",), shared_files=())))
    assert (servers.files / "app").stat().st_mode & 0o777 == 0o700
    assert "move shared folder" in told(converge(server, release))
    assert (servers.files / "app").stat().st_mode & 0o777 == 0o710


def test_what_is_written_during_the_copy_is_copied_too(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    server, release = servers.new("one", {"public/media/a": "a"})
    real = everywhere.copy_missing

    def late(source: Path, target: Path) -> list[str]:
        found = real(source, target)
        if source.name == "shared":
            (source / "public" / "media" / "late").write_text("late")
        return found

    monkeypatch.setattr(everywhere, "copy_missing", late)
    converge(server, release)
    assert servers.text("public/media/late") == "late"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_name_that_another_server_has_taken_stays_its(tmp_path: Path, kind: str) -> None:
    new, place = tmp_path / everywhere.partial("x"), tmp_path / "x"
    for path, text in ((new, "mine"), (place, "theirs")):
        if kind == "folder":
            path.mkdir()
        (path / "f" if kind == "folder" else path).write_text(text)
    everywhere.give_name(new, place)
    assert (place / "f" if kind == "folder" else place).read_text() == "theirs"
    assert not os.path.lexists(new)


def test_a_full_file_system_leaves_the_server_as_it_is(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    server, release = servers.new("one", {"public/media/a": "a"})

    def full(*_given: t.Any, **_named: t.Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(GroundworkError, match=r"Could not copy .*/shared of app to .*No space left"):
        converge(server, release)
    assert (server.site / "shared" / "public" / "media" / "a").read_text() == "a"


MOUNTED = "36 35 0:40 / /srv/groundwork/files rw - nfs4 fs-1:/ rw\n"


@pytest.mark.parametrize(
    ("mounts", "code", "state"),
    [("22 1 8:1 / / rw - ext4 x rw\n", 0, "not mounted"), (MOUNTED, 0, "mounted"), (MOUNTED, 137, "does not answer")],
)
def test_a_mount_is_seen_without_waiting_for_it(tmp_path: Path, mounts: str, code: int, state: str) -> None:
    (tmp_path / "mounts").write_text(mounts)

    def run(argv: t.Sequence[str], **_given: t.Any) -> Done:
        assert argv[:2] == ["timeout", "--signal=KILL"]
        return Done(code, "", "")

    assert everywhere.state_of(t.cast(t.Any, run), "/srv/groundwork/files", tmp_path / "mounts") == state


def test_a_file_system_that_stays_away_is_one_message() -> None:
    def run(argv: t.Sequence[str], **_given: t.Any) -> Done:
        return Done(0, "srv-nowhere.mount\n" if argv[0] == "systemd-escape" else "mount.nfs4: timed out\n", "")

    clock = Clock()
    with pytest.raises(GroundworkError) as caught:
        everywhere.require_mounted(t.cast(t.Any, run), "/srv/nowhere", clock)
    assert clock.now == pytest.approx(60, abs=2)
    assert str(caught.value) == (
        "The file system at /srv/nowhere was not mounted for 60 s, so no release was changed. Check its mount targets "
        "and their security group; then run again. The end of the journal of srv-nowhere.mount:\nmount.nfs4: timed out"
    )
