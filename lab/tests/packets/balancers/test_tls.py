"""HTTPS listeners, with openssl and curl as clients."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import handshakes
import pytest
from certificates import Issued, issued, root

from groundwork_lab.aws.elbv2.security import POLICIES
from groundwork_lab.model import Action, Listener, ListenerTls

pytestmark = pytest.mark.lab

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/wwww"
FORWARD = Action("forward", {"TargetGroups": [{"TargetGroupArn": GROUP, "Weight": 1}]})
RECOMMENDED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
REDIRECT = Action("redirect", {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"})
HSTS = "routing.http.response.strict_transport_security.header_value"
DEFAULT = issued("www.example.test")
LISTED = (issued("static.example.test"), issued("*.example.test"), issued("both.example.test", kind="2048"))


def listener(
    policy: str = RECOMMENDED, default: Issued = DEFAULT, listed: Sequence[Issued] = LISTED, **options: Any
) -> Listener:
    of = POLICIES[policy]
    tls = ListenerTls(
        default.as_model("default"),
        tuple(each.as_model(str(number)) for number, each in enumerate(listed)),
        of.protocols,
        of.ciphers,
    )
    return Listener("secure", 443, "HTTPS", (options.pop("action", FORWARD),), (), tls=tls, **options)


def shake(balancer: Any, name: str | None, *options: str) -> subprocess.CompletedProcess[str]:
    return handshakes.shake(balancer.namespace, name, *options)


def subject(shaken: subprocess.CompletedProcess[str]) -> str:
    return re.findall(r"subject=CN = (\S+)", shaken.stdout)[0]


def curl(balancer: Any, folder: Path, url: str, *options: str) -> str:
    """Return the headers and the body of an answer. All names resolve to the load balancer."""
    (folder / "root.pem").write_bytes(root())
    argv = ["curl", "-sS", "-i", "--cacert", str(folder / "root.pem"), "--connect-to", "::127.0.0.1:", *options, url]
    inside = ["ip", "netns", "exec", balancer.namespace]
    return subprocess.run([*inside, *argv], capture_output=True, text=True, check=True, timeout=20).stdout


def test_certificates_by_name(balancer: Any) -> None:
    balancer.serve(more=[listener()])
    for name, wanted in (
        ("static.example.test", "static.example.test"),
        ("other.example.test", "*.example.test"),
        ("both.example.test", "*.example.test"),  # with an EC key
        ("www.example.test", "*.example.test"),  # the default certificate is not in the list
        ("deeper.other.example.test", "www.example.test"),
        ("elsewhere.test", "www.example.test"),
        (None, "www.example.test"),
    ):
        assert subject(shake(balancer, name)) == wanted, name
    rsa_only = shake(balancer, "both.example.test", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert subject(rsa_only) == "both.example.test"


def test_keys_are_for_root_alone(balancer: Any) -> None:
    balancer.serve(more=[listener()])
    folder = balancer.settings.state / "balancers" / "eni-a" / "tls"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert len(list(folder.glob("*.pem"))) == 1 + len(LISTED)
    balancer.serve(more=[listener(listed=())])
    assert len(list(folder.glob("*.pem"))) == 1


@pytest.mark.parametrize(
    "policy", [RECOMMENDED, "ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-0-2021-06"]
)
def test_protocols_and_ciphers_are_those_of_the_policy(balancer: Any, policy: str) -> None:
    rsa = issued("rsa.test", kind="2048")
    balancer.serve(more=[listener(policy, listed=(*LISTED, rsa))])
    options = {"TLSv1": "-tls1", "TLSv1.1": "-tls1_1", "TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}
    weak = ["-cipher", "DEFAULT:@SECLEVEL=0"]
    accepted = [name for name, option in options.items() if shake(balancer, None, option, *weak).returncode == 0]
    assert accepted == list(POLICIES[policy].protocols)
    ciphers = POLICIES[policy].ciphers
    newest = handshakes.ciphers(balancer.namespace, "static.example.test", "tls1_3")
    assert newest == [each for each in ciphers if each.startswith("TLS_")]
    ecdsa, of_rsa = (
        handshakes.ciphers(balancer.namespace, name, "tls1_2") for name in ("static.example.test", "rsa.test")
    )
    assert ecdsa == [each for each in ciphers if "ECDSA" in each]
    assert of_rsa == [each for each in ciphers if "ECDSA" not in each and each not in newest]


def test_http_2_is_negotiated(balancer: Any, tmp_path: Path) -> None:
    balancer.serve(more=[listener()])
    balancer.await_state("healthy")
    url = "https://static.example.test/path?query=1"
    assert curl(balancer, tmp_path, url).startswith("HTTP/2 200")
    assert curl(balancer, tmp_path, url, "--http1.1").startswith("HTTP/1.1 200")
    assert balancer.asked[0].startswith(b"GET /path?query=1 HTTP/1.1\r\n")
    balancer.serve(attributes={"routing.http2.enabled": "false"}, more=[listener()])
    assert curl(balancer, tmp_path, url).startswith("HTTP/1.1 200")


def test_what_the_target_is_told(balancer: Any, tmp_path: Path) -> None:
    switch = {"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "true"}
    renamed = {"routing.http.request.x_amzn_tls_version.header_name": "X-Tls-Version"}
    balancer.serve(attributes=switch, more=[listener(attributes=renamed)])
    balancer.await_state("healthy")
    forged = ("X-Forwarded-Proto: http", "X-Forwarded-Port: 80", "X-Forwarded-For: 192.0.2.1", "X-Tls-Version: none")
    options = [word for header in forged for word in ("-H", header)]
    curl(balancer, tmp_path, "https://static.example.test/", "--tls-max", "1.2", *options)
    told = dict(line.lower().split(": ", 1) for line in balancer.asked[-1].decode().split("\r\n")[1:] if line)
    wanted = {
        "host": "static.example.test",
        "x-forwarded-proto": "https",
        "x-forwarded-port": "443",
        "x-forwarded-for": "192.0.2.1, 127.0.0.1",
        "x-tls-version": "tlsv1.2",
        "x-amzn-tls-cipher-suite": "ecdhe-ecdsa-aes128-gcm-sha256",
    }
    assert {name: told[name] for name in wanted} == wanted


def test_http_is_redirected_with_its_path_and_query(balancer: Any, tmp_path: Path) -> None:
    balancer.serve(action=REDIRECT, more=[listener()])
    balancer.await_state("healthy")
    location = "https://static.example.test:443/a/b?c=d&e"
    assert f"location: {location}".lower() in curl(balancer, tmp_path, "http://static.example.test/a/b?c=d&e").lower()
    followed = curl(balancer, tmp_path, "http://static.example.test/a/b?c=d&e", "-L")
    assert re.findall(r"^HTTP/\S+ (\d+)", followed, re.MULTILINE) == ["301", "200"]
    assert balancer.asked[-1].startswith(b"GET /a/b?c=d&e HTTP/1.1")


def test_headers_of_responses(balancer: Any, tmp_path: Path) -> None:
    added = {HSTS: "max-age=300", "routing.http.response.server.enabled": "false"}
    balancer.serve(more=[listener(attributes=added)])
    balancer.await_state("healthy")
    answer = curl(balancer, tmp_path, "https://static.example.test/")
    assert "strict-transport-security: max-age=300" in answer
    fixed = Action("fixed-response", {"StatusCode": "404"})
    balancer.serve(more=[listener(attributes=added, action=fixed)])
    answer = curl(balancer, tmp_path, "https://static.example.test/")
    assert "strict-transport-security: max-age=300" in answer
    assert "server:" not in answer


def test_a_certificate_is_replaced_and_connections_remain(balancer: Any) -> None:
    balancer.serve(more=[listener()])
    balancer.await_state("healthy")
    argv = ["openssl", "s_client", "-connect", "127.0.0.1:443", "-servername", "static.example.test", "-quiet"]
    client = subprocess.Popen(
        ["ip", "netns", "exec", balancer.namespace, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(b"GET /slow HTTP/1.1\r\nHost: static.example.test\r\n")
    client.stdin.flush()
    renewed = issued("static.example.test", "renewed.example.test")
    balancer.serve(more=[listener(listed=(renewed, *LISTED[1:]))])
    serial = shake(balancer, "static.example.test", "-showcerts").stdout
    assert renewed.certificate.decode().strip() in serial
    client.stdin.write(b"Connection: close\r\n\r\n")
    client.stdin.flush()
    assert client.stdout.read().startswith(b"HTTP/1.1 200")
    assert client.wait(timeout=10) == 0


def test_no_request_fails_while_certificates_change(balancer: Any, tmp_path: Path) -> None:
    balancer.serve(more=[listener()])
    balancer.await_state("healthy")
    url = "https://static.example.test/"
    with ThreadPoolExecutor(1) as pool:
        for days in (10, 20, 30):
            renewed = issued("static.example.test", days=days)
            change = pool.submit(balancer.serve, more=[listener(listed=(renewed, *LISTED[1:]))])
            answers = [curl(balancer, tmp_path, url)]
            while not change.done():
                answers.append(curl(balancer, tmp_path, url))
            change.result()
            assert {answer.splitlines()[0] for answer in answers} == {"HTTP/2 200 "}
            assert renewed.certificate.decode().strip() in shake(balancer, "static.example.test").stdout
