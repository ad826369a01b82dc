"""The lab's hosts: every EC2 instance is a systemd-nspawn machine in its primary interface's network namespace.

Needs from the fabric, before a host boots: the namespace `<lab>-<eni id>` with its loopback up and its interface
configured, and 169.254.169.254 as a local address of the router `<lab>-<vpc id>`.
"""

from __future__ import annotations

import threading
from pathlib import Path

from groundwork_lab.apart import Apart
from groundwork_lab.journal import Entry, Journal
from groundwork_lab.model import Instance, World
from groundwork_lab.plane.hosts import cgroups
from groundwork_lab.plane.hosts.host import CONSOLE_BYTES, Host, Limits, Shared, Wanted, read_tail, wanted
from groundwork_lab.plane.hosts.layers import Layers
from groundwork_lab.plane.hosts.metadata_server import MetadataService
from groundwork_lab.ports import Reports
from groundwork_lab.settings import Settings

__all__ = ["HostManager", "Limits"]


class HostManager:
    """Makes the machines follow the instances (ports.Reconciler), and shows their consoles (ports.Hosts).

    `package_proxy` is where apt inside the hosts finds the package cache, None for none; `authority` is the
    certificate (PEM) that they trust beside Debian's.
    Raises NoControlGroupsError where the machine cannot run hosts.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        reports: Reports,
        base_image: Path,
        *,
        package_proxy: str | None = None,
        authority: str = "",
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._base_image = base_image
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
        """Tell each host what the API wants of it; the hosts' own threads do the rest."""
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
        """The host's console since it was last started, at most its last 64 KiB; it outlives a stop and a reboot."""
        return read_tail(self._shared.settings.state / "instances" / instance_id / "console.log", CONSOLE_BYTES)

    def reachable(self, instance_id: str) -> bool:
        """Whether the host's sshd answered since it was last started."""
        host = self._hosts.get(instance_id)
        return host is not None and host.reachable

    def close(self) -> None:
        """End all hosts at once, without shutting them down."""
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
        # Every image that was not captured is one of Debian's, and all of them are the base image.
        captured = instance.image_id in world.images
        layers = self._layers.of(instance.image_id) if captured else (self._base_image,)
        return Host(self._shared, instance, interface, layers)
