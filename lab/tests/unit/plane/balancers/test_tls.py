"""HTTPS listeners in HAProxy's configuration."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from certificates import Issued, issued

from groundwork_lab.apart import Apart
from groundwork_lab.aws.elbv2.security import POLICIES
from groundwork_lab.model import Listener, ListenerTls
from groundwork_lab.plane.balancers.config import render
from groundwork_lab.plane.balancers.nodes import Node, nodes
from groundwork_lab.plane.balancers.tls import files

FOLDER = Path("/state/eni-a")
DEFAULT, OTHER = issued("www.example.com"), issued("static.example.com", kind="2048")
SWITCH = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"


def secured(plain: Listener, policy: str, *listed: Issued, **attributes: str) -> Listener:
    of = POLICIES[policy]
    certificates = tuple(each.as_model(str(number)) for number, each in enumerate(listed))
    tls = ListenerTls(DEFAULT.as_model("default"), certificates, of.protocols, of.ciphers)
    return replace(plain, protocol="HTTPS", tls=tls, attributes=attributes)


def node(build: Any, policy: str, *listed: Issued, balancer: dict[str, str] | None = None, **attributes: str) -> Node:
    plain = build.listener(build.forward(("web", 1)), port=443)
    world = build.world([build.group("web")], [secured(plain, policy, *listed, **attributes)], balancer)
    return nodes(world, Apart())["eni-a"]


def bound(config: str) -> str:
    [words] = re.findall(r"bind :443 ssl crt-list \S+/tls/\w+\.list (.*)", config)
    return str(words)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            "ELBSecurityPolicy-TLS13-1-3-2021-06",
            "ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3 ciphersuites "
            "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
        ),
        (
            "ELBSecurityPolicy-FS-1-2-Res-2020-10",
            "ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:"
            "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
        ),
    ],
)
def test_protocols_and_ciphers(build: Any, policy: str, words: str) -> None:
    text = render(node(build, policy), FOLDER)
    assert bound(text) == f"{words} curves X25519:P-256:P-384 alpn h2,http/1.1"


def test_old_protocols_need_the_lowest_security_level(build: Any) -> None:
    words = bound(render(node(build, "ELBSecurityPolicy-TLS13-1-0-2021-06"), FOLDER))
    assert words.startswith("ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.3 ciphers ")
    assert ":AES256-SHA:@SECLEVEL=0 ciphersuites" in words


def test_http_2_can_be_off(build: Any) -> None:
    off = {"routing.http2.enabled": "false"}
    assert bound(render(node(build, "ELBSecurityPolicy-2016-08", balancer=off), FOLDER)).endswith(" alpn http/1.1")


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not installed")
@pytest.mark.parametrize("policy", POLICIES)
def test_haproxy_takes_every_policy(build: Any, policy: str, tmp_path: Path) -> None:
    made = node(build, policy, OTHER, balancer={SWITCH: "true"})
    (tmp_path / "servers.state").write_text("1\n")
    (tmp_path / "haproxy.cfg").write_text(render(made, tmp_path))
    (tmp_path / "tls").mkdir()
    for name, content in files(made.balancer, tmp_path).items():
        (tmp_path / name).write_bytes(content)
    argv = ["haproxy", "-c", "-q", "-f", tmp_path / "haproxy.cfg"]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_default_certificate_is_first_and_the_others_are_in_the_order_of_preference(build: Any) -> None:
    small, large, short = (
        issued("www.example.com", kind="2048"),
        issued("www.example.com", kind="3072"),
        issued("www.example.com", kind="2048", days=30),
    )
    found = files(node(build, "ELBSecurityPolicy-2016-08", short, small, large).balancer, FOLDER)
    [content] = [content for name, content in found.items() if name.endswith(".list")]
    lines = content.decode().splitlines()
    keys = {f"{FOLDER / name}": content for name, content in found.items()}
    assert lines[0].endswith(".pem !*")
    assert [keys[line.removesuffix(" !*")] for line in lines] == [
        each.certificate + each.key for each in (DEFAULT, large, small, short)
    ]


def test_another_certificate_is_another_configuration(build: Any) -> None:
    before = render(node(build, "ELBSecurityPolicy-2016-08", OTHER), FOLDER)
    after = render(node(build, "ELBSecurityPolicy-2016-08", issued("static.example.com", days=30)), FOLDER)
    assert before != after
    assert bound(before) == bound(after)


def test_the_target_is_told_before_a_request_is_handed_over(build: Any) -> None:
    name = {"routing.http.request.x_amzn_tls_version.header_name": "X-Version"}
    lines = render(node(build, "ELBSecurityPolicy-2016-08", balancer={SWITCH: "true"}, **name), FOLDER).splitlines()
    lines = [line.strip() for line in lines]
    told = lines.index("http-request set-header X-Version %[ssl_fc_protocol] if { ssl_fc }")
    assert lines[told + 1] == "http-request set-header X-Amzn-Tls-Cipher-Suite %[ssl_fc_cipher] if { ssl_fc }"
    assert told < lines.index("http-request allow if { stopping }")


def test_headers_of_responses(build: Any) -> None:
    value = "default-src 'self'; report 100%"
    added = {
        "routing.http.response.content_security_policy.header_value": value,
        "routing.http.response.x_frame_options.header_value": "",
        "routing.http.response.server.enabled": "false",
    }
    text = render(node(build, "ELBSecurityPolicy-2016-08", **added), FOLDER)
    assert [line.strip() for line in text.splitlines() if "after-response" in line and "header" in line] == [
        r"http-after-response set-header Content-Security-Policy 'default-src '\''self'\''; report 100%%'",
        "http-after-response del-header Server",
    ]
