"""The golden images of the environment `local`."""

from __future__ import annotations

from laptop import ENVIRONMENT, Laptop

PARAMETER = f"/groundwork/{ENVIRONMENT}/image/lamp"
OURS = [{"Name": "tag:groundwork:component", "Values": ["image"]}]


def promoted(laptop: Laptop) -> str:
    """Return the id of the promoted image, which is baked first if there is none."""
    baked = laptop.play(playbook="playbooks/image.yml")
    assert baked.code == 0, baked.failures() or baked.errors
    return str(laptop.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"])


def forget_images(laptop: Laptop) -> None:
    """Remove all golden images. Servers that run on them run on."""
    ec2 = laptop.client("ec2")
    for image in ec2.describe_images(Owners=["self"], Filters=OURS)["Images"]:
        ec2.deregister_image(ImageId=image["ImageId"], DeleteAssociatedSnapshots=True)
    laptop.client("ssm").delete_parameters(Names=[PARAMETER])
