# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the resolver of this machine for records, with dnspython."""

from __future__ import annotations

import typing as t

try:
    import dns.exception
    import dns.resolver

    HAS_DNSPYTHON = True
except ImportError:
    HAS_DNSPYTHON = False

LIFETIME = 5.0  # seconds for a query with its repetitions
INSTALL = "Install it with 'pip install dnspython' for the Python that runs Ansible."


class Resolver(t.Protocol):
    """What a zone's check needs of a resolver."""

    def values(self, name: str, kind: str) -> list[str] | None:
        """Return the values of a record, [] if it does not exist, or None if the resolver does not answer."""

    def ttl(self, name: str) -> int:
        """Return how long the resolver remembers the addresses of a name, in seconds, or 0 if it finds none."""


class SystemResolver:
    """The resolver in /etc/resolv.conf, without a cache of its own."""

    def values(self, name: str, kind: str) -> list[str] | None:
        """Return the values of a record, [] if it does not exist, or None if the resolver does not answer."""
        if not HAS_DNSPYTHON:
            return None
        try:
            answer = dns.resolver.resolve(f"{name}.", kind, lifetime=LIFETIME)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException:
            return None
        return sorted(str(one).rstrip(".").lower() for one in answer)

    def ttl(self, name: str) -> int:
        """Return how long the resolver remembers the addresses of a name, in seconds, or 0 if it finds none."""
        try:
            answer = dns.resolver.resolve(f"{name}.", "A", lifetime=LIFETIME)
        except dns.exception.DNSException:
            return 0
        return max(one.ttl for one in answer.response.answer)


def why_silent() -> str:
    """Return a sentence about why a resolver returns None."""
    return "The resolver of this machine does not answer." if HAS_DNSPYTHON else f"dnspython is missing. {INSTALL}"


def delegation_problem(zone: str, servers: t.Collection[str], resolver: Resolver) -> str:
    """Return a sentence if the zone's name servers are not the ones that a resolver finds, or ""."""
    found = resolver.values(zone, "NS")
    enter = f"Enter at the registrar of {zone}, or in its parent zone, the NS records: {', '.join(sorted(servers))}."
    if found is None:
        return f"Could not check the delegation of {zone}. {why_silent()} {enter} Or compare them with 'dig NS {zone}'."
    if set(found) == {server.lower() for server in servers}:
        return ""
    told = f"points to {', '.join(found)}" if found else "does not point to any name server"
    return f"The parent domain of {zone} {told}. {enter} Until then no name of the zone and no certificate is valid."
