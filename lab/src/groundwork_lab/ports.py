"""The protocols between the parts of the lab's daemon: control plane and data plane.

The parts use each other only through these protocols, so that each can be tested with a fake of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from groundwork_lab.model import InstanceState, World


class Reconciler(Protocol):
    """A part of the data plane. The daemon passes each new `World` to it, in order, from one thread of the part.

    A part that is busy gets the latest `World` next, and never sees those before it.
    """

    def reconcile(self, world: World) -> None:
        """Apply `world`. Do nothing if it was applied before.

        Must not block on slow operations (a host's boot): start them and report the result through `Reports`. A
        resource that cannot be served must not affect the others: raise `apart.UnservedError` at the end.
        """

    def close(self) -> None:
        """Stop everything that this part has started."""


@dataclass(frozen=True)
class HealthReport:
    """The health of a target, with the words of ELBv2's TargetHealth.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """

    state: Literal["initial", "healthy", "unhealthy", "unused", "draining", "unavailable"]
    reason: str = ""
    description: str = ""


class Hosts(Protocol):
    """The functions of the hosts that the control plane uses."""

    def console_output(self, instance_id: str) -> bytes:
        """Return the host's console log, at most the last 64 KiB, or b"" before its first boot."""

    def cpu_seconds(self, instance_id: str) -> float | None:
        """Return the CPU time that the host has used since its boot, in seconds, or None if it does not run."""


class Balancers(Protocol):
    """The functions of the load balancers that the control plane uses."""

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        """Return the health by (target id, port) of the targets that a load balancer checks."""

    def requests(self, target_group_arn: str) -> int | None:
        """Return the number of requests that were sent to targets of the group so far, or None if it is not known."""


class Reports(Protocol):
    """The reports of the data plane to the control plane."""

    def instance_state(self, instance_id: str, state: InstanceState, *, reason: str = "") -> None:
        """Set the state of an instance, as its host reports it. `reason` becomes the message of StateReason."""

    def instance_reachable(self, instance_id: str) -> None:
        """Set the instance's status to `ok` in DescribeInstanceStatus, because sshd answers."""

    def image_captured(self, image_id: str, *, failure: str = "") -> None:
        """Set the image to `available`, or to `failed` with `failure` as the message of its StateReason."""

    def reconciled(self, world: World) -> None:
        """Report that the data plane has applied `world`. The daemon calls it after each pass of a part.

        Each field of `world` is what the part that implements it has applied last.

        Pending resources in it become `available`, and deleting ones that are not in it become `deleted`.
        """
