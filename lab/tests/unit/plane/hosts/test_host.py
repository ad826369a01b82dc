from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from groundwork_lab.model import Image
from groundwork_lab.plane.hosts import host
from groundwork_lab.plane.hosts.host import Seen, Wanted, next_step


@pytest.mark.parametrize(
    ("state", "power"),
    [
        ("pending", "on"),
        ("running", "on"),
        ("stopping", "off"),
        ("stopped", "off"),
        ("shutting-down", "gone"),
        ("terminated", "gone"),
    ],
)
def test_wanted(make_world: Any, state: Any, power: str) -> None:
    instance = make_world(state=state, reboots=3).instances["i-1"]
    assert host.wanted(instance, {}) == Wanted(power, 3)  # type: ignore[arg-type]


def test_wanted_images_are_the_pending_ones_of_this_instance(make_world: Any) -> None:
    instance = make_world().instances["i-1"]
    images = {
        "ami-1": Image("ami-1", "i-1", no_reboot=False, pending=True),
        "ami-2": Image("ami-2", "i-1", no_reboot=False, pending=False),
        "ami-3": Image("ami-3", "i-2", no_reboot=False, pending=True),
    }
    assert [image.id for image in host.wanted(instance, images).images] == ["ami-1"]


MADE = Image("ami-1", "i-1", no_reboot=False, pending=True)
ON, OFF, GONE = Wanted("on", 0), Wanted("off", 0), Wanted("gone", 0)


@pytest.mark.parametrize(
    ("want", "seen", "step"),
    [
        pytest.param(ON, Seen(), "boot", id="new"),
        pytest.param(ON, Seen(running=True, reported="running"), "wait", id="up"),
        pytest.param(Wanted("on", 1), Seen(running=True, reported="running"), "reboot", id="reboot"),
        pytest.param(Wanted("on", 1), Seen(running=True, reboots=1), "wait", id="rebooted"),
        pytest.param(Wanted("on", 1), Seen(reboots=0), "boot", id="a-boot-is-a-reboot"),
        pytest.param(ON, Seen(reported="stopped"), "boot", id="started-again"),
        pytest.param(ON, Seen(reported="stopped", held=True), "wait", id="went-down-by-itself"),
        pytest.param(OFF, Seen(running=True, reported="running"), "shut down", id="stop"),
        pytest.param(OFF, Seen(), "shut down", id="stopped-before-it-booted"),
        pytest.param(OFF, Seen(reported="stopped"), "wait", id="is-off"),
        pytest.param(GONE, Seen(running=True, reported="running"), "terminate", id="terminate"),
        pytest.param(GONE, Seen(reported="stopped"), "terminate", id="terminate-a-stopped-one"),
        pytest.param(GONE, Seen(held=True, reported="stopped"), "terminate", id="terminate-a-held-one"),
        pytest.param(Wanted("on", 0, (MADE,)), Seen(running=True), "capture", id="capture"),
        pytest.param(Wanted("gone", 0, (MADE,)), Seen(running=True), "capture", id="capture-before-it-is-gone"),
        pytest.param(Wanted("on", 0, (MADE,)), Seen(captured=frozenset(["ami-1"])), "boot", id="captured"),
    ],
)
def test_next_step(want: Wanted, seen: Seen, step: str) -> None:
    assert next_step(want, seen) == step


STATUS = "Name:\tsystemd\nState:\tS (sleeping)\nNSpid:\t812\t1\n"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (STATUS, True),
        (STATUS.replace("systemd", "systemd-nspawn"), False),
        (STATUS.replace("812\t1", "812"), False),
        (STATUS.replace("812\t1", "812\t7"), False),
        ("", False),
    ],
)
def test_knows_pid_1(status: str, expected: bool) -> None:
    assert host.is_init(status) is expected


def test_no_children_of_what_is_gone() -> None:
    gone = int(Path("/proc/sys/kernel/pid_max").read_text()) + 1
    assert host.children(gone) == []
    assert not host.is_systemd(gone)
    assert not host.is_systemd(os.getpid())


@pytest.mark.parametrize(("text", "tail"), [(b"", b""), (b"abc", b"abc"), (b"abcdefgh", b"efgh")])
def test_tail(tmp_path: Path, text: bytes, tail: bytes) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(text)
    assert host.read_tail(path, 4) == tail


def test_tail_of_nothing(tmp_path: Path) -> None:
    assert host.read_tail(tmp_path / "console.log", 4) == b""


@pytest.mark.parametrize(
    ("console", "text"),
    [
        (b"[\x1b[0;32m  OK  \x1b[0m] Started\r\r\n", "[  OK  ] Started\n"),
        (b"\x1b[?25hcut \xe2\x80", "cut \ufffd"),
        (b"a\x00\x07b", "ab"),
    ],
)
def test_plain(console: bytes, text: str) -> None:
    assert host.plain(console) == text
