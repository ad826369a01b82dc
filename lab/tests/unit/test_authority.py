"""The lab's authority: clients that trust it accept its certificates, and other clients do not."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from groundwork_lab.authority import Authority
from groundwork_lab.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("test", tmp_path, tmp_path)


@pytest.fixture
def authority(settings: Settings) -> Authority:
    made = Authority(settings)
    made.start()
    return made


def greeted(folder: Path, authority: Authority, trusted: str | None, name: str) -> str:
    """Return the subject of the certificate for `name`. Raise SSLError if the client does not accept it."""
    certificate, key = authority.issue(["*.cloudfront.net", "www.example.com"])
    (folder / "certificate.pem").write_bytes(certificate + key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate.pem")
    client = ssl.create_default_context(cafile=trusted)
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)

    def greet() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except (OSError, ssl.SSLError):
            theirs.close()  # the client did not accept the certificate

    thread = threading.Thread(target=greet)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=name) as connection:
            return str(dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"])  # type: ignore
    finally:
        ours.close()
        thread.join()


@pytest.mark.parametrize("name", ["d1.cloudfront.net", "www.example.com"])
def test_a_client_that_trusts_the_bundle_believes_it(
    tmp_path: Path, settings: Settings, authority: Authority, name: str
) -> None:
    assert greeted(tmp_path, authority, str(settings.bundle), name) == "*.cloudfront.net"


@pytest.mark.parametrize(
    ("trusting", "name"),
    [(False, "d1.cloudfront.net"), (True, "a.d1.cloudfront.net"), (True, "elsewhere.example")],
)
def test_nobody_else_does(tmp_path: Path, settings: Settings, authority: Authority, trusting: bool, name: str) -> None:
    with pytest.raises(ssl.SSLError):
        greeted(tmp_path, authority, str(settings.bundle) if trusting else None, name)


def test_its_key_is_for_root_only(settings: Settings, authority: Authority) -> None:
    assert (settings.authority / "ca.key").stat().st_mode & 0o777 == 0o600


def test_the_machines_authorities_are_in_the_bundle(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    machines = settings.state / "machines.pem"
    machines.write_text("the machine's\n")
    monkeypatch.setattr("groundwork_lab.authority.TRUST_STORE", machines)
    Authority(settings).start()
    bundle = settings.bundle.read_text()
    assert bundle.startswith("the machine's\n")
    assert bundle.endswith((settings.authority / "ca.pem").read_text())


def test_before_its_start_it_signs_nothing(settings: Settings) -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        Authority(settings).issue(["a"])
