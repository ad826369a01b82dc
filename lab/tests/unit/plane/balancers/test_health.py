"""HAProxy's statistics as ELB's health, and the state that a reload transfers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from groundwork_lab.model import HealthCheck, Target
from groundwork_lab.plane.balancers import health
from groundwork_lab.plane.balancers.health import ServerStat
from groundwork_lab.plane.balancers.nodes import Pool, Server
from groundwork_lab.ports import HealthReport

CHECK = HealthCheck(True, "HTTP", "traffic-port", "/healthz", 5, 2, 3, 2, "200-299")
STATS = """\
# pxname,svname,status,check_status,check_code,
listener-80,FRONTEND,OPEN,,,
web.checks,10.0.0.11:80,UP 1/2,* L7STS,503,
web.checks,10.0.0.12:80,DOWN,L4TOUT,,
web.checks,BACKEND,UP,,,
web,10.0.0.11:80,UP,,,
web.open,10.0.0.11:80,no check,,,
"""
KNOWN = "1 web.wwww.checks 1 10.0.0.11:80 10.0.0.11 2 0 1 1 77 6 3 4 6 0 0 0 - 80 - 0 0 - - 0"
NEW = "1 web.wwww.checks 1 10.0.0.12:80 10.0.0.12 0 0 1 1 0 1 0 0 6 0 0 0 - 80 - 0 0 - - 0"


def test_the_servers_of_show_stat() -> None:
    assert health.parse_stats(STATS) == {
        ("web", "10.0.0.11:80"): ServerStat(True, "L7STS", "503"),
        ("web", "10.0.0.12:80"): ServerStat(False, "L4TOUT", ""),
    }


BEFORE = HealthReport("unhealthy", "Target.Timeout", "Request timed out")
MISMATCH = HealthReport("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")


@pytest.mark.parametrize(
    ("stat", "fresh", "before", "told"),
    [
        (None, False, None, health.REGISTERING),
        (None, False, health.HEALTHY, health.HEALTHY),  # no answer while a worker takes over
        (ServerStat(True, "L7OK", "200"), False, None, health.HEALTHY),
        (ServerStat(True, "L7STS", "503"), False, None, health.HEALTHY),  # the threshold is not reached yet
        (ServerStat(False, "L7STS", "503"), True, None, health.CHECKING),
        (ServerStat(False, "L7STS", "503"), False, None, MISMATCH),
        (ServerStat(False, "L4TOUT", ""), False, None, health.TIMED_OUT),
        (ServerStat(False, "L7TOUT", ""), False, None, health.TIMED_OUT),
        (ServerStat(False, "L4CON", ""), False, None, health.FAILED),
        (ServerStat(False, "L7RSP", ""), False, None, health.FAILED),
        (ServerStat(False, "INI", ""), False, BEFORE, BEFORE),  # just reloaded
        (ServerStat(False, "L7OK", "200"), False, BEFORE, BEFORE),  # not often enough yet
        (ServerStat(False, "INI", ""), False, None, health.FAILED),
    ],
)
def test_what_is_told(stat: Any, fresh: bool, before: Any, told: HealthReport) -> None:
    assert health.told(stat, fresh=fresh, before=before) == told


@pytest.mark.parametrize(
    ("reports", "told"),
    [
        ([health.HEALTHY, health.HEALTHY], health.HEALTHY),
        ([health.HEALTHY, health.CHECKING], health.CHECKING),
        ([health.CHECKING, health.FAILED, health.HEALTHY], health.FAILED),
    ],
)
def test_the_worst_node_is_believed(reports: list[HealthReport], told: HealthReport) -> None:
    assert health.combined(reports) == told


def test_a_reload_keeps_what_is_known_and_begins_new_servers_down(build: Any) -> None:
    servers = tuple(Server(f"10.0.0.{number}:80", Target(f"i-{number}", 80)) for number in (11, 12))
    pools = [Pool("web.wwww", build.group("web"), servers)]
    state, new = health.render_state(pools, {("web.wwww", "10.0.0.11:80"): KNOWN, ("gone", "x"): "gone"})
    assert new == [("web.wwww", "10.0.0.12:80")]
    assert health.parse_state(state) == {
        ("web.wwww", "10.0.0.11:80"): KNOWN,
        ("web.wwww", "10.0.0.12:80"): NEW,
    }


@pytest.mark.parametrize(
    ("options", "check", "changed"),
    [
        ({}, {"port": "8080"}, {"srv_check_port": "8080"}),
        ({"protocol": "HTTPS"}, {}, {"srv_use_ssl": "1"}),
        ({}, {"healthy_threshold": 5, "unhealthy_threshold": 2}, {"srv_check_health": "5"}),
        ({}, {"healthy_threshold": 2, "unhealthy_threshold": 2}, {"srv_check_health": "3"}),
    ],
)
def test_a_reload_keeps_nothing_that_is_configured(
    options: Any, check: dict[str, Any], changed: dict[str, str], build: Any
) -> None:
    group = build.group("web", check=replace(CHECK, **check), **options)
    pool = Pool("web.wwww", group, (Server("10.0.0.11:80", Target("i-11", 80)),))
    state, _ = health.render_state([pool], {("web.wwww", "10.0.0.11:80"): KNOWN})
    names = health.STATE_FIELDS.split()
    wanted = {**dict(zip(names, KNOWN.split(), strict=True)), **changed}
    assert dict(zip(names, state.splitlines()[-1].split(), strict=True)) == wanted


def test_sessions_with_a_server() -> None:
    answer = (
        "0x1: proto=tcpv4 src=a fe=listener-80 be=web.open srv=10.0.0.11:80 ts=00\n"
        "0x2: proto=tcpv4 src=a fe=listener-80 be=web srv=10.0.0.12:80 ts=00\n"
        "0x3: proto=unix_stream src=a fe=GLOBAL be=<NONE> srv=<none> ts=00\n"
    )
    assert health.sessions(answer, {("web", "10.0.0.11:80")}) == ["0x1"]


def test_a_verdict_comes_after_the_threshold(build: Any) -> None:
    assert health.verdict_after(build.group("web").health_check) == 7


def test_requests_to_servers_are_counted_by_pool() -> None:
    answer = (
        "# pxname,svname,req_tot,status,\n"
        "listener-80,FRONTEND,12,OPEN,\n"
        "web.wwww.checks,10.0.0.11:80,9,UP,\n"
        "web.wwww,10.0.0.11:80,4,UP,\n"
        "web.wwww,10.0.0.12:80,,DOWN,\n"
        "web.wwww,BACKEND,4,UP,\n"
        "web.wwww.open,10.0.0.12:80,2,no check,\n"
    )
    assert health.parse_requests(answer) == {"web.wwww": 6}
    assert health.parse_requests("") == {}
