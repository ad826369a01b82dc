"""Who talks to whom inside the lab's daemon: the seams between control plane and data plane.

Each part knows the others only by these protocols, so that each is tested with a fake of its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from groundwork_lab.model import InstanceState, World


class Reconciler(Protocol):
    """A part of the data plane. The daemon hands it every new world, from one thread, in order."""

    def reconcile(self, world: World) -> None:
        """Make reality follow `world`; called again with the same world it does nothing.

        Must not block on slow things (a host's boot): start them and report later through `Reports`.
        One resource that it cannot serve keeps it from no other one: it raises `apart.UnservedError` at its end.
        """

    def close(self) -> None:
        """End everything that this part started."""


@dataclass(frozen=True)
class HealthReport:
    """One target's health; the words are ELBv2's TargetHealth's.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """

    state: Literal["initial", "healthy", "unhealthy", "unused", "draining", "unavailable"]
    reason: str = ""
    description: str = ""


class Hosts(Protocol):
    """What the control plane asks of the hosts."""

    def console_output(self, instance_id: str) -> bytes:
        """The host's console so far, at most the last 64 KiB; empty before its first boot."""


class Balancers(Protocol):
    """What the control plane asks of the balancers."""

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        """Health by (target id, port), for the targets that a balancer checks; the others are absent."""


class Reports(Protocol):
    """What the data plane tells the control plane."""

    def instance_state(self, instance_id: str, state: InstanceState, *, reason: str = "") -> None:
        """The host reached `state`: the API says so from now on. `reason` becomes StateReason's message."""

    def instance_reachable(self, instance_id: str) -> None:
        """sshd answers: DescribeInstanceStatus says `ok` from now on."""

    def image_captured(self, image_id: str, *, failure: str = "") -> None:
        """The image is there: it is `available` from now on, or `failed` with this as its StateReason's message."""

    def reconciled(self, world: World) -> None:
        """The whole data plane follows `world`: the API calls what was `pending` in it `available` from now on,
        and what was `deleting` and is no longer in it `deleted`. Called by the daemon after each pass."""
