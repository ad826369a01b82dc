"""The services of the lab. Each one is a package in this folder, which is found because it is there.

The package has boto3's name of the service, without hyphens. Its `__init__` declares the service as `SERVICE`. It does
not import moto, which takes a second. Its module `corrections`, if it has one, declares as `CORRECTIONS` what the lab
replaces of moto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal

from groundwork_lab import aws
from groundwork_lab.aws.errors import Protocol

Reach = Literal["lab", "region", "global"]


@dataclass(frozen=True)
class Service:
    """A service. `client` is boto3's name for it, and the name under which calls are counted."""

    client: str
    protocol: Protocol
    signs_as: str = ""  # its signing name, if boto3's name is another one
    version: str = ""  # its API version, if another service has the same signing name
    backend: str = ""  # moto's name for it, if boto3's name is another one
    action_prefix: str = ""  # of its actions in policies, if its signing name is another one
    reach: Reach = "region"
    """`lab`: it has a data plane, so that it refuses regions other than the lab's. `global`: it has no regions."""

    global_endpoint: bool = False  # `<signing name>.amazonaws.com`
    not_implemented: str = ""  # what the lab does not implement, so that it refuses all writes
    in_world: bool = True  # whether the data plane may have to follow a write

    @property
    def signing_name(self) -> str:
        return self.signs_as or self.client

    @property
    def moto(self) -> str:
        return self.backend or self.client

    @property
    def prefix(self) -> str:
        return self.action_prefix or self.signing_name


@cache
def services() -> tuple[Service, ...]:
    """Return all services, in the order of their names. All packages in this folder are services."""
    return tuple(service for _, service in packages())


def packages() -> Iterator[tuple[str, Service]]:
    """Yield the packages in this folder with their services."""
    names = (each.name for each in iter_modules(aws.__path__) if each.ispkg)
    return ((name, import_module(f"{aws.__name__}.{name}").SERVICE) for name in names)


@cache
def find(signing_name: str, version: str = "") -> Service | None:
    """Return the service that signs with this name, or None. `version` decides if several services do."""
    signing = [each for each in services() if each.signing_name == signing_name]
    return next((each for each in signing if each.version == version), None) or next(
        (each for each in signing if not each.version), None
    )


def global_endpoints() -> tuple[str, ...]:
    """Return the names `<name>.amazonaws.com` at which the API answers.

    AWS Organizations is among them: the lab does not have it, and answers so.
    """
    return (*(each.signing_name for each in services() if each.global_endpoint), "organizations")
