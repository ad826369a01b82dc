"""A load balancer in its own namespace, with targets that each test programs."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from groundwork_lab.journal import Journal
from groundwork_lab.model import (
    Action,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancer,
    Subnet,
    Target,
    TargetGroup,
    World,
)
from groundwork_lab.plane.balancers.manager import BalancerManager
from groundwork_lab.processes import in_namespace, listen
from groundwork_lab.settings import Settings

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/wwww"
CHECK = HealthCheck(True, "HTTP", "traffic-port", "/healthz", 5, 2, 2, 2, "200")
FORWARD = Action("forward", {"TargetGroups": [{"TargetGroupArn": GROUP, "Weight": 1}]})
ADDRESS, PORT = "127.0.0.11", 8080
PATIENCE = 15.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nit"

Server = Callable[[bytes], bytes]


@dataclass
class Answer:
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> list[str]:
        """Return the values of a header, whose name is compared with its case."""
        pairs = (line.split(b": ", 1) for line in self.head.split(b"\r\n")[1:])
        return [pair[1].decode() for pair in pairs if pair[0].decode() == name]


@dataclass
class Balancer:
    """A load balancer with one node. `answers` are the targets' servers by port, `asked` the requests that they got."""

    manager: BalancerManager
    settings: Settings
    stack: ExitStack
    answers: dict[int, Server] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        return self.settings.namespace("eni-a")

    def serve(self, check: HealthCheck = CHECK, attributes: Mapping[str, str] | None = None, **options: Any) -> None:
        """Apply a `World`, with the options `group` (attributes of the target group), `ports`, `action` and `more`."""
        self.manager.reconcile(world(check, attributes or {}, **options))

    def state(self) -> str:
        """Return the state of all targets, or "" if they differ."""
        states = {report.state for report in self.manager.target_health(GROUP).values()}
        return states.pop() if len(states) == 1 else ""

    def await_state(self, wanted: str) -> None:
        until(lambda: self.state() == wanted)

    def send(self, request: bytes, *, timeout: float = 10.0) -> bytes:
        """Return all that the load balancer answers to these bytes, until it closes the connection."""
        with closing(in_namespace(self.namespace, lambda: socket.create_connection(("127.0.0.1", 80), 5))) as client:
            client.settimeout(timeout)
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b""))

    def get(self, *headers: str, request: str = "GET / HTTP/1.1", host: str | None = "a.example") -> Answer:
        """Send a request without a body and return the answer."""
        lines = [request, *([f"Host: {host}"] if host is not None else []), "Connection: close", *headers]
        head, _, body = self.send(("\r\n".join(lines) + "\r\n\r\n").encode()).partition(b"\r\n\r\n")
        return Answer(int(head.split()[1]), head, body)

    def target(self, port: int, server: Server) -> None:
        """Serve `port` of the target. `server` returns the whole answer to a request."""
        if port not in self.answers:
            listening = listen(self.namespace, ADDRESS, port)
            self.stack.callback(listening.close)
            threading.Thread(target=self._accept, args=(listening, port), daemon=True).start()
        self.answers[port] = server

    def _accept(self, listening: socket.socket, port: int) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                threading.Thread(target=self._serve, args=(listening.accept()[0], port), daemon=True).start()

    def _serve(self, connection: socket.socket, port: int) -> None:
        with closing(connection), contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            data = b""
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            if b" /healthz " in data:
                connection.sendall(OK)
                return
            self.asked.append(data)
            connection.sendall(self.answers[port](data))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        select.select([], [], [], 0.05)


def world(
    check: HealthCheck,
    attributes: Mapping[str, str],
    *,
    group: Mapping[str, str] | None = None,
    ports: Sequence[int] = (PORT,),
    action: Action | None = None,
    more: Sequence[Listener] = (),
) -> World:
    targets = tuple(Target(ADDRESS, port) for port in ports)
    listener = Listener("listener", 80, "HTTP", (action or FORWARD,), ())
    balancer = LoadBalancer(
        "arn:web", "web", "web.example", "internet-facing", "vpc-1", ("eni-a",), (listener, *more), attributes
    )
    node = Interface("eni-a", "vpc-1", "subnet-a", "", IPv4Address("127.0.0.1"), None, (), True, "none", "")
    subnet = Subnet("subnet-a", "vpc-1", IPv4Network("127.0.0.0/24"), "eu-central-1a", "rtb", "acl")
    return World(
        subnets={subnet.id: subnet},
        interfaces={node.id: node},
        target_groups={GROUP: TargetGroup(GROUP, "web", "vpc-1", "HTTP", PORT, "ip", check, targets, (), group or {})},
        load_balancers={balancer.arn: balancer},
    )


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[Balancer]:
    """Run a load balancer in a network namespace that has only loopback. Requires root and HAProxy."""
    with ExitStack() as stack:
        settings = Settings(f"balancer{os.getpid()}", tmp_path, tmp_path)
        namespace = settings.namespace("eni-a")
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "delete", namespace], check=True)
        subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
        manager = stack.enter_context(closing(BalancerManager(settings, Journal(tmp_path / "journal"))))
        made = Balancer(manager, settings, stack)
        made.target(PORT, lambda _request: OK)
        yield made
        log = tmp_path / "balancers" / "eni-a" / "haproxy.log"
        print(log.read_text() if log.exists() else "")  # pytest shows it with a failure
