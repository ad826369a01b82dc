"""What follows from names: certificates, listeners, records and URLs."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.project.dns.options import dns

FORWARD = {"target_groups": [{"name": "public"}]}
RULE = {"priority": 10, "conditions": [{"field": "path-pattern", "values": ["/api/*"]}], "action": FORWARD}
WEB = {"name": "public", "tier": "public", "listeners": [{"port": 80, "default_action": FORWARD, "rules": [RULE]}]}
OTHER = {"name": "private", "tier": "public", "listeners": [{"default_action": FORWARD}, {"port": 8080}]}
NAMES = {"public": ["www.example.com", "example.com"]}
SITE = {"name": "site", "aliases": ["static.example.com"], "certificate_arn": "", "ipv6": True}
GIVEN: dict[str, t.Any] = {"zone": "example.com", "names": NAMES, "load_balancers": [WEB, OTHER], "site": SITE}
ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/0"
MADE = [{"name": "alb-public", "arn": ARN}, {"name": "edge-site", "arn": "arn-edge"}]


def test_without_a_zone_everything_is_as_it_was_given() -> None:
    found = dns({**GIVEN, "zone": "", "names": {}, "site": {**SITE, "aliases": []}})
    assert found["load_balancers"] == [WEB, OTHER]
    nothing = ("certificates", "given", "aliases", "kept", "names", "urls")
    assert [found[name] for name in nothing] == [[]] * len(nothing)
    assert found["site_certificate_arn"] == ""


def test_certificates_follow_from_names() -> None:
    assert dns(GIVEN)["certificates"] == [
        {"name": "alb-public", "names": ["www.example.com", "example.com"], "key_algorithm": "RSA_2048"},
        {"name": "edge-site", "names": ["static.example.com"], "region": "us-east-1", "key_algorithm": "RSA_2048"},
    ]


def test_http_becomes_https_and_a_redirect_to_it() -> None:
    public, private = dns({**GIVEN, "certificates": MADE, "tls_policy": "P", "hsts": 300})["load_balancers"]
    assert private == OTHER
    https, http = public["listeners"]
    assert https == {
        "port": 443,
        "protocol": "HTTPS",
        "certificates": [ARN],
        "tls_policy": "P",
        "hsts": 300,
        "default_action": FORWARD,
        "rules": [RULE],
    }
    assert (http["port"], http["default_action"]["redirect"]["status_code"]) == (80, 301)
    assert [(rule["priority"], rule["action"]["type"]) for rule in http["rules"]] == [(10, "redirect")]
    assert dns(GIVEN)["load_balancers"][0]["listeners"][0]["certificates"] == [KNOWN_AFTER_APPLY]


def test_a_port_that_is_not_given_is_that_of_http() -> None:
    _public, private = dns({**GIVEN, "names": {"private": ["www.example.com"]}})["load_balancers"]
    assert [one.get("port") for one in private["listeners"]] == [443, None, 8080]
    assert private["listeners"][1]["default_action"]["type"] == "redirect"


def test_certificates_of_the_user_are_checked_and_not_requested() -> None:
    own = {**WEB, "listeners": [{"port": 443, "protocol": "HTTPS", "certificates": [ARN], "default_action": FORWARD}]}
    site = {**SITE, "certificate_arn": "arn:aws:acm:us-east-1:1:certificate/1"}
    found = dns({**GIVEN, "load_balancers": [own], "site": site})
    assert (found["certificates"], found["load_balancers"]) == ([], [own])
    assert found["given"] == [
        {"arn": ARN, "names": NAMES["public"]},
        {"arn": site["certificate_arn"], "names": SITE["aliases"]},
    ]
    assert found["site_certificate_arn"] == site["certificate_arn"]


def test_names_lead_to_what_this_run_knows_and_the_others_are_kept() -> None:
    fact = {"name": "public", "dns_name": "lb", "zone_id": "Z1", "url": "http://lb/"}
    found = dns({**GIVEN, "balancers": [fact]})
    lead = {"target": "lb", "zone_id": "Z1", "ipv6": False}
    assert found["aliases"] == [{"name": name, **lead} for name in NAMES["public"]]
    assert found["kept"] == ["static.example.com"]
    assert found["urls"] == ["https://www.example.com/", "https://example.com/"]
    whole = dns({**GIVEN, "balancers": [fact], "domain_name": "d1.cloudfront.net"})
    assert whole["aliases"][-1] == {
        "name": "static.example.com",
        "target": "d1.cloudfront.net",
        "zone_id": "",
        "ipv6": True,
    }
    assert whole["kept"] == []
    assert dns({**GIVEN, "names": {}, "balancers": [fact]})["urls"] == ["http://lb/"]
