from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.ec2.protections import lock_of


@pytest.fixture
def instance(lab: Lab) -> str:
    return str(lab.running(lab.subnet(lab.vpc())))


@pytest.fixture
def image(lab: Lab, instance: str) -> str:
    made = str(lab.ec2.create_image(InstanceId=instance, Name="golden")["ImageId"])
    lab.plane.image_captured(made)
    return made


@pytest.fixture
def snapshot(lab: Lab) -> str:
    volume = lab.ec2.create_volume(AvailabilityZone="eu-central-1a", Size=1)["VolumeId"]
    return str(lab.ec2.create_snapshot(VolumeId=volume)["SnapshotId"])


@pytest.mark.correction("ec2:TerminateInstances", "Stop protection prevents termination too.")
def test_stop_protection_prevents_termination(lab: Lab, instance: str) -> None:
    lab.ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": True})
    told = lab.ec2.describe_instance_attribute(InstanceId=instance, Attribute="disableApiStop")
    assert told["DisableApiStop"] == {"Value": True}
    lab.refused("OperationNotPermitted", lab.ec2.terminate_instances, InstanceIds=[instance])
    lab.ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": False})
    lab.ec2.terminate_instances(InstanceIds=[instance])


@pytest.mark.correction(
    "ec2:DeregisterImage", "An image with deregistration protection cannot be deregistered.", data_plane=True
)
def test_a_protected_image_stays(lab: Lab, image: str) -> None:
    assert lab.ec2.describe_images(ImageIds=[image])["Images"][0]["DeregistrationProtection"] == "disabled"
    lab.ec2.enable_image_deregistration_protection(ImageId=image)
    told = lab.ec2.describe_images(ImageIds=[image])["Images"][0]
    assert told["DeregistrationProtection"] == "enabled-without-cooldown"
    lab.refused("OperationNotPermitted", lab.ec2.deregister_image, ImageId=image)
    lab.ec2.disable_image_deregistration_protection(ImageId=image)
    lab.ec2.deregister_image(ImageId=image)


@pytest.mark.correction(
    "ec2:DisableImageDeregistrationProtection",
    "With a cooldown, the protection lasts for another day.",
    data_plane=True,
)
def test_a_cooldown_keeps_the_protection(lab: Lab, image: str) -> None:
    lab.ec2.enable_image_deregistration_protection(ImageId=image, WithCooldown=True)
    lab.ec2.disable_image_deregistration_protection(ImageId=image)
    lab.refused("OperationNotPermitted", lab.ec2.deregister_image, ImageId=image)


@pytest.mark.correction("ec2:LockSnapshot", "A locked snapshot cannot be deleted, and DescribeLockedSnapshots has it.")
def test_a_locked_snapshot_stays(lab: Lab, snapshot: str) -> None:
    assert lab.ec2.describe_locked_snapshots(SnapshotIds=[snapshot])["Snapshots"] == []
    lab.ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=2)
    [told] = lab.ec2.describe_locked_snapshots()["Snapshots"]
    assert (told["SnapshotId"], told["LockState"], told["LockDuration"]) == (snapshot, "governance", 2)
    assert told["LockExpiresOn"] - told["LockCreatedOn"] == timedelta(days=2)
    lab.refused("OperationNotPermitted", lab.ec2.delete_snapshot, SnapshotId=snapshot)
    lab.ec2.unlock_snapshot(SnapshotId=snapshot)
    lab.ec2.delete_snapshot(SnapshotId=snapshot)


@pytest.mark.correction("ec2:UnlockSnapshot", "A compliance lock can be lifted in its cooling-off period only.")
def test_a_compliance_lock_is_final(lab: Lab, snapshot: str) -> None:
    locked = {"SnapshotId": snapshot, "LockMode": "compliance", "LockDuration": 3}
    told = lab.ec2.lock_snapshot(**locked, CoolOffPeriod=1)
    assert told["LockState"] == "compliance-cooloff"
    lab.ec2.unlock_snapshot(SnapshotId=snapshot)
    assert lab.ec2.lock_snapshot(**locked)["LockState"] == "compliance"
    lab.refused("OperationNotPermitted", lab.ec2.unlock_snapshot, SnapshotId=snapshot)
    lab.refused("OperationNotPermitted", lab.ec2.lock_snapshot, **{**locked, "LockDuration": 2})
    lab.ec2.lock_snapshot(**{**locked, "LockDuration": 4})


NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = timedelta(hours=3)


@pytest.mark.parametrize(
    ("given", "mode", "after", "state"),
    [
        ({"LockMode": "governance", "LockDuration": 1}, "governance", timedelta(hours=23), "governance"),
        ({"LockMode": "governance", "LockDuration": 1}, "governance", timedelta(days=1), "expired"),
        (
            {"LockMode": "compliance", "LockDuration": 2, "CoolOffPeriod": 3},
            "compliance",
            timedelta(hours=3),
            "compliance",
        ),
        (
            {"LockMode": "governance", "ExpirationDate": "2026-01-03T00:00:00"},
            "governance",
            timedelta(days=2),
            "expired",
        ),
    ],
)
def test_states_of_locks(given: dict[str, Any], mode: str, after: timedelta, state: str) -> None:
    lock = lock_of(given, NOW)
    assert (lock.mode, lock.state(NOW + after)) == (mode, state)


@pytest.mark.correction(
    "ec2:ReleaseAddress",
    "An address with a reverse DNS name is locked.",
    also=("ProtectionsResponses.describe_addresses_attribute",),
)
def test_an_address_with_a_reverse_name_is_locked(lab: Lab) -> None:
    own = lab.ec2.allocate_address(Domain="vpc")["AllocationId"]
    lab.ec2.modify_address_attribute(AllocationId=own, DomainName="www.example.com")
    [told] = lab.ec2.describe_addresses_attribute(AllocationIds=[own], Attribute="domain-name")["Addresses"]
    assert told["PtrRecord"] == "www.example.com."
    lab.refused("InvalidAddress.Locked", lab.ec2.release_address, AllocationId=own)
    lab.ec2.reset_address_attribute(AllocationId=own, Attribute="domain-name")
    lab.ec2.release_address(AllocationId=own)
