"""The communication of daemon and command over the control socket. Errors become one sentence."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundwork_lab.control import RefusalError, Server, ask
from groundwork_lab.errors import LabError
from groundwork_lab.settings import Settings


def refuse(rest: str, body: Any) -> object:
    raise RefusalError(f"no {rest}", 404)


def fail(rest: str, body: Any) -> object:
    raise KeyError("subnet-1")


ROUTES = {
    "GET /echo": lambda rest, body: {"rest": rest, "body": body},
    "POST /echo": lambda rest, body: {"rest": rest, "body": body},
    "GET /raw": lambda rest, body: b"\x00\xff console",
    "GET /refuse": refuse,
    "GET /fail": fail,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(name="test", state=tmp_path, cache=tmp_path)


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    made = Server(settings.control, ROUTES)
    made.start()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("GET", "/echo", None), {"rest": "", "body": None}),
        (("GET", "/echo/public-1", None), {"rest": "public-1", "body": None}),
        (("GET", "/echo/with%20space%2Fslash", None), {"rest": "with space/slash", "body": None}),
        (("POST", "/echo", {"rate": 0.5}), {"rest": "", "body": {"rate": 0.5}}),
    ],
)
def test_questions_and_answers(
    server: Server, settings: Settings, question: tuple[str, str, object], answer: object
) -> None:
    assert json.loads(ask(settings, *question)) == answer


def test_bytes_pass_untouched(server: Server, settings: Settings) -> None:
    assert ask(settings, "GET", "/raw") == b"\x00\xff console"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/refuse/host", "no host"),
        ("/fail", r"The daemon failed to answer \(KeyError: 'subnet-1'\)"),
        ("/unknown", "GET /unknown is unknown"),
    ],
)
def test_failures_are_sentences(server: Server, settings: Settings, path: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        ask(settings, "GET", path)
    assert ask(settings, "GET", "/raw"), "the daemon lives on"


def test_the_socket_is_for_root_and_goes_with_the_server(settings: Settings) -> None:
    server = Server(settings.control, ROUTES)
    assert stat.S_IMODE(settings.control.stat().st_mode) == 0o600
    server.start()
    server.close()
    assert not settings.control.exists()


def test_without_a_daemon_the_message_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(name="test", state=tmp_path / "state", cache=tmp_path)
    with pytest.raises(LabError, match="not up; start it with `groundwork-lab up`") as caught:
        ask(settings, "GET", "/status")
    assert caught.value.code == 3
    settings.state.mkdir()
    with pytest.raises(LabError, match=r"is incomplete.*`groundwork-lab down`"):
        ask(settings, "GET", "/status")
