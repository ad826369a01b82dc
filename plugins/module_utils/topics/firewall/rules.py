# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert security group rules between a canonical form and AWS' form."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Network, NetmaskValueError

from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    PREFIX_LIST_ID,
    SECURITY_GROUP_ID,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref

Way = t.Literal["ingress", "egress"]
WAYS: tuple[Way, ...] = ("ingress", "egress")

ALL = "-1"
# AWS returns these names, also for protocols that were given as numbers.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
PROTOCOLS = {"all": ALL, "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
WITH_PORTS = ("tcp", "udp")
WITH_TYPES = ("icmp", "icmpv6")

# The list of a rule's peers in an IpPermission, and the key in the list's items.
PEERS = {
    "cidr": ("IpRanges", "CidrIp"),
    "group": ("UserIdGroupPairs", "GroupId"),
    "ipv6 cidr": ("Ipv6Ranges", "CidrIpv6"),
    "prefix list": ("PrefixListIds", "PrefixListId"),
}
ANY = -1  # of ICMP types and codes


@dataclass(frozen=True, order=True)
class Rule:
    """A rule as AWS counts rules: one protocol, one port range, and one peer.

    `first` and `last` are the port range, or ICMP's type and code; -1 means any, or a protocol without ports. `peer` is
    a CIDR block, the name of an own group or of a prefix list of AWS, or the id of another group or prefix list.
    """

    way: Way
    protocol: str
    first: int
    last: int
    kind: str
    peer: str

    def __str__(self) -> str:
        protocol = "all" if self.protocol == ALL else self.protocol
        return f"{protocol}{self._numbers()} {'from' if self.way == 'ingress' else 'to'} {self.peer}"

    def _numbers(self) -> str:
        if self.first < 0:
            return ""
        if self.protocol in WITH_TYPES:
            return f" type {self.first}" + (f" code {self.last}" if self.last >= 0 else "")
        return f" {self.first}" if self.first == self.last else f" {self.first}-{self.last}"


# The rules that AWS gives a new group: the second one if the VPC has an IPv6 CIDR block.
# https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
OPEN_EGRESS = Rule("egress", ALL, -1, -1, "cidr", "0.0.0.0/0")
OPEN_EGRESS_IPV6 = Rule("egress", ALL, -1, -1, "ipv6 cidr", "::/0")


def group_ref(name: str) -> Ref:
    """Return the reference to the id of the security group `name`."""
    return Ref("security group", name)


def prefix_list_ref(name: str) -> Ref:
    """Return the reference to the id of AWS' prefix list `name`."""
    return Ref("prefix list", name)


def permission(rule: Rule, description: str = "") -> dict[str, t.Any]:
    """Return the IpPermission that adds the rule, with a Ref for an own group or a prefix list of AWS."""
    peers, key = PEERS[rule.kind]
    peer: t.Any = rule.peer
    if rule.kind == "group" and not SECURITY_GROUP_ID.fullmatch(rule.peer):
        peer = group_ref(rule.peer)
    if rule.kind == "prefix list" and not PREFIX_LIST_ID.fullmatch(rule.peer):
        peer = prefix_list_ref(rule.peer)
    item = {key: peer, **({"Description": description} if description else {})}
    return {**_ports(rule), peers: [item]}


def _ports(rule: Rule) -> dict[str, t.Any]:
    if rule.protocol in (*WITH_PORTS, *WITH_TYPES):
        return {"IpProtocol": rule.protocol, "FromPort": rule.first, "ToPort": rule.last}
    return {"IpProtocol": rule.protocol}


@dataclass(frozen=True)
class Existing:
    """A rule's description, and the IpPermission that removes only this rule."""

    description: str
    permission: t.Mapping[str, t.Any]


def existing_rules(group: t.Mapping[str, t.Any], names: t.Mapping[str, str]) -> dict[Rule, Existing]:
    """Return the rules of a described group, in which AWS merges rules.

    `names` maps the ids of own groups and of AWS' prefix lists to names.
    """
    rules: dict[Rule, Existing] = {}
    for way, key in zip(WAYS, ("IpPermissions", "IpPermissionsEgress"), strict=True):
        for merged in group.get(key, []):
            rules.update(_split(way, merged, names))
    return rules


def _split(way: Way, merged: t.Mapping[str, t.Any], names: t.Mapping[str, str]) -> t.Iterator[tuple[Rule, Existing]]:
    protocol = PROTOCOLS.get(merged["IpProtocol"], merged["IpProtocol"])
    numbered = protocol in (*WITH_PORTS, *WITH_TYPES)
    first, last = (merged.get("FromPort", ANY), merged.get("ToPort", ANY)) if numbered else (ANY, ANY)
    if protocol in WITH_TYPES and first == ANY:
        last = ANY  # all types have all codes
    for kind, (peers, key) in PEERS.items():
        for item in merged.get(peers, []):
            peer = canonical(item[key]) if kind == "ipv6 cidr" else names.get(item[key], item[key])
            rule = Rule(way, protocol, first, last, kind, peer)
            alone = {name: value for name, value in item.items() if name in (key, "UserId")}
            yield rule, Existing(item.get("Description", ""), {**_ports(rule), peers: [alone]})


def canonical(block: str) -> str:
    """Return an IPv6 CIDR block in the spelling of RFC 5952, or a text that is not one as it is."""
    try:
        return str(IPv6Network(block, strict=False))
    except (AddressValueError, NetmaskValueError, ValueError):
        return block


class PrefixList(t.NamedTuple):
    """A prefix list. `weight` is how many rules it counts as in a quota."""

    id: str
    name: str
    ipv6: bool
    weight: int


def places(rules: t.Iterable[Rule], way: Way, lists: t.Mapping[str, PrefixList]) -> int:
    """Return how many of the rules that a quota allows these rules take. `lists` has prefix lists by peer.

    The quota is enforced separately for IPv4 and IPv6; a rule with a group counts for both.
    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
    """
    taken = {False: 0, True: 0}
    for rule in rules:
        if rule.way == way:
            known = lists.get(rule.peer)
            for ipv6 in _versions(rule, known):
                taken[ipv6] += known.weight if known else 1
    return max(taken.values())


def _versions(rule: Rule, known: PrefixList | None) -> tuple[bool, ...]:
    if rule.kind == "group":
        return (False, True)
    return (known.ipv6 if known else rule.kind == "ipv6 cidr",)
