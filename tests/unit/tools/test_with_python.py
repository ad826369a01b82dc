"""Where a command runs with the oldest and with the newest pair: somewhere in any case."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "with-python"
PAIRS = {"3.11": "12", "3.13": "13"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with this tool, whose neighbours tell what they are asked for."""
    tools = tmp_path / "checkout" / "tools"
    tools.mkdir(parents=True)
    shutil.copy(TOOL, tools)
    script(tools / "in-debian", 'echo "Debian $*"; exit 7')
    # It makes a virtual environment, by default with the machine's python3.
    script(
        tools / "bootstrap",
        """venv=${3:-.venv}
        mkdir -p $venv/bin
        version=$(basename "${2:-python$MACHINE_PYTHON}")
        printf '#!/bin/sh\\necho %s "$@"\\n' "$venv" > $venv/bin/told
        cp $venv/bin/told $venv/bin/$version
        chmod +x $venv/bin/*""",
    )
    return tools.parent


def script(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def run(checkout: Path, *words: str, machine: str, others: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the tool on a machine whose python3 is `machine`, with more of them in the folder `others`."""
    programs = checkout / "programs"  # those of this machine without its Pythons
    programs.mkdir()
    for name in ("bash", "basename", "chmod", "cp", "dirname", "mkdir", "sh"):
        (programs / name).symlink_to(shutil.which(name) or name)
    path = f"{others}:{programs}" if others else str(programs)
    environment = {"PATH": path, "HOME": str(checkout), "MACHINE_PYTHON": machine}
    argv = [str(checkout / "tools" / "with-python"), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=os.sep)


@pytest.mark.parametrize("version", PAIRS)
def test_it_runs_here_where_the_machine_has_that_python(checkout: Path, version: str) -> None:
    done = run(checkout, version, "told", "a b", machine=version)
    assert (done.returncode, done.stdout) == (0, ".venv a b\n"), done.stderr


@pytest.mark.parametrize(("version", "machine"), [("3.13", "3.11"), ("3.11", "3.13")])
def test_it_runs_here_with_a_second_python(checkout: Path, tmp_path: Path, version: str, machine: str) -> None:
    script(tmp_path / "others" / f"python{version}", 'if [ "$2" ]; then echo "$0"; fi')
    done = run(checkout, version, "told", "a b", machine=machine, others=tmp_path / "others")
    assert (done.returncode, done.stdout) == (0, f".venv-{version} a b\n"), done.stderr


@pytest.mark.parametrize(
    ("version", "machine"), [("3.11", "3.13"), ("3.13", "3.11"), ("3.11", "3.12"), ("3.13", "3.12")]
)
def test_else_it_runs_on_the_debian_that_has_it(checkout: Path, version: str, machine: str) -> None:
    done = run(checkout, version, "told", "a b", machine=machine)
    assert done.stdout.splitlines()[-1] == f"Debian {PAIRS[version]} tools/with-python {version} told a b"
    assert done.returncode == 7, "its exit code is the command's"


@pytest.mark.parametrize("words", [(), ("3.13",), ("3.9", "told")])
def test_nonsense_is_refused(checkout: Path, words: tuple[str, ...]) -> None:
    done = run(checkout, *words, machine="3.11")
    assert done.returncode == 2
    assert done.stderr.startswith("with-python: ")
