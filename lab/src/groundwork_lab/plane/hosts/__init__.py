"""The lab's hosts: each EC2 instance is a systemd-nspawn machine in the network namespace of its interface.

Before a host boots, the fabric must have created the namespace `<lab>-<eni id>`, with its loopback up and its interface
configured, and the router `<lab>-<vpc id>` with the local address 169.254.169.254.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from groundwork_lab.apart import Apart
from groundwork_lab.journal import Entry, Journal
from groundwork_lab.model import Instance, World
from groundwork_lab.plane.hosts import cgroups
from groundwork_lab.plane.hosts.host import CONSOLE_BYTES, BootError, Host, Limits, Shared, Wanted, read_tail, wanted
from groundwork_lab.plane.hosts.image import BaseImages
from groundwork_lab.plane.hosts.layers import Layers
from groundwork_lab.plane.hosts.metadata_server import MetadataService
from groundwork_lab.plane.hosts.roots import RootError
from groundwork_lab.ports import Reports
from groundwork_lab.settings import Settings

__all__ = ["HostManager", "Limits"]


_log = logging.getLogger(__name__)


class HostManager:
    """Runs a machine for each instance (ports.Reconciler) and returns their consoles (ports.Hosts).

    `package_proxy` is the URL of the package cache for apt in the hosts, or None. `authority` is a certificate (PEM)
    that the hosts trust in addition to Debian's.

    Raises NoControlGroupsError if the machine cannot run hosts.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        reports: Reports,
        base_images: BaseImages,
        *,
        package_proxy: str | None = None,
        authority: str = "",
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._base_images = base_images
        self._metadata = MetadataService(settings)
        self._layers = Layers(settings.state / "layers")
        self._shared = Shared(
            settings=settings,
            journal=journal,
            reports=reports,
            metadata=self._metadata,
            layers=self._layers,
            slots=threading.Semaphore(limits.boots),
            limits=limits,
            package_proxy=package_proxy,
            authority=authority,
        )
        self._hosts: dict[str, Host] = {}
        self._groups = cgroups.machine_tree().folders(settings.name)
        for group in self._groups:
            journal.record(Entry("folder", str(group)))
            group.mkdir(exist_ok=True)

    def reconcile(self, world: World) -> None:
        """Give each host its desired state. The hosts' own threads apply it."""
        self._metadata.follow(world)
        apart = Apart()
        for instance in world.instances.values():
            with apart.trying(instance.id):
                self._follow(instance, world)
        for instance_id in set(self._hosts) - set(world.instances):
            if self._hosts[instance_id].finished:
                del self._hosts[instance_id]
            else:
                self._hosts[instance_id].want(Wanted("gone", 0))
        self._layers.collect(world.images, lambda: [host.layers for host in self._hosts.values()])
        apart.end()

    def _follow(self, instance: Instance, world: World) -> None:
        if instance.id in self._hosts:
            self._hosts[instance.id].want(wanted(instance, world.images))
        elif instance.interface_id in world.interfaces:
            self._hosts[instance.id] = self._new_host(instance, world)

    def console_output(self, instance_id: str) -> bytes:
        """Return the last 64 KiB of the host's console since its last start. It is kept after a stop or reboot."""
        return read_tail(self._shared.settings.state / "instances" / instance_id / "console.log", CONSOLE_BYTES)

    def reachable(self, instance_id: str) -> bool:
        """Return whether the host's sshd has answered since its last start."""
        host = self._hosts.get(instance_id)
        return host is not None and host.reachable

    def cpu_seconds(self, instance_id: str) -> float | None:
        """Return the CPU time that the host's processes have used since its last start, or None if it is off."""
        return cgroups.cpu_seconds(self._groups[0] / instance_id)

    def close(self) -> None:
        """Kill all hosts without shutting them down."""
        for host in self._hosts.values():
            host.close()
        for host in self._hosts.values():
            host.join()
        self._hosts.clear()
        self._layers.close()
        self._metadata.close()
        for group in self._groups:
            cgroups.remove(group)
            self._shared.journal.strike(Entry("folder", str(group)))

    def _new_host(self, instance: Instance, world: World) -> Host:
        interface = world.interfaces[instance.interface_id]
        if instance.image_id in world.images:  # captured
            return Host(self._shared, instance, interface, self._layers.of(instance.image_id))
        return Host(
            self._shared, instance, interface, (self._base_images.folder(instance.debian),), self._build(instance)
        )

    def _build(self, instance: Instance) -> Callable[[], None]:
        """Return what builds the base image of an instance, unless it exists."""

        def build() -> None:
            try:
                self._base_images.ensure(instance.debian, _log.info)
            except RootError as error:
                raise BootError(str(error)) from error

        return build
