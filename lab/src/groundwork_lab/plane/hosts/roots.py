"""Root file systems of Debian, each built once with mmdebstrap and kept in the cache.

A root is a folder that is named after the hash of its recipe. Another recipe has another folder, and an existing folder
is complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from groundwork_lab.plane.hosts import apt

# files of mmdebstrap about the access to the archive
LEFTOVERS = ("etc/apt/apt.conf.d/99mmdebstrap", "etc/apt/sources.list", "etc/apt/sources.list.d/*")


@dataclass(frozen=True)
class Recipe:
    """All inputs of a root. `files` maps a path in it to its text. Files have mode 0644, and scripts 0755."""

    suite: str
    architecture: str
    packages: tuple[str, ...]
    files: Mapping[str, str]
    masked: tuple[str, ...]
    removed: tuple[str, ...]
    diverted: tuple[str, ...] = ()
    """Files that a package which is installed later may not replace: dpkg-divert(1)."""

    @property
    def key(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return f"debian-{self.suite}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def bootstrap_argv(wanted: Recipe, machine: apt.Apt, target: Path) -> list[str]:
    """Return the mmdebstrap(1) command. It reads the sources from its standard input."""
    options = [f"--aptopt={line}" for line in (*machine.reaching, *machine.judging)]
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        "--format=directory",
        f"--architectures={wanted.architecture}",
        f"--include={','.join(wanted.packages)}",
        *options,
        wanted.suite,
        str(target),
        "-",
    ]


def finish(root: Path, wanted: Recipe) -> None:
    """Apply the recipe's files, masked units and removals to a new bootstrap."""
    for pattern in wanted.removed:
        for path in root.glob(pattern):
            path.unlink()
    for name, text in wanted.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    for name in wanted.diverted:
        divert = [
            "dpkg-divert",
            f"--root={root}",
            "--local",
            "--no-rename",
            "--divert",
            f"{name}.diverted",
            "--add",
            name,
        ]
        subprocess.run(divert, check=True, capture_output=True)
    for unit in wanted.masked:
        path = root / "etc/systemd/system" / unit
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")


class RootError(Exception):
    """A root could not be built."""


def ensure_root(wanted: Recipe, machine: apt.Apt, folder: Path, progress: Callable[[str], None]) -> Path:
    """Return the root of `wanted` in `folder`, and build it first if it does not exist.

    `progress` gets a line for each step. Raise RootError with mmdebstrap's last lines.
    """
    target = folder / wanted.key
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with _only_builder(folder / "lock", progress):
        if not target.exists():
            _build(wanted, machine, target, progress)
    return target


def _build(wanted: Recipe, machine: apt.Apt, target: Path, progress: Callable[[str], None]) -> None:
    unfinished = target.with_suffix(".unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    progress(f"building {target.name} from {machine.sources[0].uri}")
    _bootstrap(bootstrap_argv(wanted, machine, unfinished), apt.render_sources(machine.sources), progress)
    finish(unfinished, wanted)
    unfinished.rename(target)
    progress(f"ready in {target}")


def _bootstrap(argv: list[str], sources: str, progress: Callable[[str], None]) -> None:
    tail: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError(argv)
        process.stdin.write(sources)
        process.stdin.close()
        for line in process.stdout:
            tail.append(line.rstrip())
            if line.startswith("I: "):
                progress(line[3:].rstrip())
    if process.returncode != 0:
        message = f"mmdebstrap failed with code {process.returncode}; its last lines:\n" + "\n".join(tail)
        raise RootError(message)


@contextmanager
def _only_builder(lock: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of the folder. The kernel releases it when the process ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that builds it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
