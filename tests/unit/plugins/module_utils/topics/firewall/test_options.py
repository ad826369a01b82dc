"""Declared rules are parsed, and their problems are reported."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import parse_security_groups

CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
Make = t.Callable[..., dict[str, t.Any]]


def parse(options: dict[str, t.Any]) -> tuple[t.Any, list[str]]:
    problems = Problems("firewall_")
    return parse_security_groups(options, problems), [str(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"ports": ["80"], "cidrs": ["10.0.0.0/8"]}, ["tcp 80 from 10.0.0.0/8"]),
        (
            {"ports": ["80", "8000-8010"], "cidrs": ["10.0.0.0/8"], "groups": ["web"]},
            ["tcp 80 from 10.0.0.0/8", "tcp 80 from web", "tcp 8000-8010 from 10.0.0.0/8", "tcp 8000-8010 from web"],
        ),
        ({"groups": ["web"]}, ["tcp 0-65535 from web"]),
        ({"groups": ["sg-0123456789abcdef0"], "ports": [53], "protocol": "17"}, ["udp 53 from sg-0123456789abcdef0"]),
        ({"protocol": "all", "groups": ["web"]}, ["all from web"]),
        ({"protocol": "icmp", "cidrs": ["10.0.0.0/8"]}, ["icmp from 10.0.0.0/8"]),
        ({"protocol": "1", "icmp_type": 8, "cidrs": ["10.0.0.0/8"]}, ["icmp type 8 from 10.0.0.0/8"]),
        (
            {"protocol": "icmp", "icmp_type": 3, "icmp_code": 4, "cidrs": ["10.0.0.0/8"]},
            ["icmp type 3 code 4 from 10.0.0.0/8"],
        ),
        (
            {"protocol": "icmpv6", "icmp_type": 128, "icmp_code": 0, "cidrs_ipv6": ["::/0"]},
            ["icmpv6 type 128 code 0 from ::/0"],
        ),
        ({"protocol": "58", "cidrs_ipv6": ["2001:db8::/32"]}, ["icmpv6 from 2001:db8::/32"]),
        (
            {"ports": ["443"], "cidrs_ipv6": ["::/0"], "prefix_lists": [CLOUDFRONT, "pl-0a1b2c3d"]},
            ["tcp 443 from ::/0", f"tcp 443 from {CLOUDFRONT}", "tcp 443 from pl-0a1b2c3d"],
        ),
        ({"ports": ["443"], "prefix_lists": []}, []),
        ({"protocol": "50", "cidrs": ["10.0.0.0/8"]}, ["50 from 10.0.0.0/8"]),
        ({"ports": ["22"], "cidrs": []}, []),
        ({"ports": [], "cidrs": ["10.0.0.0/8"]}, []),
    ],
)
def test_what_a_rule_means(options: Make, group: Make, rule: Make, given: t.Any, meant: list[str]) -> None:
    groups, problems = parse(options(group("web", ingress=[rule(**given)], egress=[])))
    assert problems == []
    assert sorted(str(one) for one in groups.groups[0].rules) == sorted(meant)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ports": ["8010-8000"]}, ".ports: the range '8010-8000' is reversed; write 8000-8010."),
        ({"ports": ["65536"]}, ".ports: '65536' is above 65535; use ports from 0 to 65535."),
        ({"ports": ["http"]}, ".ports: 'http' is not a port; write a number as 80, or a range as 8000-8010."),
        ({"ports": ["-1"]}, ".ports: '-1' is not a port; write a number as 80, or a range as 8000-8010."),
        (
            {"protocol": "icmp", "ports": ["8"]},
            ".ports: the protocol icmp has no ports; remove ports, or use tcp or udp.",
        ),
        (
            {"protocol": "http"},
            ".protocol: 'http' is not a protocol; use tcp, udp, icmp, icmpv6, all, or a protocol number up to 255.",
        ),
        (
            {"protocol": "256"},
            ".protocol: '256' is not a protocol; use tcp, udp, icmp, icmpv6, all, or a protocol number up to 255.",
        ),
        ({"cidrs": ["10.0.0.1/8"]}, ".cidrs: '10.0.0.1/8' is not in canonical form; write 10.0.0.0/8."),
        (
            {"cidrs": None, "groups": ["db"]},
            ".groups: 'db' is not a declared security group; use one of web, or a group's id (sg-…).",
        ),
        (
            {"cidrs": None},
            ": the rule has no source or destination; "
            "give cidrs, cidrs_ipv6, groups or prefix_lists; an empty list allows no traffic.",
        ),
        (
            {"icmp_type": 8},
            ".icmp_type: the protocol tcp has no ICMP types; remove icmp_type and icmp_code, or use icmp or icmpv6.",
        ),
        (
            {"protocol": "icmp", "icmp_type": 256},
            ".icmp_type: 256 is out of range; give a whole number from 0 to 255.",
        ),
        (
            {"protocol": "icmp", "icmp_type": 3, "icmp_code": -2},
            ".icmp_code: -2 is out of range; give a whole number from 0 to 255.",
        ),
        (
            {"protocol": "icmp", "icmp_code": 4},
            ".icmp_code: a code is of one ICMP type; give icmp_type too, or remove icmp_code.",
        ),
        (
            {"protocol": "icmpv6"},
            ".cidrs: IPv4 has no icmpv6; use a rule of its own with protocol: icmp.",
        ),
        (
            {"protocol": "icmp", "cidrs_ipv6": ["::/0"]},
            ".cidrs_ipv6: IPv6 has no icmp; use a rule of its own with protocol: icmpv6.",
        ),
        (
            {"cidrs_ipv6": ["2001:DB8::/32"]},
            ".cidrs_ipv6: '2001:DB8::/32' is not in canonical form; write 2001:db8::/32.",
        ),
        (
            {"cidrs_ipv6": ["2001:db8::1/32"]},
            ".cidrs_ipv6: '2001:db8::1/32' is not in canonical form; write 2001:db8::/32.",
        ),
        (
            {"cidrs_ipv6": ["10.0.0.0/8"]},
            ".cidrs_ipv6: '10.0.0.0/8' is not an IPv6 CIDR block; write address/prefix, for example 2001:db8::/32.",
        ),
        (
            {"cidrs_ipv6": ["::ffff:10.0.0.0/104"]},
            ".cidrs_ipv6: '::ffff:10.0.0.0/104' is not an address of IPv6 packets; write IPv4 CIDR blocks in cidrs.",
        ),
        (
            {"prefix_lists": ["cloudfront"]},
            ".prefix_lists: 'cloudfront' is not a prefix list; use an id (pl-…), "
            "or the name of a list of AWS, as com.amazonaws.global.cloudfront.origin-facing.",
        ),
        (
            {"description": "für alle"},
            ".description: AWS does not accept the text 'für alle'; "
            "use at most 255 ASCII letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*.",
        ),
    ],
)
def test_bad_rules(options: Make, group: Make, rule: Make, given: t.Any, told: str) -> None:
    one = rule(**{"cidrs": ["10.0.0.0/8"], **given})
    groups, problems = parse(options(group("web", ingress=[one])))
    assert groups is None
    assert problems == [f"firewall_groups[0].ingress[0]{told}"]


def test_bad_groups(options: Make, group: Make, rule: Make) -> None:
    many = rule(ports=[str(port) for port in range(1001)], cidrs=["10.0.0.0/8"])
    twice = [rule(cidrs=["10.0.0.0/8"], description=text) for text in ("one", "other")]
    _groups, problems = parse(
        options(group("Web"), group("a", egress=[many]), group("a", ingress=twice, description="ß"))
    )
    assert problems == [
        "firewall_groups[0].name: 'Web' is not a valid security group name; "
        "use at most 32 lower case letters, digits and hyphens, beginning with a letter.",
        "firewall_groups[1].egress: the group has 1001 rules (each source with each port range is one); "
        "use at most 1000, the highest quota: merge CIDR blocks or port ranges, or split the group.",
        "firewall_groups[2].description: AWS does not accept the text 'ß'; "
        "use at most 255 ASCII letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*.",
        "firewall_groups[2].ingress[1]: 'tcp 0-65535 from 10.0.0.0/8' is declared above "
        "with another description; declare it once.",
        "firewall_groups[2].name: 'a' is used twice; give each group its own name.",
    ]


def test_the_quota_counts_ipv4_and_ipv6_separately(options: Make, group: Make, rule: Make) -> None:
    def told(**peers: t.Any) -> list[str]:
        ports = [str(port) for port in range(600)]
        return parse(options(group("web", ingress=[rule(ports=ports, **peers)])))[1]

    assert told(cidrs=["10.0.0.0/8"], cidrs_ipv6=["::/0"]) == []
    assert len(told(cidrs=["10.0.0.0/8"], groups=["web"])) == 1
    assert len(told(cidrs_ipv6=["::/0"], groups=["web"])) == 1


def test_the_same_rule_twice_is_one(options: Make, group: Make, rule: Make) -> None:
    groups, problems = parse(options(group("web", ingress=[rule(cidrs=["10.0.0.0/8"])] * 2, egress=[])))
    assert problems == [] and len(groups.groups[0].rules) == 1
