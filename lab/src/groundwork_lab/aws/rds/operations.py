"""The operations of RDS that the lab has, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from groundwork_lab.aws.rds import catalog, events, groups, instances, snapshots
from groundwork_lab.aws.rds.checks import Members, Request
from groundwork_lab.aws.rds.state import Backend

OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    **catalog.OPERATIONS,
    **events.OPERATIONS,
    **groups.OPERATIONS,
    **instances.OPERATIONS,
    **snapshots.OPERATIONS,
}
