"""Application of a `Difference`: netlink through pyroute2, rulesets through `nft -f`, sysctls through /proc.

All steps can be repeated: additions replace, and removing a missing object is not an error. A failed step is reported
and does not stop the steps of other namespaces.
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

# Marks the lab's routes, so that only these are read back. The number is unused in rt_protos of iproute2.
PROTOCOL = 94
_ONLINK = 4  # RTNH_F_ONLINK of linux/rtnetlink.h
_LINK_SCOPE = 253  # RT_SCOPE_LINK
_CARRIER_DEADLINE = 5.0  # seconds; it usually takes milliseconds
_GONE = (errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL)
_PROC_SYS = Path("/proc/sys")


@dataclass(frozen=True)
class Failure:
    """A failed step: its name, its namespace, and the error of the kernel or of nft."""

    step: str
    namespace: str
    error: Exception

    def __str__(self) -> str:
        said = str(self.error)
        if isinstance(self.error, subprocess.CalledProcessError):
            said = "nft: " + str(self.error.stderr).partition("\n")[0]  # the other errors follow from the first one
        return f"{self.step} {self.namespace}: {said}"


def apply(change: Difference, journal: Journal) -> list[Failure]:
    """Apply the difference in order, and return the failed steps."""
    failures: list[Failure] = []

    def attempt(step: str, namespace: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, NetlinkError, subprocess.CalledProcessError) as error:
            failures.append(Failure(step, namespace, error))

    for namespace in change.created:
        attempt("create namespace", namespace.name, partial(create, namespace, journal))
    for name, devices in _cuts(change).items():
        attempt("delete links of", name, partial(_cut, name, devices))
    for name, links in _by_near_end(change.joined).items():
        attempt("create links of", name, partial(_join, name, links))
    for delta in change.deltas:
        attempt("configure", delta.namespace, partial(_configure, delta))
    for name, links in _by_near_end(change.joined).items():
        attempt("wait for links of", name, partial(_await_links, name, links))
    for name in change.removed:
        attempt("remove namespace", name, partial(remove, name, journal))
    return failures


def create(namespace: Namespace, journal: Journal) -> None:
    """Create an empty namespace with its sysctls, which new devices inherit, and its loopback device up.

    The loopback device of a new namespace is down. The namespace can reach its own addresses, on any device, only when
    the loopback device is up.
    """
    general = [sysctl for sysctl in namespace.sysctls if sysctl.device is None]

    def prepare() -> None:
        _write_sysctls(general)
        with IPRoute() as netlink:
            netlink.link("set", index=_index("lo"), state="up")

    namespaces.create(namespace.name, journal, prepare, confined=namespace.confined)


def remove(name: str, journal: Journal) -> None:
    namespaces.remove(name)
    journal.strike(Entry("namespace", name))


# --- links -------------------------------------------------------------------------------------------------


def _cuts(change: Difference) -> dict[str, list[str]]:
    """Return the devices to delete by namespace: one end of each link, in a namespace that stays.

    If both namespaces are removed, the link is deleted with them.
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
    """Create a link with each end in its namespace. Neither end is ever in the machine's own namespace."""
    far = os.open(NETNS / link.far.namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        netlink.link("add", kind="veth", peer={**_attributes(link.far), "net_ns_fd": far}, **_attributes(link.near))
    finally:
        os.close(far)


def _await_links(namespace: str, links: Iterable[Link]) -> None:
    """Wait until the links carry packets.

    The end that comes up first gets its carrier and its queue from a kernel worker (net/core/link_watch.c) some time
    after the other end comes up. Until then it drops packets, and a lost first packet delays TCP by a second. Near ends
    come up first, so that it is sufficient to check the router's devices.
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
    """Return the devices with operational status UP (RFC 2863)."""
    return {str(link.get("ifname")) for link in netlink.get_links() if link.get("operstate") == "UP"}


def _attributes(end: End) -> dict[str, str]:
    return {"ifname": end.device, **({"address": end.mac} if end.mac else {})}


# --- inside one namespace ----------------------------------------------------------------------------------


def _configure(delta: Delta) -> None:
    in_namespace(delta.namespace, lambda: _configure_here(delta))


def _configure_here(delta: Delta) -> None:
    """Apply the changes in this namespace: filters before routes, and new routes before old ones are removed."""
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
    """Replace the table `ip fabric` in the thread's namespace in one transaction. Raise CalledProcessError."""
    table = f"table ip fabric {{\n{body}}}\n" if body else ""
    text = f"add table ip fabric\ndelete table ip fabric\n{table}"
    subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, check=True)


def _write_sysctls(sysctls: Iterable[Sysctl]) -> None:
    """Write the sysctls, without IPv6 settings on a kernel without IPv6."""
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
    """Return the index of a device in the thread's namespace. Raise OSError with an errno, unlike Python."""
    try:
        return socket.if_nametoindex(device)
    except OSError as error:
        raise OSError(errno.ENODEV, "no such device", device) from error


def _unless_gone(step: Callable[[], object]) -> None:
    _unless(_GONE, step)


def _unless(accepted: tuple[int, ...], step: Callable[[], object]) -> None:
    """Call `step`, and ignore errors that mean that it is already done."""
    try:
        step()
    except NetlinkError as error:
        if error.code not in accepted:
            raise
    except OSError as error:
        if error.errno not in accepted:
            raise
