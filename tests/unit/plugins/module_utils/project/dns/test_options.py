"""What follows from names: certificates, listeners, records and URLs."""

from __future__ import annotations

import typing as t

import pytest

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
    lead = {"target": "lb", "zone_id": "Z1", "ipv6": False, "resource": "alb-public"}
    assert found["aliases"] == [{"name": name, **lead} for name in NAMES["public"]]
    assert found["kept"] == ["static.example.com"]
    assert found["urls"] == ["https://www.example.com/", "https://example.com/"]
    whole = dns({**GIVEN, "balancers": [fact], "domain_name": "d1.cloudfront.net"})
    assert whole["aliases"][-1] == {
        "name": "static.example.com",
        "target": "d1.cloudfront.net",
        "zone_id": "",
        "ipv6": True,
        "resource": "edge-site",
    }
    assert whole["kept"] == []
    assert dns({**GIVEN, "names": {}, "balancers": [fact]})["urls"] == ["http://lb/"]


def test_what_serves_a_name_stays_until_its_records_lead_elsewhere() -> None:
    """The name `www` has moved to the distribution, `static` to a load balancer, and `old` is not declared."""
    names = {"private": ["static.example.com"]}
    site = {**SITE, "aliases": ["www.example.com"]}
    owned = [
        {"name": "www.example.com", "resource": "alb-public", "former": []},
        {"name": "static.example.com", "resource": "edge-site", "former": []},
        {"name": "old.example.com", "resource": "alb-removed", "former": []},
    ]
    given = {**GIVEN, "names": names, "site": site, "certificates": MADE, "owned": owned}
    leaving = dns(given)["leaving"]
    assert leaving == {
        "alb-public": ["www.example.com"],
        "edge-site": ["static.example.com"],
        "alb-removed": ["old.example.com"],
    }
    assert dns(given)["staying"] == leaving
    first = dns({**given, "served": leaving})
    assert [(one["name"], one["names"]) for one in first["certificates"]] == [
        ("alb-public", ["www.example.com"]),
        ("alb-private", ["static.example.com"]),
        ("edge-site", ["www.example.com", "static.example.com"]),
    ]
    assert [one["port"] for one in first["load_balancers"][0]["listeners"]] == [443, 80]
    assert first["site_aliases"] == ["www.example.com", "static.example.com"]
    assert sorted(first["names"]) == ["static.example.com", "www.example.com"]

    moved = [
        {"name": "www.example.com", "resource": "edge-site", "former": ["alb-public"]},
        {"name": "static.example.com", "resource": "alb-private", "former": ["edge-site"]},
        {"name": "old.example.com", "resource": "", "former": ["alb-removed"]},
    ]
    after = dns({**given, "owned": moved})
    assert (after["leaving"], after["staying"]) == (leaving, {})
    assert after["former"] == ["www.example.com", "static.example.com", "old.example.com"]
    last = dns({**given, "owned": moved, "served": after["staying"]})
    assert [(one["name"], one["names"]) for one in last["certificates"]] == [
        ("alb-private", ["static.example.com"]),
        ("edge-site", ["www.example.com"]),
    ]
    assert [one["port"] for one in last["load_balancers"][0]["listeners"]] == [80]


@pytest.mark.parametrize(
    ("names", "aliases", "everywhere"),
    [(NAMES, SITE["aliases"], True), (NAMES, [], False), ({}, SITE["aliases"], False)],
)
def test_the_records_are_read_first_where_certificates_cannot_tell_that_names_moved(
    names: t.Any, aliases: t.Any, everywhere: bool
) -> None:
    found = dns({**GIVEN, "names": names, "site": {**SITE, "aliases": aliases}})
    assert found["in_all_regions"] is everywhere


def test_certificates_tell_which_names_have_moved_in_a_zone_elsewhere() -> None:
    """The name `shop` has moved between load balancers, and `old` is not declared."""
    names = {"public": ["www.example.com"], "private": ["shop.example.com"]}
    used = [
        {"name": "alb-public", "names": ["www.example.com", "shop.example.com", "old.example.com"]},
        {"name": "edge-site", "names": ["static.example.com"]},
    ]
    known = {"used": used, "published": False, "purge": False, "alb_purge": True}
    given = {**GIVEN, "names": names, "elsewhere": known}
    assert dns(given)["leaving"] == {"alb-public": ["shop.example.com", "old.example.com"]}
    after = dns({**given, "elsewhere": {**known, "published": True}})
    assert (after["staying"], after["former"]) == ({"alb-public": ["old.example.com"]}, ["shop.example.com"])
    purged = dns({**given, "elsewhere": {**known, "published": True, "purge": True}})
    assert (purged["staying"], purged["former"]) == ({}, ["shop.example.com", "old.example.com"])


def test_a_load_balancer_without_purge_serves_names_that_left_a_zone_elsewhere() -> None:
    """Its listener is not removed, so that its certificate stays in use, and no run has to wait for it again."""
    used = [{"name": "alb-private", "names": ["www.example.com"]}]
    known = {"used": used, "published": True, "purge": True, "alb_purge": False}
    found = dns({**GIVEN, "elsewhere": known})
    assert (found["staying"], found["former"]) == ({"alb-private": ["www.example.com"]}, [])
    assert dns({**GIVEN, "elsewhere": {**known, "alb_purge": True}})["former"] == ["www.example.com"]
