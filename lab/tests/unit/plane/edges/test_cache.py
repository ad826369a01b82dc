"""The files of nginx' cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundwork_lab.plane.edges.cache import cached_path, carry_over
from groundwork_lab.plane.edges.patterns import Covered


def stored(folder: Path, name: str, key: str) -> Path:
    file = folder / name[:2] / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\5\0\0\0" + bytes(300) + f"\nKEY: {key}\n".encode() + b"HTTP/1.1 200 OK\r\n\r\nbody")
    return file


@pytest.mark.parametrize(
    ("key", "path"),
    [('/a?x=1 [[],[],"br"]', "/a?x=1"), ("/ []", "/"), ("/" + "a" * 4000 + " []", "/" + "a" * 4000)],
)
def test_the_path_is_in_the_head(tmp_path: Path, key: str, path: str) -> None:
    assert cached_path(stored(tmp_path, "aaff", key)) == path


def test_no_path(tmp_path: Path) -> None:
    assert cached_path(tmp_path / "missing") is None
    assert cached_path(stored(tmp_path, "aaff", "/" + "a" * 9000)) is None


def test_what_is_not_forgotten_is_the_same_file(tmp_path: Path) -> None:
    kept = stored(tmp_path / "old", "aa01", "/a []")
    stored(tmp_path / "old", "aa02", "/b []")
    kept.parent.chmod(0o700)
    assert carry_over(tmp_path / "old", tmp_path / "new", Covered(["/b"])) == 1
    (file,) = (each for each in (tmp_path / "new").rglob("*") if each.is_file())
    assert file == tmp_path / "new" / "aa" / "aa01"
    assert file.stat().st_ino == kept.stat().st_ino
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_what_has_come_meanwhile_is_given_later(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    stored(old, "aa01", "/a []")
    assert carry_over(old, new, Covered([])) == 1
    stored(new, "aa02", "/b []").write_bytes(b"newer")
    for name, key in (("aa02", "/b []"), ("aa03", "/c []"), ("bb04", "/d []")):
        stored(old, name, key)
    assert carry_over(old, new, Covered(["/c"])) == 1
    assert sorted(each.name for each in new.rglob("*") if each.is_file()) == ["aa01", "aa02", "bb04"]
    assert (new / "aa" / "aa02").read_bytes() == b"newer"


def test_a_cache_that_is_not_there_yet(tmp_path: Path) -> None:
    assert carry_over(tmp_path / "old", tmp_path / "new", Covered(["/*"])) == 0
    assert (tmp_path / "new").is_dir()
