"""Pages are asked for as visitors behind a balancer do, on this server alone, and judged."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email.message import Message
from itertools import count
from typing import Any

import pytest
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.probe import Response, fetch
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import (
    PAUSE,
    Answer,
    Page,
    ask,
    ask_all,
    check_page,
    lost,
    matches,
    well,
)

SHOP = Page("shop", host="shop.example.com", names=("shop.example.com", "*.shop.example.com"))
FIRST = Page("app", any_name=True)
LOGIN = Page("shop", host="shop.example.com", names=("shop.example.com",), matcher="200-399,401")


def response(status: int, location: str = "", **headers: str) -> Response:
    message = Message()
    for name, value in (({"Location": location} if location else {}) | headers).items():
        message[name.replace("_", "-")] = value
    return Response(status, message)


class Web:
    """Answers by `scheme://host/target`, 404 for what it does not have, and keeps what it was asked for."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int, str]] = []
        self.headers: list[Mapping[str, str]] = []

    def __call__(self, address: str, port: int, target: str, headers: Mapping[str, str], _timeout: float) -> Response:
        place = f"{headers['X-Forwarded-Proto']}://{headers['Host']}{target}"
        self.asked.append((address, port, place))
        self.headers.append(headers)
        answer = self.answers.get(place, 404)
        if isinstance(answer, BaseException):
            raise answer
        status, location = answer if isinstance(answer, tuple) else (answer, "")
        return response(status, location)


HTTPS = "https://shop.example.com/"
SHOPS = "http://shop.example.com/"


@pytest.mark.parametrize(
    ("page", "answers", "status", "fault"),
    [
        (SHOP, {SHOPS: 200}, 200, ""),
        (SHOP, {SHOPS: 204}, 204, ""),
        (SHOP, {SHOPS: 304}, 304, ""),
        (SHOP, {SHOPS: 500}, 500, "answered 500, expected 200-399"),
        (SHOP, {SHOPS: 503}, 503, "answered 503, expected 200-399"),
        (SHOP, {SHOPS: 401}, 401, "answered 401, expected 200-399"),
        (LOGIN, {SHOPS: 401}, 401, ""),
        (SHOP, {SHOPS: TimeoutError()}, 0, "gave no whole answer within 10 s"),
        (SHOP, {SHOPS: ConnectionRefusedError("refused")}, 0, "gave no answer (ConnectionRefusedError: refused)"),
        # To the same path with another scheme, or another name of the site.
        (SHOP, {SHOPS: (301, HTTPS), HTTPS: 200}, 200, ""),
        (SHOP, {SHOPS: (301, HTTPS), HTTPS: 500}, 500, f"redirects to {HTTPS}, which answered 500, expected 200-399"),
        (SHOP, {SHOPS: (308, "//www.shop.example.com/"), "http://www.shop.example.com/": 200}, 200, ""),
        (SHOP, {SHOPS: (301, "https://shop.example.com:443/"), "https://shop.example.com:443/": 200}, 200, ""),
        # Elsewhere within the site.
        (SHOP, {SHOPS: (302, "/login"), f"{SHOPS}login": 200}, 200, ""),
        (SHOP, {SHOPS: (302, "/login"), f"{SHOPS}login": 500}, 500, f"redirects to {SHOPS}login, which answered 500"),
        (LOGIN, {SHOPS: (302, "/login"), f"{SHOPS}login": 401}, 401, ""),
        (SHOP, {SHOPS: (302, "home?lang=en"), f"{SHOPS}home?lang=en": 200}, 200, ""),
        (SHOP, {SHOPS: (302, "/a b/ä"), f"{SHOPS}a%20b/%C3%A4": 200}, 200, ""),
        # In a circle, or without an end.
        (SHOP, {SHOPS: (302, "/")}, 302, f"redirects in a circle, at last to {SHOPS}"),
        (SHOP, {SHOPS: (301, HTTPS), HTTPS: (301, HTTPS)}, 301, f"redirects in a circle, at last to {HTTPS}"),
        (SHOP, {f"{SHOPS}{n or ''}": (302, f"/{n + 1}") for n in range(9)}, 302, "redirects more than 5 times"),
        # To the same path of another site: its visitors are lost.
        (
            SHOP,
            {SHOPS: (301, "https://old.example.com/")},
            301,
            "answered 301, a redirect to https://old.example.com/, and old.example.com is not",
        ),
        # The first site gets what no other site is named for; a visitor who logs in elsewhere is served.
        (FIRST, {"http://127.0.0.1/": (301, "https://example.com/"), "https://example.com/": 200}, 200, ""),
        (FIRST, {"http://127.0.0.1/": (302, "https://sso.example.com/login")}, 302, ""),
        (SHOP, {SHOPS: (302, "https://sso.example.com/login")}, 302, ""),
        (SHOP, {SHOPS: (302, "app://open")}, 302, ""),
        (SHOP, {SHOPS: (302, "http://[")}, 302, "answered 302, a redirect to 'http://[', which is not a URL"),
        # Only redirects are expected: none is followed.
        (replace(SHOP, matcher="301"), {SHOPS: (301, HTTPS)}, 301, ""),
        (replace(SHOP, matcher="300-399"), {SHOPS: 200}, 200, "answered 200, expected 300-399"),
    ],
)
def test_an_answer_is_judged(page: Page, answers: dict[str, Any], status: int, fault: str) -> None:
    web = Web(answers)
    answer = ask(page, web)
    assert answer.status == status
    assert answer.fault.startswith(fault)
    assert bool(answer.fault) == bool(fault)
    assert {asked[:2] for asked in web.asked} == {("127.0.0.1", 80)}, "no other machine is asked"


def test_a_request_has_the_headers_that_a_balancer_adds() -> None:
    web = Web({SHOPS: (301, HTTPS), HTTPS: 200})
    ask(SHOP, web)
    told = [(one["Host"], one["X-Forwarded-Proto"], one["X-Forwarded-Port"]) for one in web.headers]
    assert told == [("shop.example.com", "http", "80"), ("shop.example.com", "https", "443")]


def test_cookies_are_kept_as_by_a_browser() -> None:
    """An application that redirects until it finds its cookie is no circle."""

    def web(_a: str, _p: int, _t: str, headers: Mapping[str, str], _s: float) -> Response:
        if headers.get("Cookie") == "session=1":
            return response(200)
        return response(302, "/", Set_Cookie="session=1; Path=/; Secure")

    assert ask(SHOP, web).fault == ""


def test_another_sites_answer_is_no_answer() -> None:
    page = replace(SHOP, release="new")
    for served, fault in (("new", ""), ("", ""), ("old", "was answered with the release old, expected new")):
        answered = response(200, X_Groundwork_Release=served)
        assert ask(page, lambda *_, answered=answered: answered).fault == fault


def test_a_page_is_asked_for_again_for_a_while(clock: Clock) -> None:
    turns = count()
    answers = ask_all([SHOP], fetch=lambda *_: response(503 if next(turns) < 3 else 200), clock=clock)
    assert [answer.fault for answer in answers] == [""]
    assert clock.slept == [PAUSE] * 3


def test_a_page_that_keeps_failing_is_given_up(clock: Clock) -> None:
    [answer] = ask_all([SHOP], fetch=lambda *_: response(503), clock=clock)
    assert (answer.status, clock.now <= 3) == (503, True)
    assert ask_all([]) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("", "", []), ("", "500", ["/"]), ("500", "500", []), ("500", "", []), (None, "500", [])],
)
def test_what_is_lost(before: str | None, after: str, expected: list[str]) -> None:
    """A page is lost when it was answered before, by whatever release, and is not now."""
    answered = well([Answer(replace(SHOP, release="old"), fault=before)] if before is not None else [])
    gone = lost(answered, [Answer(replace(SHOP, release="new"), fault=after)])
    assert [answer.page.path for answer in gone] == expected


@pytest.mark.parametrize(
    ("matcher", "statuses"),
    [("200-399", {200, 302, 399}), ("200", {200}), ("200-299,401", {200, 401}), ("301,302", {301, 302})],
)
def test_a_matcher_has_statuses(matcher: str, statuses: set[int]) -> None:
    assert {status for status in (0, 200, 301, 302, 399, 401, 403, 500) if matches(matcher, status)} >= statuses - {399}
    assert not matches(matcher, 0)
    assert not matches(matcher, 500)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, ""),
        ({"path": "/a?b=c%20d", "matcher": "200-299,401", "timeout": 300}, ""),
        ({"path": "a"}, "probe.path: 'a' is not a path of a URL; begin it with /"),
        ({"path": "/a b"}, "probe.path: '/a b' is not a path of a URL"),
        ({"path": "/a\r\nX: y"}, "probe.path: "),
        ({"path": ""}, "probe.path: '' is not a path of a URL"),
        *(
            ({"matcher": matcher}, f"probe.matcher: '{matcher}' is not a list of HTTP statuses; give statuses from 200")
            for matcher in ("", "ok", "199", "500", "200-500", "399-200", "200,", "200 - 299", "2000")
        ),
        ({"timeout": 0}, "probe.timeout: 0 is out of range"),
        ({"timeout": 301}, "probe.timeout: 301 is out of range"),
    ],
)
def test_what_can_be_asked_for(given: dict[str, Any], message: str) -> None:
    problems = Problems()
    check_page("probe", {"path": "/", "matcher": "200-399", "timeout": 10, **given}, problems)
    told = [str(problem) for problem in problems.found]
    assert len(told) == bool(message)
    assert "".join(told).startswith(message)


@pytest.fixture
def server() -> Iterator[Any]:
    """A function from what a server sends, piece by piece, to its port. The connection ends after the last piece."""
    listening = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve(*pieces: bytes, hangs: bool = False) -> int:
        def answer() -> None:
            connection = listening.accept()[0]
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                if hangs:
                    done.wait(10)

        threading.Thread(target=answer, daemon=True).start()
        port: int = listening.getsockname()[1]
        return port

    yield serve
    done.set()
    listening.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.mark.parametrize(
    ("pieces", "hangs", "expected"),
    [
        ((HEAD, b"0123456789"), False, 200),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",), False, 200),
        ((CHUNKED, b"0\r\n\r\n"), False, 200),
        ((), False, "RemoteDisconnected"),
        ((HEAD, b"01234"), False, "IncompleteRead"),
        ((CHUNKED,), False, "IncompleteRead"),
        ((b"hello\r\n",), False, "BadStatusLine"),
        ((), True, "TimeoutError"),
        ((HEAD, b"01234"), True, "TimeoutError"),
    ],
)
def test_only_a_whole_answer_is_one(server: Any, pieces: tuple[bytes, ...], hangs: bool, expected: Any) -> None:
    port = server(*pieces, hangs=hangs)
    found: Any
    try:
        found = fetch("127.0.0.1", port, "/", {}, 0.3).status
    except (OSError, http.client.HTTPException) as error:
        found = type(error).__name__
    assert found == expected
