"""The volumes of a launch: those of the image, overridden by the request.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.ec2.models import EC2Backend

from groundwork_lab.aws.context import refuse

SIZES = {  # in GiB, by type: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html
    "gp2": (1, 16384),
    "gp3": (1, 65536),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "sc1": (125, 16384),
    "st1": (125, 16384),
    "standard": (1, 1024),
}
TYPES = tuple(sorted(SIZES))
SETTINGS = {"Iops": ("gp3", "io1", "io2"), "Throughput": ("gp3",)}  # by type of volumes that have them
BASELINE = {"gp3": {"Iops": 3000, "Throughput": 125}}
# https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html#gp3-ebs-volume-type

Mapping_ = Mapping[str, Any]


def merged(
    image: Sequence[Mapping_], requested: Sequence[Mapping_], *, encrypted_by_default: bool = False
) -> list[dict[str, Any]]:
    """Return the block device mappings of the launch, one {DeviceName, Ebs} per volume in the API's format.

    Refuse volumes that the image does not have: a server of the lab has one disk.
    """
    wanted = {each.get("DeviceName"): each for each in requested}
    devices = {each["DeviceName"]: dict(each["Ebs"]) for each in image}
    for name, mapping in wanted.items():
        if not name:
            refuse("MissingParameter", "The request must contain the parameter deviceName")
        if "NoDevice" in mapping:
            devices.pop(name, None)
        elif "Ebs" in mapping:
            volume = _volume(name, devices.get(name), mapping["Ebs"])
            if name not in devices:
                refuse("UnsupportedOperation", f"The lab has one volume for each instance, and {name} is another one.")
            devices[name] = volume
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
    check(volume)
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


def check(volume: Mapping_) -> None:
    """Refuse a size or a setting that volumes of the type do not have."""
    kind = volume["VolumeType"]
    least, most = SIZES[kind]
    size = volume.get("VolumeSize")
    if size is not None and not least <= int(size) <= most:
        message = f"Volume of {size}GiB is invalid for type {kind}: its volumes have from {least} to {most} GiB."
        refuse("InvalidParameterValue", message)
    for name, kinds in SETTINGS.items():
        if volume.get(name) and kind not in kinds:
            refuse("InvalidParameterCombination", f"The parameter {name} is not supported for {kind} volumes.")


class StorageBackend(EC2Backend):
    def create_volume(self, size: int | None, zone_name: str, snapshot_id: str | None = None, **options: Any) -> Any:
        """Create a volume, in a zone of the region, with settings that its type has."""
        if zone_name not in {zone.name for zone in self.describe_availability_zones()}:
            refuse("InvalidZone.NotFound", f"The zone '{zone_name}' does not exist.")
        if size is None and not snapshot_id:
            refuse("MissingParameter", "The request must contain the parameter size or snapshotId")
        kind = options.get("volume_type") or "gp2"
        settings = {"Iops": options.get("iops"), "Throughput": options.get("throughput")}
        check({"VolumeType": kind, "VolumeSize": size, **settings})
        options["multi_attach_enabled"] = bool(options.get("multi_attach_enabled"))
        return super().create_volume(size, zone_name, snapshot_id, **options)
