"""The lab's DNS: Unbound resolves, Knot answers for hosted zones and for the registry (docs/decisions/0053)."""

from __future__ import annotations

from groundwork_lab.plane.names.daemons import write_atomically
from groundwork_lab.plane.names.manager import Names
from groundwork_lab.plane.names.records import endpoint_names, records

__all__ = ["Names", "endpoint_names", "records", "write_atomically"]
