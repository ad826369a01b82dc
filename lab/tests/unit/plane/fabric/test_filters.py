"""Security groups and network ACLs as nftables chains."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from groundwork_lab.model import NetworkAcl, NetworkAclEntry, SecurityGroupRule, World
from groundwork_lab.plane.fabric.filters import acl_lines, group_gates, group_lines, protocol_match
from groundwork_lab.plane.fabric.topology import survey

ANY = "0.0.0.0/0"
MARK = "ct state new"  # begins the lines that mark untracked flows


@pytest.mark.parametrize(
    ("protocol", "from_port", "to_port", "match"),
    [
        ("-1", None, None, ""),
        ("-1", 0, 65535, ""),
        ("all", None, None, ""),
        ("tcp", 80, 80, "tcp dport 80"),
        ("6", 80, 80, "tcp dport 80"),
        ("tcp", 1024, 65535, "tcp dport 1024-65535"),
        ("tcp", 0, 65535, "meta l4proto tcp"),
        ("tcp", None, None, "meta l4proto tcp"),
        ("tcp", 0, 0, "tcp dport 0"),
        ("udp", 53, 53, "udp dport 53"),
        ("17", -1, -1, "meta l4proto udp"),
        ("icmp", -1, -1, "meta l4proto icmp"),
        ("icmp", None, None, "meta l4proto icmp"),
        ("icmp", 8, -1, "icmp type 8"),
        ("1", 3, 4, "icmp type 3 icmp code 4"),
        ("icmp", 8, 0, "icmp type 8 icmp code 0"),
        ("50", None, None, "meta l4proto 50"),
        ("58", None, None, "meta l4proto 58"),
        ("256", None, None, None),
        ("carrier-pigeon", None, None, None),
    ],
)
def test_protocols_and_ports(protocol: str, from_port: int | None, to_port: int | None, match: str | None) -> None:
    assert protocol_match(protocol, from_port, to_port) == match


def rule(protocol: str, port: int | None, *cidrs: str, groups: tuple[str, ...] = ()) -> SecurityGroupRule:
    return SecurityGroupRule(protocol, port, port, tuple(IPv4Network(cidr) for cidr in cidrs), groups)


def chain(lines: list[str], name: str) -> list[str]:
    """Return the lines of one chain or set."""
    start = lines.index(f"{name} {{") + 1
    return [line.strip() for line in lines[start : lines.index("}", start)]]


def ingress(world: World, *rules: SecurityGroupRule) -> list[str]:
    """Return the ingress chain of the web servers with these rules, without its comment and its last line."""
    group = replace(world.security_groups["sg-web"], ingress=rules)
    world = replace(world, security_groups={**world.security_groups, "sg-web": group})
    (network,) = survey(world)
    comment, *lines, end = chain(group_lines(world, network), "chain ingress-groups-3")
    assert (comment, end) == ("# sg-web", "drop")
    return [line for line in lines if not line.startswith(MARK)]


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        ((), []),
        ((rule("tcp", 80, ANY),), ["tcp dport 80 return"]),
        ((rule("-1", None, ANY),), ["return"]),
        ((rule("tcp", 22, "198.18.0.10/32"),), ["ip saddr 198.18.0.10/32 tcp dport 22 return"]),
        (
            (rule("tcp", 22, "10.1.0.0/16", "192.0.2.0/24"),),
            ["ip saddr { 10.1.0.0/16, 192.0.2.0/24 } tcp dport 22 return"],
        ),
        ((rule("tcp", 22, "10.1.0.0/16", "10.1.2.0/24"),), ["ip saddr 10.1.0.0/16 tcp dport 22 return"]),
        ((rule("tcp", 22, "10.1.0.0/16", ANY),), ["tcp dport 22 return"]),
        ((rule("-1", None, groups=("sg-app",)),), ["ip saddr @sg-app return"]),
        (
            (rule("tcp", 80, "192.0.2.0/24", groups=("sg-app", "sg-web")),),
            [
                "ip saddr 192.0.2.0/24 tcp dport 80 return",
                "ip saddr @sg-app tcp dport 80 return",
                "ip saddr @sg-web tcp dport 80 return",
            ],
        ),
        ((rule("tcp", 80, ANY), rule("6", 80, ANY)), ["tcp dport 80 return"]),
        ((rule("tcp", 80),), []),
        ((rule("carrier-pigeon", None, ANY),), []),
    ],
)
def test_a_groups_rules(world: World, rules: tuple[SecurityGroupRule, ...], lines: list[str]) -> None:
    assert ingress(world, *rules) == lines


def test_egress_names_the_destination(world: World) -> None:
    group = replace(world.security_groups["sg-web"], egress=(rule("tcp", 3306, "10.0.10.0/24", groups=("sg-app",)),))
    world = replace(world, security_groups={**world.security_groups, "sg-web": group})
    (network,) = survey(world)
    assert chain(group_lines(world, network), "chain egress-groups-3") == [
        "# sg-web",
        "ip daddr 10.0.10.0/24 tcp dport 3306 return",
        "ip daddr @sg-app tcp dport 3306 return",
        "drop",
    ]


def test_the_rules_of_several_groups_add_up(world: World) -> None:
    (network,) = survey(world)
    assert chain(group_lines(world, network), "chain ingress-groups-2") == [
        "# sg-app, sg-web",
        "ct state new tcp dport 80 ct mark set ct mark or 2",
        "ip saddr @sg-web tcp dport 3306 return",
        "tcp dport 80 return",
        "drop",
    ]


def test_members_are_private_addresses_of_the_vpc(world: World) -> None:
    stranger = replace(world.interfaces["eni-web1"], id="eni-x", subnet_id="subnet-of-another-vpc")
    world = replace(world, interfaces={**world.interfaces, "eni-x": stranger})
    (network,) = survey(world)
    assert chain(group_lines(world, network), "set sg-web") == [
        "type ipv4_addr",
        "elements = { 10.0.0.11, 10.0.0.12, 10.0.1.13, 10.0.10.22 }",
    ]


def test_a_group_without_members_matches_nobody(world: World) -> None:
    changed = replace(world.security_groups["sg-app"], ingress=(rule("-1", None, groups=("sg-empty",)),))
    world = replace(world, security_groups={**world.security_groups, "sg-app": changed})
    (network,) = survey(world)
    assert chain(group_lines(world, network), "set sg-empty") == ["type ipv4_addr"]


def test_a_group_that_is_gone_lets_nothing_through(world: World) -> None:
    world = replace(world, security_groups={})
    (network,) = survey(world)
    assert chain(group_lines(world, network), "chain ingress-groups-1") == ["# sg-app", "drop"]


def test_nothing_gates_an_interface_without_groups(world: World) -> None:
    (network,) = survey(world)
    assert "eninat1" not in " ".join(group_gates(network))
    ungrouped = {name: replace(each, security_group_ids=()) for name, each in world.interfaces.items()}
    (network,) = survey(replace(world, interfaces=ungrouped))
    assert "vmap" not in " ".join(group_gates(network))


@pytest.mark.parametrize(
    ("rules", "egress", "marked"),
    [
        ((rule("tcp", 80, ANY),), rule("-1", None, ANY), ["tcp dport 80"]),
        ((rule("tcp", 80, ANY),), rule("tcp", None, ANY), ["tcp dport 80"]),
        ((rule("tcp", 80, ANY),), rule("tcp", 443, ANY), []),
        ((rule("tcp", 80, ANY),), rule("udp", None, ANY), []),
        ((rule("tcp", 80, ANY),), rule("-1", None, "10.0.0.0/16"), []),
        ((rule("tcp", 80, "192.0.2.0/24"),), rule("-1", None, ANY), []),
        ((rule("tcp", 80, groups=("sg-app",)),), rule("-1", None, ANY), []),
        ((rule("tcp", 80, "192.0.2.0/24"), rule("tcp", 80, ANY)), rule("-1", None, ANY), ["tcp dport 80"]),
        ((rule("-1", None, ANY),), rule("-1", None, ANY), ["meta l4proto tcp", "meta l4proto udp"]),
        ((rule("-1", None, ANY),), rule("udp", None, ANY), ["meta l4proto udp"]),
        ((rule("udp", 53, ANY),), rule("-1", None, ANY), ["udp dport 53"]),
        ((rule("icmp", None, ANY),), rule("-1", None, ANY), []),
    ],
)
def test_which_flows_are_untracked(
    world: World, rules: tuple[SecurityGroupRule, ...], egress: SecurityGroupRule, marked: list[str]
) -> None:
    """Test both directions: `rules` are once those of the ingress, and once those of the egress."""
    for direction, bit in (("ingress", 2), ("egress", 1)):
        other = "egress" if direction == "ingress" else "ingress"
        group = replace(world.security_groups["sg-web"], **{direction: rules, other: (egress,)})
        changed = replace(world, security_groups={**world.security_groups, "sg-web": group})
        (network,) = survey(changed)
        lines = chain(group_lines(changed, network), f"chain {direction}-groups-3")
        found = [line for line in lines if line.startswith(MARK)]
        assert found == [f"{MARK} {match} ct mark set ct mark or {bit}" for match in marked]


def entry(number: int, cidr: str = ANY, *, egress: bool = False, allow: bool = True, **fields: object):
    return NetworkAclEntry(number, egress, allow=allow, cidr=IPv4Network(cidr), **{"protocol": "-1", **fields})


HTTP = {"protocol": "6", "from_port": 80, "to_port": 80}


@pytest.mark.parametrize(
    ("entries", "lines"),
    [
        ((), []),
        ((entry(100),), ["return"]),
        ((entry(100, egress=True),), []),
        ((entry(100), entry(32767, allow=False)), ["return", "drop"]),
        (
            (entry(200), entry(100, "192.0.2.0/24", allow=False), entry(150, **HTTP, allow=False)),
            ["ip saddr 192.0.2.0/24 drop", "tcp dport 80 drop", "return"],
        ),
        ((entry(100, "192.0.2.7/32", **HTTP),), ["ip saddr 192.0.2.7/32 tcp dport 80 return"]),
        ((entry(100, protocol="1", from_port=8, to_port=-1),), ["icmp type 8 return"]),
    ],
)
def test_an_acl_keeps_the_order_of_its_numbers(
    world: World, entries: tuple[NetworkAclEntry, ...], lines: list[str]
) -> None:
    world = replace(world, network_acls={"acl-1": NetworkAcl("acl-1", "vpc-1", entries)})
    (network,) = survey(world)
    assert chain(acl_lines(world, network), "chain ingress-acl-1") == [*lines, "drop"]


def test_an_acl_that_is_gone_lets_nothing_through(world: World) -> None:
    world = replace(world, network_acls={})
    (network,) = survey(world)
    assert chain(acl_lines(world, network), "chain egress-acl-1") == ["drop"]


def test_what_stays_in_a_subnet_meets_no_acl(world: World) -> None:
    (network,) = survey(world)
    lines = acl_lines(world, network)
    inside = '{ "eninat1", "eniweb1", "eniweb2" }'
    assert chain(lines, "chain egress-subnet-a") == [f"oifname {inside} return", "goto egress-acl-1"]
    assert chain(lines, "chain ingress-subnet-a") == [f"iifname {inside} return", "goto ingress-acl-1"]
