"""Packing: the same content has the same id, and nothing strange gets in."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import (
    Source,
    members_of,
    pack,
    parse_source,
    release_id,
)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    (root / "public").mkdir(parents=True)
    (root / "public" / "index.php").write_text("<?php")
    (root / "bin.sh").write_text("#!/bin/sh")
    (root / "bin.sh").chmod(0o755)
    (root / "latest").symlink_to("public/index.php")
    (root / "empty").mkdir()
    return root


def identity(source: Source, cache: Path) -> str:
    return release_id(members_of(source, run, cache))


def paths(source: Source, cache: Path) -> list[str]:
    return [member.path for member in members_of(source, run, cache)]


def test_a_folder_is_packed_whole_and_sorted(app: Path, tmp_path: Path) -> None:
    assert paths(Source(str(app)), tmp_path) == ["bin.sh", "empty", "latest", "public", "public/index.php"]


def test_times_owners_and_rights_of_no_account_do_not_count(app: Path, tmp_path: Path) -> None:
    before = identity(Source(str(app)), tmp_path)
    os.utime(app / "bin.sh", (1, 1))
    (app / "public" / "index.php").chmod(0o600)
    (app / "public").chmod(0o700)
    assert identity(Source(str(app)), tmp_path) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda app: (app / "public" / "index.php").write_text("<?php echo 1;"),
        lambda app: (app / "public" / "index.php").rename(app / "public" / "main.php"),
        lambda app: (app / "bin.sh").chmod(0o644),
        lambda app: (app / "empty").rmdir(),
        lambda app: ((app / "latest").unlink(), (app / "latest").symlink_to("bin.sh")),
        lambda app: (app / "new").write_text(""),
    ],
)
def test_content_counts(app: Path, tmp_path: Path, change: Any) -> None:
    before = identity(Source(str(app)), tmp_path)
    change(app)
    assert identity(Source(str(app)), tmp_path) != before


def test_version_control_and_what_is_excluded_stay_out(app: Path, tmp_path: Path) -> None:
    (app / ".git").mkdir()
    (app / ".git" / "config").write_text("secret")
    (app / "public" / "notes.md").write_text("")
    source = Source(str(app), exclude=("*.md", "empty", "bin.*"))
    assert paths(source, tmp_path) == ["latest", "public", "public/index.php"]


def tar_of(app: Path, archive: Path, prefix: str) -> Source:
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(app, prefix)
    return Source(archive=str(archive), strip=1 if prefix != "." else 0)


@pytest.mark.parametrize("prefix", [".", "app-1.0"])
def test_an_archive_is_the_same_as_its_folder(app: Path, tmp_path: Path, prefix: str) -> None:
    source = tar_of(app, tmp_path / "app.tar.gz", prefix)
    assert identity(source, tmp_path) == identity(Source(str(app)), tmp_path)


def test_a_zip_archive_is_the_same_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "app" / "public").mkdir(parents=True)
    (tmp_path / "app" / "public" / "index.php").write_text("<?php")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as packed:
        packed.writestr("public/index.php", "<?php")
    same = identity(Source(str(tmp_path / "app")), tmp_path)
    assert identity(Source(archive=str(tmp_path / "app.zip")), tmp_path) == same


def git(folder: Path, *argv: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", *settings, *argv], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_a_git_repository_is_the_same_as_its_folder(app: Path, tmp_path: Path) -> None:
    (app / "empty").rmdir()  # git knows no empty folders
    git(app, "init", "-q", "-b", "main")
    git(app, "add", ".")
    git(app, "commit", "-q", "-m", "one")
    cache = tmp_path / "cache"
    cache.mkdir()
    same = identity(Source(str(app)), tmp_path)
    url = f"file://{app}"
    commit = git(app, "rev-parse", "HEAD")
    assert identity(Source(git=url), cache) == identity(Source(git=url, ref="main"), cache) == same
    (app / ".git").rename(tmp_path / "gone")  # a commit that is here already is not asked for again
    assert identity(Source(git=url, ref=commit), cache) == same
    with pytest.raises(GroundworkError, match="Could not fetch main of"):
        identity(Source(git=url, ref="main"), cache)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_check_mode_creates_no_folder_for_a_git_repository(app: Path, tmp_path: Path) -> None:
    git(app, "init", "-q", "-b", "main")
    git(app, "add", ".")
    git(app, "commit", "-q", "-m", "one")
    source, folder = Source(git=f"file://{app}"), tmp_path / "cache"
    planned = pack("app", source, folder, run, check_mode=True)
    assert not folder.exists()
    assert pack("app", source, folder, run, check_mode=False) == planned
    assert pack("app", source, folder, run, check_mode=True) == planned


def test_an_empty_application_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app" / "empty").mkdir(parents=True)
    with pytest.raises(GroundworkError, match="contains no file"):
        members_of(Source(str(tmp_path / "app")), run, tmp_path)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd"])
def test_a_link_that_leads_out_is_refused(app: Path, tmp_path: Path, target: str) -> None:
    (app / "out").symlink_to(target)
    with pytest.raises(GroundworkError, match="out: the link leads out of the application, to "):
        members_of(Source(str(app)), run, tmp_path)


def test_a_name_that_leads_out_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as packed:
        info = tarfile.TarInfo("../evil")
        info.size = 1
        packed.addfile(info, io.BytesIO(b"x"))
    refused = r"evil\.tar cannot be released: 1 member is refused\.\n- \.\./evil: its name leads out"
    with pytest.raises(GroundworkError, match=refused):
        members_of(Source(archive=str(tmp_path / "evil.tar")), run, tmp_path)


def test_a_pipe_is_refused(app: Path, tmp_path: Path) -> None:
    os.mkfifo(app / "pipe")
    with pytest.raises(GroundworkError, match="pipe: is not a file, a folder or a link"):
        members_of(Source(str(app)), run, tmp_path)
    assert "pipe" not in paths(Source(str(app), exclude=("pipe",)), tmp_path)


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.tar").write_text("no")
    with pytest.raises(GroundworkError, match=r"app\.tar cannot be read: truncated header\."):
        members_of(Source(archive=str(tmp_path / "app.tar")), run, tmp_path)


def test_packed_twice_is_the_same_to_the_byte(app: Path, tmp_path: Path) -> None:
    one = pack("app", Source(str(app)), tmp_path / "one", run, check_mode=False)
    os.utime(app / "bin.sh", (1, 1))
    two = pack("app", Source(str(app)), tmp_path / "two", run, check_mode=False)
    assert Path(one["archive"]).read_bytes() == Path(two["archive"]).read_bytes()
    assert one["files"] == 2
    assert list((tmp_path / "one").iterdir()) == [Path(one["archive"])]


def test_check_mode_finds_the_id_and_writes_no_archive(app: Path, tmp_path: Path) -> None:
    planned = pack("app", Source(str(app)), tmp_path / "cache", run, check_mode=True)
    assert not (tmp_path / "cache").exists()
    assert not Path(planned["archive"]).exists()
    assert pack("app", Source(str(app)), tmp_path / "cache", run, check_mode=False) == planned


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "source: is empty; give one of path, archive and git."),
        (
            {"path": "/", "git": "https://example.com/a.git"},
            "source: path and git are given; give one of path, archive and git.",
        ),
        ({"path": "/nowhere"}, "source.path: the folder /nowhere does not exist; give a folder on this machine."),
        (
            {"archive": "/nowhere.zip"},
            "source.archive: the file /nowhere.zip does not exist; give a file on this machine.",
        ),
        (
            {"git": "--upload-pack=x"},
            "source.git: '--upload-pack=x' is not a valid URL; write it as https://… or git@host:path.",
        ),
        (
            {"git": "https://example.com/a.git", "ref": "--x"},
            "source.ref: '--x' is not a valid ref; give a branch, a tag or a whole commit id.",
        ),
        ({"path": "/", "strip": -1}, "source.strip: -1 is negative; give how many leading folders to drop."),
    ],
)
def test_wrong_sources_are_told(options: dict[str, Any], message: str) -> None:
    problems = Problems()
    parse_source(options, "source", problems)
    assert [str(problem) for problem in problems.found] == [message]
