"""The lab's control plane: moto's AWS API in this process, behind the lab's own WSGI layer.

moto keeps its state in globals of the process, so a process has one `ControlPlane` at a time. Each new `ControlPlane`
starts with an empty account. As on AWS, the region of an empty account has a default VPC (172.31.0.0/16) with a public
subnet in each Availability Zone. `snapshot()` returns it like any other VPC. Nothing is in it until an instance is
launched there, so the fabric may ignore it until then.

The lab has one account and one region. EC2, Elastic Load Balancing and Auto Scaling refuse other regions with
AuthFailure, as AWS does for a region that is not enabled, because an instance there would have no host.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from groundwork_lab.apart import Apart
from groundwork_lab.api.calls import CallCounter
from groundwork_lab.api.faults import Fault, Faults
from groundwork_lab.aws.context import Context
from groundwork_lab.model import InstanceState, World
from groundwork_lab.ports import Balancers, Hosts
from groundwork_lab.settings import Settings

if TYPE_CHECKING:
    from groundwork_lab.api.serving import Server
    from groundwork_lab.aws.corrections import Installed

__all__ = ["CallCounter", "Context", "ControlPlane", "Fault", "Faults"]


class ControlPlane:
    """The API and the state of its services. Implements `ports.Reports`.

    `changed` is called in the request's thread, after each accepted write and after each report that changed the state.
    It must not block. `installed` are the corrections of moto, by default those of all services.
    """

    def __init__(self, settings: Settings, changed: Callable[[], None], installed: Installed | None = None) -> None:
        from groundwork_lab.api.history import History  # noqa: PLC0415 - importing moto takes a second
        from groundwork_lab.aws import corrections  # noqa: PLC0415 - likewise

        self.calls = CallCounter()
        self.faults = Faults()
        self.context = Context(settings, changed=self._changed, slow=settings.slow)
        self.history = History(self.context, self.faults)
        self._announce = changed
        self._servers: list[Server] = []
        self._world = World()
        self._installed = corrections.discover() if installed is None else installed
        self.workers = corrections.install(self.context, self._installed)

    def _changed(self) -> None:
        self._announce()
        for worker in self.workers:
            worker.wake()

    def start_workers(self) -> None:
        """Start the threads that work between the passes of the data plane, such as that of the Auto Scaling groups."""
        for worker in self.workers:
            worker.start()

    def attach(self, hosts: Hosts, balancers: Balancers) -> None:
        """Connect the data plane, which answers GetConsoleOutput and DescribeTargetHealth."""
        self.context.attach(hosts, balancers)

    def serve(
        self,
        sockets: Sequence[socket.socket],
        secure: Sequence[socket.socket] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Serve from daemon threads on listening sockets: for the API, for S3, and for S3 as CloudFront's origin.

        `secure` are sockets for the same three, which are served over TLS with `tls`.
        """
        from groundwork_lab.api.middleware import DOORS, Middleware  # noqa: PLC0415 - heavy
        from groundwork_lab.api.serving import Server  # noqa: PLC0415

        plain = [(door, listening, None) for door, listening in zip(DOORS, sockets, strict=False)]
        encrypted = [(door, listening, tls) for door, listening in zip(DOORS, secure, strict=False)]
        for door, listening, context in (*plain, *encrypted):
            application = Middleware(
                self.context, self._installed, self.calls, self.faults, self.history, self._changed, door
            )
            server = Server(listening, application, door, "AmazonEC2" if door == "api" else "AmazonS3", context)
            server.start()
            self._servers.append(server)

    def close(self) -> None:
        """Stop serving and close the sockets."""
        for worker in self.workers:
            worker.close()
        for server in self._servers:
            server.stop()
        self._servers.clear()

    def snapshot(self) -> World:
        """Return the current state of the API in the lab's region. Resources that cannot be read are listed in it."""
        from groundwork_lab.aws.snapshot import take  # noqa: PLC0415 - heavy

        with self.context.lock:
            self._world = take(self.context, self._installed, self._world)
            return self._world

    # Reports

    def report(self, change: Callable[[Context], bool]) -> None:
        """Change the state of a service as the data plane reports. `change` returns whether others have to follow."""
        with self.context.lock:
            self.history.note()
            changed = change(self.context)
        if changed:
            self._changed()

    def instance_state(self, instance_id: str, state: InstanceState, *, reason: str = "") -> None:
        self.report(lambda context: bool(context.ec2.report_state(instance_id, state, reason)))

    def instance_reachable(self, instance_id: str) -> None:
        self.report(lambda context: bool(context.ec2.report_reachable(instance_id)))

    def image_captured(self, image_id: str, *, failure: str = "") -> None:
        self.report(lambda context: bool(context.ec2.report_captured(image_id, failure)))

    def reconciled(self, world: World) -> None:
        apart = Apart()
        with self.context.lock:
            self.history.note()
            for name, each in self._installed.items():
                if each.follow:
                    with apart.trying(name):
                        each.follow(self.context, world)
            for worker in self.workers:
                with apart.trying(type(worker).__qualname__):
                    worker.pass_once()
        apart.end()
