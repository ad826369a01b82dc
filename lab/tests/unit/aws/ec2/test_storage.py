from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2.storage import merged

ROOT = {
    "DeviceName": "/dev/xvda",
    "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8, "VolumeType": "gp3", "DeleteOnTermination": True},
}


def root(**ebs: Any) -> dict[str, Any]:
    return {"DeviceName": "/dev/xvda", "Ebs": ebs}


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ([], {"VolumeSize": 8, "VolumeType": "gp3", "Encrypted": False, "Iops": 3000}),
        ([root(Encrypted=True)], {"VolumeSize": 8, "Encrypted": True, "SnapshotId": "snap-1"}),
        ([root(VolumeSize=20, DeleteOnTermination=False)], {"VolumeSize": 20, "DeleteOnTermination": False}),
        ([root(VolumeType="gp2")], {"VolumeType": "gp2", "Iops": None}),
        ([root(Iops=4000)], {"Iops": 4000, "Throughput": 125}),
    ],
)
def test_root_volume(requested: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    [volume] = merged([ROOT], requested)
    assert volume["DeviceName"] == "/dev/xvda"
    assert {name: volume["Ebs"].get(name) for name in expected} == expected


def test_a_device_is_left_out() -> None:
    data = {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 1}}
    left = {"DeviceName": "/dev/xvdb", "NoDevice": ""}
    [volume] = merged([ROOT, data], [left], encrypted_by_default=True)
    assert volume["DeviceName"] == "/dev/xvda"
    assert volume["Ebs"]["Encrypted"] is True


@pytest.mark.parametrize(
    ("requested", "code"),
    [
        (root(VolumeSize=4), "InvalidBlockDeviceMapping"),
        (root(VolumeType="fast"), "InvalidParameterValue"),
        (root(KmsKeyId="alias/x"), "InvalidParameterDependency"),
        ({"DeviceName": "/dev/xvdb", "Ebs": {}}, "MissingParameter"),
        ({"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 1}}, "UnsupportedOperation"),
        ({"DeviceName": "/dev/xvdb"}, "MissingParameter"),
        ({"Ebs": {"VolumeSize": 1}}, "MissingParameter"),
    ],
)
def test_refusals(requested: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as caught:
        merged([ROOT], [requested])
    assert caught.value.code == code


@pytest.mark.correction("ec2:DescribeVolumeStatus", "Volumes have a status, which is ok.")
def test_volumes_are_ok(lab: Lab) -> None:
    instance = lab.running(lab.subnet(lab.vpc()))
    [mapping] = lab.instance(instance)["BlockDeviceMappings"]
    [status] = lab.ec2.describe_volume_status(VolumeIds=[mapping["Ebs"]["VolumeId"]])["VolumeStatuses"]
    assert status["VolumeStatus"]["Status"] == "ok"


@pytest.mark.correction("ec2:RunInstances", "A server of the lab has one volume.")
def test_a_second_disk_is_refused(lab: Lab) -> None:
    subnet = lab.subnet(lab.vpc())
    second = {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 1}}
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        lab.launch(subnet, BlockDeviceMappings=[second])
    assert lab.ec2.describe_volumes()["Volumes"] == []
