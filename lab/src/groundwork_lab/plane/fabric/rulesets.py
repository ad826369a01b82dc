"""The nftables rulesets of routers and gateways: the body of a table `ip fabric`. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network

from groundwork_lab.model import Interface, Vpc, World
from groundwork_lab.plane.fabric.filters import acl_gates, acl_lines, block, elements, group_gates, group_lines, quoted
from groundwork_lab.plane.fabric.naming import device_name
from groundwork_lab.plane.fabric.routing import AWS_DEVICE, DNS_MARK, GATEWAY_DEVICE
from groundwork_lab.plane.fabric.topology import Network
from groundwork_lab.settings import INTERNET, RESOLVER

UPLINK_DEVICE = "tap0"
VPC_DEVICE = "vpc"  # of an internet gateway, to the router of its VPC
INTERNET_DEVICE = "internet"  # of an internet gateway, to the backbone

METADATA = IPv4Address("169.254.169.254")
DNS = IPv4Address("169.254.169.253")

# Not routed on the internet: RFC 1918, RFC 6598, loopback, link-local, multicast, reserved.
UNROUTED = tuple(
    IPv4Network(cidr)
    for cidr in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def name_servers(vpc: Vpc) -> list[IPv4Address]:
    """Return the addresses of AmazonProvidedDNS in a VPC.

    https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
    """
    return [vpc.cidrs[0].network_address + 2, DNS] if vpc.dns_support else []


def checked(interface: Interface) -> bool:
    """Return whether an interface may send and receive only packets with its own address."""
    return interface.source_dest_check and interface.owner != "nat-gateway"


def router_ruleset(world: World, network: Network) -> str:
    """Return the ruleset of a VPC's router: source check, name server, ACLs and security groups."""
    lines = [
        *_check_sets(network),
        *group_lines(world, network),
        *group_gates(network),
        *acl_lines(world, network),
        *block("chain sources", _sources(network)),
        *_name_server_chains(network),
        *block("chain input", _input(network)),
        *block("chain forward", _forward(network)),
    ]
    return _text(lines)


def _check_sets(network: Network) -> list[str]:
    own = [interface for interface in network.interfaces.values() if checked(interface)]
    if not own:
        return []
    devices = quoted(device_name(interface.id) for interface in own)
    pairs = [f"{device} . {interface.private_ip}" for device, interface in zip(devices, own, strict=True)]
    return [
        *block("set checked", ["type ifname", f"elements = {elements(devices)}"]),
        *block("set own", ["type ifname . ipv4_addr", f"elements = {elements(pairs)}"]),
    ]


def _sources(network: Network) -> list[str]:
    check = ["iifname @checked iifname . ip saddr != @own drop"] if _check_sets(network) else []
    return ["type filter hook prerouting priority raw; policy accept;", *check]


def _name_server_chains(network: Network) -> list[str]:
    """Return the chains that send DNS to the resolver over the management link, regardless of route tables.

    The packets are marked before the routing rules are evaluated. Each packet needs a mark, as marks do not apply to
    connections.
    """
    servers = name_servers(network.vpc)
    mark = [
        f'iifname != {{ "{GATEWAY_DEVICE}", "{AWS_DEVICE}" }} ip daddr {elements(servers)} '
        f"meta l4proto {{ tcp, udp }} th dport 53 meta mark set {DNS_MARK}"
    ]
    return [
        *block(
            "chain name-server",
            ["type filter hook prerouting priority mangle; policy accept;", *(mark if servers else [])],
        ),
        *block(
            "chain destinations",
            ["type nat hook prerouting priority dstnat; policy accept;", f"meta mark {DNS_MARK} dnat to {RESOLVER}"],
        ),
        *block(
            "chain transfer",
            [
                "type nat hook postrouting priority srcnat; policy accept;",
                f'oifname "{AWS_DEVICE}" snat to {network.transfer}',
            ],
        ),
    ]


def _input(network: Network) -> list[str]:
    """Return the input chain. The router answers only for instance metadata, which groups and ACLs do not filter."""
    devices = quoted(device_name(name) for name in network.interfaces)
    metadata = [f"iifname {elements(devices)} ip daddr {METADATA} tcp dport 80 accept"] if devices else []
    return [
        "type filter hook input priority filter; policy drop;",
        "ct state { established, related } accept",
        *metadata,
    ]


def _forward(network: Network) -> list[str]:
    check = ["oifname @checked oifname . ip daddr != @own drop"] if _check_sets(network) else []
    return [
        "type filter hook forward priority filter; policy drop;",
        "ct state invalid drop",
        f"meta mark {DNS_MARK} accept",
        f'iifname "{AWS_DEVICE}" ip saddr {RESOLVER} ct state {{ established, related }} accept',
        *check,
        *acl_gates(network),
        "ct state related accept",
        "jump sender",
        "jump receiver",
        "accept",
    ]


def gateway_ruleset(network: Network, addresses: Mapping[IPv4Address, IPv4Address]) -> str:
    """Return the ruleset of an internet gateway: stateless translation of `addresses`, private to public.

    All other packets are dropped. There is no connection tracking, so that an address stops working as soon as it is
    removed. Its disadvantage: the packet in an ICMP error keeps its addresses, so that errors (traceroute, UDP port
    unreachable) that cross the gateway do not reach their sockets. Errors about packet sizes do not occur, because all
    links have the same MTU.
    """
    inside = elements([*UNROUTED, *(cidr for cidr in network.vpc.cidrs if not _unrouted(cidr))])
    outward = elements(f"{private} : {public}" for private, public in sorted(addresses.items()))
    inward = elements(f"{public} : {private}" for private, public in sorted(addresses.items()))
    translate = [
        f'iifname "{VPC_DEVICE}" ip daddr {inside} drop',
        f'iifname "{VPC_DEVICE}" ip saddr set ip saddr map {outward} accept',
        f'iifname "{INTERNET_DEVICE}" ip saddr {inside} drop',
        f'iifname "{INTERNET_DEVICE}" ip daddr set ip daddr map {inward} accept',
    ]
    lines = ["type filter hook prerouting priority raw; policy drop;", *(["notrack", *translate] if addresses else [])]
    return _text(block("chain translate", lines))


def _unrouted(cidr: IPv4Network) -> bool:
    return any(cidr.subnet_of(unrouted) for unrouted in UNROUTED)


def nat_ruleset(network: Network, interface: Interface) -> str:
    """Return the ruleset of a NAT gateway: packets from the VPC get its address; no other connection is accepted.

    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
    """
    inside = elements(network.vpc.cidrs)
    return _text(
        [
            *block("chain input", ["type filter hook input priority filter; policy drop;"]),
            *block(
                "chain forward",
                [
                    "type filter hook forward priority filter; policy drop;",
                    "ct state { established, related } accept",
                    f"ct state new ip saddr {inside} accept",
                ],
            ),
            *block(
                "chain sources",
                [
                    "type nat hook postrouting priority srcnat; policy accept;",
                    f"ip saddr {inside} snat to {interface.private_ip}",
                ],
            ),
        ]
    )


def backbone_ruleset() -> str:
    """Return the ruleset of the backbone, which restricts the traffic to the real internet.

    Only the AWS plane may reach private addresses there: a package mirror or name server may have one. Hosts use these
    through the AWS plane.
    """
    kept = elements([*UNROUTED, INTERNET])
    return _text(
        [
            *block(
                "chain input",
                [
                    "type filter hook input priority filter; policy drop;",
                    "ct state { established, related } accept",
                    "meta l4proto icmp accept",
                ],
            ),
            *block(
                "chain forward",
                [
                    "type filter hook forward priority filter; policy accept;",
                    f'iifname "{UPLINK_DEVICE}" ct state {{ established, related }} accept',
                    f'iifname "{UPLINK_DEVICE}" drop',
                    f'oifname "{UPLINK_DEVICE}" iifname "aws" accept',
                    f'oifname "{UPLINK_DEVICE}" ip daddr {kept} drop',
                ],
            ),
            *block(
                "chain sources",
                [
                    "type nat hook postrouting priority srcnat; policy accept;",
                    f'oifname "{UPLINK_DEVICE}" masquerade',
                ],
            ),
        ]
    )
