"""The configuration of a node: golden files, and its check by HAProxy."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from groundwork_lab.apart import Apart
from groundwork_lab.model import Action, Condition, ListenerRule, World
from groundwork_lab.plane.balancers.config import render
from groundwork_lab.plane.balancers.nodes import nodes

GOLDEN = Path(__file__).parent / "golden"
FOLDER = Path("/state/eni-a")


def simple(build: Any) -> World:
    return build.world([build.group("web", [11, 12])], [build.listener(build.forward(("web", 1)))])


def everything(build: Any) -> World:
    attributes = {
        "idle_timeout.timeout_seconds": "30",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http.xff_client_port.enabled": "true",
    }
    sticky = {"Enabled": True, "DurationSeconds": 60}
    rules = (
        ListenerRule("", 10, (Condition("path-pattern", ("/api/*",)),), (build.forward(("web", 3), ("api", 1)),)),
        ListenerRule(
            "",
            20,
            (Condition("host-header", ("*.example.com",)), Condition("http-request-method", ("GET",))),
            (Action("redirect", {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}),),
        ),
        ListenerRule(
            "",
            30,
            (Condition("source-ip", ("192.0.2.0/24",)),),
            (Action("fixed-response", {"StatusCode": "403", "MessageBody": 'it\'s 100% "no"\n'}),),
        ),
        ListenerRule(
            "",
            40,
            (Condition("query-string", ("v=2",)),),
            (build.forward(("web", 1), ("api", 1), TargetGroupStickinessConfig=sticky),),
        ),
    )
    web = build.group(
        "web",
        [11],
        attributes={
            "stickiness.enabled": "true",
            "stickiness.lb_cookie.duration_seconds": "600",
            "slow_start.duration_seconds": "30",
        },
    )
    check = replace(web.health_check, port="8080", protocol="HTTP")
    api = build.group(
        "api",
        [12],
        protocol="HTTPS",
        check=check,
        attributes={
            "stickiness.enabled": "true",
            "stickiness.type": "app_cookie",
            "stickiness.app_cookie.cookie_name": "SID",
            "load_balancing.algorithm.type": "least_outstanding_requests",
        },
    )
    other = build.listener(Action("fixed-response", {"StatusCode": "404"}), port=8080)
    return build.world([web, api], [build.listener(build.forward(("web", 1)), *rules), other], attributes)


WORLDS = {"simple": simple, "everything": everything}


@pytest.mark.parametrize("name", WORLDS)
def test_golden(name: str, build: Any) -> None:
    text = render(nodes(WORLDS[name](build), Apart())["eni-a"], FOLDER)
    assert text == (GOLDEN / f"{name}.cfg").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not installed")
@pytest.mark.parametrize("name", WORLDS)
def test_haproxy_takes_it(name: str, build: Any, tmp_path: Path) -> None:
    config = tmp_path / "haproxy.cfg"
    (tmp_path / "servers.state").write_text("1\n")
    config.write_text(render(nodes(WORLDS[name](build), Apart())["eni-a"], tmp_path))
    result = subprocess.run(["haproxy", "-c", "-q", "-f", config], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("attributes", "lines"),
    [
        ({"routing.http.xff_header_processing.mode": "preserve"}, []),
        ({"routing.http.xff_header_processing.mode": "remove"}, ["http-request del-header X-Forwarded-For"]),
    ],
)
def test_forwarded_for(attributes: dict[str, str], lines: list[str], build: Any) -> None:
    world = build.world([build.group("web")], [build.listener(build.forward(("web", 1)))], attributes)
    text = render(nodes(world, Apart())["eni-a"], FOLDER)
    assert re.findall(r"^ *(http-request \w+-header X-Forwarded-For.*)$", text, re.MULTILINE) == lines


@pytest.mark.parametrize(
    ("preserve", "port", "touched"), [("true", 81, False), ("false", 81, True), ("false", 80, False)]
)
def test_host_tells_an_unusual_port_unless_preserved(preserve: str, port: int, touched: bool, build: Any) -> None:
    attributes = {"routing.http.preserve_host_header.enabled": preserve}
    world = build.world([build.group("web")], [build.listener(build.forward(("web", 1)), port=port)], attributes)
    text = render(nodes(world, Apart())["eni-a"], FOLDER)
    assert ("replace-header Host" in text) is touched


def test_an_empty_group_keeps_the_503(build: Any) -> None:
    world = build.world([build.group("web")], [build.listener(build.forward(("web", 1)))])
    assert "set-status" not in render(nodes(world, Apart())["eni-a"], FOLDER)
