"""The lab's DNS: a resolver, the name servers of Route 53, and the registry that delegates to them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from groundwork_lab.apart import Apart
from groundwork_lab.journal import Journal
from groundwork_lab.model import HostedZone, World
from groundwork_lab.plane.names import config
from groundwork_lab.plane.names.daemons import NameServer, Resolver, write_atomically
from groundwork_lab.plane.names.records import endpoints, records
from groundwork_lab.plane.names.zones import by_name, hosted_zone, is_within, local_domains, local_zones, parent_zone
from groundwork_lab.settings import NAME_SERVERS, PARENT, REGISTRY, Settings


class Names:
    """The processes of the lab's DNS, and their files in the state folder's `names`.

    A domain exists for the resolver when it is registered. A hosted zone that is not, also one with the name of a
    domain that exists on the real internet, does not.
    """

    def __init__(self, settings: Settings, journal: Journal, global_endpoints: Collection[str]) -> None:
        self._folder = settings.state / "names"
        namespace = settings.namespace("aws")
        self._own = [*local_domains(), *(domain for domain, _ in endpoints(global_endpoints)), REGISTRY]
        self._resolver = Resolver(self._folder, namespace, journal, global_endpoints)
        self._parent = NameServer(self._folder / "parent", PARENT, namespace, journal)
        self._servers = [
            NameServer(self._folder / f"set-{number}", address, namespace, journal)
            for number, address in enumerate(NAME_SERVERS)
        ]
        self._used: set[int] = set()  # the delegation sets whose name servers run
        self._registered: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()  # guards the processes, because the registrar changes the parent

    def start(self) -> None:
        """Write the files and start the resolver and the parent. Raise OSError or NamesError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        machines = Path("/etc/nsswitch.conf")
        write_atomically(self._folder / "resolv.conf", config.resolv_conf())
        write_atomically(self._folder / "nsswitch.conf", config.nsswitch(machines.read_text(encoding="utf-8")))
        with self._lock:
            self._resolver.start(local_zones({}))
            self._follow_registry()

    def reconcile(self, world: World) -> None:
        """Answer with the records of `world`. Raise UnservedError with the resources whose names cannot be served."""
        apart = Apart()
        names = by_name(records(world, apart))
        with self._lock:
            self._resolver.apply(local_zones(names), self._blocked(world))
            self._follow_registry()
            for number, server in enumerate(self._servers):
                zones = [each for each in world.hosted_zones.values() if each.delegation == number]
                if zones or number in self._used:
                    self._used.add(number)
                    self._serve(server, {each.name: (each.id, hosted_zone(each, names)) for each in zones}, apart)
        apart.end()

    def _serve(self, server: NameServer, zones: Mapping[str, tuple[str, str]], apart: Apart) -> None:
        for name, error in server.apply(zones):
            self._resolver.forget(name)
            if error is not None:
                apart.reasons.setdefault(zones[name][0], str(error))

    def _blocked(self, world: World) -> frozenset[str]:
        return frozenset(name for each in world.hosted_zones.values() if (name := self._outside(each)))

    def _outside(self, zone: HostedZone) -> str:
        """Return the name of a zone that nothing in the lab can delegate, or "" for others and for the lab's names."""
        name = zone.name.rstrip(".")
        return "" if any(is_within(own, name) or is_within(name, own) for own in self._own) else name

    # The registrar, for `groundwork_lab.registrar`

    @property
    def registered(self) -> Mapping[str, tuple[str, ...]]:
        """Return the name servers of the registered domains. All names are without the final dot."""
        return dict(self._registered)

    def register(self, domain: str, name_servers: Sequence[str]) -> None:
        """Register a domain with these name servers, or change them."""
        with self._lock:
            self._registered[domain] = tuple(name_servers)
            self._follow_registry()
            self._resolver.forget(domain)

    def deregister(self, domain: str) -> None:
        with self._lock:
            del self._registered[domain]
            self._follow_registry()
            self._resolver.forget(domain)

    def _follow_registry(self) -> None:
        for _, error in self._parent.apply({f"{REGISTRY}.": ("parent", parent_zone(self._registered))}):
            if error is not None:
                raise error

    def close(self) -> None:
        for server in (*self._servers, self._parent):
            server.close()
        self._resolver.close()
