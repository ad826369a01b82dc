"""The real roles around a distribution in front of a load balancer: the order of the modules, and where the secret is.

Fakes record what the modules would do. Ansible itself runs the tasks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PARAMETER = "/groundwork/dev/alb/public/origin-verify"
SECRET = "0123456789abcdefghij"
VARIABLES = {
    "environment_name": "dev",
    "aws_region": "eu-central-1",
    "network_zones": ["eu-central-1a", "eu-central-1b"],
    "dns_zone": "example.com",
    "alb_names": {"public": ["www.example.com"]},
    "alb_distributions": [{"name": "public"}],
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
}
CERTIFICATES = [
    {"name": "alb-public", "arn": "arn:0", "names": ["www.example.com"], "issued": True},
    {"name": "edge-alb-public", "arn": "arn:1", "names": ["www.example.com"], "issued": True},
]
BALANCER = {"name": "public", "dns_name": "lb.elb.amazonaws.com", "zone_id": "Z1", "url": "http://lb/"}
READ, ALB, POLICY, EDGE, NAMES = (
    "Read the secrets that CloudFront sends to the load balancers, and create those that are missing",
    "Create the load balancers",
    "Create the cache policies of static files",
    "Create the distributions in front of the load balancers",
    "Point the names to their targets",
)
SITE = [("firewall", "main.yml"), ("alb", "main.yml"), ("alb", "distributions.yml"), ("dns", "records.yml")]
ROTATION = [("alb", "rotate.yml"), ("alb", "distributions.yml")]
Given = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def play(tmp_path: Path, stage: Any) -> Callable[..., tuple[Given, str]]:
    """Return a function that runs roles, and returns the options of each module by the task, and Ansible's output."""
    parts = ["roles/dns", "roles/alb", "roles/static_site", "roles/firewall"]
    own = stage(parts, ("in_controller", "ssm_generated_secret"), {})

    def run(
        roles: list[tuple[str, str]], *words: str, former: tuple[str, ...] = (), value: str = SECRET, **more: Any
    ) -> tuple[Given, str]:
        (tmp_path / "given").unlink(missing_ok=True)
        tasks = [{"ansible.builtin.import_role": {"name": f"groundwork.aws.{n}", "tasks_from": t}} for n, t in roles]
        variables = {**VARIABLES, "dns_certificates": {"certificates": CERTIFICATES}, **more}
        content = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]
        (tmp_path / "play.yml").write_text(json.dumps(content))
        made = {"distribution": {"domain_name": "d1.cloudfront.net"}}
        told = {"entries": [], "moved": [], "undeclared": []}
        rules = [
            {"task": "Read the secrets", "then": "", "result": {"name": PARAMETER, "value": value}},
            {"task": ALB, "then": "", "result": {"load_balancers": [BALANCER], "former": list(former)}},
            {"task": EDGE, "then": "", "result": made},
            {"task": NAMES, "then": "", "result": told},
        ]
        played = own.play("localhost,", "play.yml", rules, {}, *words)
        assert played.code == 0, played.told
        done = [tuple(json.loads(line)) for line in (tmp_path / "given").read_text().splitlines()]
        return done, json.dumps(played.told)

    return run


def test_from_one_variable_everything_follows(play: Callable[..., tuple[Given, str]]) -> None:
    done, _output = play(SITE)
    assert [task for task, _options in done] == ["Manage the security groups", READ, ALB, POLICY, EDGE, NAMES]
    options = {task: next(iter(own.values())) if len(own) == 1 else own for task, own in done}
    groups = {one["name"]: one["ingress"] for one in options["Manage the security groups"]["groups"]}
    [rule] = groups["public-alb"]
    assert rule["prefix_lists"] == ["com.amazonaws.global.cloudfront.origin-facing"]
    assert (rule["ports"], "cidrs" in rule) == ([443], False)
    assert groups["private-alb"][0]["cidrs"] == ["0.0.0.0/0"]
    assert options[ALB]["secrets"] == options[EDGE]["secrets"] == {PARAMETER: SECRET}
    assert options[ALB]["rotating"] is True
    public, private = options[ALB]["load_balancers"]
    assert [one["port"] for one in public["listeners"]] == [443]
    assert [one["port"] for one in private["listeners"]] == [80]
    assert (options[EDGE]["certificate_arn"], options[EDGE]["aliases"]) == ("arn:1", ["www.example.com"])
    [origin] = options[EDGE]["origins"]
    assert (origin["domain"], SECRET in json.dumps(origin)) == (BALANCER["dns_name"], False)
    [alias] = options[NAMES]["aliases"]
    assert (alias["target"], alias["ipv6"]) == ("d1.cloudfront.net", True)


def test_a_load_balancer_that_is_open_lets_in_anybody(play: Callable[..., tuple[Given, str]]) -> None:
    done, _output = play(SITE, alb_distributions=[{"name": "public", "open": True}])
    options = dict(done)
    groups = {one["name"]: one["ingress"] for one in options["Manage the security groups"]["groups"]}
    assert groups["public-alb"][0]["cidrs"] == ["0.0.0.0/0"]
    assert [one["port"] for one in options[ALB]["load_balancers"][0]["listeners"]] == [443, 80]


def test_a_plan_has_another_text_in_place_of_a_secret_that_does_not_exist(
    play: Callable[..., tuple[Given, str]],
) -> None:
    """Ansible would hide every "(known after apply)" of a result whose secret has this value."""
    done, _output = play(SITE, "--check", value="(known after apply)")
    assert dict(done)[ALB]["secrets"] == {PARAMETER: "(generated by this run)"}


def test_a_rotation_accepts_both_sends_the_new_one_and_refuses_the_former(
    play: Callable[..., tuple[Given, str]],
) -> None:
    done, _output = play(ROTATION, alb_rotate="public")
    told = [(task, own.get("rotate", own.get("rotating"))) for task, own in done]
    assert told == [(READ, False), (ALB, True), (READ, True), (ALB, True), (POLICY, None), (EDGE, None)]


def test_a_rotation_that_was_interrupted_is_completed_without_another_one(
    play: Callable[..., tuple[Given, str]],
) -> None:
    done, output = play(ROTATION, alb_rotate="public", former=("public:443/50000",))
    told = [(task, own.get("rotate", own.get("rotating"))) for task, own in done]
    assert told == [(READ, False), (ALB, True), (POLICY, None), (EDGE, None), (ALB, False)]
    assert "A rotation was interrupted (public:443/50000)" in output


def test_site_yml_completes_a_rotation(play: Callable[..., tuple[Given, str]]) -> None:
    done, _output = play(SITE, former=("public:443/50000",))
    assert [own["rotating"] for task, own in done if task == ALB] == [True, False]


def test_a_distribution_that_is_not_declared_any_more_goes_with_purge(play: Callable[..., tuple[Given, str]]) -> None:
    more = {"alb_distributions": [{"name": "private"}], "alb_names": {"private": ["in.example.com"]}}
    last = [*SITE, ("dns", "finish.yml")]
    done, _output = play(last, **more, alb_purge=True)
    gone = "Delete the distributions of load balancers that have none any more"
    assert [task for task, _options in done][-2:] == [NAMES, gone]
    assert (done[-1][1]["name"], done[-1][1]["state"]) == ("alb-public", "absent")
    assert gone not in [task for task, _options in play(last, **more)[0]]
