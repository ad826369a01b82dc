"""An edge refuses requests and removes headers as CloudFront's documentation says. Run with `-m lab`.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import handshakes
import pytest
from distributions import SITE, behavior, cache_policy, chosen, counted, distribution, server_origin, world

from groundwork_lab.model import Interface, LoadBalancer
from groundwork_lab.plane.edges.tls import ciphers, suites
from groundwork_lab.processes import in_namespace, listen

from .conftest import HTTP, HTTPS

pytestmark = pytest.mark.lab

RAW = 8082
EVERY = counted("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH")
ALL_VIEWER = {
    "HeadersConfig": {"HeaderBehavior": "allViewer"},
    "CookiesConfig": chosen("Cookie", "all"),
    "QueryStringsConfig": chosen("QueryString", "all"),
}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nit"


@contextlib.contextmanager
def raw_origin(edge: Any, *answers: bytes, connections: list[int] | None = None) -> Iterator[list[bytes]]:
    """Serve an origin that sends these bytes, one after the other, to a request, and yield the requests.

    The ports of clients are added to `connections`.
    """
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        if connections is not None:
            connections.append(connection.getpeername()[1])
        with closing(connection), contextlib.suppress(OSError):
            connection.settimeout(20)
            data = b""
            while more := connection.recv(65536):
                data += more
                if b"\r\n\r\n" in data:
                    asked.append(data)
                    data = b""
                    for answer in answers:
                        connection.sendall(answer)
                        time.sleep(0.05)  # so that they are packets of their own

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    with closing(listen(edge.namespace, "127.0.0.1", RAW)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        try:
            yield asked
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def serve_raw(edge: Any, **options: Any) -> None:
    origin = server_origin("www.app.example", "http-only")
    origin["CustomOriginConfig"]["HTTPPort"] = RAW
    default = behavior(OriginRequestPolicyId="all", AllowedMethods=EVERY, **options)
    edge.serve(distribution(default=default, origins=[origin]), request={"all": ALL_VIEWER})


def send(edge: Any, data: bytes, *, secure: bool = False) -> bytes:
    """Return all that the edge answers to these bytes, until it closes the connection or 3 s pass."""
    port = HTTPS if secure else HTTP
    with closing(in_namespace(edge.namespace, lambda: socket.create_connection(("127.0.0.1", port), 3))) as client:
        client.sendall(data)
        found = b""
        with contextlib.suppress(TimeoutError):
            while more := client.recv(65536):
                found += more
        return found


def curl(edge: Any, *options: str) -> str:
    resolve = f"{SITE}:443:127.0.0.1"
    command = ["curl", "-sS", "--max-time", "10", "--cacert", str(edge.settings.bundle), "--resolve", resolve, *options]
    inside = ["ip", "netns", "exec", edge.namespace, *command]
    return subprocess.run(inside, capture_output=True, text=True, check=False).stdout


class TestErrorPages:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    @pytest.mark.parametrize("body", [None, b"some words"])
    def test_of_a_request_with_a_body(self, edge: Any, method: str, body: bytes | None) -> None:
        error = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 0}
        edge.origin.reply("/site/404.html", b"page")
        edge.serve(distribution(errors=[error], default=behavior(AllowedMethods=EVERY)))
        if (method, body) != ("GET", b"some words"):
            answer = edge.get("/missing", method, body)
            assert (answer.status, answer.body) == (404, b"page")
            assert edge.origin.last[0] == "GET"


class TestRefused:
    @pytest.mark.parametrize("framing", [{"Content-Length": "2"}, {"Transfer-Encoding": "chunked"}])
    def test_get_with_a_body(self, edge: Any, framing: Mapping[str, str]) -> None:
        edge.origin.reply("/site/a", b"it")
        edge.serve()
        body = b"it" if "Content-Length" in framing else b"2\r\nit\r\n0\r\n\r\n"
        assert edge.get("/a", body=body, headers=framing).status == 403
        assert edge.get("/a", headers={"Content-Length": "0"}).status == 200

    @pytest.mark.parametrize(
        ("path", "header", "status"),
        [(8000, 0, 200), (8200, 0, 413), (10, 20000, 200), (10, 20500, 413), (40000, 0, 413)],
    )
    def test_sizes(self, edge: Any, path: int, header: int, status: int) -> None:
        edge.origin.reply(f"/site/{'x' * path}", b"it")
        edge.serve()
        answer = edge.get(f"/{'x' * path}", headers={"X-Long": "y" * header})
        assert (answer.status, answer["Server"] == "CloudFront") == (status, status == 413)

    @pytest.mark.parametrize(
        ("request_", "secure", "status"),
        [
            (b"GET /a HTTP/1.1\r\n\r\n", False, b"400"),
            (b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", False, b"400"),
            (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", False, b"400"),
            (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", False, b"400"),
            (b"nonsense\r\n\r\n", False, b"400"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", False, b"400"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"y" * 40000 + b"\r\n\r\n", False, b"413"),
            (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", False, b"403"),
            (b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", True, b"400"),
        ],
    )
    def test_the_edge_answers_itself_with_cloudfronts_page(
        self, edge: Any, request_: bytes, secure: bool, status: bytes
    ) -> None:
        edge.serve()
        answer = send(edge, request_, secure=secure)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split(b" ")[1] == status
        assert b"\r\nServer: CloudFront" in head
        assert b"X-Cache: Error from cloudfront" in head
        assert b"nginx" not in answer
        assert b"Generated by cloudfront" in body

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")  # the old versions are what is tested
    @pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
    def test_versions_of_tls_with_the_default_certificate(self, edge: Any, version: str) -> None:
        edge.origin.reply("/site/a", b"it")
        edge.serve()
        assert self.spoken(edge, version, SITE).startswith(b"HTTP/1.1 200 ")

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    @pytest.mark.parametrize(
        ("minimum", "version", "answered"),
        [("TLSv1.2_2021", "TLSv1_1", False), ("TLSv1.2_2021", "TLSv1_2", True), ("TLSv1.1_2016", "TLSv1_1", True)],
    )
    def test_the_oldest_version_of_tls_of_an_alias(self, edge: Any, minimum: str, version: str, answered: bool) -> None:
        alias = "www.example.com"
        edge.origin.reply("/site/a", b"it")
        named = {"Aliases": counted(alias), "ViewerCertificate": {"MinimumProtocolVersion": minimum}}
        edge.serve(distribution(certificate=edge.certificate(alias), **named))
        if answered:
            assert self.spoken(edge, version, alias).startswith(b"HTTP/1.1 200 ")
        else:
            with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
                self.spoken(edge, version, alias)
        assert self.spoken(edge, version, SITE).startswith(b"HTTP/1.1 200 ")

    @pytest.mark.parametrize("policy", ["TLSv1.1_2016", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"])
    def test_the_ciphers_of_an_alias(self, edge: Any, policy: str) -> None:
        alias = "www.example.com"
        named = {"Aliases": counted(alias), "ViewerCertificate": {"MinimumProtocolVersion": policy}}
        edge.serve(distribution(certificate=edge.certificate(alias), **named))  # with an EC key
        assert handshakes.ciphers(edge.namespace, alias, "tls1_3") == suites(policy)
        for name, expected in ((alias, policy), (SITE, "TLSv1")):
            accepted = handshakes.ciphers(edge.namespace, name, "tls1_2")
            assert accepted == [each for each in ciphers(expected) if "ECDSA" in each]

    @staticmethod
    def spoken(edge: Any, version: str, host: str) -> bytes:
        context = ssl.create_default_context(cafile=str(edge.settings.bundle))
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
        plain = in_namespace(edge.namespace, lambda: socket.create_connection(("127.0.0.1", HTTPS), 5))
        with closing(context.wrap_socket(plain, server_hostname=host)) as client:
            assert client.version() == version.replace("_", ".")
            assert not any(word in client.cipher()[0] for word in ("ARIA", "CAMELLIA"))
            client.sendall(f"GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            return client.recv(65536)


class TestHeadersOfAnAnswer:
    @pytest.mark.parametrize(
        "header", ["Upgrade: h2c", "Trailer: X-Sum", "Keep-Alive: timeout=5", "Proxy-Connection: close", "TE: trailers"]
    )
    def test_headers_of_the_connection_end_at_the_edge(self, edge: Any, header: str) -> None:
        answer = OK.replace(b"\r\n\r\n", f"\r\n{header}\r\nX-Other: kept\r\n\r\n".encode())
        with raw_origin(edge, answer):
            serve_raw(edge)
            found = curl(edge, "--http2", "-i", f"https://{SITE}/a").lower()
        assert found.startswith("http/2 200")
        assert f"\n{header.partition(':')[0].lower()}:" not in found
        assert "x-other: kept" in found

    def test_headers_that_connection_names_end_at_the_edge(self, edge: Any) -> None:
        with raw_origin(edge, OK.replace(b"\r\n\r\n", b"\r\nConnection: X-A\r\nX-A: 1\r\nX-B: 2\r\n\r\n")):
            serve_raw(edge)
            answer = edge.get("/a")
        assert (answer["X-A"], answer["X-B"]) == (None, "2")

    def test_headers_that_no_cache_names_are_not_cached(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"it", X_A="1", X_B="2", Cache_Control='max-age=60, no-cache="X-A, x-c"')
        edge.serve()
        found = [(answer["X-A"], answer["X-B"]) for answer in (edge.get("/a"), edge.get("/a"))]
        assert found == [("1", "2"), (None, "2")]

    def test_the_age_of_another_cache_is_added(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"it", Age="30")
        edge.serve()
        assert edge.get("/a")["Age"] == "30"
        assert int(edge.get("/a")["Age"]) in (30, 31, 32)

    @pytest.mark.parametrize(
        ("forwarded", "control", "first", "again"),
        [
            ("none", "max-age=60", [], []),
            ("all", "max-age=60", ["a=1"], ["a=1"]),
            ("all", 'max-age=60, no-cache="Set-Cookie"', ["a=1"], []),
            ("none", 'max-age=60, no-cache="Set-Cookie"', [], []),
        ],
    )
    def test_cookies(self, edge: Any, forwarded: str, control: str, first: list[str], again: list[str]) -> None:
        edge.origin.reply("/site/a", b"it", Set_Cookie="a=1", Cache_Control=control)
        edge.serve(cache={"cache": cache_policy((0, 0, 60), cookies=chosen("Cookie", forwarded))})
        answers = [edge.get("/a") for _ in range(2)]
        assert [each.outcome for each in answers] == ["Miss", "Hit"]
        assert [each.cookies for each in answers] == [first, again]
        assert [each["Cache-Control"] for each in answers] == [control] * 2

    @pytest.mark.parametrize(
        ("vary", "kept"),
        [
            ("Accept-Language", "Accept-Language"),
            ("Accept-Encoding, Cookie", "Accept-Encoding, Cookie"),
            ("Referer, accept-language, X-A", "accept-language"),
            ("Referer", None),
            ("*", None),
        ],
    )
    def test_vary(self, edge: Any, vary: str, kept: str | None) -> None:
        edge.origin.reply("/site/a", b"it", Vary=vary)
        edge.serve(cache={"cache": cache_policy(headers=["Accept-Language"])})
        for outcome in ("Miss", "Hit"):
            answer = edge.get("/a")
            assert (answer.outcome, answer["Vary"]) == (outcome, kept)


class TestConditionsAndRanges:
    @pytest.mark.parametrize(
        ("since", "status"),
        [
            ("Mon, 02 Jan 2023 00:00:00 GMT", 304),
            ("Tue, 03 Jan 2023 00:00:00 GMT", 304),
            ("Sun, 01 Jan 2023 00:00:00 GMT", 200),
        ],
    )
    def test_modified_since(self, edge: Any, since: str, status: int) -> None:
        edge.origin.reply("/site/a", b"it", Last_Modified="Mon, 02 Jan 2023 00:00:00 GMT")
        edge.serve()
        for _ in range(2):
            assert edge.get("/a", headers={"If-Modified-Since": since}).status == status

    @pytest.mark.parametrize(("etag", "status"), [('"1"', 304), ('"2"', 200)])
    def test_the_etag_decides_before_the_date(self, edge: Any, etag: str, status: int) -> None:
        edge.origin.reply("/site/a", b"it", ETag='"1"', Last_Modified="Mon, 02 Jan 2023 00:00:00 GMT")
        edge.serve()
        edge.get("/a")
        for since in ("Sun, 01 Jan 2023 00:00:00 GMT", "Tue, 03 Jan 2023 00:00:00 GMT"):
            assert edge.get("/a", headers={"If-None-Match": etag, "If-Modified-Since": since}).status == status

    def test_an_older_file_of_the_origin_replaces_the_cached_one(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"new", Last_Modified="Mon, 02 Jan 2023 00:00:00 GMT")
        edge.serve(cache={"cache": cache_policy((0, 0, 60))})
        edge.get("/a")
        edge.origin.reply("/site/a", b"old", Last_Modified="Sun, 01 Jan 2023 00:00:00 GMT")
        assert edge.get("/a").body == b"old"

    @pytest.mark.parametrize(
        ("range_", "status", "body"),
        [
            ("bytes=1-2", 206, b"12"),
            ("bytes=7-", 206, b"789"),
            ("bytes=-2", 206, b"89"),
            ("Bytes=0-0", 206, b"0"),
            ("bytes=0-99", 206, b"0123456789"),
            ("bytes=10-", 416, None),
            ("bytes=4-5,1-2", 200, b"0123456789"),
            ("bytes=1-4,3-6", 200, b"0123456789"),
            ("bytes=1-2,2-3", 200, b"0123456789"),
            ("bytes=-2,1-2", 200, b"0123456789"),
            ("bytes=5-,7-", 200, b"0123456789"),
            ("bytes=abc", 200, b"0123456789"),
            ("bytes=", 200, b"0123456789"),
            ("bytes=-", 200, b"0123456789"),
            ("bytes=2-1", 200, b"0123456789"),
            ("bytes=--1", 200, b"0123456789"),
            ("lines=1-2", 200, b"0123456789"),
        ],
    )
    def test_ranges(self, edge: Any, range_: str, status: int, body: bytes | None) -> None:
        edge.origin.reply("/site/a", b"0123456789")
        edge.serve()
        for _ in range(2):
            answer = edge.get("/a", headers={"Range": range_})
            assert (answer.status, answer.body if body else None) == (status, body)

    def test_several_ranges(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"0123456789")
        edge.serve()
        edge.get("/a")
        answer = edge.get("/a", headers={"Range": "bytes=1-2, 4-5"})
        assert (answer.status, answer["Content-Type"].split(";")[0]) == (206, "multipart/byteranges")


class TestExpiredObjects:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html (serve stale content)"""

    @pytest.mark.parametrize(
        ("control", "error", "status"),
        [
            ("max-age=0", 503, 200),
            ("max-age=0", 500, 200),
            ("max-age=0", 404, 404),
            ("max-age=0", 403, 403),
            ("max-age=0", 429, 429),
            ("max-age=0, stale-if-error=0", 503, 503),
            ("max-age=0, stale-if-error=60", 503, 200),
            ("max-age=0, stale-if-error=60", 404, 404),
        ],
    )
    def test_while_the_origin_fails(self, edge: Any, control: str, error: int, status: int) -> None:
        edge.origin.reply("/site/a", b"it", Cache_Control=control, ETag='"1"')
        edge.serve(cache={"cache": cache_policy((0, 0, 600))})
        edge.get("/a")
        edge.origin.replies["/site/a"] = lambda _headers: (error, {"Content-Type": "text/html"}, b"no")
        for _ in range(2):
            answer = edge.get("/a")
            assert (answer.status, answer.body) == (status, b"it" if status == 200 else b"no")

    def test_an_error_is_not_used_after_its_time(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"first", 503)
        edge.serve(distribution(errors=[{"ErrorCode": 503, "ErrorCachingMinTTL": 1}]))
        assert edge.get("/a").body == b"first"
        edge.origin.reply("/site/a", b"second", 503)
        assert edge.get("/a").body == b"first"
        until(lambda: edge.get("/a").body == b"second")

    def test_while_it_is_fetched_again(self, edge: Any) -> None:
        fetched = threading.Event()
        edge.origin.reply("/site/a", b"old", Cache_Control="max-age=1, stale-while-revalidate=60")
        edge.serve(cache={"cache": cache_policy((0, 0, 600))})
        edge.get("/a")

        def reply_later(_headers: Any) -> Any:
            fetched.wait(10)
            return 200, {"Content-Type": "text/html", "Cache-Control": "max-age=60"}, b"new"

        edge.origin.replies["/site/a"] = reply_later
        until(lambda: (edge.get("/a").body, len(edge.origin.asked)) == (b"old", 2))
        assert edge.get("/a").body == b"old"
        fetched.set()
        until(lambda: edge.get("/a").body == b"new")
        assert len(edge.origin.asked) == 2

    def test_the_longest_time_bounds_it(self, edge: Any) -> None:
        edge.origin.reply("/site/a", b"old", Cache_Control="max-age=0, stale-while-revalidate=60, stale-if-error=60")
        edge.serve(cache={"cache": cache_policy((0, 0, 1))})
        edge.get("/a")
        edge.origin.reply("/site/a", b"no", 503)
        until(lambda: edge.get("/a").status == 503)


class TestConnectionsToAnOrigin:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html"""

    NAME = "web-1.eu-central-1.elb.amazonaws.com"

    def serve(self, edge: Any, patience: int = 1, **options: Any) -> None:
        origin = server_origin(self.NAME, "http-only")
        origin["CustomOriginConfig"] |= {"HTTPPort": RAW, "OriginReadTimeout": patience}
        origin |= options
        default = behavior(OriginRequestPolicyId="all", AllowedMethods=EVERY)
        made = world(distribution(default=default, origins=[origin]), request={"all": ALL_VIEWER})
        node = Interface("eni-1", "vpc-1", "", "", IPv4Address("127.0.0.1"), None, (), True, "load-balancer", "arn:lb")
        balancer = LoadBalancer("arn:lb", "web", self.NAME, "internal", "vpc-1", ("eni-1",), (), {})
        edge.manager.reconcile(replace(made, interfaces={"eni-1": node}, load_balancers={"arn:lb": balancer}))

    def test_they_are_used_again(self, edge: Any) -> None:
        connections: list[int] = []
        with raw_origin(edge, OK, connections=connections) as asked:
            self.serve(edge)
            for number in range(4):
                assert edge.get(f"/{number}").status == 200
        assert all(b"\r\nConnection: Keep-Alive\r\n" in each for each in asked)
        assert (len(asked), len(connections) <= 2) == (4, True)  # one for each of nginx' workers

    @pytest.mark.parametrize(
        ("method", "attempts", "times"),
        [
            ("GET", 3, 3),
            ("GET", 1, 1),
            ("HEAD", 2, 2),
            ("POST", 3, 1),
            ("PUT", 3, 1),
            ("DELETE", 3, 1),
            ("OPTIONS", 3, 1),
        ],
    )
    def test_a_request_that_times_out_is_sent_again(self, edge: Any, method: str, attempts: int, times: int) -> None:
        with raw_origin(edge) as asked:
            self.serve(edge, ConnectionAttempts=attempts)
            assert edge.get("/a", method).status == 504
            sent = b"GET" if method == "HEAD" else method.encode()  # what the cache can use for both
            assert [each.split(b" ")[0] for each in asked] == [sent] * times

    @pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
    def test_an_interim_response_is_an_error_at_once(self, edge: Any, status: str) -> None:
        with raw_origin(edge, f"HTTP/1.1 {status}\r\nLink: </a>\r\n\r\n".encode(), OK):
            self.serve(edge, patience=20, ConnectionAttempts=1)
            began = time.monotonic()
            assert edge.get("/a").status == 502
            assert time.monotonic() - began < 10


def test_405_is_cached_only_with_a_time(edge: Any) -> None:
    edge.origin.reply("/site/a", b"no", 405)
    edge.serve()
    assert [edge.get("/a").status for _ in range(2)] == [405, 405]
    assert len(edge.origin.asked) == 2


def test_websockets(edge: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-working-with.websockets.html"""
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    with raw_origin(edge, switched, b"hello") as asked:
        serve_raw(edge)
        request = f"GET /a HTTP/1.1\r\nHost: {SITE}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        answer = send(edge, f"{request}Sec-WebSocket-Key: abc\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nUpgrade: websocket\r\n" in answer
    assert answer.endswith(b"\r\n\r\nhello")
    assert b"\r\nSec-Websocket-Key: abc\r\n" in asked[0]
    assert b"\r\nUpgrade: websocket\r\n" in asked[0]


def until(condition: Any, patience: float = 8.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        threading.Event().wait(0.05)


EVERY_ERROR = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)  # that can have a page


def test_an_error_page_leaves_other_errors_of_the_origin_as_they_are(edge: Any) -> None:
    error = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 0}
    edge.serve(distribution(errors=[error]))
    for status in (403, 405, 500, 501, 502, 503, 504):
        edge.origin.reply(f"/site/{status}", b'{"error": 1}', status, Content_Type="application/json")
        answer = edge.get(f"/{status}")
        assert (answer.status, answer.body) == (status, b'{"error": 1}')


def test_every_error_can_have_a_page(edge: Any) -> None:
    pages = [
        {"ErrorCode": code, "ResponsePagePath": "/error.html", "ResponseCode": str(code), "ErrorCachingMinTTL": 0}
        for code in EVERY_ERROR
    ]
    edge.serve(distribution(errors=pages))
    edge.origin.reply("/site/error.html", b"<h1>sorry")
    for code in EVERY_ERROR:
        edge.origin.reply(f"/site/{code}", b"raw", code)
        answer = edge.get(f"/{code}")
        assert (answer.status, answer.body) == (code, b"<h1>sorry")
