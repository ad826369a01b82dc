"""Rules that AWS merges have a canonical form."""

from __future__ import annotations

import random
import typing as t
from ipaddress import IPv6Address, IPv6Network

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import (
    OPEN_EGRESS,
    Rule,
    existing_rules,
    group_ref,
    permission,
    prefix_list_ref,
)


def tcp(first: int, last: int, kind: str, peer: str) -> Rule:
    return Rule("ingress", "tcp", first, last, kind, peer)


def test_merged_permissions_are_taken_apart() -> None:
    merged = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "ours"}, {"CidrIp": "192.0.2.0/24"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        "PrefixListIds": [{"PrefixListId": "pl-1"}],
        "UserIdGroupPairs": [
            {"GroupId": "sg-1", "UserId": "1"},
            {"GroupId": "sg-9", "UserId": "2", "Description": "peer"},
        ],
    }
    rules = existing_rules({"IpPermissions": [merged], "IpPermissionsEgress": []}, {"sg-1": "web"})
    assert {rule: existing.description for rule, existing in rules.items()} == {
        tcp(80, 80, "cidr", "10.0.0.0/8"): "ours",
        tcp(80, 80, "cidr", "192.0.2.0/24"): "",
        tcp(80, 80, "ipv6 cidr", "::/0"): "",
        tcp(80, 80, "prefix list", "pl-1"): "",
        tcp(80, 80, "group", "web"): "",
        tcp(80, 80, "group", "sg-9"): "peer",
    }
    ports = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    assert [existing.permission for existing in rules.values()] == [
        {**ports, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {**ports, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]},
        {**ports, "UserIdGroupPairs": [{"GroupId": "sg-1", "UserId": "1"}]},
        {**ports, "UserIdGroupPairs": [{"GroupId": "sg-9", "UserId": "2"}]},
        {**ports, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        {**ports, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
    ]


@pytest.mark.parametrize(
    ("described", "rule"),
    [
        ({"IpProtocol": "-1"}, Rule("egress", "-1", -1, -1, "cidr", "0.0.0.0/0")),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, Rule("egress", "icmp", 8, -1, "cidr", "0.0.0.0/0")),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}, Rule("egress", "icmp", -1, -1, "cidr", "0.0.0.0/0")),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": 0}, Rule("egress", "icmp", -1, -1, "cidr", "0.0.0.0/0")),
        ({"IpProtocol": "1"}, Rule("egress", "icmp", -1, -1, "cidr", "0.0.0.0/0")),
        ({"IpProtocol": "6", "FromPort": 1, "ToPort": 2}, Rule("egress", "tcp", 1, 2, "cidr", "0.0.0.0/0")),
        ({"IpProtocol": "50", "FromPort": 0, "ToPort": 0}, Rule("egress", "50", -1, -1, "cidr", "0.0.0.0/0")),
    ],
)
def test_protocols(described: dict[str, t.Any], rule: Rule) -> None:
    group = {"IpPermissionsEgress": [{**described, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
    assert list(existing_rules(group, {})) == [rule]


def test_ours_is_a_reference_and_theirs_an_id() -> None:
    ours = permission(tcp(80, 80, "group", "web"), "why")
    assert ours["UserIdGroupPairs"] == [{"GroupId": group_ref("web"), "Description": "why"}]
    of_aws = permission(tcp(80, 80, "prefix list", "com.amazonaws.eu-central-1.s3"))
    assert of_aws["PrefixListIds"] == [{"PrefixListId": prefix_list_ref("com.amazonaws.eu-central-1.s3")}]
    by_id = permission(tcp(80, 80, "prefix list", "pl-0a1b2c3d"))
    assert by_id["PrefixListIds"] == [{"PrefixListId": "pl-0a1b2c3d"}]
    theirs = permission(tcp(80, 80, "group", "sg-0123456789abcdef0"))
    assert theirs["UserIdGroupPairs"] == [{"GroupId": "sg-0123456789abcdef0"}]
    assert permission(OPEN_EGRESS) == {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.mark.parametrize("seed", range(100))
def test_every_spelling_of_an_ipv6_block_is_one_rule(seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311 - a seed that names the case
    address = IPv6Address(chosen.getrandbits(128) & chosen.choice((-1, 0xFFFF, 0xFFFF << 96, 0xFFFF0000FFFF << 32)))
    prefix = chosen.randint(0, 128)
    spellings = (f"{address}/{prefix}", f"{address.exploded.upper()}/{prefix}")
    merged = [
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": each}]} for each in spellings
    ]
    [rule], [same] = (list(existing_rules({"IpPermissions": [each]}, {})) for each in merged)
    assert rule == same and rule.peer == str(IPv6Network(f"{address}/{prefix}", strict=False))
    existing = next(iter(existing_rules({"IpPermissions": merged[1:]}, {}).values()))
    assert existing.permission["Ipv6Ranges"] == [{"CidrIpv6": spellings[1]}]  # AWS' own spelling removes it


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (OPEN_EGRESS, "all to 0.0.0.0/0"),
        (tcp(80, 80, "group", "web"), "tcp 80 from web"),
        (tcp(8000, 8010, "cidr", "10.0.0.0/8"), "tcp 8000-8010 from 10.0.0.0/8"),
        (Rule("ingress", "icmp", -1, -1, "cidr", "10.0.0.0/8"), "icmp from 10.0.0.0/8"),
        (Rule("ingress", "icmp", 8, -1, "cidr", "10.0.0.0/8"), "icmp type 8 from 10.0.0.0/8"),
        (Rule("ingress", "icmp", 0, 0, "cidr", "10.0.0.0/8"), "icmp type 0 code 0 from 10.0.0.0/8"),
    ],
)
def test_rules_in_words(rule: Rule, text: str) -> None:
    assert str(rule) == text
