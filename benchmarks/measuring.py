"""What every comparison needs: commands on a lab of the benchmarks' own, timed, their API calls counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv" / "bin"
RESULTS = ROOT / "benchmarks" / "results"
PEERS = ROOT / "benchmarks" / "peers"
LAB = "bench"
REPEATS = 3


@dataclass(frozen=True)
class Row:
    """One line of a table: `seconds` is a median; `calls` are API calls, None where they do not matter."""

    job: str
    who: str
    seconds: float
    calls: int | None = None


def environment() -> dict[str, str]:
    path = f"{BIN}:{os.environ['PATH']}"
    return {**os.environ, "GROUNDWORK_LAB": LAB, "PATH": path, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal"}


def run(*argv: str, **more: str) -> str:
    """A command's output; a failure ends the benchmark with all that the command said."""
    done = subprocess.run(argv, cwd=ROOT, env={**environment(), **more}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def lab(*argv: str) -> str:
    return run("groundwork-lab", *argv)


def inside(*argv: str, **more: str) -> str:
    """A command on the lab's internet."""
    return run("groundwork-lab", "exec", "--", *argv, **more)


def timed(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def measured(work: Callable[[], object]) -> tuple[float, int]:
    """Seconds and API calls of a piece of work."""
    lab("calls", "--reset")
    seconds = timed(work)
    counted = json.loads(lab("calls", "--json"))["calls"]
    return seconds, sum(number for operations in counted.values() for number in operations.values())


def fresh_lab() -> None:
    lab("down")
    lab("up")
