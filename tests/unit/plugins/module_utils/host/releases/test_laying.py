"""What a site can write of its releases: shared data outlives them, and nothing else of them can be changed."""

from __future__ import annotations

import os
import shutil
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from release_server import OWNER, Server, open_way, rights

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import laying, unpacking
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import Folders
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.integrity import aside_of
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.rights import acting_as

ACCOUNT = "daemon"  # of the site here, and its group
FOLDERS = Folders(
    shared=("public/media", "data"),
    shared_files=(".env.local", "public/robots.txt"),
    writable=("var/cache",),
    account=ACCOUNT,
    web_root="public",
)


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


@pytest.fixture
def server(tmp_path: Path) -> Server:
    open_way(tmp_path)
    (tmp_path / "app" / "releases").mkdir(parents=True)
    (tmp_path / "app" / "shared").mkdir(mode=0o710)
    shutil.chown(tmp_path / "app" / "shared", ACCOUNT, ACCOUNT)
    source = tmp_path / "source"
    for name, text in {
        "public/media/logo.png": "logo",
        "public/media/old/x.php": "<?php",
        "public/robots.txt": "allow",
        "var/cache/warm": "packed",
        "config/app.yml": "key",
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    return Server(tmp_path)


def packed(server: Server, text: str, folders: Folders = FOLDERS) -> Release:
    return replace(server.packed(text), group=ACCOUNT, private_group=ACCOUNT, folders=folders)


def shared(server: Server) -> Path:
    return server.site / "shared"


def changes(result: dict[str, t.Any]) -> list[tuple[str, str, str]]:
    return [(one["action"], one["resource"], one["name"].rpartition("/app/")[2]) for one in result["changes"]]


def test_a_release_gets_its_links_and_folders(server: Server) -> None:
    release = packed(server, "one")
    planned = server.converge(release, check_mode=True)
    assert changes(planned)[:3] == [
        ("create", "shared folder", "shared/public/media"),
        ("create", "shared folder", "shared/data"),
        ("create", "release", f"app {release.id}"),
    ]
    assert list(shared(server).iterdir()) == []
    assert server.converge(release) == planned
    assert server.converge(release)["changes"] == []
    assert rights(shared(server)) == {
        ".": (ACCOUNT, ACCOUNT, 0o710),
        "data": (ACCOUNT, ACCOUNT, 0o700),
        "public": (ACCOUNT, ACCOUNT, 0o710),
        "public/media": (ACCOUNT, ACCOUNT, 0o750),
        "public/media/logo.png": (ACCOUNT, ACCOUNT, 0o640),
        "public/media/old": (ACCOUNT, ACCOUNT, 0o750),
        "public/media/old/x.php": (ACCOUNT, ACCOUNT, 0o600),
        "public/robots.txt": (ACCOUNT, ACCOUNT, 0o640),
    }
    found = rights(release.folder)
    assert {name: found[name][0] for name in ("public/media", "data", ".env.local", "var/cache", "var/cache/warm")} == (
        dict.fromkeys(("public/media", "data", ".env.local", "var/cache", "var/cache/warm"), ACCOUNT)
    )
    assert {name: found[name][0] for name in (".", "public", "var", "config", "public/index.php")} == (
        dict.fromkeys((".", "public", "var", "config", "public/index.php"), OWNER)
    )
    assert found["var/cache"] == (ACCOUNT, ACCOUNT, 0o700), "Apache does not serve it"
    assert (server.site / "current" / "public" / "media" / "logo.png").read_text() == "logo"
    assert os.path.realpath(release.folder / ".env.local") == str(shared(server) / ".env.local")
    assert not (shared(server) / ".env.local").exists(), "nothing is made up"


def test_what_the_site_writes_outlives_releases(server: Server) -> None:
    first = packed(server, "one")
    server.converge(first)
    with acting_as(ACCOUNT):
        (server.site / "current" / "public" / "media" / "upload.png").write_text("upload")
        (server.site / "current" / ".env.local").write_text("KEY=1")
        (server.site / "current" / "var" / "cache" / "mine").write_text("cached")
        for closed in ("public", "config", "var", "."):
            with pytest.raises(PermissionError):
                (server.site / "current" / closed / "mine").write_text("x")
    assert server.converge(first)["changes"] == [], "what the site wrote was not changed by hand"
    (server.root / "source" / "public" / "media" / "logo.png").write_text("another logo")
    for text in ("two", "three", "four"):
        server.converge(packed(server, text))
        media = server.site / "current" / "public" / "media"
        assert {path.name for path in media.iterdir()} == {"logo.png", "old", "upload.png"}
        assert (media / "logo.png").read_text() == "logo", "later releases do not change what is shared"
        assert (server.site / "current" / ".env.local").read_text() == "KEY=1"
        assert [path.name for path in (server.site / "current" / "var" / "cache").iterdir()] == ["warm"]
    assert not first.folder.exists(), "it was removed, and its data was not"


def test_going_back_keeps_the_data(server: Server) -> None:
    first, second = packed(server, "one"), packed(server, "two")
    server.converge(first)
    server.converge(second)
    (server.site / "current" / "data" / "new").write_text("new")
    server.converge(replace(first, archive=""))
    assert server.served() == "one"
    assert (server.site / "current" / "data" / "new").read_text() == "new"


def test_folders_are_added_to_a_release_that_is_served(server: Server) -> None:
    """As when they are declared after the release, without an archive on the controller."""
    release = packed(server, "one", replace(FOLDERS, shared=(), shared_files=(), writable=()))
    server.converge(release)
    now = replace(server.unpacked(release), folders=FOLDERS)
    planned = server.releases().converge([now], check_mode=True)
    assert changes(planned) == [
        ("create", "shared folder", "shared/public/media"),
        ("create", "shared folder", "shared/data"),
        ("create", "link", f"releases/{release.id}/public/media"),
        ("create", "link", f"releases/{release.id}/data"),
        ("create", "link", f"releases/{release.id}/.env.local"),
        ("create", "link", f"releases/{release.id}/public/robots.txt"),
        ("create", "writable folder", f"releases/{release.id}/var/cache"),
        ("reload", "service", "php8.2-fpm"),
    ]
    assert server.releases().converge([now], check_mode=False) == planned
    assert server.releases().converge([now], check_mode=False)["changes"] == []
    assert (server.site / "current" / "public" / "media" / "logo.png").read_text() == "logo"
    assert rights(release.folder)["var/cache/warm"][0] == ACCOUNT
    assert (aside_of(release.folder) / "public" / "media" / "logo.png").read_text() == "logo", "nothing is lost"


def test_folders_are_added_to_a_release_that_is_kept(server: Server) -> None:
    plain = replace(FOLDERS, shared=(), shared_files=(), writable=())
    first, second = packed(server, "one", plain), packed(server, "two", plain)
    server.converge(first)
    server.converge(second)
    server.converge(replace(server.unpacked(first), folders=FOLDERS))
    assert server.served() == "one"
    assert (server.site / "current" / "public" / "media").is_symlink()
    assert not (second.folder / "public" / "media").is_symlink()


def test_what_is_not_shared_any_more_is_kept_and_told_once(server: Server) -> None:
    release = packed(server, "one")
    server.converge(release)
    (server.site / "current" / "public" / "media" / "upload.png").write_text("upload")
    fewer = replace(release, folders=replace(FOLDERS, shared=("data",)))
    told = server.converge(fewer)
    assert told["warnings"] == [
        f"public/media of app is not declared as shared any more. {shared(server)}/public/media is kept, without a "
        "link in the release. Remove it by hand when its data is not needed."
    ]
    again = server.converge(fewer)
    assert (again["changes"], again.get("warnings")) == ([], None)
    media = server.site / "current" / "public" / "media"
    assert not media.is_symlink()
    assert sorted(path.relative_to(media).as_posix() for path in media.rglob("*")) == ["logo.png", "old", "old/x.php"]
    assert (shared(server) / "public" / "media" / "upload.png").read_text() == "upload"
    server.converge(release)
    assert (media / "upload.png").read_text() == "upload", "declared again, it is as it was"


def test_a_new_release_tells_it_once_too(server: Server) -> None:
    server.converge(packed(server, "one"))
    fewer = packed(server, "two", replace(FOLDERS, shared=("data",)))
    assert len(server.converge(fewer, check_mode=True)["warnings"]) == 1
    assert len(server.converge(fewer)["warnings"]) == 1
    assert "warnings" not in server.converge(fewer)


def test_a_folder_that_is_not_writable_any_more_is_as_it_was_packed(server: Server) -> None:
    release = packed(server, "one")
    server.converge(release)
    before = rights(release.folder)
    with acting_as(ACCOUNT):
        (release.folder / "var" / "cache" / "out").symlink_to("/etc")
        (release.folder / "var" / "cache" / "mine").write_text("mine")
    fewer = replace(release, folders=replace(FOLDERS, writable=()))
    server.converge(fewer)
    assert server.converge(fewer)["changes"] == []
    assert [path.name for path in (release.folder / "var" / "cache").iterdir()] == ["warm"]
    assert rights(release.folder)["var/cache"][0] == OWNER
    assert (aside_of(release.folder) / "var" / "cache" / "mine").read_text() == "mine"
    assert rights(Path("/etc"))["."] == ("root", "root", 0o755)
    server.converge(release)
    assert rights(release.folder)["var/cache"] == before["var/cache"]


def test_a_link_of_the_site_leads_root_nowhere(server: Server) -> None:
    """The site replaces folders in what it can write, where a later run creates others."""
    victim = server.root / "victim"
    victim.mkdir(mode=0o700)
    with acting_as(ACCOUNT):
        (shared(server) / "public").symlink_to(victim)
    release = packed(server, "one")
    with pytest.raises(GroundworkError, match="Could not unpack release"):
        server.converge(release)
    assert list(victim.iterdir()) == []
    assert server.kept() == []


def test_root_follows_no_link_that_the_site_puts_into_a_folder_that_it_owns(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of the site becomes a part of a larger one, and the site exchanges folders meanwhile."""
    victim = server.root / "victim"
    (victim / "inner").mkdir(parents=True, mode=0o700)
    (victim / "key").write_text("key")
    before = rights(victim)
    release = packed(server, "one", replace(FOLDERS, shared=(), shared_files=()))
    server.converge(release)
    cache = release.folder / "var" / "cache"
    with acting_as(ACCOUNT):
        for number in range(5):
            (cache / f"{number}").mkdir()
            (cache / f"{number}" / "key").write_text("mine")
    walk = os.fwalk

    def exchanging(*arguments: t.Any, **options: t.Any) -> t.Iterator[tuple[str, list[str], list[str], int]]:
        for one in walk(*arguments, **options):
            for folder in sorted(cache.glob("[0-9]")):
                if not folder.is_symlink():
                    folder.rename(cache / f"was-{folder.name}")
                    folder.symlink_to(victim)
            yield one

    monkeypatch.setattr(laying.os, "fwalk", exchanging)
    server.converge(replace(release, folders=replace(FOLDERS, shared=(), shared_files=(), writable=("var",))))
    assert rights(victim) == before
    assert rights(release.folder)["var/cache"][0] == ACCOUNT


def test_nothing_is_put_into_a_folder_that_the_site_owns(server: Server) -> None:
    release = packed(server, "one", replace(FOLDERS, shared=(), shared_files=(), writable=("var",)))
    server.converge(release)
    smaller = replace(server.unpacked(release), folders=replace(FOLDERS, shared=("var/data",), writable=()))
    with pytest.raises(GroundworkError, match=r"var belongs to the site, because it was writable"):
        server.converge(smaller)
    server.converge(replace(smaller, archive=release.archive, mend=True))
    assert rights(release.folder)["var"][0] == OWNER
    assert (release.folder / "var" / "data").is_symlink()


@pytest.mark.parametrize("text", ["one", "two"])
def test_what_the_site_wrote_becomes_shared_also_with_a_new_release(server: Server, text: str) -> None:
    writable = replace(FOLDERS, shared=(), writable=("public/media", "var/cache"))
    server.converge(packed(server, "one", writable))
    with acting_as(ACCOUNT):
        (server.site / "current" / "public" / "media" / "upload.png").write_text("upload")
        (server.site / "current" / "public" / "media" / "logo.png").write_text("changed by the site")
    server.converge(packed(server, text))
    media = shared(server) / "public" / "media"
    assert (media / "upload.png").read_text() == "upload"
    assert (media / "logo.png").read_text() == "changed by the site"
    assert (server.site / "current" / "public" / "media").is_symlink()


def test_a_file_that_grows_while_it_is_copied_stops_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.converge(packed(server, "one", replace(FOLDERS, shared=(), writable=("public/media",))))
    log = server.site / "current" / "public" / "media" / "log"
    with acting_as(ACCOUNT):
        log.write_text("first\n")
    put = laying.put_member

    def growing(member: t.Any, path: Path) -> None:
        if member.path.endswith("/log"):
            with (server.site / "current" / "public" / "media" / "log").open("a") as file:
                file.write("more\n")
        put(member, path)

    monkeypatch.setattr(laying, "put_member", growing)
    server.converge(packed(server, "one"))
    assert (shared(server) / "public" / "media" / "log").read_text() == "first\nmore\n"


def test_files_in_two_places_are_told_and_none_is_lost(server: Server) -> None:
    """Shared, then writable, where the site has written since, and shared again."""
    writable = replace(FOLDERS, shared=("data",), writable=("public/media", "var/cache"))
    server.converge(packed(server, "one"))
    assert len(server.converge(packed(server, "two", writable))["warnings"]) == 1, "what was shared is kept"
    with acting_as(ACCOUNT):
        (server.site / "current" / "public" / "media" / "new.png").write_text("new")
    with pytest.raises(GroundworkError, match="the site has files in two places"):
        server.converge(packed(server, "three"))
    assert server.served() == "two"
    assert (server.site / "current" / "public" / "media" / "new.png").read_text() == "new"
    shutil.rmtree(shared(server) / "public" / "media")
    server.converge(packed(server, "three"))
    assert (server.site / "current" / "public" / "media" / "new.png").read_text() == "new"


@pytest.mark.parametrize("at", ["_begin", "lay", "record"])
def test_a_run_that_was_killed_is_completed(server: Server, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    place = laying if at == "_begin" else unpacking

    def killed(*_arguments: object) -> None:
        raise Killed

    release = packed(server, "one")
    monkeypatch.setattr(place, at, killed)
    with pytest.raises(Killed):
        server.converge(release)
    assert os.geteuid() == 0
    monkeypatch.undo()
    server.converge(release)
    assert server.converge(release)["changes"] == []
    assert (server.site / "current" / "public" / "media" / "logo.png").read_text() == "logo"
    assert [path.name for path in shared(server).rglob("*.groundwork")] == []


def test_first_content_that_was_cut_off_begins_again(server: Server) -> None:
    half = shared(server) / ".data.groundwork"
    with acting_as(ACCOUNT):
        (half / "rubbish").mkdir(parents=True)
    server.converge(packed(server, "one"))
    assert list((shared(server) / "data").iterdir()) == []


def test_a_release_that_does_not_fit_is_refused_before_anything_is_written(server: Server) -> None:
    server.converge(packed(server, "one", Folders()))
    wrong = packed(server, "one", replace(FOLDERS, shared=("public/index.php",)))
    for check_mode in (True, False):
        with pytest.raises(GroundworkError, match=r"public/index\.php: is a file of the application"):
            server.converge(wrong, check_mode=check_mode)
    assert list(shared(server).iterdir()) == []


def test_without_its_folder_for_shared_data_nothing_is_unpacked(server: Server) -> None:
    shared(server).rmdir()
    with pytest.raises(GroundworkError, match=r"shared does not exist on this server: configure the site first"):
        server.converge(packed(server, "one"))
    assert server.kept() == []


def test_apache_is_configured_before_the_site_can_write(server: Server) -> None:
    place = server.root / "folders.json"
    release = packed(server, "one", replace(FOLDERS, configured=str(place)))
    for content in (None, "{}"):
        if content:
            place.write_text(content)
        with pytest.raises(GroundworkError, match=r"of app as they are now: configure the site first \(site\.yml\)\."):
            server.converge(release)
    assert server.kept() == []
    place.write_text(
        '{"web_root": "public", "shared": ["public/media", "data"], '
        '"shared_files": [".env.local", "public/robots.txt"], "writable": ["var/cache"]}'
    )
    server.converge(release)
    assert server.served() == "one"


def test_apache_reads_what_it_serves_alone(server: Server) -> None:
    source = server.root / "source"
    (source / "build").mkdir()
    (source / "build" / "app.js").write_text("js")
    (source / "config" / ".htpasswd").write_text("visitor")
    (source / "public" / "build").symlink_to("../build")
    release = replace(server.packed("one"), folders=Folders(web_root="public"))
    server.converge(release)

    def readable() -> set[str]:
        found = {name: group for name, (_owner, group, _mode) in rights(release.folder).items()}
        return {name for name, group in found.items() if group == release.group and (release.folder / name).is_file()}

    served = {"build/app.js", "public/media/logo.png", "public/robots.txt"}
    assert readable() == {".groundwork-release", "config/.htpasswd", *served}
    other = replace(release, folders=Folders(web_root="config"))
    (release.folder / "run.sh").write_text("by hand")
    planned = server.converge(other, check_mode=True)
    assert [one["resource"] for one in planned["changes"]] == ["release owner"]
    assert server.converge(other) == planned
    assert readable() == {".groundwork-release", "config/.htpasswd", "config/app.yml"}
    restored, _reload = server.converge(other)["changes"]
    assert restored["name"].endswith("/run.sh"), "it is still found"
    assert server.converge(other)["changes"] == []


def readable(server: Server) -> set[str]:
    """Return what the web server can read, of what the site can write."""
    places = {"": shared(server), "current/": server.site / "current"}
    return {
        f"{prefix}{name}"
        for prefix, place in places.items()
        for name, (owner, _group, mode) in rights(place).items()
        if owner == ACCOUNT and mode & 0o040 and not (place / name).is_symlink()
    }


def test_what_the_site_can_write_follows_the_web_root(server: Server) -> None:
    before = replace(FOLDERS, shared=("public/media",), shared_files=("public/robots.txt",), web_root="web")
    after = replace(before, web_root="public", writable=("public/cache",))
    (server.root / "source" / "web").mkdir()
    (server.root / "source" / "web" / "index.php").write_text("web")
    hidden = packed(server, "one", replace(before, writable=("public/cache",)))
    server.converge(hidden)
    with acting_as(ACCOUNT):
        (shared(server) / "public" / "media" / "new").mkdir(mode=0o700)
        (shared(server) / "public" / "media" / "new" / "upload.png").write_text("upload")
        (shared(server) / "public" / "media" / "new" / "out").symlink_to("/etc/shadow")
        (server.site / "current" / "public" / "cache" / "page").write_text("page")
        for path in (shared(server) / "public" / "media").rglob("*.png"):
            path.chmod(0o600)
    assert "public/media" not in readable(server)
    moved = replace(hidden, folders=after)
    planned = server.converge(moved, check_mode=True)
    assert [one["resource"] for one in planned["changes"]] == ["release owner"]
    assert server.converge(moved) == planned
    media = {f"public/media{name}" for name in ("", "/logo.png", "/old", "/new", "/new/upload.png")}
    assert {*media, "public/robots.txt", "current/public/cache"} <= readable(server)
    assert "public/media/old/x.php" not in readable(server)
    assert server.converge(moved)["changes"] == []
    server.converge(hidden)
    assert not {"public/media", "current/public/cache"} & readable(server)
    assert server.converge(hidden)["changes"] == []


def test_a_release_with_another_web_root_shows_what_was_shared_before(server: Server) -> None:
    server.converge(packed(server, "one", replace(FOLDERS, web_root="web")))
    assert "public/media" not in readable(server)
    server.converge(packed(server, "two"))
    assert {"public/media", "public/media/logo.png", "public/robots.txt"} <= readable(server)


def test_apache_is_configured_before_the_web_root_changes(server: Server) -> None:
    place = server.root / "folders.json"
    release = packed(server, "one", Folders(web_root="public", configured=str(place)))
    server.converge(release)
    place.write_text('{"web_root": "web", "shared": ["data"], "shared_files": [], "writable": []}')
    with pytest.raises(GroundworkError, match=r"for the web_root of app as it is now: configure the site first"):
        server.converge(release)
    place.write_text('{"web_root": "public", "shared": ["data"], "shared_files": [], "writable": []}')
    server.converge(release)
