"""All problems of the load balancers' options are reported at once, each with what would be right."""

from __future__ import annotations

import typing as t

import pytest
from topic_options.alb import Make

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import parse_load_balancers

Given = dict[str, t.Any]
KNOWN = Known(
    tiers=["public", "private"],
    subnets=["public-a", "public-b", "private-a", "private-b"],
    security_groups=["web"],
)


def wrong(options: Given) -> list[str]:
    problems = Problems()
    parsed = parse_load_balancers(options, problems, known=KNOWN)
    assert (parsed is None) is bool(problems.found)
    return [problem.variable for problem in problems.found]


def test_the_defaults_are_right(options: Make) -> None:
    assert wrong(options()) == []


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"name": "a b"}, "name"),
        ({"name": "a--b"}, "name"),
        ({"name": "a" * 29}, "name"),
        ({"tier": "web"}, "tier"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"deregistration_delay": 3601}, "deregistration_delay"),
        ({"slow_start": 29}, "slow_start"),
        ({"slow_start": 30, "algorithm": "least_outstanding_requests"}, "slow_start"),
        ({"stickiness": {"duration": 0}}, "stickiness.duration"),
        ({"stickiness": {"type": "app_cookie"}}, "stickiness.cookie_name"),
        ({"stickiness": {"type": "app_cookie", "cookie_name": "AWSALB"}}, "stickiness.cookie_name"),
        ({"stickiness": {"cookie_name": "SID"}}, "stickiness.cookie_name"),
        ({"health_check": {"path": "healthz"}}, "health_check.path"),
        ({"health_check": {"port": "http"}}, "health_check.port"),
        ({"health_check": {"interval": 4, "timeout": 3}}, "health_check.interval"),
        ({"health_check": {"interval": 301}}, "health_check.interval"),
        ({"health_check": {"interval": 5, "timeout": 5}}, "health_check.timeout"),
        ({"health_check": {"timeout": 1}}, "health_check.timeout"),
        ({"health_check": {"healthy_threshold": 1}}, "health_check.healthy_threshold"),
        ({"health_check": {"unhealthy_threshold": 11}}, "health_check.unhealthy_threshold"),
        ({"health_check": {"matcher": "200-500"}}, "health_check.matcher"),
        ({"health_check": {"matcher": "ok"}}, "health_check.matcher"),
    ],
)
def test_target_groups(given: Given, option: str, options: Make) -> None:
    group = {"name": "web", "tier": "public", **given}
    assert wrong(options(target_groups=[group], load_balancers=[])) == [f"target_groups[0].{option}"]


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"name": "a" * 29}, "name"),
        ({"tier": "web"}, "tier"),
        ({"subnets": ["public-a", "public-b"]}, "subnets"),
        ({"tier": None}, "subnets"),
        ({"tier": None, "subnets": ["public-a"]}, "subnets"),
        ({"tier": None, "subnets": ["public-a", "public-c"]}, "subnets"),
        ({"tier": None, "subnets": ["public-a", "public-b", "private-a"]}, "subnets"),
        ({"security_groups": []}, "security_groups"),
        ({"security_groups": ["ssh"]}, "security_groups[0]"),
        ({"attributes": {"idle_timeout": 4001}}, "attributes.idle_timeout"),
    ],
)
def test_load_balancers(given: Given, option: str, options: Make, balancer: Make) -> None:
    assert wrong(options(load_balancers=[balancer("public", **given)])) == [f"load_balancers[0].{option}"]


def test_one_zone_is_too_few(options: Make) -> None:
    variables = wrong(options(zones=["eu-central-1a"]))
    assert variables == ["load_balancers[0].tier", "load_balancers[1].tier"]


def test_other_peoples_security_groups_go_by_id(options: Make, balancer: Make) -> None:
    assert wrong(options(load_balancers=[balancer("public", security_groups=["sg-0123456789abcdef0"])])) == []


def test_names_and_ports_and_priorities_are_there_once(options: Make, balancer: Make) -> None:
    action = {"type": "fixed_response", "fixed_response": {"status_code": 200}}
    condition = [{"field": "path-pattern", "values": ["/a"]}]
    rule = {"priority": 1, "conditions": condition, "action": action}
    listener = {"default_action": action, "rules": [rule, rule]}
    group = {"name": "public", "tier": "public"}
    given = options(
        target_groups=[group, group],
        load_balancers=[balancer("public", listeners=[listener, {"default_action": action}]), balancer("public")],
    )
    assert wrong(given) == [
        "load_balancers[0].listeners[0].rules[1].priority",
        "load_balancers[0].listeners[1].port",
        "target_groups[1].name",
        "load_balancers[1].name",
    ]


def test_a_target_group_serves_one_balancer(options: Make, balancer: Make) -> None:
    shared = [{"default_action": {"target_groups": [{"name": "public"}]}}]
    given = options(load_balancers=[balancer("public"), balancer("other", listeners=shared)])
    assert wrong(given) == ["load_balancers[1].listeners"]


@pytest.mark.parametrize(
    ("action", "option"),
    [
        ({}, "target_groups"),
        ({"target_groups": [{"name": "nobody"}]}, "target_groups[0].name"),
        ({"target_groups": [{"name": "public"}, {"name": "public"}]}, "target_groups[1].name"),
        ({"target_groups": [{"name": "public", "weight": 1000}]}, "target_groups[0].weight"),
        ({"target_groups": [{"name": "public"}], "stickiness_duration": 604801}, "stickiness_duration"),
        ({"target_groups": [{"name": "public"}], "redirect": {"port": "443"}}, "redirect"),
        ({"type": "redirect"}, "redirect"),
        ({"type": "redirect", "redirect": {}}, "redirect"),
        ({"type": "redirect", "redirect": {"status_code": 302}}, "redirect"),
        ({"type": "redirect", "redirect": {"protocol": "FTP"}}, "redirect.protocol"),
        ({"type": "redirect", "redirect": {"port": "0"}}, "redirect.port"),
        ({"type": "redirect", "redirect": {"path": "x"}}, "redirect.path"),
        ({"type": "redirect", "redirect": {"host": "#{hots}"}}, "redirect.host"),
        ({"type": "redirect", "redirect": {"query": "a" * 129}}, "redirect.query"),
        ({"type": "fixed_response", "fixed_response": {"status_code": 301}}, "fixed_response.status_code"),
        ({"type": "fixed_response", "fixed_response": {"status_code": 200, "body": "a" * 1025}}, "fixed_response.body"),
    ],
)
def test_actions(action: Given, option: str, options: Make, balancer: Make) -> None:
    given = options(load_balancers=[balancer("public", listeners=[{"default_action": action}])])
    assert wrong(given) == [f"load_balancers[0].listeners[0].default_action.{option}"]


@pytest.mark.parametrize(
    ("conditions", "option"),
    [
        ([], ""),
        ([{"field": "path-pattern", "values": []}], "[0].values"),
        ([{"field": "path-pattern", "values": ["/" + "a" * 128]}], "[0].values[0]"),
        ([{"field": "path-pattern", "values": ["/a b"]}], "[0].values[0]"),
        ([{"field": "path-pattern", "values": ["/a", "/b", "/c", "/d", "/e", "/f"]}], ""),
        ([{"field": "path-pattern", "values": ["/*?*?*?*"]}], ""),
        ([{"field": "path-pattern", "values": ["/a"]}, {"field": "path-pattern", "values": ["/b"]}], "[1].field"),
        ([{"field": "host-header", "values": ["localhost"]}], "[0].values[0]"),
        ([{"field": "source-ip", "values": ["10.0.0.1"]}], "[0].values[0]"),
        ([{"field": "source-ip", "values": ["10.0.0.1/8"]}], "[0].values[0]"),
        ([{"field": "http-request-method", "values": ["get"]}], "[0].values[0]"),
        ([{"field": "http-header", "values": ["a"]}], "[0].name"),
        ([{"field": "http-header", "name": "Host", "values": ["a"]}], "[0].name"),
        ([{"field": "path-pattern", "name": "X", "values": ["/a"]}], "[0].name"),
    ],
)
def test_conditions(conditions: list[Given], option: str, options: Make, balancer: Make) -> None:
    action = {"target_groups": [{"name": "public"}]}
    rule = {"priority": 1, "conditions": conditions, "action": action}
    given = options(load_balancers=[balancer("public", listeners=[{"default_action": action, "rules": [rule]}])])
    assert wrong(given) == [f"load_balancers[0].listeners[0].rules[0].conditions{option}"]


@pytest.mark.parametrize("priority", [0, 50001])
def test_priorities(priority: int, options: Make, balancer: Make) -> None:
    action = {"target_groups": [{"name": "public"}]}
    rule = {"priority": priority, "conditions": [{"field": "path-pattern", "values": ["/a"]}], "action": action}
    given = options(load_balancers=[balancer("public", listeners=[{"default_action": action, "rules": [rule]}])])
    assert wrong(given) == ["load_balancers[0].listeners[0].rules[0].priority"]
