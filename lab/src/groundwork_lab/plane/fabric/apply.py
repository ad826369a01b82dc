"""Doing a `Difference`: netlink through pyroute2, rulesets through `nft -f`, sysctls through /proc.

Every step is safe to repeat: additions replace, removals of what is gone are no error. A step that fails is
reported and does not stop those of other namespaces.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from groundwork_lab.journal import Entry, Journal
from groundwork_lab.plane.fabric import namespaces
from groundwork_lab.plane.fabric.kernel import Address, Delta, Difference, End, Link, Namespace, Route, Rule, Sysctl
from groundwork_lab.processes import NETNS, in_namespace

# Marks our routes, so that we read back only ours: a number that rt_protos of iproute2 leaves free.
PROTOCOL = 94
_ONLINK = 4  # RTNH_F_ONLINK of linux/rtnetlink.h
_LINK_SCOPE = 253  # RT_SCOPE_LINK
_CARRIER_DEADLINE = 5.0  # seconds; it takes milliseconds
_GONE = (errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL)
_PROC_SYS = Path("/proc/sys")


@dataclass(frozen=True)
class Failure:
    """A step that did not work: which one, where, and what the kernel or nft said."""

    step: str
    namespace: str
    error: Exception

    def __str__(self) -> str:
        said = str(self.error)
        if isinstance(self.error, subprocess.CalledProcessError):
            said = "nft: " + str(self.error.stderr).partition("\n")[0]  # the rest follows from the first error
        return f"{self.step} {self.namespace}: {said}"


def apply(change: Difference, journal: Journal) -> list[Failure]:
    """Make the difference, in its order; what failed is returned."""
    failures: list[Failure] = []

    def attempt(step: str, namespace: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, NetlinkError, subprocess.CalledProcessError) as error:
            failures.append(Failure(step, namespace, error))

    for namespace in change.created:
        attempt("make namespace", namespace.name, partial(create, namespace, journal))
    for name, devices in _cuts(change).items():
        attempt("cut links of", name, partial(_cut, name, devices))
    for name, links in _by_near_end(change.joined).items():
        attempt("join links of", name, partial(_join, name, links))
    for delta in change.deltas:
        attempt("configure", delta.namespace, partial(_configure, delta))
    for name, links in _by_near_end(change.joined).items():
        attempt("await links of", name, partial(_await_links, name, links))
    for name in change.removed:
        attempt("remove namespace", name, partial(remove, name, journal))
    return failures


def create(namespace: Namespace, journal: Journal) -> None:
    """Make an empty namespace with its sysctls, which devices inherit when they come, and its loopback up.

    A namespace's loopback is born down: its own addresses, on whatever device, answer to itself only when it is up.
    """
    general = [sysctl for sysctl in namespace.sysctls if sysctl.device is None]

    def prepare() -> None:
        _write_sysctls(general)
        with IPRoute() as netlink:
            netlink.link("set", index=_index("lo"), state="up")

    namespaces.create(namespace.name, journal, prepare)


def remove(name: str, journal: Journal) -> None:
    namespaces.remove(name)
    journal.strike(Entry("namespace", name))


# --- links -------------------------------------------------------------------------------------------------


def _cuts(change: Difference) -> dict[str, list[str]]:
    """The devices to delete, by namespace: one end of each link, preferably one whose namespace stays.

    When both go, the link goes with them.
    """
    removed = set(change.removed)
    cuts: dict[str, list[str]] = {}
    for link in change.cut:
        staying = [end for end in link.ends if end.namespace not in removed]
        if staying:
            cuts.setdefault(staying[0].namespace, []).append(staying[0].device)
    return cuts


def _by_near_end(links: Iterable[Link]) -> dict[str, list[Link]]:
    grouped: dict[str, list[Link]] = {}
    for link in links:
        grouped.setdefault(link.near.namespace, []).append(link)
    return grouped


def _cut(namespace: str, devices: Iterable[str]) -> None:
    def work() -> None:
        with IPRoute() as netlink:
            for device in devices:
                _unless_gone(partial(_delete_device, netlink, device))

    in_namespace(namespace, work)


def _join(namespace: str, links: Iterable[Link]) -> None:
    def work() -> None:
        with IPRoute() as netlink:
            for link in links:
                _make_link(netlink, link)

    in_namespace(namespace, work)


def _make_link(netlink: IPRoute, link: Link) -> None:
    """Both ends are born in their namespaces: neither passes through the machine's own."""
    far = os.open(NETNS / link.far.namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        netlink.link("add", kind="veth", peer={**_attributes(link.far), "net_ns_fd": far}, **_attributes(link.near))
    finally:
        os.close(far)


def _await_links(namespace: str, links: Iterable[Link]) -> None:
    """Wait until packets pass.

    The end of a link that comes up first gets its carrier, and with it its queue, from a worker of the kernel
    (net/core/link_watch.c) a little after the other end came up: until then it drops what it should send, and a
    lost first packet costs TCP a second. Near ends come up first, so that one look at a router tells.
    """
    devices = {link.near.device for link in links}

    def work() -> None:
        deadline = time.monotonic() + _CARRIER_DEADLINE
        with IPRoute() as netlink:
            while missing := devices - _operating(netlink):
                if time.monotonic() > deadline:
                    raise TimeoutError(errno.ETIMEDOUT, "no carrier", ", ".join(sorted(missing)))
                select.select([], [], [], 0.002)

    in_namespace(namespace, work)


def _operating(netlink: IPRoute) -> set[str]:
    """The devices that carry packets; RFC 2863's operational status."""
    return {str(link.get("ifname")) for link in netlink.get_links() if link.get("operstate") == "UP"}


def _attributes(end: End) -> dict[str, str]:
    return {"ifname": end.device, **({"address": end.mac} if end.mac else {})}


# --- inside one namespace ----------------------------------------------------------------------------------


def _configure(delta: Delta) -> None:
    in_namespace(delta.namespace, lambda: _configure_here(delta))


def _configure_here(delta: Delta) -> None:
    """Filters before paths, new paths before old ones go."""
    if delta.ruleset is not None:
        load_ruleset(delta.ruleset)
    _write_sysctls(delta.sysctls)
    if delta == Delta(delta.namespace, ruleset=delta.ruleset, sysctls=delta.sysctls):
        return
    with IPRoute() as netlink:
        for address in delta.addresses:
            netlink.addr("replace", **_address(address))
        for device in delta.devices:
            netlink.link("set", index=_index(device), state="up")
        for route in delta.routes:
            netlink.route("replace", **_route(route))
        for rule in delta.rules:
            _unless((errno.EEXIST,), partial(netlink.rule, "add", **_rule(rule)))
        for rule in delta.stale_rules:
            _unless_gone(partial(netlink.rule, "del", **_rule(rule)))
        for route in delta.stale_routes:
            _unless_gone(partial(_delete_route, netlink, route))
        for address in delta.stale_addresses:
            _unless_gone(partial(_delete_address, netlink, address))


def load_ruleset(body: str) -> None:
    """Replace the calling thread's namespace's table `ip fabric` as one transaction. Raises CalledProcessError."""
    table = f"table ip fabric {{\n{body}}}\n" if body else ""
    text = f"add table ip fabric\ndelete table ip fabric\n{table}"
    subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, check=True)


def _write_sysctls(sysctls: Iterable[Sysctl]) -> None:
    """IPv6 settings are left out on a kernel that has no IPv6."""
    for sysctl in sysctls:
        path = _PROC_SYS / sysctl.key
        if sysctl.key.startswith("net/ipv6/") and not path.exists():
            continue
        path.write_text(sysctl.value, encoding="ascii")


def _address(address: Address) -> dict[str, object]:
    return {
        "index": _index(address.device),
        "address": str(address.address.ip),
        "prefixlen": address.address.network.prefixlen,
    }


def _route(route: Route) -> dict[str, object]:
    fields: dict[str, object] = {"dst": str(route.destination), "table": route.table, "proto": PROTOCOL}
    if route.device is None:
        return {**fields, "type": "blackhole"}
    fields["oif"] = _index(route.device)
    if route.gateway is None:
        return {**fields, "scope": _LINK_SCOPE}
    return {**fields, "gateway": str(route.gateway), "flags": _ONLINK}


def _rule(rule: Rule) -> dict[str, object]:
    fields: dict[str, object] = {"family": socket.AF_INET, "priority": rule.priority}
    if rule.table is None:
        fields["action"] = "blackhole"
    else:
        fields["table"] = rule.table
    if rule.incoming is not None:
        fields["iifname"] = rule.incoming
    if rule.destination is not None:
        fields |= {"dst": str(rule.destination.network_address), "dst_len": rule.destination.prefixlen}
    if rule.mark is not None:
        fields["fwmark"] = rule.mark
    return fields


def _delete_device(netlink: IPRoute, device: str) -> None:
    netlink.link("del", index=_index(device))


def _delete_route(netlink: IPRoute, route: Route) -> None:
    netlink.route("del", **_route(route))


def _delete_address(netlink: IPRoute, address: Address) -> None:
    netlink.addr("del", **_address(address))


def _index(device: str) -> int:
    """A device's number in the calling thread's namespace; Python's own OSError carries no errno."""
    try:
        return socket.if_nametoindex(device)
    except OSError as error:
        raise OSError(errno.ENODEV, "no such device", device) from error


def _unless_gone(step: Callable[[], object]) -> None:
    _unless(_GONE, step)


def _unless(accepted: tuple[int, ...], step: Callable[[], object]) -> None:
    """Do it; these errors say that it is done already."""
    try:
        step()
    except NetlinkError as error:
        if error.code not in accepted:
            raise
    except OSError as error:
        if error.errno not in accepted:
            raise
