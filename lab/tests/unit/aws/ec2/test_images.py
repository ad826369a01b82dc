from __future__ import annotations

import pytest
from control_plane import Lab

from groundwork_lab.aws.ec2.images import RELEASES, parameters

BOOKWORM = [release for release in RELEASES if release.version == 12]
DEBIAN = {"Owners": ["136693071363"]}


def test_the_newest_is_the_latest() -> None:
    newest = max(BOOKWORM, key=lambda release: release.date)
    assert parameters()["/aws/service/debian/release/12/latest/amd64"] == newest.image_id
    assert len({release.date for release in BOOKWORM}) == len(BOOKWORM) >= 2


@pytest.mark.correction(
    "ec2:DescribeImages",
    "Debian publishes its images under the names and the owner of its wiki.",
    page="https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm",
    also=("ImagesBackend._load_amis",),
)
@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({"name": "debian-12-amd64-*", "state": "available"}, len(BOOKWORM)),
        ({"name": "debian-12-amd64-*", "architecture": "x86_64", "root-device-type": "ebs"}, len(BOOKWORM)),
        ({"name": "debian-13-amd64-*"}, len(RELEASES) - len(BOOKWORM)),
        ({"name": "debian-11-amd64-*"}, 0),
        ({"state": "pending"}, 0),
        ({"architecture": "arm64"}, 0),
    ],
)
def test_finding_debian(lab: Lab, filters: dict[str, str], number: int) -> None:
    wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    assert len(lab.ec2.describe_images(**DEBIAN, Filters=wanted)["Images"]) == number


@pytest.mark.correction(
    "ec2:DescribeImages",
    "The parameters of Debian have the ids of its images.",
    page="https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html",
)
def test_what_an_image_tells(lab: Lab) -> None:
    images = lab.ec2.describe_images(**DEBIAN)["Images"]
    newest = max(images, key=lambda image: image["CreationDate"])
    assert (
        newest["ImageId"]
        == lab.ssm.get_parameter(Name="/aws/service/debian/release/12/latest/amd64")["Parameter"]["Value"]
    )
    assert (newest["OwnerId"], newest["State"], newest["Architecture"]) == ("136693071363", "available", "x86_64")
    assert newest["RootDeviceName"] == "/dev/xvda"
    [disk] = newest["BlockDeviceMappings"]
    assert disk["DeviceName"] == "/dev/xvda"
    assert (disk["Ebs"]["VolumeSize"], disk["Ebs"]["VolumeType"], disk["Ebs"]["Encrypted"]) == (8, "gp3", False)
    assert lab.ec2.describe_images(Owners=["self"])["Images"] == []


@pytest.mark.correction("ec2:DescribeImages", "An id that does not exist is refused, also beside one that does.")
def test_an_unknown_image(lab: Lab) -> None:
    unknown = "ami-0123456789abcdef0"
    message = lab.refused("InvalidAMIID.NotFound", lab.ec2.describe_images, ImageIds=[lab.image, unknown])
    assert message == f"The image id '[{unknown}]' does not exist"
