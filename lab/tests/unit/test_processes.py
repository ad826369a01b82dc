"""Daemons are recorded, and only recorded processes are ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from groundwork_lab.journal import Journal, start_time
from groundwork_lab.processes import end, end_all, spawn, stop

SLEEP = ["sleep", "60"]
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


def test_a_daemon_is_recorded_with_its_start_and_struck_when_stopped(journal: Journal) -> None:
    process = spawn(SLEEP, journal)
    assert [(each.name, each.start) for each in journal.entries()] == [(str(process.pid), start_time(process.pid))]
    stop(process, journal)
    assert process.returncode == -signal.SIGTERM
    assert journal.entries() == []


def test_a_daemon_leads_a_session_and_writes_to_its_log(journal: Journal, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "daemon.log"
    process = spawn(["sh", "-c", "echo out; echo err >&2; sleep 60"], journal, log=log)
    assert os.getsid(process.pid) == process.pid
    stop(process, journal)
    assert set(log.read_text().split()) <= {"out", "err"}


def test_a_missing_program_is_told_at_once(journal: Journal) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-daemon"):
        spawn(["no-such-daemon"], journal)
    assert journal.entries() == []


def test_a_recycled_pid_is_not_signalled(journal: Journal) -> None:
    process = spawn(SLEEP, journal)
    end(process.pid, (start_time(process.pid) or 0) - 1)
    assert process.poll() is None
    stop(process, journal)


def test_who_ignores_the_signal_is_killed(journal: Journal) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as log:
        process = spawn([sys.executable, "-c", STUBBORN], journal, log=log)
    with os.fdopen(reading, "rb") as output:
        assert output.readline() == b"deaf\n"
    stop(process, journal, grace=0.2)
    assert process.returncode == -signal.SIGKILL


def test_many_end_at_once_and_the_dead_do_not_matter(journal: Journal) -> None:
    processes = [spawn(SLEEP, journal) for _ in range(3)]
    processes[0].kill()
    processes[0].wait()
    assert end_all([(int(each.name), each.start) for each in journal.entries()]) == []
    assert [each.wait() for each in processes[1:]] == [-signal.SIGTERM] * 2


def test_a_killed_parent_takes_its_daemons_along(tmp_path: Path) -> None:
    script = (
        "import os, sys, threading; from pathlib import Path;"
        "from groundwork_lab.journal import Journal; from groundwork_lab.processes import spawn;"
        "made = []; journal = Journal(Path(sys.argv[1]));"
        "thread = threading.Thread(target=lambda: made.append(spawn(['sleep', '60'], journal).pid));"
        "thread.start(); thread.join(); print(made[0], flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "journal")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    descriptor = os.pidfd_open(child)  # it is alive after its parent thread has ended
    parent.kill()
    parent.wait()
    assert select.select([descriptor], [], [], 5)[0], "the daemon outlived its killed parent"
    os.close(descriptor)
