"""Declare the corrections of a service, and install them in moto's registries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.model_instances import reset_model_data

from groundwork_lab import aws
from groundwork_lab.aws.context import Context, Sources, Worker
from groundwork_lab.aws.errors import Answer
from groundwork_lab.aws.services import packages
from groundwork_lab.model import World

Application = Callable[[dict[str, Any]], Answer]
Exchange = tuple[Any, str, Any]
"""A module of moto, a name in it, and what the lab puts in its place."""


@dataclass(frozen=True)
class Corrections:
    """The parts of moto's service that the lab replaces, and the functions that other parts of the lab call.

    Callers of `sources`, `follow` and `resources` hold the context's lock.
    """

    registry: BackendDict  # moto's backends by account and region
    backend: type[Any]
    exchanged: tuple[Exchange, ...] = ()
    application: Application | None = None  # answers requests in place of moto's Flask application
    own: bool = False  # an implementation with a state of its own, which uses little of moto's
    sources: Callable[[Context], Sources] | None = None  # the fields of the `World` that the service has
    follow: Callable[[Context, World], None] | None = None
    """Called when the data plane has applied a `World`: pending resources in it are complete."""

    worker: Callable[[Context], Worker] | None = None
    resources: Callable[[Context, bytes], list[str]] | None = None
    """Returns the ARNs of the resources that the body of a request names, for the policies of roles."""


Installed = Mapping[str, Corrections]
"""By boto3's name of the service."""


def discover() -> Installed:
    """Return the corrections of all services. The first call imports moto's services, which takes a second."""
    return dict(_discovered())


def _discovered() -> Iterator[tuple[str, Corrections]]:
    for name, service in packages():
        module = f"{aws.__name__}.{name}.corrections"
        if find_spec(module) is not None:
            yield service.client, import_module(module).CORRECTIONS


def install(context: Context, corrections: Installed) -> tuple[Worker, ...]:
    """Clear moto's state and install the corrections. Call it for each control plane. Return the services' workers."""
    clear()
    for each in corrections.values():
        for module, name, replacement in each.exchanged:
            setattr(module, name, replacement)
        each.backend.context = context
        each.registry.backend = each.backend
    return tuple(each.worker(context) for each in corrections.values() if each.worker)


def clear() -> None:
    """Clear moto's state."""
    for backends in list(BackendDict._instances):
        backends.clear()
        getattr(backends, "bucket_accounts", {}).clear()  # names of S3 buckets, which are global
    BackendDict._instances.clear()
    # moto's dashboard keeps a list of all resources, and its backends cache their regions
    reset_model_data()
    AccountSpecificBackend._generate_regions.cache_clear()
