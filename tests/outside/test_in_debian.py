"""A bare Debian for a command: it has its own Python alone, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
MACHINES = Path(os.environ.get("GROUNDWORK_LAB_CACHE", "/var/cache/groundwork-lab"), "machines")


def argv(*command: str) -> list[str]:
    return [str(ROOT / "tools" / "in-debian"), "13", *command]


def traces() -> set[str]:
    """Return the copies of roots that are there, and the mounts in them that this machine sees."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return {str(copy) for copy in MACHINES.glob("*")} | {line for line in mounts if str(MACHINES) in line}


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = traces()
    yield
    assert traces() <= before


def test_it_has_its_own_python_alone() -> None:
    look = """
    . /etc/os-release
    echo "$VERSION_CODENAME $(pwd) $HOME $LANG"
    ls /usr/bin/python3.* /usr/local/bin "$HOME"
    echo "git nginx mmdebstrap: $(command -v git nginx mmdebstrap)"
    ls -A .venv* .environments
    echo "$PYTHONPATH$AWS_PROFILE"
    touch .environments/here
    exit 7
    """
    own = {**os.environ, "PYTHONPATH": "/nowhere", "AWS_PROFILE": "mine", "LANG": "de_DE.UTF-8"}
    done = subprocess.run(
        argv("sh", "-c", look), cwd="/", env=own, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith(f"trixie {ROOT} /root C.UTF-8\n/usr/bin/python3.13\n")
    assert "git nginx mmdebstrap: \n" in done.stdout
    assert "nowhere" not in done.stdout and "mine" not in done.stdout
    assert not (ROOT / ".environments" / "here").exists()


def test_all_that_it_started_ends_with_it() -> None:
    done = subprocess.run(
        argv("sh", "-c", "setsid sleep 600 > /dev/null 2>&1 & echo started; mount -t tmpfs none /mnt"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "started\n"
    assert not [pid for pid in Path("/proc").glob("[0-9]*/cmdline") if b"sleep\x00600\x00" in read(pid)]


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_a_run_that_is_stopped_takes_all_with_it(sign: signal.Signals) -> None:
    """The next run removes what one that was killed could not."""
    with subprocess.Popen(argv("sh", "-c", "echo started; sleep 601"), stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "started\n"
        run.send_signal(sign)
        assert run.communicate(timeout=30)[0] == "", "it ends when the last that could write has ended"
    assert run.returncode == -sign
    subprocess.run(argv("true"), check=True, timeout=120)
