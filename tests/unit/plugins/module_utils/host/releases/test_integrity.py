"""A release that a person has changed: each change is found, reported, and put back, and what was there is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from release_server import Server, rights

from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import integrity

Change = Callable[[Path], object]


def edited(folder: Path) -> None:
    """Change the content, and neither the size nor the modification time."""
    path = folder / "public" / "index.php"
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def a_folder_for_a_file(folder: Path) -> None:
    (folder / "run.sh").unlink()
    (folder / "run.sh").mkdir()
    (folder / "run.sh" / "mine").write_text("mine")


def a_file_for_a_folder(folder: Path) -> None:
    shutil.rmtree(folder / "public")
    (folder / "public").write_text("mine")


def a_link_for_a_folder(folder: Path) -> None:
    (folder / "public").rename(folder / "moved")
    (folder / "public").symlink_to("moved")


CHANGES: dict[str, tuple[Change, set[str], set[str]]] = {
    "edited": (edited, {"public/index.php"}, {"public/index.php"}),
    "removed": (lambda folder: (folder / "run.sh").unlink(), {"run.sh"}, set()),
    "added": (lambda folder: (folder / "public" / "x.html").touch(), {"public/x.html"}, {"public/x.html"}),
    "mode": (lambda folder: (folder / "run.sh").chmod(0o777), {"run.sh"}, {"run.sh"}),
    "owner": (lambda folder: os.chown(folder / "public", 33, 33), {"public"}, set()),
    "folder for file": (a_folder_for_a_file, {"run.sh", "run.sh/mine"}, {"run.sh", "run.sh/mine"}),
    "file for folder": (a_file_for_a_folder, {"public", "public/index.php"}, {"public"}),
    "link for folder": (
        a_link_for_a_folder,
        {"moved", "moved/index.php", "public", "public/index.php"},
        {"moved", "moved/index.php", "public"},
    ),
    "added folder": (lambda folder: (folder / "new" / "a").mkdir(parents=True), {"new", "new/a"}, {"new", "new/a"}),
}


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "app" / "releases").mkdir(parents=True)
    return Server(tmp_path)


def aside(folder: Path) -> set[str]:
    """Return the members that were set aside."""
    root = integrity.aside_of(folder)
    found = {path.relative_to(root).as_posix() for path in root.rglob("*")} if root.exists() else set()
    return found - {"public"} if "public/index.php" in found or "public/x.html" in found else found


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_and_put_back(server: Server, name: str) -> None:
    change, told, kept = CHANGES[name]
    release = server.packed("one")
    server.converge(release)
    before = rights(release.folder)
    assert server.converge(release)["changes"] == []
    change(release.folder)
    planned = server.converge(release, check_mode=True)
    restored = {one["name"] for one in planned["changes"] if one["action"] == "restore"}
    assert restored == {str(release.folder / member) for member in told}
    assert planned["missing"] == ["app"], "the archive is uploaded"
    assert set(planned["diff"][0]["before"].splitlines()) == {
        f"{one}: changed, added or removed by hand" for one in told
    }
    server.services.acted.clear()
    assert server.converge(release) == planned
    assert server.served() == "one"
    assert rights(release.folder) == before
    assert aside(release.folder) == kept
    assert server.services.acted == ["reload php8.2-fpm"], "PHP does not look at files again"
    assert server.converge(release)["changes"] == []


def test_a_copy_with_other_change_times_is_the_same(server: Server) -> None:
    """As after a restore of a backup."""
    release = server.packed("one")
    server.converge(release)
    copy = release.folder.with_name("copy")
    shutil.copytree(release.folder, copy, symlinks=True)
    for path in (release.folder, *release.folder.rglob("*")):
        status, same = path.stat(), copy / path.relative_to(release.folder)
        os.chown(same, status.st_uid, status.st_gid)
    shutil.rmtree(release.folder)
    copy.rename(release.folder)
    assert server.converge(release)["changes"] == []


def test_what_was_set_aside_before_is_kept(server: Server) -> None:
    release = server.packed("one")
    server.converge(release)
    for text in ("first", "second"):
        (release.folder / "run.sh").write_text(text)
        server.converge(release)
    kept = sorted(path.read_text() for path in integrity.aside_of(release.folder).iterdir())
    assert kept == ["first", "second"]


def test_without_an_archive_it_is_only_reported(server: Server) -> None:
    release = server.packed("one")
    server.converge(release)
    (release.folder / "run.sh").write_text("mine")
    result = server.releases().converge([server.unpacked(release)], check_mode=False)
    assert (result["changes"], result["missing"]) == ([], [])
    assert "Changed, added or removed: run.sh." in result["warnings"][0]
    assert (release.folder / "run.sh").read_text() == "mine"


def test_its_record_goes_with_a_release(server: Server) -> None:
    first = server.packed("one")
    server.converge(first)
    (first.folder / "run.sh").write_text("mine")
    server.converge(first)
    for text in ("two", "three"):
        server.converge(server.packed(text))
    assert [path for path in (server.site / "releases").iterdir() if first.id in path.name] == []
