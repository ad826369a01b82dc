# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `ec2_security_groups`, without calls to AWS."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import parse_cidr, parse_ipv6_cidr
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    AWS_PREFIX_LIST,
    PREFIX_LIST_ID,
    RESOURCE_NAME,
    SECURITY_GROUP_ID,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import (
    ALL,
    ANY,
    PROTOCOLS,
    WAYS,
    WITH_PORTS,
    WITH_TYPES,
    Rule,
    Way,
    places,
)

COMPONENT = "firewall"
PORTS = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?")
LAST_PORT = 65535
# The default quota, which an account can raise, and the most that AWS allows.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
MAX_RULES = 60
MOST_RULES = 1000
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")


@dataclass(frozen=True)
class GroupWish:
    """A desired security group, with all its rules and their descriptions."""

    name: str
    description: str | None
    rules: t.Mapping[Rule, str]


@dataclass(frozen=True)
class Groups:
    """All desired security groups. Existing rules for inbound traffic to `kept_ports` stay in declared groups."""

    groups: tuple[GroupWish, ...]
    purge: bool = False
    moving: bool = False
    kept_ports: tuple[int, ...] = ()


def parse_security_groups(options: t.Mapping[str, t.Any], problems: Problems) -> Groups | None:
    """Return the desired groups, or None if the options of `ec2_security_groups` add problems."""
    before = len(problems.found)
    names = [group["name"] for group in options["groups"]]
    groups = tuple(_parse_group(group, f"groups[{i}]", names, problems) for i, group in enumerate(options["groups"]))
    for position, name in enumerate(names):
        if name in names[:position]:
            problems.add(f"groups[{position}].name", f"'{name}' is used twice", "give each group its own name")
    if len(problems.found) > before:
        return None
    kept = tuple(options.get("kept_ports") or ())
    return Groups(groups, bool(options["purge"]), bool(options.get("moving")), kept)


def _parse_group(group: t.Mapping[str, t.Any], where: str, names: t.Sequence[str], problems: Problems) -> GroupWish:
    name = group["name"]
    if not RESOURCE_NAME.fullmatch(name) or SECURITY_GROUP_ID.fullmatch(name):
        problems.add(
            f"{where}.name",
            f"'{name}' is not a valid security group name",
            "use at most 32 lower case letters, digits and hyphens, beginning with a letter",
        )
    _check_description(group.get("description"), f"{where}.description", problems)
    rules: dict[Rule, str] = {}
    for way in WAYS:
        for position, rule in enumerate(group[way] or []):
            for one, text in _parse_rule(way, rule, f"{where}.{way}[{position}]", names, problems):
                if rules.setdefault(one, text) != text:
                    problems.add(
                        f"{where}.{way}[{position}]",
                        f"'{one}' is declared above with another description",
                        "declare it once",
                    )
        count = places(rules, way, {})
        if count > MOST_RULES:
            problems.add(
                f"{where}.{way}",
                f"the group has {count} rules (each source with each port range is one)",
                f"use at most {MOST_RULES}, the highest quota: merge CIDR blocks or port ranges, or split the group",
            )
    return GroupWish(name, group.get("description"), rules)


def _parse_rule(
    way: Way, rule: t.Mapping[str, t.Any], where: str, names: t.Sequence[str], problems: Problems
) -> list[tuple[Rule, str]]:
    """Return the rules of one declaration: each port range with each peer, and the description."""
    protocol = _parse_protocol(rule["protocol"], f"{where}.protocol", problems)
    ports = _parse_ports(rule.get("ports"), protocol, f"{where}.ports", problems)
    if protocol in WITH_TYPES:
        ports = [_parse_type(rule, where, problems)]
    elif rule.get("icmp_type") is not None or rule.get("icmp_code") is not None:
        right = "remove icmp_type and icmp_code, or use icmp or icmpv6"
        problems.add(f"{where}.icmp_type", f"the protocol {protocol} has no ICMP types", right)
    _check_family(rule, protocol, where, problems)
    description = rule.get("description") or ""
    _check_description(description, f"{where}.description", problems)
    return [
        (Rule(way, protocol, first, last, kind, peer), description)
        for kind, peer in _parse_peers(rule, where, names, problems)
        for first, last in ports
    ]


def _parse_protocol(text: str, where: str, problems: Problems) -> str:
    protocol = PROTOCOLS.get(text, text)
    number = int(protocol) if protocol.isdecimal() else None
    if protocol not in (ALL, *WITH_PORTS, *WITH_TYPES) and (number is None or number > 255):
        problems.add(
            where, f"'{text}' is not a protocol", "use tcp, udp, icmp, icmpv6, all, or a protocol number up to 255"
        )
    return protocol


def _parse_type(rule: t.Mapping[str, t.Any], where: str, problems: Problems) -> tuple[int, int]:
    """Return the type and the code of an ICMP rule."""
    kind, code = (rule.get(key) for key in ("icmp_type", "icmp_code"))
    for key, number in (("icmp_type", kind), ("icmp_code", code)):
        if number is not None:
            check_range(f"{where}.{key}", number, 0, 255, problems)
    if kind is None and code is not None:
        problems.add(f"{where}.icmp_code", "a code is of one ICMP type", "give icmp_type too, or remove icmp_code")
    return (ANY if kind is None else kind, ANY if code is None else code)


def _check_family(rule: t.Mapping[str, t.Any], protocol: str, where: str, problems: Problems) -> None:
    """Add to `problems` a protocol that these addresses do not have. AWS accepts such a rule, which allows nothing."""
    for key, wrong, right in (("cidrs", "icmpv6", "icmp"), ("cidrs_ipv6", "icmp", "icmpv6")):
        if protocol == wrong and rule.get(key):
            version = "IPv4" if key == "cidrs" else "IPv6"
            problems.add(f"{where}.{key}", f"{version} has no {wrong}", f"use a rule of its own with protocol: {right}")


def _parse_ports(ports: t.Sequence[str] | None, protocol: str, where: str, problems: Problems) -> list[tuple[int, int]]:
    if protocol not in WITH_PORTS:
        if ports:
            problems.add(where, f"the protocol {protocol} has no ports", "remove ports, or use tcp or udp")
        return [(-1, -1)]
    if ports is None:
        return [(0, LAST_PORT)]
    return [pair for text in ports if (pair := _parse_range(str(text), where, problems))]


def _parse_range(text: str, where: str, problems: Problems) -> tuple[int, int] | None:
    match = PORTS.fullmatch(text.strip())
    if not match:
        problems.add(where, f"'{text}' is not a port", "write a number as 80, or a range as 8000-8010")
        return None
    first = int(match["first"])
    last = int(match["last"] or first)
    if max(first, last) > LAST_PORT:
        problems.add(where, f"'{text}' is above {LAST_PORT}", f"use ports from 0 to {LAST_PORT}")
        return None
    if first > last:
        problems.add(where, f"the range '{text}' is reversed", f"write {last}-{first}")
        return None
    return first, last


def _parse_peers(
    rule: t.Mapping[str, t.Any], where: str, names: t.Sequence[str], problems: Problems
) -> list[tuple[str, str]]:
    cidrs, ipv6, groups, lists = (rule.get(key) for key in ("cidrs", "cidrs_ipv6", "groups", "prefix_lists"))
    if cidrs is None and ipv6 is None and groups is None and lists is None:
        right = "give cidrs, cidrs_ipv6, groups or prefix_lists; an empty list allows no traffic"
        problems.add(where, "the rule has no source or destination", right)
    for name in lists or []:
        if not PREFIX_LIST_ID.fullmatch(name) and not AWS_PREFIX_LIST.fullmatch(name):
            right = "use an id (pl-…), or the name of a list of AWS, as com.amazonaws.global.cloudfront.origin-facing"
            problems.add(f"{where}.prefix_lists", f"'{name}' is not a prefix list", right)
    for name in groups or []:
        if name not in names and not SECURITY_GROUP_ID.fullmatch(name):
            problems.add(
                f"{where}.groups",
                f"'{name}' is not a declared security group",
                f"use one of {', '.join(names)}, or a group's id (sg-…)",
            )
    blocks = [parse_cidr(cidr, f"{where}.cidrs", problems) for cidr in cidrs or []]
    blocks_ipv6 = [parse_ipv6_cidr(cidr, f"{where}.cidrs_ipv6", problems) for cidr in ipv6 or []]
    return [
        *(("cidr", str(block)) for block in blocks if block),
        *(("ipv6 cidr", str(block)) for block in blocks_ipv6 if block),
        *(("group", name) for name in groups or []),
        *(("prefix list", name) for name in lists or []),
    ]


def _check_description(text: str | None, where: str, problems: Problems) -> None:
    if text and not DESCRIPTION.fullmatch(text):
        problems.add(
            where,
            f"AWS does not accept the text '{text}'",
            "use at most 255 ASCII letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*",
        )
