"""The desired state of the kernel's networking as values, and the difference between two states.

Nothing here accesses the machine: `compute` builds a `Kernel`, `difference` compares two, `apply` applies the result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import TypeVar

MAIN_TABLE = 254  # RT_TABLE_MAIN of linux/rtnetlink.h
DEFAULT = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Address:
    device: str
    address: IPv4Interface


@dataclass(frozen=True)
class Route:
    """A route to `destination`. Without a device it is a blackhole route: packets are dropped silently.

    The gateway may be outside of the networks of the device (`onlink` of ip-route(8)).
    """

    destination: IPv4Network
    device: str | None = None
    gateway: IPv4Address | None = None
    table: int = MAIN_TABLE

    @property
    def key(self) -> tuple[int, IPv4Network]:
        """Return the key that is unique in the kernel."""
        return (self.table, self.destination)


@dataclass(frozen=True)
class Rule:
    """A policy routing rule. Without a table, matching packets are dropped."""

    priority: int
    table: int | None
    incoming: str | None = None  # device
    destination: IPv4Network | None = None
    mark: int | None = None


@dataclass(frozen=True)
class Sysctl:
    """A sysctl. `key` is a path below /proc/sys. With a device it is set after the device is created."""

    key: str
    value: str
    device: str | None = None


@dataclass(frozen=True)
class End:
    """One end of a link. Without a MAC address, the kernel assigns a random one."""

    namespace: str
    device: str
    mac: str | None = None


@dataclass(frozen=True)
class Link:
    """A pair of virtual Ethernet devices, from a router (near) to the namespace behind it (far)."""

    near: End
    far: End

    @property
    def ends(self) -> tuple[End, End]:
        return (self.near, self.far)


@dataclass(frozen=True)
class Namespace:
    """A network namespace. Its devices are the ends of its links. They are always up, and so is `lo`.

    A `confined` one belongs to a user namespace of its own. `ruleset` is the body of the nftables table `ip fabric`, ""
    for none, or None if it is unknown and so never equal to a desired one. The sysctls of a namespace that was read
    back are unknown too.
    """

    name: str
    sysctls: tuple[Sysctl, ...] = ()  # in the order in which they are written
    addresses: frozenset[Address] = frozenset()
    routes: frozenset[Route] = frozenset()
    rules: frozenset[Rule] = frozenset()
    ruleset: str | None = ""
    confined: bool = False


@dataclass(frozen=True)
class Kernel:
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    links: frozenset[Link] = frozenset()


@dataclass(frozen=True)
class Delta:
    """The changes in one namespace."""

    namespace: str
    devices: tuple[str, ...] = ()  # new devices to bring up
    sysctls: tuple[Sysctl, ...] = ()
    ruleset: str | None = None  # None if it is unchanged
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()  # routes to add or to replace by key
    rules: tuple[Rule, ...] = ()
    stale_addresses: tuple[Address, ...] = ()
    stale_routes: tuple[Route, ...] = ()
    stale_rules: tuple[Rule, ...] = ()

    @property
    def empty(self) -> bool:
        return self == Delta(self.namespace)


@dataclass(frozen=True)
class Difference:
    """All changes, in the order of the fields. The deltas of routers come first."""

    created: tuple[Namespace, ...] = ()
    cut: tuple[Link, ...] = ()
    joined: tuple[Link, ...] = ()
    deltas: tuple[Delta, ...] = ()
    removed: tuple[str, ...] = ()  # namespaces

    @property
    def empty(self) -> bool:
        return self == Difference()


def difference(before: Kernel, after: Kernel) -> Difference:
    """Return the changes from one state to the other."""
    created = [after.namespaces[name] for name in sorted(after.namespaces.keys() - before.namespaces.keys())]
    removed = sorted(before.namespaces.keys() - after.namespaces.keys())
    cut, joined = before.links - after.links, after.links - before.links
    lost, new = _devices(cut), _devices(joined)
    routers = {link.near.namespace for link in after.links}
    deltas = [
        _delta(before.namespaces.get(name) or _fresh(wanted), wanted, lost.get(name, ()), new.get(name, ()))
        for name, wanted in sorted(after.namespaces.items(), key=lambda item: (item[0] not in routers, item[0]))
    ]
    return Difference(
        created=tuple(created),
        cut=_ordered(cut),
        joined=_ordered(joined),
        deltas=tuple(delta for delta in deltas if not delta.empty),
        removed=tuple(removed),
    )


def _fresh(wanted: Namespace) -> Namespace:
    """Return a new namespace, which has the sysctls that devices inherit and nothing else."""
    return Namespace(wanted.name, sysctls=tuple(sysctl for sysctl in wanted.sysctls if sysctl.device is None))


def _devices(links: Iterable[Link]) -> dict[str, set[str]]:
    """Return the devices of links by namespace."""
    devices: dict[str, set[str]] = {}
    for link in links:
        for end in link.ends:
            devices.setdefault(end.namespace, set()).add(end.device)
    return devices


def _delta(before: Namespace, after: Namespace, lost: Collection[str], new: Collection[str]) -> Delta:
    """Return the changes in one namespace. Addresses and routes of a deleted device were deleted with it."""
    addresses = {address for address in before.addresses if address.device not in lost}
    routes = {route for route in before.routes if route.device not in lost}
    sysctls = {sysctl for sysctl in before.sysctls if sysctl.device is None or sysctl.device not in lost}
    replaced = {route.key for route in after.routes}
    return Delta(
        namespace=after.name,
        devices=tuple(sorted(new)),
        sysctls=tuple(sysctl for sysctl in after.sysctls if sysctl not in sysctls),
        ruleset=after.ruleset if after.ruleset != before.ruleset else None,
        addresses=_ordered(after.addresses - addresses),
        routes=_ordered(after.routes - routes),
        rules=_ordered(after.rules - before.rules),
        stale_addresses=_ordered(addresses - after.addresses),
        stale_routes=_ordered(route for route in routes - after.routes if route.key not in replaced),
        stale_rules=_ordered(before.rules - after.rules),
    )


T = TypeVar("T")


def _ordered(things: Iterable[T]) -> tuple[T, ...]:
    """Return the items in a stable order, so that logs and tests are comparable."""
    return tuple(sorted(things, key=repr))
