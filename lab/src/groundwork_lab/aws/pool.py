"""Allocation of IPv4 addresses: the lab's public ones, and the private ones of a subnet.

Addresses are allocated in ascending order and then from the start again. So a released address is not reused while
connections and neighbor tables still refer to its last owner.
"""

from __future__ import annotations

from collections.abc import Container
from ipaddress import IPv4Address, IPv4Network

FIRST_RESERVED = 4  # network, VPC router, resolver, reserved for future use
# https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html: "The first four IP addresses and the last
# IP address in each subnet CIDR block are not available for your use".


def next_free(network: IPv4Network, taken: Container[IPv4Address], after: IPv4Address | None) -> IPv4Address | None:
    """Return the next free address of `network` after `after`, starting again at the end; None if all are taken.

    >>> next_free(IPv4Network("10.0.0.0/28"), {IPv4Address("10.0.0.4")}, None)
    IPv4Address('10.0.0.5')
    """
    first, last = int(network.network_address) + FIRST_RESERVED, int(network.broadcast_address) - 1
    size = last - first + 1
    start = int(after) + 1 - first if after is not None else 0
    for step in range(size):
        candidate = IPv4Address(first + (start + step) % size)
        if candidate not in taken:
            return candidate
    return None


def is_reserved(network: IPv4Network, address: IPv4Address) -> bool:
    """Return whether AWS reserves `address` in the subnet `network`."""
    offset = int(address) - int(network.network_address)
    return offset < FIRST_RESERVED or address == network.broadcast_address


class AddressPool:
    """A pool of public addresses. It is not thread-safe: the caller holds the control plane's lock."""

    def __init__(self, network: IPv4Network) -> None:
        self._network = network
        self._taken: set[IPv4Address] = set()
        self._last: IPv4Address | None = None

    def allocate(self) -> IPv4Address | None:
        """Allocate a free public address. Return None if all are taken."""
        address = next_free(self._network, self._taken, self._last)
        if address is not None:
            self._taken.add(address)
            self._last = address
        return address

    def release(self, address: IPv4Address | str) -> None:
        """Release an address. Ignore one that is not allocated."""
        self._taken.discard(IPv4Address(address))
