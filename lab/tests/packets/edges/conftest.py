"""An edge in its own namespace, with an origin that each test programs."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from distributions import BUCKET, S3, SITE, TLS, world

from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.model import Certificate, Distribution, World
from groundwork_lab.plane.edges.manager import EdgeManager
from groundwork_lab.plane.edges.place import Place
from groundwork_lab.processes import in_namespace, listen, spawn, stop, wait_listening
from groundwork_lab.settings import Settings

HTTP, HTTPS = 80, 443
RESOLVER = "\n".join(
    [
        "server:",
        "interface: 127.0.0.1",
        'username: ""',
        'chroot: ""',
        'pidfile: ""',
        *(
            line
            for name in ("example", "elsewhere", "cloudfront.net")
            for line in (f"local-zone: {name} redirect", f'local-data: "{name} A 127.0.0.1"')
        ),
        "",
    ]
)
"""A resolver that answers with the edge's own address. It has nowhere to ask for other names."""


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str | None:
        return self.headers.get(name)

    @property
    def outcome(self) -> str:
        return self.headers["X-Cache"].removesuffix(" from cloudfront")


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Origin:
    """An origin that answers from `replies` by path (a callable creates the reply) and records its requests."""

    replies: dict[str, Reply | Callable[[Mapping[str, str]], Reply]] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def reply(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies[path] = (status, {"Content-Type": "text/html", **named}, body)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.asked.append((method, path, headers, body))
        found = self.replies.get(path) or self.replies.get(path.split("?", maxsplit=1)[0])
        if callable(found):
            return found(headers)
        if found is None:
            return 404, {"Content-Type": "application/xml"}, b"<Code>NoSuchKey</Code>"
        etag = found[1].get("ETag")
        return (304, found[1], b"") if etag and headers.get("If-None-Match") == etag else found

    @property
    def last(self) -> tuple[str, str, Mapping[str, str], bytes]:
        return self.asked[-1]


def _handler(origin: Callable[[], Origin], scheme: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = dict(self.headers)
            if self.headers["Host"] != BUCKET:
                told["X-Served-By"] = scheme
            status, headers, content = origin().answer(self.command, self.path, told, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD" and status != 304:
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class' name)
            pass

    for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.serve)
    return Handler


@dataclass
class Edge:
    """An edge, its origin, and a viewer."""

    manager: EdgeManager
    settings: Settings
    authority: Authority
    origin: Origin
    delivered: list[tuple[str, str, bytes]]  # the log files, each with its distribution's id and its name

    @property
    def namespace(self) -> str:
        return self.settings.namespace("aws")

    @property
    def folder(self) -> Path:
        return self.settings.state / "edge"

    def serve(self, *distributions: Distribution, **options: Any) -> None:
        self.manager.reconcile(world(*distributions, **options))

    def certificate(self, *names: str) -> Certificate:
        """Return a certificate of the lab's authority."""
        return Certificate("arn", *self.authority.issue(names))

    def connect(self, *, secure: bool = True, host: str = SITE) -> http.client.HTTPConnection:
        plain = in_namespace(self.namespace, lambda: _connected(HTTPS if secure else HTTP))
        connection = http.client.HTTPConnection(host)
        connection.sock = plain
        if secure:
            context = ssl.create_default_context(cafile=str(self.settings.bundle))
            connection.sock = context.wrap_socket(plain, server_hostname=host)
        return connection

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **options: Any) -> Answer:
        """Send an HTTPS request, with the options `secure`, `host` and `headers`."""
        headers = options.pop("headers", {})
        with closing(self.connect(**options)) as connection:
            connection.request(method, path, body, headers)
            return read(connection)


def read(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Answer(response.status, headers, response.read(), response.headers.get_all("Set-Cookie") or [])


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


@pytest.fixture(scope="session")
def running() -> Iterator[Edge]:
    """Run an edge in a network namespace that has only loopback. Requires root and nginx."""
    with ExitStack() as stack:
        # Not below pytest's own folder, which nginx' workers cannot enter, because they are not root.
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="groundwork-edge-")))
        state.chmod(0o711)
        yield _run(state, stack)


def _run(state: Path, stack: ExitStack) -> Edge:
    settings = Settings(f"edge{os.getpid()}", state, state)
    namespace = settings.namespace("aws")
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    stack.callback(subprocess.run, ["ip", "netns", "delete", namespace], check=True)
    subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
    authority, journal = Authority(settings), Journal(state / "journal")
    authority.start()
    place = Place(
        settings.state / "edge",
        http=(f"127.0.0.1:{HTTP}",),
        https=(f"127.0.0.1:{HTTPS}",),
        https_1=(f"127.0.0.2:{HTTPS}",),
        outgoing="127.0.0.1",
        s3=f"127.0.0.1:{S3}",
        resolver="127.0.0.1",
        trusted=settings.bundle,
    )
    delivered: list[tuple[str, str, bytes]] = []
    taken = EdgeManager(settings, journal, authority, lambda *log: delivered.append(log), place)
    manager = stack.enter_context(closing(taken))
    made = Edge(manager, settings, authority, Origin(), delivered)
    serve = partial(_serve, stack, made)
    serve(listen(namespace, "127.0.0.1", S3), "http")
    certificate, key = authority.issue(["*.app.example"])
    (state / "origin.pem").write_bytes(certificate + key)
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(state / "origin.pem")
    serve(secured.wrap_socket(listen(namespace, "127.0.0.1", TLS), server_side=True), "https")
    (state / "unbound.conf").write_text(RESOLVER)
    resolver = spawn(["unbound", "-d", "-c", str(state / "unbound.conf")], journal, namespace=namespace)
    stack.callback(stop, resolver, journal)
    wait_listening(resolver, namespace, "127.0.0.1", 53)
    return made


def _serve(stack: ExitStack, edge: Edge, listening: socket.socket, scheme: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: edge.origin, scheme), bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)


@pytest.fixture
def edge(running: Edge) -> Iterator[Edge]:
    """Return the same edge for each test, with a new origin and empty caches."""
    running.origin = Origin()
    yield running
    log = running.folder / "nginx.log"
    print(log.read_text())  # pytest shows it with a failure
    log.write_text("")
    running.manager.reconcile(World())
