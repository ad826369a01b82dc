"""Load balancers refuse invalid requests, and pass on the others unchanged. Run with `-m lab`.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

from __future__ import annotations

import email.utils
import re
import socket
import time
from contextlib import closing
from typing import Any

import pytest

from groundwork_lab.processes import in_namespace

from .conftest import GROUP, OK, PORT

pytestmark = pytest.mark.lab

K = 1024


class TestSizes:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html (HTTP headers)"""

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ([f"X-Long: {'y' * (16 * K - 100)}"], 200),
            ([f"X-Long: {'y' * (16 * K + 1)}"], 400),
            ([f"X-{number}: {'y' * 15 * K}" for number in range(4)], 200),
            ([f"X-{number}: {'y' * 15 * K}" for number in range(5)], 400),
            ([f"X-{number}: {'y' * 15 * K}" for number in range(20)], 400),
            ([f"X-{number}: y" for number in range(1000)], 200),
        ],
    )
    def test_of_requests(self, balancer: Any, headers: list[str], status: int) -> None:
        balancer.serve()
        balancer.await_state("healthy")
        assert balancer.get(*headers).status == status
        assert len(balancer.asked) == (1 if status == 200 else 0)

    @pytest.mark.parametrize(("length", "status"), [(16 * K - 100, 200), (16 * K + 1, 400)])
    def test_of_the_request_line(self, balancer: Any, length: int, status: int) -> None:
        balancer.serve()
        balancer.await_state("healthy")
        assert balancer.get(request=f"GET /{'x' * length} HTTP/1.1").status == status

    @pytest.mark.parametrize(("length", "status"), [(31 * K, 200), (33 * K, 502)])
    def test_of_answers(self, balancer: Any, length: int, status: int) -> None:
        header = f"\r\nX-Long: {'y' * length}\r\n\r\n".encode()
        balancer.target(PORT, lambda _request: OK.replace(b"\r\n\r\n", header))
        balancer.serve()
        balancer.await_state("healthy")
        answer = balancer.get()
        assert (answer.status, answer.header("Server")) == (status, ["awselb/2.0"] if status == 502 else [])


def test_requests_to_targets_are_counted_and_health_checks_are_not(balancer: Any) -> None:
    balancer.serve()
    balancer.await_state("healthy")
    assert balancer.manager.requests(GROUP) == 0
    for _ in range(3):
        assert balancer.get().status == 200
    assert balancer.get("Content-Length: no").status == 400
    assert balancer.manager.requests(GROUP) == 3
    balancer.serve(attributes={"idle_timeout.timeout_seconds": "50"})  # another worker
    assert balancer.get().status == 200
    assert balancer.manager.requests(GROUP) == 4


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + b", ".join([b"192.0.2.1"] * 31) + b"\r\n\r\n", 463),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-Forwarded-For: 192.0.2.1\r\n" * 31 + b"\r\n", 463),
    ],
)
def test_what_is_refused(balancer: Any, request_: bytes, status: int) -> None:
    balancer.serve()
    balancer.await_state("healthy")
    answer = balancer.send(request_.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), timeout=5)
    assert (answer.split(b" ", 2)[1], balancer.asked) == (str(status).encode(), [])
    assert re.search(rb"(?i)\r\nServer: awselb/2.0\r\n", answer)


@pytest.mark.parametrize("addresses", ["192.0.2.1", ", ".join(["192.0.2.1"] * 30)])
def test_addresses_that_are_allowed(balancer: Any, addresses: str) -> None:
    balancer.serve()
    balancer.await_state("healthy")
    assert balancer.get(f"X-Forwarded-For: {addresses}").status == 200


def test_http_1_0_needs_no_host(balancer: Any) -> None:
    balancer.serve()
    balancer.await_state("healthy")
    assert balancer.get(request="GET / HTTP/1.0", host=None).status == 200


def test_names_of_headers_keep_their_usual_case(balancer: Any) -> None:
    balancer.target(PORT, lambda _request: OK.replace(b"\r\n\r\n", b'\r\nETag: "1"\r\nSet-Cookie: a=1\r\n\r\n'))
    balancer.serve()
    balancer.await_state("healthy")
    answer = balancer.get("User-Agent: me", "If-None-Match: x", "Content-MD5: x")
    for name in (b"Host", b"User-Agent", b"If-None-Match", b"Content-MD5", b"X-Forwarded-For", b"X-Amzn-Trace-Id"):
        assert b"\r\n" + name + b": " in balancer.asked[0]
    assert (answer.header("ETag"), answer.header("Set-Cookie")) == (['"1"'], ["a=1"])


class TestStickiness:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html"""

    @pytest.fixture
    def sticky(self, balancer: Any) -> Any:
        for number in (1, 2):
            answer = OK.replace(b"\r\n\r\nit", f"\r\n\r\n{number}!".encode())
            balancer.target(PORT + number, lambda _request, answer=answer: answer)
        balancer.serve(
            ports=(PORT + 1, PORT + 2),
            group={"stickiness.enabled": "true", "stickiness.lb_cookie.duration_seconds": "2"},
        )
        balancer.await_state("healthy")
        return balancer

    def test_the_cookie_lives_for_seven_days(self, sticky: Any) -> None:
        cookies = sticky.get().header("Set-Cookie")
        assert [each.partition("=")[0] for each in cookies] == ["AWSALB", "AWSALBCORS"]
        for cookie in cookies:
            [expires] = re.findall("Expires=([^;]*)", cookie)
            left = email.utils.parsedate_to_datetime(expires).timestamp() - time.time()
            assert abs(left - 7 * 86400) < 60

    @pytest.mark.parametrize("name", ["AWSALB", "AWSALBCORS"])
    def test_each_cookie_alone_is_enough(self, sticky: Any, name: str) -> None:
        first = sticky.get()
        [value] = [each.split(";")[0] for each in first.header("Set-Cookie") if each.startswith(f"{name}=")]
        assert {sticky.get(f"Cookie: {value}").body for _ in range(6)} == {first.body}

    def test_the_duration_is_that_of_the_target_group(self, sticky: Any) -> None:
        value = sticky.get().header("Set-Cookie")[0].split(";")[0]
        deadline = time.monotonic() + 10
        while len({sticky.get(f"Cookie: {value}").body for _ in range(4)}) == 1:
            assert time.monotonic() < deadline
        name, issued = value.rsplit("-", 1)
        assert int(issued) > 0
        assert {sticky.get(f"Cookie: {name}").body for _ in range(4)} == {b"1!", b"2!"}


def test_a_keep_alive_connection(balancer: Any) -> None:
    balancer.target(PORT, lambda _request: OK)  # it closes its connection, and says so
    balancer.serve()
    balancer.await_state("healthy")
    with closing(in_namespace(balancer.namespace, lambda: socket.create_connection(("127.0.0.1", 80), 5))) as client:
        for _ in range(3):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
