from __future__ import annotations

import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import pytest

from groundwork_lab.api import ControlPlane
from groundwork_lab.api.serving import server_context
from groundwork_lab.authority import Authority
from groundwork_lab.aws.services import global_endpoints
from groundwork_lab.plane.names import endpoint_names
from groundwork_lab.settings import Settings


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Serve an API over TLS. Return its port and the authority to trust."""
    settings = Settings("test", tmp_path, tmp_path)
    authority = Authority(settings)
    authority.start()
    plane = ControlPlane(settings, lambda: None)
    listening = socket.create_server(("127.0.0.1", 0))
    port = int(listening.getsockname()[1])
    plane.serve([], secure=[listening], tls=server_context(tmp_path, *authority.issue(["localhost"])))
    yield port, settings.authority / "ca.pem"
    plane.close()


def test_the_api_answers_by_tls(served: tuple[int, Path]) -> None:
    port, authority = served
    context = ssl.create_default_context(cafile=str(authority))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"https://localhost:{port}/", context=context)
    assert b"MissingAuthenticationToken" in caught.value.read()


def test_who_does_not_trust_it_hears_nothing_and_disturbs_nobody(served: tuple[int, Path]) -> None:
    port, _ = served
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"https://localhost:{port}/")
    with socket.create_connection(("127.0.0.1", port)):  # sends nothing
        test_the_api_answers_by_tls(served)


def test_a_certificate_is_for_every_endpoint() -> None:
    names = endpoint_names(global_endpoints())
    assert {"*.eu-central-1.amazonaws.com", "*.s3.eu-central-1.amazonaws.com", "iam.amazonaws.com"} <= set(names)
    assert {"s3.amazonaws.com", "*.s3.amazonaws.com"} <= set(names)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_at_the_end_idle_connections_end_too(tmp_path: Path, encrypted: bool) -> None:
    settings = Settings("test", tmp_path, tmp_path)
    authority = Authority(settings)
    authority.start()
    plane = ControlPlane(settings, lambda: None)
    listening = socket.create_server(("127.0.0.1", 0))
    tls = server_context(tmp_path, *authority.issue(["localhost"]))
    plane.serve([] if encrypted else [listening], [listening] if encrypted else [], tls)
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(listening.getsockname(), timeout=10))
        if encrypted:
            trust = ssl.create_default_context(cafile=str(settings.authority / "ca.pem"))
            connection = stack.enter_context(trust.wrap_socket(connection, server_hostname="localhost"))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = HTTPResponse(connection)
        answer.begin()
        answer.read()
        assert not answer.will_close, "it is kept for the next request"
        plane.close()
        assert connection.recv(1) == b""
