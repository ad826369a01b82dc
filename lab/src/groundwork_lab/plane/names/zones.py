"""Zone files: those of the lab's own names, of hosted zones, and of the parent. Pure functions.

The form is that of RFC 1035, section 5: https://www.rfc-editor.org/rfc/rfc1035#section-5
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address

from groundwork_lab.model import HostedZone, RecordSet
from groundwork_lab.plane.names.records import DATABASES, FILE_SYSTEMS
from groundwork_lab.settings import INTERNET, NAME_SERVERS, PARENT, REGISTRY, name_servers

TTL = 5  # seconds of the lab's own names; AWS' load balancers have 60, but a user of the lab waits for it
PARENT_SERVER = f"a.nic.{REGISTRY}."
WITH_POINTERS = ("compute.internal", "compute.amazonaws.com")

Names = Mapping[str, Sequence[IPv4Address]]
"""Addresses by name, without the final dot."""


def local_domains() -> list[str]:
    """Return the domains that only the lab answers for. An unknown name below them does not exist."""
    public = [".".join(reversed(str(net.network_address).split(".")[:2])) for net in INTERNET.subnets(new_prefix=16)]
    private = ["10", *(f"{number}.172" for number in range(16, 32)), "168.192"]
    return [
        "compute.internal",
        "compute.amazonaws.com",
        "elb.amazonaws.com",
        "cloudfront.net",
        DATABASES,
        FILE_SYSTEMS,
        *(f"{octets}.in-addr.arpa" for octets in (*public, *private)),
    ]


def is_within(name: str, domain: str) -> bool:
    """Return whether the name is the domain or is below it."""
    return f".{name}".endswith(f".{domain}")


def by_name(records: Iterable[tuple[IPv4Address, str]]) -> Names:
    """Return the addresses of each name, in a stable order."""
    found: dict[str, list[IPv4Address]] = {}
    for address, name in sorted(records):
        found.setdefault(name, []).append(address)
    return found


def local_zones(names: Names) -> dict[str, str]:
    """Return the zone file of each local domain. Names of instances have pointer records too."""
    lines = {domain: list(_apex(domain, f"ns.{domain}.", TTL)) for domain in local_domains()}
    for name, addresses in sorted(names.items()):
        for address in addresses:
            _add(lines, name, "A", str(address))
            if name.endswith(WITH_POINTERS):
                _add(lines, address.reverse_pointer, "PTR", f"{name}.")
    return {domain: _text(each) for domain, each in lines.items()}


def _add(lines: Mapping[str, list[str]], name: str, kind: str, value: str) -> None:
    domain = next((each for each in lines if name.endswith(f".{each}")), None)
    if domain is not None:
        lines[domain].append(f"{name}. {TTL} {kind} {value}")


def _apex(domain: str, server: str, ttl: int) -> Iterator[str]:
    yield f"{domain}. {ttl} SOA {server} hostmaster.{domain}. 1 1 1 1 1"
    yield f"{domain}. {ttl} NS {server}"


def parent_zone(registered: Mapping[str, Sequence[str]]) -> str:
    """Return the zone file of the parent: the name servers of the registered domains, and the glue of Route 53's."""
    glue = [
        f"{name}. 172800 A {address}" for number, address in enumerate(NAME_SERVERS) for name in name_servers(number)
    ]
    delegations = [f"{domain}. 172800 NS {name}." for domain, names in sorted(registered.items()) for name in names]
    return _text([*_apex(REGISTRY, PARENT_SERVER, 900), f"{PARENT_SERVER} 900 A {PARENT}", *glue, *delegations])


def hosted_zone(zone: HostedZone, names: Names) -> str:
    """Return the file of a hosted zone. An alias has the records of its target, if the target exists."""
    return _text(line for each in zone.records for line in _record_set(zone, each, names))


def _record_set(zone: HostedZone, found: RecordSet, names: Names) -> Iterator[str]:
    for value in _values(zone, found, names):
        yield f"{found.name} {found.ttl} {found.type} {value}"


def _values(zone: HostedZone, found: RecordSet, names: Names, depth: int = 0) -> Sequence[str]:
    if not found.alias:
        return found.values
    target = found.alias.rstrip(".")
    if target in names:
        return [str(address) for address in names[target]] if found.type == "A" else ()
    inside = (each for each in zone.records if each.name == f"{target}." and each.type == found.type)
    return next((_values(zone, each, names, depth + 1) for each in inside if depth < len(zone.records)), ())


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
