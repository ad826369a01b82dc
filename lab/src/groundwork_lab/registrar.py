"""The registrar, which `groundwork-lab register` speaks to: which name servers a domain below `test` has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from groundwork_lab.control import RefusalError
from groundwork_lab.model import HostedZone
from groundwork_lab.settings import REGISTRY, name_servers

DOMAIN = re.compile(rf"(?!awsdns-|nic\.)[a-z0-9]([a-z0-9-]{{0,61}}[a-z0-9])?\.{REGISTRY}")
HOST = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}")


class Registry(Protocol):
    """The functions of the lab's DNS that the registrar uses. Names are without the final dot."""

    @property
    def registered(self) -> Mapping[str, tuple[str, ...]]:
        """Return the name servers of the registered domains."""

    def register(self, domain: str, name_servers: Sequence[str]) -> None:
        """Register a domain with these name servers, or change them."""

    def deregister(self, domain: str) -> None:
        """Remove a registered domain."""


def listed(registry: Registry) -> list[dict[str, Any]]:
    """Return the registered domains with their name servers."""
    return [{"domain": domain, "name_servers": list(names)} for domain, names in sorted(registry.registered.items())]


def register(registry: Registry, zones: Iterable[HostedZone], body: Any) -> list[dict[str, Any]]:
    """Register the domain of a request, with name servers or with those of a hosted zone. Raise RefusalError."""
    domain = _domain(body.get("domain"))
    given = [_plain(name) for name in body.get("name_servers") or []]
    if wrong := [name for name in given if not HOST.fullmatch(name)]:
        raise RefusalError(f"{', '.join(wrong)}: a name server must be a host name, like {name_servers(0)[0]}.")
    registry.register(domain, given or name_servers(_zone(zones, domain, body.get("zone")).delegation))
    return listed(registry)


def deregister(registry: Registry, domain: str) -> list[dict[str, Any]]:
    """Remove a registered domain. Raise RefusalError if it is not registered."""
    name = _plain(domain)
    if name not in registry.registered:
        known = ", ".join(sorted(registry.registered)) or "none"
        raise RefusalError(f"The domain '{name}' is not registered; the registered domains are: {known}.", 404)
    registry.deregister(name)
    return listed(registry)


def _domain(name: Any) -> str:
    domain = _plain(name)
    if not DOMAIN.fullmatch(domain):
        raise RefusalError(f"'{domain}' cannot be registered; the lab's registrar registers names like example.test.")
    return domain


def _plain(name: Any) -> str:
    return str(name).lower().removesuffix(".")


def _zone(zones: Iterable[HostedZone], domain: str, wanted: str | None) -> HostedZone:
    """Return the hosted zone of a domain: the one with this id, or the only one."""
    found = {each.id: each for each in zones if each.name == f"{domain}."}
    if wanted:
        found = {identity: each for identity, each in found.items() if identity == wanted.rsplit("/", 1)[-1]}
    if not found:
        which = f"'{wanted}' is not a hosted zone of {domain}" if wanted else f"{domain} has no hosted zone"
        raise RefusalError(f"{which}; create one, or name the name servers with --name-servers.", 404)
    if len(found) > 1:
        raise RefusalError(f"{domain} has several hosted zones; choose one with --zone: {', '.join(sorted(found))}.")
    return next(iter(found.values()))
