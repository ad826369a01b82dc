# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse CIDR blocks, and allocate CIDR blocks to subnets without moving existing ones."""

from __future__ import annotations

import typing as t
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
LARGEST_PREFIX = 16
SMALLEST_PREFIX = 28
# RFC 1918, and RFC 6598, which AWS accepts too.
PRIVATE_SPACE = tuple(IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


# The addresses of examples in documentation: RFC 5737.
EXAMPLES = tuple(IPv4Network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))


class NoRoom(Exception):  # noqa: N818 - a result, not an error
    """No free CIDR block is left for a subnet. The argument is the subnet's name."""


def parse_cidr(value: t.Any, variable: str, problems: Problems) -> IPv4Network | None:
    """Return an IPv4 CIDR block in canonical form, as `10.20.0.0/16`, or None and add to `problems` what is wrong."""
    text = str(value)
    try:
        loose = IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        problems.add(variable, f"'{text}' is not an IPv4 CIDR block", "write address/prefix, for example 10.20.0.0/16")
        return None
    if str(loose) != text:
        problems.add(variable, f"'{text}' is not in canonical form", f"write {loose}")
        return None
    return loose


def parse_ipv6_cidr(value: t.Any, variable: str, problems: Problems) -> IPv6Network | None:
    """Return an IPv6 CIDR block in the form of RFC 5952, as `2001:db8::/32`, or None and add to `problems` why not."""
    text = str(value)
    try:
        loose = IPv6Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        problems.add(variable, f"'{text}' is not an IPv6 CIDR block", "write address/prefix, for example 2001:db8::/32")
        return None
    if loose.network_address.ipv4_mapped or "%" in text:
        problems.add(variable, f"'{text}' is not an address of IPv6 packets", "write IPv4 CIDR blocks in cidrs")
        return None
    if str(loose) != text:
        problems.add(variable, f"'{text}' is not in canonical form", f"write {loose}")
        return None
    return loose


def check_admin_cidr(value: t.Any, variable: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with the network of an administrator, which is not an example network."""
    block = parse_cidr(value, variable, problems)
    if block and any(block.subnet_of(example) for example in EXAMPLES):
        right = "give the public address from which you connect, with /32, or the network of your office or VPN"
        problems.add(variable, f"{block} is an example network of RFC 5737", right)


def parse_vpc_block(value: t.Any, variable: str, problems: Problems) -> IPv4Network | None:
    """Return a CIDR block as `parse_cidr` does, if AWS accepts its size for VPCs and subnets."""
    block = parse_cidr(value, variable, problems)
    if block and not LARGEST_PREFIX <= block.prefixlen <= SMALLEST_PREFIX:
        problems.add(
            variable,
            f"{block} has the prefix /{block.prefixlen}",
            f"use a prefix from /{LARGEST_PREFIX} (the largest block) to /{SMALLEST_PREFIX} (the smallest)",
        )
        return None
    return block


def is_private(block: IPv4Network) -> bool:
    """Return whether these addresses are private, so that the internet does not route them."""
    return any(block.subnet_of(space) for space in PRIVATE_SPACE)


def allocate(
    vpc: IPv4Network,
    prefix: int,
    wanted: t.Sequence[str],
    *,
    existing: t.Mapping[str, IPv4Network],
    given: t.Mapping[str, IPv4Network],
    taken: t.Sequence[IPv4Network] = (),
) -> dict[str, IPv4Network]:
    """Return the CIDR block of every wanted subnet: its existing block, else its given block, else a new one.

    A new subnet gets the next free block of `/prefix` after the highest allocated one, in the order of `wanted`. So
    existing subnets never move, and a freed block is not reused while there is another. If no higher block is free, it
    gets the lowest free one. `taken` are blocks that are not available.

    Raise NoRoom if no block is free.
    """
    placed = {name: existing.get(name) or given.get(name) for name in wanted}
    obstacles = [*existing.values(), *given.values(), *taken]
    appended = [block for name, block in existing.items() if given.get(name) != block]
    above = max((int(block.broadcast_address) + 1 for block in appended), default=int(vpc.network_address))
    for name, block in placed.items():
        if block is None:
            new = _next_free(vpc, prefix, above, obstacles)
            if new is None:
                raise NoRoom(name)
            obstacles.append(new)
            above = int(new.broadcast_address) + 1
            placed[name] = new
    return {name: block for name, block in placed.items() if block is not None}


def _next_free(vpc: IPv4Network, prefix: int, above: int, obstacles: t.Sequence[IPv4Network]) -> IPv4Network | None:
    if prefix < vpc.prefixlen:
        return None
    free = (block for block in vpc.subnets(new_prefix=prefix) if not any(block.overlaps(o) for o in obstacles))
    lowest = None
    for block in free:
        if int(block.network_address) >= above:
            return block
        lowest = lowest or block
    return lowest


def overlaps(blocks: t.Mapping[str, IPv4Network]) -> list[tuple[str, str]]:
    """Return the pairs of names whose blocks overlap, each pair once."""
    names = list(blocks)
    return [
        (one, other)
        for position, one in enumerate(names)
        for other in names[position + 1 :]
        if blocks[one].overlaps(blocks[other])
    ]
