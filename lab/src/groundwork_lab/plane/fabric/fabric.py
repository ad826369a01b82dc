"""The fabric: the part of the data plane that applies the `World` to the kernel's networking."""

from __future__ import annotations

import logging
import time

from groundwork_lab.apart import Apart
from groundwork_lab.journal import Journal
from groundwork_lab.model import World
from groundwork_lab.plane.fabric import apply, naming
from groundwork_lab.plane.fabric.apply import Failure
from groundwork_lab.plane.fabric.compute import Built, assemble, build, compute
from groundwork_lab.plane.fabric.kernel import Difference, Kernel, difference
from groundwork_lab.plane.fabric.namespaces import existing
from groundwork_lab.plane.fabric.observation import observe
from groundwork_lab.plane.fabric.uplink import Uplink, UplinkError
from groundwork_lab.settings import Settings

_log = logging.getLogger(__name__)
_ATTEMPTS = 2  # the second attempt reads the kernel's state first


class FabricError(Exception):
    """Steps that failed, each with its namespace and the error of the kernel or of nft."""


class Fabric:
    """Implements `ports.Reconciler`: the backbone, VPC routers, gateways and network interfaces of one lab."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._uplink = Uplink(settings, journal)
        self._started = False
        self._applied: Kernel | None = None  # None if it is unknown and must be read back
        self._world = World()
        self._built: dict[str, Built] = {}

    def start(self) -> None:
        """Create the backbone: internet, AWS plane, laptop and visitor, with a connection to the real internet.

        Raise OSError if a namespace cannot be created, UplinkError or FabricError if a part does not start.
        """
        name = naming.internet_namespace(self._settings)
        if name not in existing(self._settings):
            apply.create(compute(World(), self._settings).namespaces[name], self._journal)
        self._uplink.start()
        self._started = True
        self.reconcile(World())

    def reconcile(self, world: World) -> None:
        """Apply `world` to the network.

        Failed steps are logged and retried once, after the kernel's state was read back. If they fail again, raise
        UnservedError with the VPCs that are not up to date, or FabricError if the failure is outside of VPCs. The next
        call tries again. A VPC that cannot be built stays unchanged.
        """
        self._keep_uplink()
        if self._applied is not None and world == self._world:
            return
        apart = Apart()
        built = build(world, self._settings, apart)
        self._built = built | {vpc_id: self._built[vpc_id] for vpc_id in apart.reasons if vpc_id in self._built}
        wanted = assemble(self._built.values(), self._settings)
        failures: list[Failure] = []
        for _ in range(_ATTEMPTS):
            failures = self._attempt(wanted)
            if not failures:
                break
        self._world = world if not apart.reasons else World()
        self._attribute(failures, apart)
        apart.end()

    def _attribute(self, failures: list[Failure], apart: Apart) -> None:
        """Assign each failure to the VPC of its namespace. Raise FabricError for a failure outside of all VPCs."""
        vpcs = {name: vpc_id for vpc_id, built in self._built.items() for name in built.namespaces}
        for failure in failures:
            with apart.trying(vpcs.get(failure.namespace, "")):
                raise FabricError(str(failure))
        if "" in apart.reasons:
            message = "The network is not up to date: " + "; ".join(str(failure) for failure in failures)
            raise FabricError(message)

    def close(self) -> None:
        """Remove the lab's namespaces and the uplink. All processes in them must have ended."""
        self._started = False
        self._uplink.close()
        gone = Difference(removed=tuple(existing(self._settings)))
        for failure in apply.apply(gone, self._journal):
            _log.error("%s", failure)
        self._applied = None
        self._world = World()

    def _attempt(self, wanted: Kernel) -> list[Failure]:
        """Apply the difference to the current state, and return the failed steps."""
        started = time.monotonic()
        before = self._applied if self._applied is not None else observe(self._settings, wanted)
        change = difference(before, wanted)
        self._applied = None
        failures = apply.apply(change, self._journal)
        for failure in failures:
            _log.error("%s", failure)
        if not failures:
            self._applied = wanted
        if not change.empty:
            _log.info("network: %s in %.0f ms", _summary(change), 1000 * (time.monotonic() - started))
        return failures

    def _keep_uplink(self) -> None:
        """Restart the uplink if its process has ended. Its device's address and routes were lost with it."""
        if not self._started or self._uplink.running:
            return
        _log.warning("The connection to the real internet was lost; restarting slirp4netns.")
        self._applied = None
        try:
            self._uplink.start()
        except UplinkError as error:
            _log.error("%s", error)  # the steps for its device then fail and are reported; the others continue


def _summary(change: Difference) -> str:
    counts = {
        "namespaces created": len(change.created),
        "links deleted": len(change.cut),
        "links created": len(change.joined),
        "namespaces configured": len(change.deltas),
        "namespaces removed": len(change.removed),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
