"""Snapshots of volumes. The snapshot of an image is completed with the image, and cannot be deleted before it.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_block_store import Snapshot as MotoSnapshot
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import refuse

AMAZON = "amazon"


class Snapshot(MotoSnapshot):
    @property
    def owner_alias(self) -> str | None:
        """Return the alias `amazon` for Debian's snapshots, as for its images."""
        return None if self.owner_id == self.ec2_backend.account_id else AMAZON

    @property
    def progress(self) -> str:
        return "0%" if self.status == "pending" else "100%"


class SnapshotsBackend(EC2Backend):
    def describe_snapshots(self, snapshot_ids: list[str] | None = None, filters: Any = None) -> list[Any]:  # noqa: ARG002 - moto's signature
        for snapshot_id in snapshot_ids or []:
            self.get_snapshot(snapshot_id)
        return [self.snapshots[each] for each in dict.fromkeys(snapshot_ids or self.snapshots)]

    def get_snapshot(self, snapshot_id: str) -> Any:
        if snapshot_id not in self.snapshots:
            refuse("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
        return self.snapshots[snapshot_id]

    def delete_snapshot(self, snapshot_id: str) -> Any:
        snapshot = self.get_snapshot(snapshot_id)
        if snapshot.owner_id != self.account_id:
            refuse("AuthFailure", f"Not authorized for snapshot:{snapshot_id}")
        deleted = super().delete_snapshot(snapshot_id)
        self.forget(snapshot_id)
        return deleted


class SnapshotsResponses(EC2Response):
    def describe_snapshots(self) -> ActionResult:
        account = self.ec2_backend.account_id
        owners = {account if each == "self" else each for each in self.params.get("OwnerIds") or []}
        result = super().describe_snapshots()
        if owners:
            found = result.result["Snapshots"]
            result.result["Snapshots"] = [each for each in found if {each.owner_id, each.owner_alias} & owners]
        return result
