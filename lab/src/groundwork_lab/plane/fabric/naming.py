"""The names of the fabric's namespaces, devices and tables. Pure functions of AWS' ids.

Other parts of the lab use them too: hosts and load balancers use `interface_namespace`, the instance metadata service
uses `router_namespace`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from groundwork_lab.settings import Settings

INTERNET = "internet"
AWS = "aws"
LAPTOP = "laptop"
VISITOR = "visitor"

_DEVICE_LENGTH = 15  # IFNAMSIZ is 16, including the final NUL


def internet_namespace(settings: Settings) -> str:
    """Return the namespace of the backbone's router."""
    return settings.namespace(INTERNET)


def aws_namespace(settings: Settings) -> str:
    """Return the namespace with the addresses of the API, S3, the resolver and the package cache."""
    return settings.namespace(AWS)


def laptop_namespace(settings: Settings) -> str:
    """Return the namespace of the user on the lab's internet."""
    return settings.namespace(LAPTOP)


def visitor_namespace(settings: Settings) -> str:
    """Return the namespace of another user on the lab's internet."""
    return settings.namespace(VISITOR)


def router_namespace(settings: Settings, vpc_id: str) -> str:
    """Return the namespace of a VPC's router, which has the address 169.254.169.254.

    All packets of the VPC's interfaces pass it.
    """
    return settings.namespace(vpc_id)


def gateway_namespace(settings: Settings, gateway_id: str) -> str:
    """Return the namespace of an internet gateway."""
    return settings.namespace(gateway_id)


def interface_namespace(settings: Settings, interface_id: str) -> str:
    """Return the namespace of a network interface, in which its host, NAT gateway or balancer node has `eth0`."""
    return settings.namespace(interface_id)


def device_name(resource_id: str) -> str:
    """Return a device name of at most 15 characters for an id: `eni-0123456789abcdef0` -> `eni56789abcdef0`.

    The end of an id is random, and 44 bits of it are sufficient to distinguish the resources of one lab.
    """
    prefix, _, rest = resource_id.partition("-")
    name = prefix + rest
    if len(name) <= _DEVICE_LENGTH:
        return name
    return prefix + rest[-(_DEVICE_LENGTH - len(prefix)) :]


def numbering(ids: Iterable[str], size: int) -> dict[str, int]:
    """Return a unique number in `range(size)` for each id, which seldom depends on the other ids.

    The number is a hash of the id, or the next free one. Only ids that collide (rare if `size` is large) can change
    when another id is added or removed. Raise ValueError if there are more ids than numbers.
    """
    taken: dict[int, str] = {}
    for name in sorted(ids):
        if len(taken) >= size:
            message = f"All {size} numbers are in use; {name!r} cannot get one."
            raise ValueError(message)
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % size
        while number in taken:
            number = (number + 1) % size
        taken[number] = name
    return {name: number for number, name in taken.items()}
