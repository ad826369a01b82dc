# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert security group rules between a canonical form and AWS' form."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import SECURITY_GROUP_ID
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


@dataclass(frozen=True, order=True)
class Rule:
    """A rule as AWS counts rules: one protocol, one port range, and one peer.

    `first` and `last` are the port range, or ICMP's type and code; -1 means any, or a protocol without ports. `peer` is
    a CIDR block, an own group's name, or another group's id.
    """

    way: Way
    protocol: str
    first: int
    last: int
    kind: str
    peer: str

    def __str__(self) -> str:
        protocol = "all" if self.protocol == ALL else self.protocol
        ports = "" if self.first < 0 else f" {self.first}" if self.first == self.last else f" {self.first}-{self.last}"
        return f"{protocol}{ports} {'from' if self.way == 'ingress' else 'to'} {self.peer}"


OPEN_EGRESS = Rule("egress", ALL, -1, -1, "cidr", "0.0.0.0/0")


def group_ref(name: str) -> Ref:
    """Return the reference to the id of the security group `name`."""
    return Ref("security group", name)


def permission(rule: Rule, description: str = "") -> dict[str, t.Any]:
    """Return the IpPermission that adds the rule, with a Ref for an own group."""
    peers, key = PEERS[rule.kind]
    peer: t.Any = rule.peer
    if rule.kind == "group" and not SECURITY_GROUP_ID.fullmatch(rule.peer):
        peer = group_ref(rule.peer)
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
    """Return the rules of a described group, in which AWS merges rules. `names` maps the ids of own groups to names."""
    rules: dict[Rule, Existing] = {}
    for way, key in zip(WAYS, ("IpPermissions", "IpPermissionsEgress"), strict=True):
        for merged in group.get(key, []):
            rules.update(_split(way, merged, names))
    return rules


def _split(way: Way, merged: t.Mapping[str, t.Any], names: t.Mapping[str, str]) -> t.Iterator[tuple[Rule, Existing]]:
    protocol = PROTOCOLS.get(merged["IpProtocol"], merged["IpProtocol"])
    numbered = protocol in (*WITH_PORTS, *WITH_TYPES)
    first, last = (merged.get("FromPort", -1), merged.get("ToPort", -1)) if numbered else (-1, -1)
    for kind, (peers, key) in PEERS.items():
        for item in merged.get(peers, []):
            peer = names.get(item[key], item[key])
            rule = Rule(way, protocol, first, last, kind, peer)
            alone = {name: value for name, value in item.items() if name in (key, "UserId")}
            yield rule, Existing(item.get("Description", ""), {**_ports(rule), peers: [alone]})
