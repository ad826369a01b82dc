"""What the control plane's topics share: who and where we are, the lock, the pool, the data plane.

moto's state is global to the process, and so is the one context in use: `ControlPlane` makes it, and the
corrected backends reach it as `backend.context`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from moto.core.exceptions import ServiceException

from groundwork_lab import settings as addresses
from groundwork_lab.aws.pool import AddressPool
from groundwork_lab.model import InterfaceOwner, World
from groundwork_lab.ports import Balancers, HealthReport, Hosts
from groundwork_lab.settings import Settings

ACCOUNT_OF_BALANCERS = "amazon-elb"  # RequesterId and InstanceOwnerId of a load balancer's interfaces

Sources = Mapping[str, tuple[Iterable[tuple[str, Any]], Callable[[Any], object]]]
"""By the World's fields: the resources that are there, by id, and how one of them is read."""


@dataclass
class Context:
    """One control plane's surroundings.

    `lock` is held, once, while moto handles a request or reads its own state, so that nobody sees a
    half-made resource. The data plane is asked with the lock let go: a host that reports a state while the
    API asks for its console must not wait for itself.
    """

    settings: Settings
    account: str = addresses.ACCOUNT
    region: str = addresses.REGION
    lock: threading.RLock = field(default_factory=threading.RLock)
    pool: AddressPool = field(default_factory=lambda: AddressPool(addresses.POOL))
    on_reconciled: list[Callable[[World], None]] = field(default_factory=list)
    """Called with the lock held when the data plane follows a world: what was pending has come to be."""

    changed: Callable[[], None] = lambda: None
    """Say that the world is another one without a request having made it so: a delay is over. From any thread."""

    _hosts: Hosts | None = None
    _balancers: Balancers | None = None

    def attach(self, hosts: Hosts, balancers: Balancers) -> None:
        self._hosts = hosts
        self._balancers = balancers

    # The data plane

    def console_output(self, instance_id: str) -> bytes:
        """The host's console so far; empty while there are no hosts."""
        if self._hosts is None:
            return b""
        with self._unlocked():
            return self._hosts.console_output(instance_id)

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        """Health by (target id, port), as `Balancers.target_health`; empty while there are no balancers."""
        if self._balancers is None:
            return {}
        with self._unlocked():
            return self._balancers.target_health(target_group_arn)

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    # moto's EC2

    @property
    def ec2(self) -> Any:
        """moto's EC2 backend of our account and region."""
        from moto.ec2.models import ec2_backends  # noqa: PLC0415 - heavy; only once a control plane runs

        return ec2_backends[self.account][self.region]

    def create_interface(
        self,
        *,
        subnet_id: str,
        group_ids: Sequence[str],
        owner: InterfaceOwner,
        owner_id: str,
        public: bool,
        description: str,
        interface_type: str = "interface",
        requester_id: str = ACCOUNT_OF_BALANCERS,
    ) -> Any:
        """A requester-managed network interface, in use from the start; returns moto's NetworkInterface.

        `group_ids` may be empty: then nothing filters it. With `public` it gets an automatic public address.
        `owner_id` may be set later (`interface.owner_id_in_world = …`) when the owner's id is not known yet.
        """
        interface = self.ec2.create_network_interface(
            self.ec2.get_subnet(subnet_id),
            None,
            group_ids=list(group_ids),
            description=description,
            public_ip_auto_assign=public,
            delete_on_termination=False,
        )
        interface.manage(owner, owner_id, interface_type, requester_id)
        if not group_ids:
            interface.set_groups([])
        return interface

    def delete_interface(self, interface_id: str) -> None:
        """Remove an interface that `create_interface` made, with its addresses; nothing if it is gone."""
        interface = self.ec2.enis.get(interface_id)
        if interface is not None:
            interface.delete()


class AwsError(ServiceException):
    """An error by AWS' code and message; moto answers it with the HTTP status that the service's model tells.

    A class of our own, because moto looks up the service of its own ones by the module that they are from.
    """


def aws_error(code: str, message: str) -> Exception:
    """AWS' error `code`, to be raised while a request is handled."""
    error: Exception = AwsError(code, message)
    return error


def refuse(code: str, message: str) -> NoReturn:
    """Answer the request that is being handled with AWS' error `code`."""
    raise aws_error(code, message)
