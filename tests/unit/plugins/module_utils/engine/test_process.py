"""Whether a process still runs, as far as its machine can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import (
    has_ended,
    process,
    runs,
    started,
    this_process,
)


def test_this_process_runs() -> None:
    own = this_process()
    assert own.pid == os.getpid() and own.who.count("@") == 1 and not has_ended(own)
    assert runs(own.pid, own.started)
    assert has_ended(replace(own, started="1")), "the same number is another process now"
    assert not runs(own.pid, "1")


def test_a_process_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = process(other.pid)
        assert not has_ended(theirs) and runs(theirs.pid, theirs.started) and runs(theirs.pid, "")
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert started(other.pid) == "", "its parent has not asked for its exit code yet"
    assert has_ended(theirs) and not runs(theirs.pid, theirs.started) and not runs(theirs.pid, "")
    assert not has_ended(replace(theirs, machine="another")), "only its own machine can tell"
    assert not has_ended(replace(theirs, machine=""))


@pytest.mark.parametrize(
    ("error", "ended"), [(ProcessLookupError, True), (PermissionError, False), (None, False)], ids=str
)
def test_a_process_that_proc_hides_has_not_ended(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError] | None, ended: bool
) -> None:
    """As for other users where /proc is mounted with hidepid."""

    def kill(_pid: int, _signal: int) -> None:
        if error:
            raise error

    other = replace(this_process(), pid=2**22 + 1, started="17")
    monkeypatch.setattr("os.kill", kill)
    assert has_ended(other) is ended
