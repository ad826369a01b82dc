"""The fabric as a part of the data plane: it makes the kernel's networking follow the world."""

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
_ATTEMPTS = 2  # the second one reads the kernel's state back first


class FabricError(Exception):
    """Steps that failed, each with its place and what the kernel or nft said."""


class Fabric:
    """Implements `ports.Reconciler`: backbone, VPC routers, gateways and network interfaces of one lab."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._uplink = Uplink(settings, journal)
        self._started = False
        self._applied: Kernel | None = None  # None: unknown, to be read back
        self._world = World()
        self._built: dict[str, Built] = {}

    def start(self) -> None:
        """Make the backbone: internet, AWS plane, laptop and visitor, with the way to the real internet.

        Raises OSError when a namespace cannot be made, UplinkError or FabricError when something does not come up.
        """
        name = naming.internet_namespace(self._settings)
        if name not in existing(self._settings):
            apply.create(compute(World(), self._settings).namespaces[name], self._journal)
        self._uplink.start()
        self._started = True
        self.reconcile(World())

    def reconcile(self, world: World) -> None:
        """Make the network follow `world`.

        What fails is logged, and tried again at once against the kernel's state read back. When that fails too it
        raises UnservedError with the VPCs that do not follow, or FabricError when it is not about single VPCs; called
        again, it tries again. A VPC that cannot be built stays as it is.
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
        """Add each failure to the VPC in whose namespaces it is. Raises FabricError for one outside of all VPCs."""
        vpcs = {name: vpc_id for vpc_id, built in self._built.items() for name in built.namespaces}
        for failure in failures:
            with apart.trying(vpcs.get(failure.namespace, "")):
                raise FabricError(str(failure))
        if "" in apart.reasons:
            message = "The network does not follow the API: " + "; ".join(str(failure) for failure in failures)
            raise FabricError(message)

    def close(self) -> None:
        """Remove all of this lab's namespaces and the uplink; what runs inside must have ended before."""
        self._started = False
        self._uplink.close()
        gone = Difference(removed=tuple(existing(self._settings)))
        for failure in apply.apply(gone, self._journal):
            _log.error("%s", failure)
        self._applied = None
        self._world = World()

    def _attempt(self, wanted: Kernel) -> list[Failure]:
        """Apply the difference to what is there; the steps that failed."""
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
        """Start the uplink again when it died; its device's address and routes went with it."""
        if not self._started or self._uplink.running:
            return
        _log.warning("The way to the real internet was lost; starting slirp4netns again.")
        self._applied = None
        try:
            self._uplink.start()
        except UplinkError as error:
            _log.error("%s", error)  # its device's address and routes fail then, which is raised; the rest goes on


def _summary(change: Difference) -> str:
    counts = {
        "namespaces made": len(change.created),
        "links cut": len(change.cut),
        "links joined": len(change.joined),
        "namespaces configured": len(change.deltas),
        "namespaces removed": len(change.removed),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
