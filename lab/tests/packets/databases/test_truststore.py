"""RDS' certificate bundle, fetched over verified TLS. Requires root."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPSConnection
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory

import pytest

from groundwork_lab.authority import Authority
from groundwork_lab.journal import Journal
from groundwork_lab.plane.databases import TrustStore
from groundwork_lab.plane.fabric import Fabric
from groundwork_lab.plane.names.records import TRUST_STORE_NAME
from groundwork_lab.processes import in_namespace
from groundwork_lab.settings import TRUSTSTORE, Settings

pytestmark = pytest.mark.lab


@pytest.fixture
def settings() -> Iterator[Settings]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gwts", dir="/tmp")))
        settings = Settings("gwts", folder, folder)
        fabric = stack.enter_context(closing(Fabric(settings, Journal(settings.journal))))
        fabric.start()
        authority = Authority(settings)
        authority.start()
        stack.enter_context(closing(TrustStore(settings, authority))).start()
        yield settings


def fetch(settings: Settings, path: str) -> tuple[int, bytes]:
    """Request a path of the trust store from the laptop. The name and the certificate are verified."""
    context = ssl.create_default_context(cafile=settings.authority / "ca.pem")
    connection = HTTPSConnection(TRUST_STORE_NAME, timeout=10)
    connected = create_connection((str(TRUSTSTORE), 443), timeout=10)
    connection.sock = context.wrap_socket(connected, server_hostname=TRUST_STORE_NAME)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def test_the_bundle_has_the_authority_of_the_servers(settings: Settings) -> None:
    laptop = settings.namespace("laptop")
    bundles = [
        in_namespace(laptop, lambda path=path: fetch(settings, path))
        for path in ("/global/global-bundle.pem", "/eu-central-1/eu-central-1-bundle.pem")
    ]
    assert bundles == [(200, (settings.authority / "ca.pem").read_bytes())] * 2
    assert in_namespace(laptop, lambda: fetch(settings, "/"))[0] == 403
