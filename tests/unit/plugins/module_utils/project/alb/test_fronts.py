"""What follows from distributions in front of load balancers."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from checkout import ROOT

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_cache_policy import (
    ARGUMENTS as CACHE_POLICY,
)
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_distribution import (
    ARGUMENTS as DISTRIBUTION,
)
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import (
    ARGUMENTS as LOAD_BALANCER,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.project.alb.fronts import STATIC_PATHS
from ansible_collections.groundwork.aws.plugins.module_utils.project.dns.options import dns
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import parse_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import parse_cache_policy
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import parse_distribution

FORWARD = {"target_groups": [{"name": "public"}]}
RULE = {"priority": 10, "conditions": [{"field": "path-pattern", "values": ["/api/*"]}], "action": FORWARD}
WEB = {
    "name": "public",
    "tier": "public",
    "security_groups": ["public-alb"],
    "listeners": [{"port": 80, "default_action": FORWARD, "rules": [RULE]}],
}
NAMES = {"public": ["www.example.com", "example.com"]}
FACT = {"name": "public", "dns_name": "lb.elb.amazonaws.com", "zone_id": "Z1", "url": "https://lb/"}
PARAMETER = "/groundwork/dev/alb/public/origin-verify"
PLACEHOLDER = f"@groundwork(parameter:{PARAMETER})@"
SECRET = {"field": "http-header", "name": "X-Origin-Verify", "values": [PLACEHOLDER]}
EDGE = "arn:aws:acm:us-east-1:123456789012:certificate/0e"
MADE = [
    {"name": "alb-public", "arn": "arn:aws:acm:eu-central-1:123456789012:certificate/0a"},
    {"name": "edge-alb-public", "arn": EDGE},
]


def computed(front: t.Mapping[str, t.Any], **given: t.Any) -> dict[str, t.Any]:
    options = {
        "environment": "dev",
        "zone": "example.com",
        "names": NAMES,
        "load_balancers": [WEB],
        "tls_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificates": MADE,
        "balancers": [FACT],
        "distributions": [{"name": "public", **front}],
    }
    return dns({**options, **given})


def test_requests_without_the_secret_get_403_and_http_has_no_listener() -> None:
    [public] = computed({})["load_balancers"]
    [https] = public["listeners"]
    assert (https["port"], https["protocol"], https["certificates"]) == (443, "HTTPS", [MADE[0]["arn"]])
    assert https["default_action"]["fixed_response"]["status_code"] == 403
    assert https["rules"] == [
        {**RULE, "conditions": [*RULE["conditions"], SECRET]},
        {"priority": 50000, "conditions": [SECRET], "action": FORWARD},
    ]


@pytest.mark.parametrize(
    ("given", "mode"), [({}, "preserve"), ({"xff_mode": "append"}, "preserve"), ({"xff_mode": "remove"}, "remove")]
)
def test_the_last_forwarded_address_is_the_visitors(given: dict[str, t.Any], mode: str) -> None:
    own = {**WEB, "attributes": {**given, "idle_timeout": 90}}
    [public] = computed({}, load_balancers=[own])["load_balancers"]
    assert public["attributes"] == {"xff_mode": mode, "idle_timeout": 90}


def test_an_open_load_balancer_stays_as_it_is() -> None:
    found, without = computed({"open": True}), computed({}, distributions=[])
    assert found["load_balancers"] == without["load_balancers"]
    assert [one["port"] for one in found["load_balancers"][0]["listeners"]] == [443, 80]
    assert (found["closed"], computed({})["closed"]) == ([], ["public"])
    assert found["distributions"] == computed({})["distributions"]


def test_the_distribution_has_the_names_and_a_certificate_of_its_own() -> None:
    found = computed({"price_class": "PriceClass_All"})
    assert found["certificates"][1:] == [
        {"name": "edge-alb-public", "names": NAMES["public"], "region": "us-east-1", "key_algorithm": "RSA_2048"}
    ]
    [made] = found["distributions"]
    assert (made["name"], made["aliases"], made["certificate_arn"]) == ("alb-public", NAMES["public"], EDGE)
    assert (made["price_class"], "web_acl_arn" in made) == ("PriceClass_All", False)
    [origin] = made["origins"]
    assert origin["domain"] == FACT["dns_name"]
    assert origin["headers"] == {"X-Origin-Verify": PLACEHOLDER}
    assert found["parameters"] == [{"name": PARAMETER, "balancer": "public"}]
    own = computed({"certificate_arn": EDGE}, certificates=MADE[:1])
    assert [one["name"] for one in own["certificates"]] == ["alb-public"]
    assert own["given"] == [{"arn": EDGE, "names": NAMES["public"]}]
    assert own["distributions"][0]["certificate_arn"] == EDGE


def test_names_lead_to_the_distribution_as_soon_as_it_is_known() -> None:
    found = computed({}, fronts={"alb-public": "d1.cloudfront.net"})
    target = {"target": "d1.cloudfront.net", "zone_id": "", "ipv6": True}
    assert found["aliases"] == [{"name": name, **target, "resource": "edge-alb-public"} for name in NAMES["public"]]
    assert found["urls"] == ["https://www.example.com/", "https://example.com/"]
    unknown = computed({})
    assert (unknown["aliases"], unknown["kept"]) == ([], NAMES["public"])


def test_a_name_that_moves_behind_the_distribution_is_served_by_both() -> None:
    """Until its record has moved, the load balancer is open. Then it is closed."""
    owned = [{"name": name, "resource": "alb-public", "former": []} for name in NAMES["public"]]
    assert computed({}, owned=owned)["leaving"] == {"alb-public": NAMES["public"]}
    moving = computed({}, owned=owned, served={"alb-public": NAMES["public"]})
    assert moving["load_balancers"] == computed({}, distributions=[])["load_balancers"]
    assert moving["distributions"][0]["aliases"] == NAMES["public"]
    there = [{"name": name, "resource": "edge-alb-public", "former": ["alb-public"]} for name in NAMES["public"]]
    moved = computed({}, owned=there)
    assert (moved["staying"], moved["former"]) == ({}, NAMES["public"])
    assert [one["port"] for one in moved["load_balancers"][0]["listeners"]] == [443]


def test_a_name_that_moves_away_stays_an_alias_until_its_record_has_moved() -> None:
    names = {"public": ["www.example.com"], "private": ["example.com"]}
    owned = [{"name": name, "resource": "edge-alb-public", "former": []} for name in NAMES["public"]]
    found = computed({}, names=names, owned=owned)
    assert found["leaving"] == {"edge-alb-public": ["example.com"]}
    served = computed({}, names=names, owned=owned, served=found["leaving"])
    assert served["distributions"][0]["aliases"] == NAMES["public"]
    edge = next(one for one in served["certificates"] if one["name"] == "edge-alb-public")
    assert edge["names"] == NAMES["public"]
    assert [one["port"] for one in served["load_balancers"][0]["listeners"]] == [443], "it stays closed"


def test_before_the_first_run_nothing_is_known() -> None:
    [made] = computed({}, certificates=[], balancers=[])["distributions"]
    assert (made["certificate_arn"], made["origins"][0]["domain"]) == (KNOWN_AFTER_APPLY, KNOWN_AFTER_APPLY)


def test_pages_get_everything_and_files_no_cookies() -> None:
    found = computed({})
    [made], [policy] = found["distributions"], found["cache_policies"]
    page = made["behavior"]
    told = (page["methods"], page["cache_policy"], page["origin_request_policy"])
    assert told == ("all", "CachingDisabled", "AllViewer")
    assert [one["path"] for one in made["behaviors"]] == list(STATIC_PATHS)
    assert {one["cache_policy"] for one in made["behaviors"]} == {policy["name"]}
    assert (policy["cookies"], policy["query_strings"], policy["headers"][0]) == (["none"], ["all"], "Host")
    assert {one["ttl"] for one in made["error_pages"]} == {0}
    nothing = computed({"static_paths": []})
    assert (nothing["distributions"][0]["behaviors"], nothing["cache_policies"]) == ([], [])


def test_the_modules_accept_what_is_computed() -> None:
    problems, found = Problems(), computed({"minimum_tls": "TLSv1.2_2025"})
    secrets = {PARAMETER: "0123456789"}
    for made in found["distributions"]:
        whole = conform_options(DISTRIBUTION, {**made, "secrets": secrets}, "", problems)
        assert parse_distribution({**whole, "region": "eu-central-1"}, problems)
    for policy in found["cache_policies"]:
        parse_cache_policy(conform_options(CACHE_POLICY, policy, "", problems), problems)
    given = {
        "zones": ["eu-central-1a", "eu-central-1b"],
        "target_groups": [{"name": "public", "tier": "public"}],
        "load_balancers": found["load_balancers"],
        "secrets": secrets,
    }
    whole = conform_options(LOAD_BALANCER, given, "", problems)
    assert parse_load_balancers({**whole, "environment_name": "dev", "region": "eu-central-1"}, problems)
    assert problems.found == []


def test_the_documented_paths_are_the_ones_in_use() -> None:
    spec = yaml.safe_load((ROOT / "roles" / "alb" / "meta" / "argument_specs.yml").read_text())
    own = spec["argument_specs"]["main"]["options"]["alb_distributions"]["options"]
    assert own["static_paths"]["default"] == list(STATIC_PATHS)


GROUPS = [{"name": "public", "tier": "public"}, {"name": "api", "tier": "private"}, {"name": "other", "tier": "other"}]


def test_a_distribution_knows_the_releases_behind_its_load_balancer() -> None:
    rule = {**RULE, "action": {"target_groups": [{"name": "api"}]}}
    balancer = {**WEB, "listeners": [{"port": 80, "default_action": FORWARD, "rules": [rule]}]}
    releases = [
        {"tier": "public", "releases": {"app": "a", "blog": "x"}},
        {"tier": "public", "releases": {"app": "b", "blog": "x"}},
        {"tier": "private", "releases": {"app": "b"}},
        {"tier": "other", "releases": {"app": "c"}},
    ]
    given = {"load_balancers": [balancer], "target_groups": GROUPS, "releases": releases}
    content = {"public:app": "a b", "public:blog": "x", "private:app": "b"}
    found = computed({}, **given)
    assert found["contents"] == [{"name": "alb-public", "content": {**content}}]
    assert [one["content"] for one in found["distributions"]] == [content]
    assert computed({})["contents"] == [{"name": "alb-public", "content": {}}]
