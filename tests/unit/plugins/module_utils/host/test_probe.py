"""Servers behind a balancer are asked until they have answered, and judged by their own answers."""

from __future__ import annotations

import itertools
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.probe import (
    Answer,
    Probe,
    ask,
    gather,
    parse_probes,
    sample,
    summary,
    verdict,
)

PROBE = Probe("app", "http://web.test", "", ("/",), frozenset({"a"}), "new")
WELL = Answer("/", 200, "a", "new")
BROKEN = Answer("/", 500, "a", "new")
OTHERS = Answer("/", 500, "b", "old")
LOST = Answer("/", 0)


@pytest.mark.parametrize(
    ("answers", "threshold", "expected"),
    [
        ([WELL] * 10, 0.0, []),
        ([WELL, Answer("/", 404, "a", "new")], 0.0, []),
        # What others answer is not the batch's.
        ([WELL, *[OTHERS] * 9], 0.0, []),
        ([BROKEN, *[WELL] * 99], 1.0, []),
        (
            [BROKEN, BROKEN, *[WELL] * 98],
            1.0,
            ["app: 2 of 100 requests failed, more than 1 %: a/: 500 (2 times)."],
        ),
        ([BROKEN, WELL], 0.0, ["app: 1 of 2 requests failed, more than 0 %: a/: 500 (1 times)."]),
        (
            [LOST, Answer("/", 502), WELL],
            1.0,
            [
                "app: 2 of 3 requests failed, more than 1 %: "
                "unknown server /: 502 (1 times), unknown server /: no answer (1 times).",
            ],
        ),
        ([replace(WELL, release="old")], 0.0, ["app: a serves the release 'old', not 'new'."]),
        (
            [OTHERS, Answer("/", 200)],
            0.0,
            [
                "app: none of 2 answers from http://web.test came from a. "
                "Servers send their names only to the networks in lamp_probe_cidrs."
            ],
        ),
    ],
)
def test_the_verdict(answers: list[Answer], threshold: float, expected: list[str]) -> None:
    assert verdict(PROBE, answers, threshold) == expected


def test_any_release_will_do_when_none_is_named() -> None:
    assert verdict(replace(PROBE, release=""), [WELL, replace(WELL, release="old")], 0.0) == []


def test_it_asks_until_each_server_has_given_its_share(clock: Any) -> None:
    turn = cycle("abcd")
    lock = threading.Lock()

    def round_robin(_probe: Probe, path: str, _timeout: float) -> Answer:
        with lock:
            return Answer(path, 200, next(turn), "new")

    probe = replace(PROBE, servers=frozenset("ab"), paths=("/", "/shop"))
    answers = gather(probe, 10, 1, 60, clock=clock, ask=round_robin)
    told = summary(probe, answers)
    assert min(told["requests"][server] for server in "ab") == 5
    assert {answer.path for answer in answers} == {"/", "/shop"}
    assert clock.slept == []


@pytest.mark.parametrize(
    ("lost", "threshold", "asked", "fails"),
    [
        (0, 1.0, 50, False),
        (1, 1.0, 100, False),  # each server has to answer 50 times
        (2, 1.0, 200, False),  # 2 % of 100, and 1 % of 200
        (3, 1.0, 200, True),
        (10, 1.0, 200, True),
        (30, 1.0, 100, True),  # too many for chance
        (1, 0.0, 100, True),
    ],
)
def test_a_few_lost_answers_are_asked_for_again(
    clock: Any, lost: int, threshold: float, asked: int, fails: bool
) -> None:
    count = itertools.count()

    def ask(_probe: Probe, path: str, _timeout: float) -> Answer:
        return Answer(path, 0, fault="timed out") if next(count) < lost else WELL

    answers = sample(PROBE, 50, 1, 60, threshold, clock=clock, ask=ask)
    assert len(answers) == asked
    wrong = verdict(PROBE, answers, threshold)
    assert bool(wrong) is fails
    assert not fails or "no answer (timed out)" in wrong[0]


def test_it_gives_up_at_the_deadline(clock: Any) -> None:
    answers = gather(PROBE, 1, 1, 2, clock=clock, ask=lambda _probe, path, _timeout: Answer(path, 0))
    assert clock.now >= 2
    assert summary(PROBE, answers)["failures"] == {"": len(answers)}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/broken" else 200)
        self.send_header("X-Groundwork-Server", "a")
        self.send_header("X-Groundwork-Release", self.headers["Host"])
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is told."""


@pytest.fixture
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_answer_is_read(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    probe = replace(PROBE, url=web, host="shop.example.com")
    assert ask(probe, "/", 5) == Answer("/", 200, "a", "shop.example.com")
    assert ask(probe, "/broken", 5).status == 503
    assert ask(replace(probe, host=""), "/", 5).release.startswith("127.0.0.1:")


def test_nobody_is_there() -> None:
    assert ask(replace(PROBE, url="http://127.0.0.1:1"), "/", 1) == replace(
        LOST, fault="[Errno 111] Connection refused"
    )


def certified(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the files of a certificate that covers a name, and of its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    own = ["-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2", "-subj", "/CN=web"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *own, "-addext", f"subjectAltName=DNS:{name}", *files], check=True)
    return certificate, key


@pytest.mark.parametrize(
    ("tls_name", "trusted", "status"),
    [("www.web.test", True, 200), ("", False, 200), ("other.test", True, 0), ("www.web.test", False, 0)],
    ids=["covered", "not verified", "another name", "not trusted"],
)
def test_a_certificate_covers_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls_name: str, trusted: bool, status: int
) -> None:
    certificate, key = certified(tmp_path, "www.web.test")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        # A client that refuses the certificate is expected, and its traceback is not.
        server.handle_error = lambda *_args: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"https://127.0.0.1:{server.server_port}"
        answer = ask(replace(PROBE, url=url, host="shop.test", tls_name=tls_name), "/", 5)
        server.shutdown()
        thread.join()
    assert (answer.status, seen) == (status, ["shop.test"] if status else [])
    assert ("certificate verify failed" in answer.fault) == (not status)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"probes": [{"url": "ftp://web.test"}]}, "probes[0].url: 'ftp://web.test' is not a URL"),
        ({"probes": [{"paths": ["shop"]}]}, "probes[0].paths: 'shop' does not begin with /"),
        ({"requests": 0}, "requests: 0 is too small"),
        ({"deadline": 0}, "deadline: 0 is too small"),
    ],
)
def test_what_cannot_be_asked(given: dict[str, Any], message: str) -> None:
    problems = Problems()
    probe = {
        "name": "app",
        "url": "http://web.test/",
        "host": "",
        "paths": ["/"],
        "servers": ["a"],
        "release": "",
        "tls_name": "",
    }
    options = {"requests": 1, "timeout": 1, "deadline": 1, **given}
    options["probes"] = [{**probe, **one} for one in options.get("probes", [{}])]
    parse_probes(options, problems)
    assert str(problems.found[0]).startswith(message)
