"""Handing out IPv4 addresses: the lab's public ones, and the private ones of a subnet.

Both are given out in ascending order and go round, so that an address which was just given back is not
given to someone else while connections and neighbour tables still remember its last owner.
"""

from __future__ import annotations

from collections.abc import Container
from ipaddress import IPv4Address, IPv4Network

FIRST_RESERVED = 4  # network, VPC router, resolver, reserved for future use
# https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html: "The first four IP addresses and the last
# IP address in each subnet CIDR block are not available for your use".


def next_free(network: IPv4Network, taken: Container[IPv4Address], after: IPv4Address | None) -> IPv4Address | None:
    """The first assignable address of `network` behind `after` that is not in `taken`, going round; None when full.

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
    """Whether AWS keeps `address` of the subnet `network` for itself."""
    offset = int(address) - int(network.network_address)
    return offset < FIRST_RESERVED or address == network.broadcast_address


class AddressPool:
    """Public addresses. Not thread-safe: its users hold the control plane's lock."""

    def __init__(self, network: IPv4Network) -> None:
        self._network = network
        self._taken: set[IPv4Address] = set()
        self._last: IPv4Address | None = None

    def allocate(self) -> IPv4Address | None:
        """A public address that nobody has; None when all are taken."""
        address = next_free(self._network, self._taken, self._last)
        if address is not None:
            self._taken.add(address)
            self._last = address
        return address

    def release(self, address: IPv4Address | str) -> None:
        """Take an address back; one that is not out is ignored."""
        self._taken.discard(IPv4Address(address))
