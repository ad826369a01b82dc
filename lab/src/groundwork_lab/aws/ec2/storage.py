"""The volumes of a launch: those of the image, overridden by the request.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundwork_lab.aws.context import refuse

TYPES = ("standard", "gp2", "gp3", "io1", "io2", "sc1", "st1")
BASELINE = {"gp3": {"Iops": 3000, "Throughput": 125}}
# https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html#gp3-ebs-volume-type

Mapping_ = Mapping[str, Any]


def merged(
    image: Sequence[Mapping_], requested: Sequence[Mapping_], *, encrypted_by_default: bool = False
) -> list[dict[str, Any]]:
    """Return the block device mappings of the launch, one {DeviceName, Ebs} per volume in the API's format."""
    wanted = {each.get("DeviceName"): each for each in requested}
    devices = {each["DeviceName"]: dict(each["Ebs"]) for each in image}
    for name, mapping in wanted.items():
        if not name:
            refuse("MissingParameter", "The request must contain the parameter deviceName")
        if "NoDevice" in mapping:
            devices.pop(name, None)
        elif "Ebs" in mapping:
            devices[name] = _volume(name, devices.get(name), mapping["Ebs"])
        elif "VirtualName" not in mapping:
            refuse("MissingParameter", "The request must contain the parameter ebs")
    for volume in devices.values():
        volume["Encrypted"] = bool(volume.get("Encrypted")) or encrypted_by_default
        for name, value in BASELINE.get(volume["VolumeType"], {}).items():
            volume.setdefault(name, value)
    return [{"DeviceName": name, "Ebs": volume} for name, volume in devices.items()]


def _volume(device: str, base: Mapping_ | None, requested: Mapping_) -> dict[str, Any]:
    if base is None and not requested.get("VolumeSize") and not requested.get("SnapshotId"):
        refuse("MissingParameter", "The request must contain the parameter size or snapshotId")
    volume = {"DeleteOnTermination": True, "VolumeType": "gp2", **(base or {}), **requested}
    if volume["VolumeType"] not in TYPES:
        message = f"Value ({volume['VolumeType']}) for parameter volumeType is invalid."
        refuse("InvalidParameterValue", message)
    if base is not None and int(volume["VolumeSize"]) < int(base["VolumeSize"]):
        message = (
            f"Volume of size {volume['VolumeSize']}GB is smaller than snapshot '{base['SnapshotId']}', "
            f"expect size >= {base['VolumeSize']}GB"
        )
        refuse("InvalidBlockDeviceMapping", message)
    if volume.get("KmsKeyId") and not volume.get("Encrypted"):
        message = f"The parameter KmsKeyId for device {device} requires the parameter Encrypted to be set."
        refuse("InvalidParameterDependency", message)
    return volume
