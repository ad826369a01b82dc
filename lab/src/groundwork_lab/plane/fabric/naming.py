"""What the fabric's namespaces, devices and tables are called: pure functions of AWS' ids.

Other parts of the lab find their namespace here: hosts and balancers by `interface_namespace`, the instance
metadata service by `router_namespace`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from groundwork_lab.settings import Settings

INTERNET = "internet"
AWS = "aws"
LAPTOP = "laptop"
VISITOR = "visitor"

_DEVICE_LENGTH = 15  # IFNAMSIZ is 16, with the final NUL


def internet_namespace(settings: Settings) -> str:
    """The backbone's router."""
    return settings.namespace(INTERNET)


def aws_namespace(settings: Settings) -> str:
    """Where the API, S3, the resolver and the package cache have their addresses."""
    return settings.namespace(AWS)


def laptop_namespace(settings: Settings) -> str:
    """You, on the lab's internet."""
    return settings.namespace(LAPTOP)


def visitor_namespace(settings: Settings) -> str:
    """Someone else on the lab's internet."""
    return settings.namespace(VISITOR)


def router_namespace(settings: Settings, vpc_id: str) -> str:
    """The VPC's router; 169.254.169.254 is an address of it, and all of its interfaces' packets pass it."""
    return settings.namespace(vpc_id)


def gateway_namespace(settings: Settings, gateway_id: str) -> str:
    """The internet gateway's translator."""
    return settings.namespace(gateway_id)


def interface_namespace(settings: Settings, interface_id: str) -> str:
    """The network interface's namespace, in which its host, NAT gateway or balancer node lives, with `eth0`."""
    return settings.namespace(interface_id)


def device_name(resource_id: str) -> str:
    """A network device's name (at most 15 characters) for an id: `eni-0123456789abcdef0` -> `eni56789abcdef0`.

    The end of an id is its random part, and 44 bits of it tell the resources of one lab apart.
    """
    prefix, _, rest = resource_id.partition("-")
    name = prefix + rest
    if len(name) <= _DEVICE_LENGTH:
        return name
    return prefix + rest[-(_DEVICE_LENGTH - len(prefix)) :]


def numbering(ids: Iterable[str], size: int) -> dict[str, int]:
    """A number in `range(size)` for each id, different for each, that seldom depends on the other ids.

    A hash of the id, then the next free number: only ids that collide (rare when `size` is large) can move
    when another comes or goes. Raises ValueError when there are more ids than numbers.
    """
    taken: dict[int, str] = {}
    for name in sorted(ids):
        if len(taken) >= size:
            message = f"There are only {size} numbers, too few for {name!r} too."
            raise ValueError(message)
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % size
        while number in taken:
            number = (number + 1) % size
        taken[number] = name
    return {name: number for number, name in taken.items()}
