"""What protects EC2's resources from their deletion: locks of snapshots, deregistration protection, reverse DNS names.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-snapshot-lock.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Elastic_Addressing_Reverse_DNS.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import refuse

COOLDOWN = timedelta(days=1)
LONGEST_LOCK = 36_500  # days


@dataclass(frozen=True)
class Lock:
    """The lock of a snapshot. A compliance lock can be lifted until `cooled`."""

    mode: str
    created: datetime
    days: int
    cooled: datetime
    hours: int = 0  # the cooling-off period

    @property
    def expires(self) -> datetime:
        return self.created + timedelta(days=self.days)

    def state(self, now: datetime) -> str:
        """Return the state of the lock.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LockedSnapshotsInfo.html
        """
        if now >= self.expires:
            return "expired"
        return "compliance-cooloff" if self.mode == "compliance" and now < self.cooled else self.mode


def lock_of(params: Mapping[str, Any], now: datetime) -> Lock:
    """Return the lock that a request asks for. Refuse an invalid one."""
    mode, days, expires = params["LockMode"], params.get("LockDuration"), params.get("ExpirationDate")
    if mode not in ("governance", "compliance"):
        refuse("InvalidParameterValue", f"Value ({mode}) for parameter LockMode is invalid.")
    if (days is None) == (expires is None):
        refuse("InvalidParameterCombination", "Specify either LockDuration or ExpirationDate.")
    if expires is not None:
        end = datetime.fromisoformat(expires) if isinstance(expires, str) else expires
        days = (end.replace(tzinfo=end.tzinfo or UTC) - now) / timedelta(days=1)
    wanted = float(days or 0)
    if not 1 <= wanted <= LONGEST_LOCK:
        refuse("InvalidParameterValue", f"The lock duration must be between 1 and {LONGEST_LOCK} days.")
    hours = int(params.get("CoolOffPeriod") or 0)
    if hours and mode == "governance":
        refuse("InvalidParameterCombination", "CoolOffPeriod is valid for the compliance mode only.")
    return Lock(mode, now, round(wanted), now + timedelta(hours=hours), hours)


class ProtectionsBackend(EC2Backend):
    locks: dict[str, Lock]  # by snapshot
    reverse_names: dict[str, str]  # by allocation

    def check_unlocked(self, snapshot_id: str) -> None:
        lock = self.locks.get(snapshot_id)
        if lock is not None and lock.state(datetime.now(UTC)) != "expired":
            refuse("OperationNotPermitted", f"The snapshot '{snapshot_id}' is locked and can't be deleted.")

    def check_deregistrable(self, image: Any) -> None:
        if image.deregistration_protection != "disabled":
            message = f"The image '{image.id}' can't be deregistered, because deregistration protection is enabled."
            refuse("OperationNotPermitted", message)

    def delete_snapshot(self, snapshot_id: str) -> Any:
        self.check_unlocked(snapshot_id)
        deleted = super().delete_snapshot(snapshot_id)
        self.locks.pop(snapshot_id, None)
        return deleted

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        if self.reverse_names.get(allocation_id or ""):
            message = f"The address {allocation_id} has a reverse DNS record, which must be removed first."
            refuse("InvalidAddress.Locked", message)
        super().release_address(address, allocation_id)


class ProtectionsResponses(EC2Response):
    def lock_snapshot(self) -> ActionResult:
        backend, now = self.ec2_backend, datetime.now(UTC)
        snapshot = backend.get_snapshot(self.params["SnapshotId"])
        lock = lock_of(self.params, now)
        self.error_on_dryrun()
        before = backend.locks.get(snapshot.id)
        if (
            before
            and before.state(now) == "compliance"
            and (lock.mode != "compliance" or lock.expires < before.expires)
        ):
            refuse("OperationNotPermitted", f"The lock of the snapshot '{snapshot.id}' can only be extended.")
        backend.locks[snapshot.id] = lock
        return ActionResult(_locked(snapshot, lock))

    def unlock_snapshot(self) -> ActionResult:
        backend = self.ec2_backend
        snapshot = backend.get_snapshot(self.params["SnapshotId"])
        lock = backend.locks.get(snapshot.id)
        self.error_on_dryrun()
        if lock is None:
            refuse("InvalidRequest", f"The snapshot '{snapshot.id}' is not locked.")
        if lock.state(datetime.now(UTC)) == "compliance":
            refuse("OperationNotPermitted", f"The snapshot '{snapshot.id}' is locked in compliance mode.")
        del backend.locks[snapshot.id]
        return ActionResult({"SnapshotId": snapshot.id})

    def describe_locked_snapshots(self) -> ActionResult:
        backend = self.ec2_backend
        wanted = self.params.get("SnapshotIds") or []
        found = [backend.get_snapshot(each) for each in wanted or backend.locks]
        told = [_locked(each, backend.locks[each.id]) for each in found if each.id in backend.locks]
        return ActionResult({"Snapshots": told})

    def enable_image_deregistration_protection(self) -> ActionResult:
        image = self.ec2_backend.own_image(self.params["ImageId"])
        self.error_on_dryrun()
        words = "with" if self.params.get("WithCooldown") else "without"
        image.protection = (f"enabled-{words}-cooldown", None)
        return ActionResult({"Return": image.deregistration_protection})

    def disable_image_deregistration_protection(self) -> ActionResult:
        image = self.ec2_backend.own_image(self.params["ImageId"])
        self.error_on_dryrun()
        state = image.deregistration_protection
        cooling = state == "enabled-with-cooldown"
        image.protection = (state, datetime.now(UTC) + COOLDOWN) if cooling else ("disabled", None)
        return ActionResult({"Return": image.deregistration_protection})

    def describe_addresses_attribute(self) -> ActionResult:
        backend = self.ec2_backend
        wanted = self.params.get("AllocationIds") or []
        found = backend.describe_addresses(wanted)
        return ActionResult({"Addresses": [self._named(each) for each in found]})

    def modify_address_attribute(self) -> ActionResult:
        [address] = self.ec2_backend.describe_addresses([self.params["AllocationId"]])
        self.error_on_dryrun()
        self.ec2_backend.reverse_names[address.allocation_id] = self.params["DomainName"]
        return ActionResult({"Address": self._named(address)})

    def reset_address_attribute(self) -> ActionResult:
        [address] = self.ec2_backend.describe_addresses([self.params["AllocationId"]])
        self.error_on_dryrun()
        self.ec2_backend.reverse_names.pop(address.allocation_id, None)
        return ActionResult({"Address": self._named(address)})

    def _named(self, address: Any) -> dict[str, Any]:
        name = self.ec2_backend.reverse_names.get(address.allocation_id)
        told = {"PublicIp": address.public_ip, "AllocationId": address.allocation_id}
        return {**told, "PtrRecord": f"{name.rstrip('.')}."} if name else told


def _locked(snapshot: Any, lock: Lock) -> dict[str, Any]:
    told = {
        "SnapshotId": snapshot.id,
        "OwnerId": snapshot.owner_id,
        "LockState": lock.state(datetime.now(UTC)),
        "LockDuration": lock.days,
        "LockCreatedOn": lock.created,
        "LockDurationStartTime": lock.created,
        "LockExpiresOn": lock.expires,
    }
    return {**told, "CoolOffPeriod": lock.hours, "CoolOffPeriodExpiresOn": lock.cooled} if lock.hours else told
