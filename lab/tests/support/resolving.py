"""A resolver for tests without the lab's DNS: it answers from the hosted zones, as if all of them were delegated."""

from __future__ import annotations

from collections.abc import Callable

from groundwork_lab.api import ControlPlane
from groundwork_lab.lookup import Found


def from_zones(plane: ControlPlane) -> Callable[[str, str], Found]:
    """Return a lookup for the context of a control plane. It knows CNAME and CAA records as they are given."""

    def lookup(name: str, kind: str) -> Found:
        zones = plane.snapshot().hosted_zones.values()
        records = [each for zone in zones for each in zone.records if each.name == f"{name}."]
        values = tuple(
            value.replace('"', "").removesuffix(".") for each in records if each.type == kind for value in each.values
        )
        return Found("NOERROR" if records else "NXDOMAIN", {kind: values} if values else {})

    return lookup
