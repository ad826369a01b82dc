"""Security groups and network ACLs as nftables chains. Pure functions.

A packet passes, in the same order as on AWS: the sender's security groups, the ACL of its subnet, the ACL of the
receiver's subnet, and the receiver's security groups. All four are in the router's forward hook. A packet that one of
them refuses is dropped there, so the order is not visible from outside.

- Security groups are stateful: packets of an accepted connection are accepted, unless its flow is untracked. A flow of
  TCP or UDP is untracked for an interface if a rule permits it for all addresses, and a rule in the other direction
  permits all addresses and ports. Each of its packets then needs a rule, so that a removed rule interrupts it. The
  mark of a connection contains for which interfaces it is untracked.
  https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
- Network ACLs are stateless, evaluated in the order of their numbers, and apply to the subnet's boundary only.
  https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, collapse_addresses
from typing import Literal

from groundwork_lab.model import Interface, NetworkAcl, NetworkAclEntry, SecurityGroup, SecurityGroupRule, World
from groundwork_lab.plane.fabric.naming import device_name
from groundwork_lab.plane.fabric.topology import Network

Direction = Literal["egress", "ingress"]
DIRECTIONS: tuple[Direction, ...] = ("egress", "ingress")
INDENT = "  "

_NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "all": "-1"}
_PORTS = ("tcp", "udp")
_GATES = {"egress": "sender", "ingress": "receiver"}
_OWN_DEVICE = {"egress": "iifname", "ingress": "oifname"}
_OTHER_DEVICE = {"egress": "oifname", "ingress": "iifname"}
_REMOTE = {"egress": "ip daddr", "ingress": "ip saddr"}
_ANY = IPv4Network("0.0.0.0/0")
# Bits of a connection's mark: the flow is untracked for the interface that began it, and for the other one.
_UNTRACKED = {"egress": 1, "ingress": 2}


def elements(items: Iterable[object]) -> str:
    return "{ " + ", ".join(str(item) for item in items) + " }"


def quoted(devices: Iterable[str]) -> list[str]:
    return [f'"{device}"' for device in devices]


def block(head: str, lines: Iterable[str]) -> list[str]:
    """Return a `chain` or `set` with indented lines."""
    return [f"{head} {{", *(INDENT + line for line in lines), "}"]


def protocol_match(protocol: str, from_port: int | None, to_port: int | None) -> str | None:
    """Return an nftables match for a rule's protocol and ports: "" for all packets, None if no packet can match.

    For ICMP, the ports are type and code, -1 for any.
    """
    name = _NAMES.get(protocol, protocol)
    if name == "-1":
        return ""
    if name in _PORTS:
        return _port_match(name, from_port, to_port)
    if name == "icmp":
        return _icmp_match(from_port, to_port)
    return f"meta l4proto {name}" if name.isdigit() and int(name) <= 255 else None


def _port_match(name: str, from_port: int | None, to_port: int | None) -> str:
    low = 0 if from_port is None or from_port < 0 else from_port
    high = 65535 if to_port is None or to_port < 0 else to_port
    if (low, high) == (0, 65535):
        return f"meta l4proto {name}"
    return f"{name} dport {low}" if low == high else f"{name} dport {low}-{high}"


def _icmp_match(kind: int | None, code: int | None) -> str:
    if kind is None or kind < 0:
        return "meta l4proto icmp"
    return f"icmp type {kind}" if code is None or code < 0 else f"icmp type {kind} icmp code {code}"


def statement(*parts: str) -> str:
    return " ".join(part for part in parts if part)


# --- security groups ---------------------------------------------------------------------------------------


def group_lines(world: World, network: Network) -> list[str]:
    """Return the sets of members of referenced groups, and a chain per combination of groups and direction."""
    lines: list[str] = []
    for group_id in _referenced(world, network):
        lines += block(f"set {group_id}", _member_set(world, network, group_id))
    for number, groups in enumerate(_combinations(network), start=1):
        for direction in DIRECTIONS:
            lines += block(f"chain {_groups_chain(direction, number)}", _groups_chain_lines(world, groups, direction))
    return lines


def group_gates(network: Network) -> list[str]:
    """Return the chains `sender` and `receiver` with the jumps into these chains, which skip tracked connections.

    An interface without groups (NAT gateway) has no jump.
    """
    numbers = {groups: number for number, groups in enumerate(_combinations(network), start=1)}
    guarded = [interface for interface in network.interfaces.values() if interface.security_group_ids]
    lines: list[str] = []
    for direction in DIRECTIONS:
        jumps = (
            f'"{device_name(interface.id)}" : jump {_groups_chain(direction, numbers[_groups(interface)])}'
            for interface in guarded
        )
        gate = [f"{_OWN_DEVICE[direction]} vmap {elements(jumps)}"] if guarded else []
        lines += block(f"chain {_GATES[direction]}", [*_tracked(direction), *gate])
    return lines


def _tracked(direction: Direction) -> list[str]:
    """Return the lines that leave a gate with the packets of connections that are tracked for its interface."""
    other: Direction = "ingress" if direction == "egress" else "egress"
    sides = (("original", _UNTRACKED[direction]), ("reply", _UNTRACKED[other]))
    return [f"ct state established ct direction {side} ct mark and {bit} == 0 return" for side, bit in sides]


def _groups(interface: Interface) -> tuple[str, ...]:
    return tuple(sorted(set(interface.security_group_ids)))


def _combinations(network: Network) -> list[tuple[str, ...]]:
    return sorted({_groups(interface) for interface in network.interfaces.values() if interface.security_group_ids})


def _groups_chain(direction: Direction, number: int) -> str:
    return f"{direction}-groups-{number}"


def _rules(group: SecurityGroup, direction: Direction) -> tuple[SecurityGroupRule, ...]:
    return group.egress if direction == "egress" else group.ingress


def _referenced(world: World, network: Network) -> list[str]:
    groups = {group_id for groups in _combinations(network) for group_id in groups}
    return sorted(
        {
            referenced
            for group_id in groups & world.security_groups.keys()
            for direction in DIRECTIONS
            for rule in _rules(world.security_groups[group_id], direction)
            for referenced in rule.group_ids
        }
    )


def _member_set(world: World, network: Network, group_id: str) -> list[str]:
    """Return the set of a referenced group: the private addresses of its members in this VPC."""
    members = sorted(
        interface.private_ip
        for interface in world.interfaces.values()
        if group_id in interface.security_group_ids and interface.subnet_id in network.subnets
    )
    return ["type ipv4_addr", *([f"elements = {elements(members)}"] if members else [])]


def _groups_chain_lines(world: World, groups: Sequence[str], direction: Direction) -> list[str]:
    """Return the lines of a chain. A matching rule leaves the chain, and the end of the chain drops the packet."""
    present = [world.security_groups[group_id] for group_id in groups if group_id in world.security_groups]
    allowed = {line for group in present for rule in _rules(group, direction) for line in _allow(rule, direction)}
    marked = sorted(set(_untracked(present, direction)))
    return [f"# {', '.join(groups)}", *marked, *sorted(allowed), "drop"]


def _untracked(groups: Sequence[SecurityGroup], direction: Direction) -> Iterator[str]:
    """Yield the lines that mark new connections as untracked for the interface of this chain."""
    other: Direction = "ingress" if direction == "egress" else "egress"
    answered = {
        name for group in groups for rule in _rules(group, other) if _ANY in rule.cidrs for name in _whole(rule)
    }
    for group in groups:
        for rule in _rules(group, direction):
            match = protocol_match(rule.protocol, rule.from_port, rule.to_port)
            if match is None or _ANY not in rule.cidrs:
                continue
            for name in sorted(answered & _ported(rule)):
                whole = match or f"meta l4proto {name}"
                yield f"ct state new {whole} ct mark set ct mark or {_UNTRACKED[direction]}"


def _ported(rule: SecurityGroupRule) -> set[str]:
    """Return the protocols with ports that a rule is about."""
    name = _NAMES.get(rule.protocol, rule.protocol)
    return set(_PORTS) if name == "-1" else {name} & set(_PORTS)


def _whole(rule: SecurityGroupRule) -> set[str]:
    """Return the protocols that a rule permits with all ports."""
    name = _NAMES.get(rule.protocol, rule.protocol)
    every = protocol_match(rule.protocol, rule.from_port, rule.to_port) in ("", f"meta l4proto {name}")
    return _ported(rule) if every else set()


def _allow(rule: SecurityGroupRule, direction: Direction) -> Iterator[str]:
    match = protocol_match(rule.protocol, rule.from_port, rule.to_port)
    if match is None:
        return
    if rule.cidrs:
        yield statement(_networks(direction, rule.cidrs), match, "return")
    for group_id in rule.group_ids:
        yield statement(f"{_REMOTE[direction]} @{group_id}", match, "return")


def _networks(direction: Direction, cidrs: Iterable[IPv4Network]) -> str:
    """Return an address match. Overlapping networks are merged, because nftables does not permit them in a set."""
    merged = list(collapse_addresses(cidrs))
    if merged == [_ANY]:
        return ""
    return f"{_REMOTE[direction]} {merged[0] if len(merged) == 1 else elements(merged)}"


# --- network ACLs ------------------------------------------------------------------------------------------


def acl_lines(world: World, network: Network) -> list[str]:
    """Return a chain for each ACL and direction, and one for each subnet that skips traffic within the subnet."""
    subnets = _inhabited(network)
    lines: list[str] = []
    for acl_id in sorted({network.subnets[subnet_id].network_acl_id for subnet_id in subnets}):
        for direction in DIRECTIONS:
            lines += block(f"chain {_acl_chain(direction, acl_id)}", _acl_chain_lines(world, acl_id, direction))
    for subnet_id, devices in subnets.items():
        for direction in DIRECTIONS:
            acl = _acl_chain(direction, network.subnets[subnet_id].network_acl_id)
            inside = f"{_OTHER_DEVICE[direction]} {elements(quoted(devices))} return"
            lines += block(f"chain {_subnet_chain(direction, subnet_id)}", [inside, f"goto {acl}"])
    return lines


def acl_gates(network: Network) -> list[str]:
    """Return the jumps of the forward hook into the subnets' chains. All interfaces have one, also NAT gateways."""
    if not network.interfaces:
        return []
    return [
        f"{_OWN_DEVICE[direction]} vmap "
        + elements(
            f'"{device_name(interface.id)}" : jump {_subnet_chain(direction, interface.subnet_id)}'
            for interface in network.interfaces.values()
        )
        for direction in DIRECTIONS
    ]


def _inhabited(network: Network) -> Mapping[str, list[str]]:
    """Return the devices of each subnet that has interfaces."""
    devices = {
        subnet_id: [device_name(interface.id) for interface in network.members(subnet_id)]
        for subnet_id in network.subnets
    }
    return {subnet_id: names for subnet_id, names in devices.items() if names}


def _acl_chain(direction: Direction, acl_id: str) -> str:
    return f"{direction}-{acl_id or 'no-acl'}"


def _subnet_chain(direction: Direction, subnet_id: str) -> str:
    return f"{direction}-{subnet_id}"


def _acl_chain_lines(world: World, acl_id: str, direction: Direction) -> list[str]:
    """Return the lines of an ACL. The first matching rule decides. Without a match, or without the ACL, drop."""
    acl = world.network_acls.get(acl_id, NetworkAcl(acl_id, "", ()))
    entries = sorted(
        (entry for entry in acl.entries if entry.egress == (direction == "egress")), key=lambda entry: entry.number
    )
    return [line for entry in entries if (line := _acl_line(entry, direction))] + ["drop"]


def _acl_line(entry: NetworkAclEntry, direction: Direction) -> str | None:
    match = protocol_match(entry.protocol, entry.from_port, entry.to_port)
    if match is None:
        return None
    return statement(_networks(direction, [entry.cidr]), match, "return" if entry.allow else "drop")
