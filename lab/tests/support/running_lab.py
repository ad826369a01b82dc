"""A lab for the tests. It is started once and always removed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NAME = "smoke"
STATE = Path("/var/lib/groundwork-lab") / NAME
COMMAND = Path(sys.executable).with_name("groundwork-lab")


@dataclass(frozen=True)
class Lab:
    """The command `groundwork-lab` with the name of the tests' own lab."""

    name: str = NAME
    state: Path = STATE

    def __call__(self, *argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command. Fail with its output unless `check` is off."""
        environment = {**os.environ, "GROUNDWORK_LAB": self.name}
        ran = subprocess.run(
            [str(COMMAND), *argv], capture_output=True, text=True, env=environment, timeout=300, check=False, **options
        )
        assert not check or ran.returncode == 0, f"{argv} gave {ran.returncode}:\n{ran.stdout}{ran.stderr}"
        return ran

    def inside(self, *argv: str, part: str = "laptop", **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program on the lab's internet."""
        return self("exec", "--as", part, "--", *argv, **options)

    def start_inside(self, *argv: str, part: str) -> subprocess.Popen[str]:
        """Start a program on the lab's internet, and return its process."""
        environment = {**os.environ, "GROUNDWORK_LAB": self.name}
        command = [str(COMMAND), "exec", "--as", part, "--", *argv]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("status", "--json").stdout)
        return found

    def traces(self) -> list[str]:
        """Return the mounts, namespaces, folders and processes of the lab on this machine."""
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        namespaces = [path.name for path in Path("/run/netns").glob(f"{self.name}-*")]
        folders = [str(path) for path in (self.state, *Path("/sys/fs/cgroup").glob(f"**/{self.name}")) if path.exists()]
        return [
            *(f"mount {each}" for each in mounts if each.startswith(f"{self.state}/")),
            *(f"namespace {each}" for each in namespaces),
            *(f"folder {each}" for each in folders),
            *(f"process {each}" for each in self._processes()),
        ]

    def _processes(self) -> list[str]:
        """Return the command lines of processes that use the lab's folder, namespaces or mounts."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if f"{self.state}/" in line or f"{self.name}-" in line:
                found.append(line)
        return found


def machine() -> dict[str, str]:
    """Return the machine's own network settings, which a lab must not change."""
    commands = ("ip -o link", "ip route show table all", "ip rule", "nft list ruleset")
    return {each: subprocess.run(each.split(), capture_output=True, text=True, check=True).stdout for each in commands}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Start a lab. Afterwards check that nothing of it remains and the machine's network is unchanged."""
    made = Lab()
    made("down")
    before = machine()
    made("up")
    try:
        assert machine() == before
        yield made
    finally:
        made("down")
    assert made.traces() == []
    assert machine() == before
