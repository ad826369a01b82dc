"""Debian's public AMIs, with the names, owner and SSM parameters that they have on AWS.

https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm, https://wiki.debian.org/Cloud/AmazonEC2Image/Trixie and
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami

from groundwork_lab.aws.context import refuse

DEBIAN = "136693071363"
ROOT_DEVICE = "/dev/xvda"
ROOT_SIZE = 8  # GiB
ROOT_TYPE = "gp3"


@dataclass(frozen=True)
class Release:
    """A published Debian image: its version, date and build number."""

    version: int
    date: str  # YYYYMMDD
    build: int
    architecture: str = "x86_64"

    @property
    def debian(self) -> str:
        """Return Debian's name of the architecture."""
        return {"x86_64": "amd64"}.get(self.architecture, self.architecture)

    @property
    def name(self) -> str:
        return f"debian-{self.version}-{self.debian}-{self.date}-{self.build}"

    @property
    def image_id(self) -> str:
        """Return the AMI id. It is the same in every lab, so that an inventory can contain it."""
        return "ami-" + hashlib.sha256(self.name.encode()).hexdigest()[:17]

    @property
    def created(self) -> datetime:
        return datetime.strptime(self.date, "%Y%m%d").replace(tzinfo=UTC)


RELEASES = (
    Release(12, "20250316", 2053),
    Release(12, "20250814", 2204),
    Release(12, "20251006", 2257),
    Release(13, "20250814", 2204),
    Release(13, "20251006", 2257),
    Release(12, "20250814", 2204, "arm64"),
)
DEFAULT = 12


def version_of(image_id: str) -> int:
    """Return the version of Debian of a public image. For another image it has no meaning."""
    return next((release.version for release in RELEASES if release.image_id == image_id), DEFAULT)


def parameters() -> dict[str, str]:
    """Return SSM's public parameters with the ids of the images."""
    found = {}
    for release in sorted(RELEASES, key=lambda release: release.date):
        folder = f"/aws/service/debian/release/{release.version}"
        found[f"{folder}/{release.date}-{release.build}/{release.debian}"] = release.image_id
        found[f"{folder}/latest/{release.debian}"] = release.image_id
    return found


class Image(Ami):
    """An AMI with one root volume, like Debian's."""

    ena_support = True
    creation_date: Any
    imds_support = None

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        return [
            {
                "DeviceName": self.root_device_name,
                "Ebs": {
                    "SnapshotId": self.ebs_snapshot.id,
                    "VolumeSize": ROOT_SIZE,
                    "DeleteOnTermination": True,
                    "VolumeType": ROOT_TYPE,
                    "Encrypted": False,
                },
            }
        ]


class ImagesBackend(EC2Backend):
    def _load_amis(self) -> None:
        for release in RELEASES:
            self.amis[release.image_id] = Image(
                self,
                release.image_id,
                name=release.name,
                description=f"Debian {release.version} ({release.date}-{release.build})",
                owner_id=DEBIAN,
                owner_alias="amazon",
                public=True,
                virtualization_type="hvm",
                architecture=release.architecture,
                hypervisor="xen",
                root_device_type="ebs",
                root_device_name=ROOT_DEVICE,
                creation_date=release.created,
                image_location=f"amazon/{release.name}",
                boot_mode="uefi-preferred",
                region_name=f"{self.region_name}a",
            )

    def get_image(self, image_id: str) -> Any:
        """Return the image. Refuse an unknown id with the errors of RunInstances."""
        if not image_id.startswith("ami-"):
            refuse("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
        if image_id in self.deleted_amis:
            refuse("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is no longer available.")
        if image_id not in self.amis:
            refuse("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
        return self.amis[image_id]

    def describe_images(
        self,
        ami_ids: list[str] | None = None,
        filters: dict[str, Any] | None = None,
        exec_users: list[str] | None = None,
        owners: list[str] | None = None,
    ) -> list[Any]:
        """Return the images with the ids and of the owners. moto finds the image of a launch by a filter."""
        self._check_ids(ami_ids or [])
        of_launch = (filters or {}).get("image-id")
        found = super().describe_images(None, None, exec_users, list(owners or []))
        return [image for image in found if (not ami_ids or image.id in ami_ids) and of_launch in (None, image.id)]

    def _check_ids(self, image_ids: list[str]) -> None:
        for image_id in image_ids:
            if not image_id.startswith("ami-"):
                refuse("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
        missing = [image_id for image_id in image_ids if image_id not in self.amis]
        if missing:
            words = ("id", "does") if len(missing) == 1 else ("ids", "do")
            message = f"The image {words[0]} '[{', '.join(missing)}]' {words[1]} not exist"
            refuse("InvalidAMIID.NotFound", message)
