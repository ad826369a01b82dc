"""The build and the storage of roots, and the recipe of a bare Debian."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from groundwork_lab.plane.hosts import bare, image
from groundwork_lab.plane.hosts.apt import Apt, Source
from groundwork_lab.plane.hosts.roots import Recipe, RootError, bootstrap_argv, ensure_root

MACHINE = Apt(
    sources=(Source("http://mirror.example/debian", "trixie"),),
    reaching=('Acquire::http::Proxy "http://proxy.example:3142";',),
    judging=('Acquire::Check-Date "false";',),
)
BARE = bare.recipe("trixie", MACHINE, "amd64")


@pytest.mark.parametrize(
    ("recipe", "suite", "packages"),
    [(image.recipe(12, MACHINE, "amd64"), "bookworm", image.PACKAGES), (BARE, "trixie", bare.PACKAGES)],
    ids=["image", "bare"],
)
def test_command(recipe: Recipe, suite: str, packages: tuple[str, ...]) -> None:
    assert bootstrap_argv(recipe, MACHINE, Path("/cache/x")) == [
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        "--format=directory",
        "--architectures=amd64",
        f"--include={','.join(packages)}",
        '--aptopt=Acquire::http::Proxy "http://proxy.example:3142";',
        '--aptopt=Acquire::Check-Date "false";',
        suite,
        "/cache/x",
        "-",
    ]


def test_a_bare_debian_reaches_the_archive_as_the_machine_does() -> None:
    settings = BARE.files["etc/apt/apt.conf.d/90machine"].splitlines()
    assert settings == [*MACHINE.reaching, *MACHINE.judging]
    assert "http://mirror.example/debian" in BARE.files["etc/apt/sources.list.d/debian.sources"]


@pytest.fixture
def mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that replaces mmdebstrap by a program with this shell code.

    It returns the file that counts the runs.
    """
    runs = tmp_path / "runs"

    def replace(body: str) -> Path:
        program = tmp_path / "bin" / "mmdebstrap"
        program.parent.mkdir(exist_ok=True)
        # the folder is the last argument but one
        program.write_text(
            f"#!/bin/sh\necho run >> {runs}\ncat > /dev/null\nwhile [ $# -gt 2 ]; do shift; done\n{body}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        return runs

    return replace


def test_a_root_is_built_once(tmp_path: Path, mmdebstrap: Callable[[str], Path]) -> None:
    runs = mmdebstrap('mkdir -p "$1/etc/apt/sources.list.d"; touch "$1/etc/apt/sources.list.d/0000main.sources"')
    told: list[str] = []
    made = [ensure_root(BARE, MACHINE, tmp_path / "roots", told.append) for _ in range(2)]
    assert made == [tmp_path / "roots" / BARE.key] * 2
    assert runs.read_text() == "run\n"
    assert [file.name for file in (made[0] / "etc/apt/sources.list.d").iterdir()] == ["debian.sources"]
    assert told[-1] == f"ready in {made[0]}"


def test_a_root_that_could_not_be_built_is_not_kept(tmp_path: Path, mmdebstrap: Callable[[str], Path]) -> None:
    mmdebstrap('mkdir "$1"; touch "$1/half"; echo "E: no such suite"; exit 25')
    with pytest.raises(RootError, match=r"(?s)failed with code 25.*E: no such suite"):
        ensure_root(BARE, MACHINE, tmp_path / "roots", print)
    mmdebstrap('mkdir "$1"')
    assert not (ensure_root(BARE, MACHINE, tmp_path / "roots", print) / "half").exists()
