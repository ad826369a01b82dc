from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2.captures import check_name


@pytest.mark.parametrize("name", ["abc", "groundwork (1) [x] ./-'@_", "x" * 128])
def test_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["ab", "x" * 129, "a:b", "naïve"])
def test_names_that_aws_refuses(name: str) -> None:
    with pytest.raises(AwsError):
        check_name(name)


@pytest.fixture
def instance(lab: Lab) -> str:
    return str(lab.running(lab.subnet(lab.vpc())))


def described(lab: Lab, image: str) -> Any:
    return lab.ec2.describe_images(ImageIds=[image])["Images"][0]


def capture(lab: Lab, instance: str, name: str = "golden", **options: Any) -> str:
    return str(lab.ec2.create_image(InstanceId=instance, Name=name, **options)["ImageId"])


def captured(lab: Lab, instance: str, name: str = "golden", **options: Any) -> str:
    image = capture(lab, instance, name, **options)
    lab.plane.image_captured(image)
    return image


@pytest.mark.correction(
    "ec2:CreateImage",
    "An image and its snapshot are pending until the disk is copied.",
    also=("Snapshot.progress",),
    data_plane=True,
)
def test_an_image_is_pending_until_the_data_plane_has_it(lab: Lab, instance: str, tagged: Any) -> None:
    image = capture(
        lab,
        instance,
        Description="made by a test",
        NoReboot=True,
        TagSpecifications=[*tagged("image", Name="golden"), *tagged("snapshot", Name="its disk")],
    )
    pending = described(lab, image)
    assert (pending["State"], pending["Name"], pending["Description"]) == ("pending", "golden", "made by a test")
    assert (pending["SourceInstanceId"], pending["SourceImageId"]) == (instance, lab.image)
    assert pending["Tags"] == [{"Key": "Name", "Value": "golden"}]
    [snapshot] = lab.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert (snapshot["State"], snapshot["Tags"]) == ("pending", [{"Key": "Name", "Value": "its disk"}])
    assert pending["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] == snapshot["SnapshotId"]
    told = lab.plane.snapshot().images[image]
    assert (told.instance_id, told.no_reboot, told.pending) == (instance, True, True)
    subnet = lab.instance(instance)["SubnetId"]
    lab.refused("InvalidAMIID.Unavailable", lab.launch, subnet=subnet, ImageId=image)

    lab.changes.clear()
    lab.plane.image_captured(image)
    assert lab.changes
    assert described(lab, image)["State"] == "available"
    [snapshot] = lab.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert (snapshot["State"], snapshot["Progress"]) == ("completed", "100%")
    assert not lab.plane.snapshot().images[image].pending
    lab.ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"MaxAttempts": 1})


@pytest.mark.correction("ec2:DescribeImages", "A failed image has the reason in StateReason.", data_plane=True)
def test_a_capture_that_fails_says_why(lab: Lab, instance: str) -> None:
    image = capture(lab, instance)
    lab.plane.image_captured(image, failure="the disk is full")
    failed = described(lab, image)
    assert failed["State"] == "failed"
    assert "the disk is full" in failed["StateReason"]["Message"]
    lab.refused("InvalidAMIID.Unavailable", lab.launch, subnet=lab.instance(instance)["SubnetId"], ImageId=image)


@pytest.mark.correction(
    "ec2:CreateImage", "An image has a unique valid name, and cannot shrink or encrypt the root volume."
)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": "a:b"}, "InvalidAMIName.Malformed"),
        ({"Name": "taken"}, "InvalidAMIName.Duplicate"),
        ({"Description": "x" * 256}, "InvalidParameterValue"),
        ({"InstanceId": "i-0123456789abcdef0"}, "InvalidInstanceID.NotFound"),
        ({"DryRun": True}, "DryRunOperation"),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 4}}]},
            "InvalidBlockDeviceMapping",
        ),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}]},
            "InvalidBlockDeviceMapping",
        ),
        (
            {"TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]},
            "InvalidParameterValue",
        ),
    ],
)
def test_captures_that_aws_refuses(lab: Lab, instance: str, changes: dict[str, Any], code: str) -> None:
    captured(lab, instance, "taken")
    request = {"InstanceId": instance, "Name": "golden", **changes}
    lab.refused(code, lab.ec2.create_image, **request)
    assert len(lab.ec2.describe_images(Owners=["self"])["Images"]) == 1


@pytest.mark.correction("ec2:CreateImage", "The instance must be running or stopped.", data_plane=True)
def test_a_host_that_does_not_run_yet_is_not_captured(lab: Lab) -> None:
    instance = lab.launch(lab.subnet(lab.vpc()))["InstanceId"]
    message = lab.refused("InvalidParameterValue", lab.ec2.create_image, InstanceId=instance, Name="golden")
    assert "Instance is not in state 'running'" in message


@pytest.mark.correction(
    "ec2:CreateImage",
    "An image has the size, type and encryption of the root volume that it was created from.",
    also=("InstancesResponses._parse_block_device_mapping",),
)
def test_an_image_keeps_its_root_volumes_settings(lab: Lab) -> None:
    subnet = lab.subnet(lab.vpc())
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 12, "VolumeType": "gp3", "Encrypted": True}}
    image = captured(lab, lab.running(subnet, BlockDeviceMappings=[mapping]))
    [disk] = described(lab, image)["BlockDeviceMappings"]
    assert (disk["Ebs"]["VolumeSize"], disk["Ebs"]["VolumeType"], disk["Ebs"]["Encrypted"]) == (12, "gp3", True)
    launched = lab.launch(subnet, ImageId=image)
    assert launched["ImageId"] == image
    volume = lab.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [launched["InstanceId"]]}])[
        "Volumes"
    ][0]
    assert (volume["Size"], volume["Encrypted"]) == (12, True)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("name", "gol*", True),
        ("tag:tier", "public", True),
        ("tag:tier", "private", False),
        ("state", "available", True),
        ("state", "pending", False),
    ],
)
def test_own_images_are_found(lab: Lab, instance: str, tagged: Any, name: str, value: str, found: bool) -> None:
    image = captured(lab, instance, TagSpecifications=tagged("image", tier="public"))
    images = lab.ec2.describe_images(Owners=["self"], Filters=[{"Name": name, "Values": [value]}])["Images"]
    assert [each["ImageId"] for each in images] == ([image] if found else [])


@pytest.mark.correction(
    "ec2:DeleteSnapshot",
    "The snapshot of a registered image cannot be deleted.",
    also=("SnapshotsBackend.get_snapshot",),
)
def test_a_snapshot_lives_as_long_as_its_image(lab: Lab, instance: str) -> None:
    image = captured(lab, instance)
    snapshot = described(lab, image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    lab.refused("InvalidSnapshot.InUse", lab.ec2.delete_snapshot, SnapshotId=snapshot)
    lab.ec2.deregister_image(ImageId=image)
    lab.refused("InvalidAMIID.NotFound", lab.ec2.describe_images, ImageIds=[image])
    lab.ec2.delete_snapshot(SnapshotId=snapshot)
    lab.refused("InvalidSnapshot.NotFound", lab.ec2.delete_snapshot, SnapshotId=snapshot)
    assert lab.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert lab.ec2.describe_tags()["Tags"] == []


@pytest.mark.correction("ec2:DeregisterImage", "DeleteAssociatedSnapshots deletes the snapshots of the image.")
def test_an_image_goes_with_its_snapshot(lab: Lab, instance: str) -> None:
    image = captured(lab, instance)
    answer = lab.ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    [deleted] = answer["DeleteSnapshotResults"]
    assert deleted["ReturnCode"] == "success"
    assert lab.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_a_name_is_free_again_when_its_image_is_gone(lab: Lab, instance: str) -> None:
    lab.ec2.deregister_image(ImageId=captured(lab, instance))
    captured(lab, instance)


def test_a_deregistered_image_stays_in_the_world_while_an_instance_has_it(lab: Lab, instance: str) -> None:
    image = captured(lab, instance)
    second = lab.running(lab.instance(instance)["SubnetId"], ImageId=image)
    lab.ec2.deregister_image(ImageId=image)
    assert image in lab.plane.snapshot().images
    lab.ec2.terminate_instances(InstanceIds=[second])
    lab.plane.instance_state(second, "terminated")
    assert image not in lab.plane.snapshot().images


@pytest.mark.correction("ec2:ModifyImageAttribute", "Images and snapshots of another account cannot be changed.")
def test_others_images_are_not_ours_to_change(lab: Lab) -> None:
    lab.refused("AuthFailure", lab.ec2.deregister_image, ImageId=lab.image)
    lab.refused("AuthFailure", lab.ec2.modify_image_attribute, ImageId=lab.image, Description={"Value": "mine"})
    snapshot = described(lab, lab.image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    lab.refused("AuthFailure", lab.ec2.delete_snapshot, SnapshotId=snapshot)


@pytest.mark.correction(
    "ec2:EnableImageDeprecation", "A deprecation time is rounded to minutes and shown in the image."
)
@pytest.mark.correction(
    "ec2:ModifyImageAttribute", "ImdsSupport v2.0 decides over the metadata options of an instance."
)
def test_what_can_be_changed(lab: Lab, instance: str) -> None:
    image = captured(lab, instance)
    lab.ec2.modify_image_attribute(ImageId=image, Description={"Value": "better"})
    lab.ec2.modify_image_attribute(ImageId=image, ImdsSupport={"Value": "v2.0"})
    lab.ec2.enable_image_deprecation(ImageId=image, DeprecateAt="2031-01-02T03:04:05Z")
    found = described(lab, image)
    assert (found["Description"], found["ImdsSupport"]) == ("better", "v2.0")
    assert found["DeprecationTime"] == "2031-01-02T03:04:00.000Z"
    options = lab.launch(lab.instance(instance)["SubnetId"], ImageId=image)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 2)
    lab.ec2.disable_image_deprecation(ImageId=image)
    assert "DeprecationTime" not in described(lab, image)
    lab.refused(
        "InvalidParameterValue",
        lab.ec2.enable_image_deprecation,
        ImageId=image,
        DeprecateAt="2001-01-01T00:00:00Z",
    )


@pytest.mark.correction(
    "ec2:RegisterImage", "The lab has no disk for an image that is not created from an instance.", data_plane=True
)
@pytest.mark.correction("ec2:DisableImage", "An image of the lab cannot be disabled.", data_plane=True)
@pytest.mark.correction("ec2:CopyImage", "The lab has one region.", data_plane=True)
def test_other_ways_to_make_images_are_refused(lab: Lab) -> None:
    lab.refused("UnsupportedOperation", lab.ec2.register_image, Name="golden")
    request = {"SourceImageId": lab.image, "SourceRegion": "eu-central-1", "Name": "copy"}
    lab.refused("UnsupportedOperation", lab.ec2.copy_image, **request)
    lab.refused("UnsupportedOperation", lab.ec2.disable_image, ImageId=lab.image)


@pytest.mark.correction(
    "ec2:DescribeSnapshots",
    "Snapshots are found by their owner, and by filters of the documentation.",
)
def test_snapshots_are_found(lab: Any) -> None:
    describe = lab.ec2.describe_snapshots
    assert describe(OwnerIds=["self"])["Snapshots"] == []
    assert describe(OwnerIds=["136693071363"], Filters=[{"Name": "progress", "Values": ["100%"]}])["Snapshots"]
    lab.refused("InvalidSnapshot.NotFound", describe, SnapshotIds=["snap-0123456789abcdef0"])
