"""`up` and `down` refuse to run on an unsuitable machine, with a solution."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from groundwork_lab import lifecycle
from groundwork_lab.errors import LabError
from groundwork_lab.journal import start_time
from groundwork_lab.plane.hosts import watches
from groundwork_lab.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(name="unittest", state=tmp_path / "labs" / "unittest", cache=tmp_path / "cache")


@pytest.fixture
def programs(tmp_path: Path) -> Callable[[list[str]], str]:
    """Return a PATH with these programs."""

    def make(names: list[str]) -> str:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in names:
            (folder / name).touch(mode=0o755)
        return str(folder)

    return make


@pytest.fixture(autouse=True)
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that represents the kernel's limit of inotify instances."""
    file = tmp_path / "max_user_instances"
    file.write_text("128\n")
    monkeypatch.setattr(watches, "LIMIT", file)
    return file


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that represents nginx' JavaScript module."""
    module = tmp_path / "js.so"
    module.touch()
    monkeypatch.setattr(lifecycle, "MODULES", {str(module): "libnginx-mod-http-js"})
    return module


def test_a_missing_module_is_named_with_its_package(programs: Callable[[list[str]], str], modules: Path) -> None:
    modules.unlink()
    with pytest.raises(LabError, match=r"does not have .*js\.so; run `apt-get install libnginx-mod-http-js`"):
        lifecycle.refuse_without_programs(programs(list(lifecycle.PROGRAMS)))


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (["nft"], "This machine does not have nft; run `apt-get install nftables`."),
        (
            ["haproxy", "knotd"],
            "This machine does not have haproxy, knotd; run `apt-get install haproxy knot`.",
        ),
        (["nsenter", "setpriv"], "This machine does not have nsenter, setpriv; run `apt-get install util-linux`."),
    ],
)
def test_missing_programs_are_named_with_their_packages(
    programs: Callable[[list[str]], str], missing: list[str], message: str
) -> None:
    path = programs([name for name in lifecycle.PROGRAMS if name not in missing])
    with pytest.raises(LabError) as caught:
        lifecycle.refuse_without_programs(path)
    assert str(caught.value) == message


def test_with_all_programs_nothing_is_refused(programs: Callable[[list[str]], str]) -> None:
    lifecycle.refuse_without_programs(programs(list(lifecycle.PROGRAMS)))


@pytest.mark.parametrize(
    ("identity", "living"),
    [
        (None, False),
        ("", False),
        (json.dumps({"pid": os.getpid(), "start": start_time(os.getpid())}), True),
        (json.dumps({"pid": os.getpid(), "start": 1}), False),
        (json.dumps({"pid": 4194303, "start": 1}), False),
    ],
    ids=["no file", "an empty file", "it lives", "another process has its pid", "no process has its pid"],
)
def test_the_daemon_lives_when_its_pid_and_start_do(settings: Settings, identity: str | None, living: bool) -> None:
    settings.state.mkdir(parents=True)
    if identity is not None:
        settings.daemon.write_text(identity)
    assert (lifecycle.daemon(settings) is not None) is living


def test_up_refuses_a_crashed_lab_and_down_clears_it(settings: Settings) -> None:
    settings.state.mkdir(parents=True)
    with pytest.raises(LabError, match=r"is incomplete.*run `groundwork-lab down`"):
        lifecycle.up(settings, 1.0, lambda line: None)
    assert lifecycle.down(settings, lambda line: None) == (True, [])
    assert not settings.state.parent.exists()
    assert lifecycle.down(settings, lambda line: None) == (False, [])


def test_the_first_lab_raises_the_limit_and_the_last_puts_it_back(settings: Settings, limit: Path) -> None:
    labs = [replace(settings, name=name, state=settings.state.with_name(name)) for name in ("one", "two")]
    for lab in labs:
        lifecycle._settle(lab)
        assert limit.read_text() == "4096\n"
    for lab, after in zip(labs, ("4096\n", "128\n"), strict=True):
        assert lifecycle.down(lab, lambda line: None) == (True, [])
        assert limit.read_text() == after
    assert not settings.state.parent.exists()


def test_an_interrupted_up_leaves_nothing(settings: Settings, limit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemons = []

    class Daemon(subprocess.Popen[bytes]):
        """A daemon that never becomes ready."""

        def __init__(self, _argv: object, **more: Any) -> None:
            super().__init__(["sleep", "60"], **more)
            daemons.append(self)

    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    for refusal in ("refuse_without_programs", "refuse_without_control_groups"):
        monkeypatch.setattr(lifecycle, refusal, lambda *_: None)
    monkeypatch.setattr(lifecycle, "_build_base_image", lambda *_: None)
    monkeypatch.setattr(lifecycle.subprocess, "Popen", Daemon)
    monkeypatch.setattr(lifecycle.select, "select", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.up(settings, 1.0, lambda line: None)
    assert daemons[0].wait(timeout=5) == -signal.SIGTERM
    assert not settings.state.parent.exists()
    assert limit.read_text() == "128\n"


def test_two_at_once_are_refused(settings: Settings) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind("\0groundwork-lab-unittest")
        with pytest.raises(LabError, match="Another `up` or `down`"):
            lifecycle.down(settings, lambda line: None)
    assert lifecycle.down(settings, lambda line: None) == (False, [])


def test_only_root_may(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="requires root to create namespaces and mounts; run this with sudo"):
        lifecycle.up(settings, 1.0, lambda line: None)


def test_a_real_account_does_not_reach_the_daemon(settings: Settings) -> None:
    inherited = {"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "x", "HOME": "/root"}
    found = lifecycle._environment(settings, inherited)
    assert not [name for name in found if name.startswith("AWS_")]
    assert (found["HOME"], found["GROUNDWORK_LAB"]) == ("/root", "unittest")
