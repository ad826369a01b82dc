"""The journal keeps its entries, also when a crash left an incomplete last line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from groundwork_lab.journal import Entry, Journal, start_time

A = Entry("namespace", "lab-aws")
B = Entry("mount", "/somewhere")
C = Entry("process", "12", 34)


@pytest.mark.parametrize(
    ("steps", "standing"),
    [
        ([], []),
        ([("+", A), ("+", B)], [A, B]),
        ([("+", A), ("+", B), ("-", A)], [B]),
        ([("-", A)], []),
        ([("+", A), ("-", A), ("+", A)], [A]),
        ([("+", C), ("-", Entry("process", "12", 35))], [C]),  # a newer process with the same pid is another process
    ],
)
def test_entries_are_what_was_recorded_and_not_struck(tmp_path: Path, steps: list, standing: list) -> None:
    journal = Journal(tmp_path / "journal")
    for sign, entry in steps:
        (journal.record if sign == "+" else journal.strike)(entry)
    assert Journal(tmp_path / "journal").entries() == standing


@pytest.mark.parametrize("torn", [b'["+", {"kind": "mo', b'["+"]', b'["+", {"colour": 1}]', b"\xff\xfe"])
def test_a_torn_line_is_skipped_and_swallows_nothing(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "journal"
    Journal(path).record(A)
    with path.open("ab") as file:
        file.write(torn)
    Journal(path).record(B)
    assert Journal(path).entries() == [A, B]


def test_start_time_tells_processes_apart_and_a_zombie_is_gone() -> None:
    assert start_time(os.getpid()) is not None
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended and is not reaped
    assert start_time(child.pid) is None
    child.wait()
    assert start_time(child.pid) is None
