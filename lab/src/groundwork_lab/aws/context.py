"""The context that the services share: account, region, lock, address pool and data plane.

moto's state is global to the process, and so is the context. `ControlPlane` creates it, and the corrected backends read
it as `backend.context`.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from moto.core.exceptions import ServiceException

from groundwork_lab import settings as addresses
from groundwork_lab.authority import Authority
from groundwork_lab.aws.pool import AddressPool
from groundwork_lab.lookup import Found
from groundwork_lab.model import InterfaceOwner
from groundwork_lab.ports import Balancers, HealthReport, Hosts
from groundwork_lab.settings import Settings

_log = logging.getLogger(__name__)

ACCOUNT_OF_BALANCERS = "amazon-elb"  # RequesterId and InstanceOwnerId of a load balancer's network interfaces

Sources = Mapping[str, tuple[Iterable[tuple[str, Any]], Callable[[Any], object]]]
"""By field of the `World`: the resources by id, and the function that reads one of them."""


class Worker(ABC):
    """The part of a service that works without a request, in a thread of its own.

    `name` is the thread's. While a turn has left something to do, the next one follows after `glance` seconds.
    """

    name: str
    glance: float

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._woken = False
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Request a turn, because the state has changed. Can be called from any thread and returns at once."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()

    @abstractmethod
    def pass_once(self) -> None:
        """Do everything that can be done at the moment. The caller holds the context's lock exactly once."""

    @abstractmethod
    def turn(self) -> bool:
        """Work in the thread, without the lock. Return whether something is left to do."""

    def is_due(self, *, busy: bool) -> bool:  # noqa: ARG002 - for those that do not hurry while they are busy
        """Return whether a turn begins before the glance is over."""
        return self._woken

    def _run(self) -> None:
        busy = False
        while self._awaited(busy=busy):
            try:
                busy = self.turn()
            except Exception:  # the thread must continue, or nothing of the service proceeds
                _log.exception("A turn of the thread %s failed", self.name)
                busy = True

    def _awaited(self, *, busy: bool) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._closing or self.is_due(busy=busy), self.glance if busy else None)
            self._woken = False
            return not self._closing


@dataclass
class Context:
    """The context of one control plane.

    `lock` is held exactly once while moto handles a request or reads its state, so that incomplete resources are not
    visible. It is released while the data plane is called: otherwise a host that reports a state while the API requests
    its console output would cause a deadlock.
    """

    settings: Settings
    account: str = addresses.ACCOUNT
    region: str = addresses.REGION
    lock: threading.RLock = field(default_factory=threading.RLock)
    pool: AddressPool = field(default_factory=lambda: AddressPool(addresses.POOL))
    changed: Callable[[], None] = lambda: None
    """Reports a change of the state that no request made, for example the end of a delay. From any thread."""

    slow: float = 0.0
    """For how many seconds AWS still reports what a deleted resource used: interfaces, addresses, target groups."""

    minute: float = 60.0
    """The seconds of a minute of CloudWatch's metrics and alarms. `groundwork-lab minute` shortens it."""

    clock: Callable[[], float] = time.monotonic
    lookup: Callable[[str, str], Found] | None = None
    """Returns the records of a name and a type, as the lab's resolver finds them. From any thread, without the lock."""

    authority: Authority | None = None
    """Signs the certificates that are issued."""

    mariadb: str = "10.11.14"
    """The version of the machine's MariaDB, which all DB instances have."""

    _due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _hosts: Hosts | None = None
    _balancers: Balancers | None = None

    def attach(self, hosts: Hosts, balancers: Balancers) -> None:
        self._hosts = hosts
        self._balancers = balancers

    # Delays

    @property
    def later(self) -> float:
        """Return the time at which what is given up now is free."""
        return self.clock() + self.slow

    def afterwards(self, work: Callable[[], None]) -> None:
        """Do the work at once, or in a slow lab with the first request after the delay."""
        if self.slow:
            self._due.append((self.later, work))
        else:
            work()

    def pass_time(self) -> None:
        """Do the work whose delay is over. The caller holds the lock."""
        now = self.clock()
        due = [work for time, work in self._due if time <= now]
        self._due = [each for each in self._due if each[0] > now]
        for work in due:
            work()

    # The data plane

    def console_output(self, instance_id: str) -> bytes:
        """Return the console output of the host so far, or b"" if there are no hosts."""
        if self._hosts is None:
            return b""
        with self._unlocked():
            return self._hosts.console_output(instance_id)

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        """Return health by (target id, port), as `Balancers.target_health`, or {} if there are no load balancers."""
        if self._balancers is None:
            return {}
        with self._unlocked():
            return self._balancers.target_health(target_group_arn)

    def requests(self, target_group_arn: str) -> int | None:
        """Return the number of requests to targets of the group so far, or None if it is not known."""
        if self._balancers is None:
            return None
        with self._unlocked():
            return self._balancers.requests(target_group_arn)

    def cpu_seconds(self, instance_id: str) -> float | None:
        """Return the CPU time of a host since its boot in seconds, or None if it does not run."""
        if self._hosts is None:
            return None
        with self._unlocked():
            return self._hosts.cpu_seconds(instance_id)

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
        """Return moto's EC2 backend of the lab's account and region."""
        from moto.ec2.models import ec2_backends  # noqa: PLC0415 - heavy

        return ec2_backends[self.account][self.region]

    @property
    def rds(self) -> Any:
        """Return the RDS backend of the lab's account and region."""
        from moto.rds.models import rds_backends  # noqa: PLC0415 - heavy

        return rds_backends[self.account][self.region]

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
        address: str | None = None,
    ) -> Any:
        """Create a requester-managed network interface that is in use from the start, and return it (moto's class).

        `group_ids` may be empty: then traffic is not filtered. With `public` it gets an automatic public address.
        `owner_id` may be set later (`interface.owner_id_in_world = …`) if the owner's id is not known yet.
        Without an `address`, the subnet gives one.
        """
        interface = self.ec2.create_network_interface(
            self.ec2.get_subnet(subnet_id),
            address,
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
        """Delete an interface that `create_interface` created, with its addresses, if it still exists.

        In a slow lab it stays for a while, as those of deleted load balancers and NAT gateways on AWS.
        """

        def delete() -> None:
            interface = self.ec2.enis.get(interface_id)
            if interface is not None:
                interface.delete()

        self.afterwards(delete)


class AwsError(ServiceException):
    """An AWS error with its code and message. moto sets the HTTP status from the service's model.

    It is a class of the lab, because moto finds the service of its own errors by the module of their class.
    """


def aws_error(code: str, message: str) -> Exception:
    """Return AWS' error `code`, to be raised while a request is handled."""
    error: Exception = AwsError(code, message)
    return error


def refuse(code: str, message: str) -> NoReturn:
    """Refuse the current request with AWS' error `code`."""
    raise aws_error(code, message)
