"""Reading of the kernel's state, for when it may differ from the last applied state (a failed step, a start)."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from pyroute2 import IPRoute

from groundwork_lab.plane.fabric.apply import PROTOCOL
from groundwork_lab.plane.fabric.kernel import MAIN_TABLE, Address, End, Kernel, Link, Namespace, Route, Rule
from groundwork_lab.plane.fabric.namespaces import existing
from groundwork_lab.processes import in_namespace
from groundwork_lab.settings import Settings

_BLACKHOLE_ROUTE = 6  # RTN_BLACKHOLE of linux/rtnetlink.h
_KERNELS_RULES = (0, 32766, 32767)  # priorities of the rules that each namespace has
_LOOPBACK = IPv4Interface("127.0.0.1/8")


@dataclass(frozen=True)
class Reading:
    """The state of one namespace, and the MAC addresses of its virtual Ethernet devices."""

    namespace: Namespace
    devices: Mapping[str, str] = field(default_factory=dict)


def observe(settings: Settings, wanted: Kernel) -> Kernel:
    """Return the current state of the lab's namespaces. Rulesets and sysctls are not read: they are unknown."""
    readings = {name: in_namespace(name, partial(_read, name)) for name in existing(settings)}
    devices = {name: reading.devices for name, reading in readings.items()}
    return Kernel(
        namespaces={name: reading.namespace for name, reading in readings.items()},
        links=present_links(wanted.links, devices),
    )


def present_links(wanted: frozenset[Link], devices: Mapping[str, Mapping[str, str]]) -> frozenset[Link]:
    """Return the wanted links with both ends present, and a stale link for each other device."""
    whole = frozenset(link for link in wanted if all(_present(end, devices) for end in link.ends))
    known = {(end.namespace, end.device) for link in whole for end in link.ends}
    stale = (
        End(namespace, device)
        for namespace, names in devices.items()
        for device in names
        if (namespace, device) not in known
    )
    return whole | {Link(end, end) for end in stale}


def _present(end: End, devices: Mapping[str, Mapping[str, str]]) -> bool:
    mac = devices.get(end.namespace, {}).get(end.device)
    return mac is not None and end.mac in (None, mac)


def _read(name: str) -> Reading:
    with IPRoute() as netlink:
        names = {link["index"]: str(link.get("ifname")) for link in netlink.get_links()}
        veths = {
            str(link.get("ifname")): str(link.get("address")) for link in netlink.get_links() if _kind(link) == "veth"
        }
        namespace = Namespace(
            name=name,
            addresses=frozenset(_addresses(netlink, names)),
            routes=frozenset(_routes(netlink, names)),
            rules=frozenset(_rules(netlink)),
            ruleset=None,
        )
    return Reading(namespace, veths)


def _kind(link: Mapping[str, object]) -> object:
    info = link.get("linkinfo")
    return info.get("kind") if isinstance(info, Mapping) else None


def _addresses(netlink: IPRoute, names: Mapping[int, str]) -> Iterator[Address]:
    for message in netlink.get_addr(family=socket.AF_INET):
        address = IPv4Interface((message.get("address"), message["prefixlen"]))
        if address != _LOOPBACK:
            yield Address(names[message["index"]], address)


def _routes(netlink: IPRoute, names: Mapping[int, str]) -> Iterator[Route]:
    for message in netlink.get_routes(family=socket.AF_INET):
        if message["proto"] != PROTOCOL:
            continue
        gateway, device = message.get("gateway"), message.get("oif")
        yield Route(
            destination=IPv4Network((message.get("dst") or 0, message["dst_len"])),
            device=None if message["type"] == _BLACKHOLE_ROUTE else names[device],
            gateway=IPv4Address(gateway) if gateway else None,
            table=message.get("table") or MAIN_TABLE,
        )


def _rules(netlink: IPRoute) -> Iterator[Rule]:
    for message in netlink.get_rules(family=socket.AF_INET):
        priority = message.get("priority") or 0
        if priority in _KERNELS_RULES:
            continue
        destination = message.get("dst")
        yield Rule(
            priority=priority,
            table=message.get("table") or None,
            incoming=message.get("iifname"),
            destination=IPv4Network((destination, message["dst_len"])) if destination else None,
            mark=message.get("fwmark"),
        )
