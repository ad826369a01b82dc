# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove golden images, with their snapshots and parameters.

AWS does not refuse to deregister an image in use, so their users outside the environment are read too.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Protection,
    Removal,
    Sight,
    Tagged,
    Thing,
    some,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import COMPONENT

IMAGES = "images"  # the option for their removal
GONE = ("InvalidLaunchTemplateId.NotFound",)
LOCKS = "snapshot locks"


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads of snapshots' locks, and of the users of images that are to be removed.

    Users are instances, and others' launch templates. All versions of these are read, because Auto Scaling groups can
    use any version.
    """
    if snapshots := [one["SnapshotId"] for one in sight.found("snapshots")]:
        gone = ("InvalidSnapshot.NotFound",)
        yield LOCKS, Read("ec2", "describe_locked_snapshots", "Snapshots", {"SnapshotIds": snapshots}, gone)
    images = [image["ImageId"] for image in sight.found("images")]
    if images and IMAGES in sight.wishes:
        running = {"Filters": [{"Name": "image-id", "Values": images}]}
        yield "image users", Read("ec2", "describe_instances", "Reservations", running)
        yield "everybody's templates", Read("ec2", "describe_launch_templates", "LaunchTemplates")
    for template in _others(sight):
        which = {"LaunchTemplateId": template["LaunchTemplateId"]}
        read = Read("ec2", "describe_launch_template_versions", "LaunchTemplateVersions", which, GONE)
        yield _versions_of(template), read


def _things(sight: Sight) -> t.Iterator[Thing]:
    yield from (_image(image) for image in sight.answers["images"])
    yield from (_snapshot(snapshot, sight) for snapshot in sight.answers["snapshots"])
    yield from _users(sight)
    yield from _parameters(sight)


def _parameters(sight: Sight) -> t.Iterator[Thing]:
    """Yield the parameter of the promoted image, which stays if the images stay. The topic secrets deletes it."""
    folder = f"/groundwork/{sight.whose.environment}/{COMPONENT}/"
    for parameter in sight.answers["parameters"]:
        if parameter["Name"].startswith(folder):
            yield Thing("parameter", parameter["Name"], parameter["Name"], wish=IMAGES)


def _image(image: Described) -> Thing:
    devices = [one.get("Ebs", {}).get("SnapshotId") for one in image.get("BlockDeviceMappings", [])]
    deregister = ec2("deregister_image", ImageId=image["ImageId"]).settled_by(
        "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"
    )
    return Thing(
        "image",
        image["ImageId"],
        image.get("Name", image["ImageId"]),
        needs=some(*devices),
        calls=(deregister,),
        before={"created": image.get("CreationDate")},
        wish=IMAGES,
        tags=tag_dict(image),
        protections=tuple(_image_protections(image)),
    )


def _image_protections(image: Described) -> t.Iterator[Protection]:
    """Yield the deregistration protection, which with a cooldown lasts for another day.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html
    """
    state = image.get("DeregistrationProtection") or "disabled"
    if state != "disabled":
        command = f"aws ec2 disable-image-deregistration-protection --image-id {image['ImageId']}"
        later = "" if "without" in state else "AWS lifts it 24 hours after the command."
        yield Protection(f"deregistration protection is {state}", command, later)


def _snapshot(snapshot: Described, sight: Sight) -> Thing:
    """Return a snapshot. One of an image stays with the image and is deleted with it.

    Other snapshots are deleted in any case.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html
    """
    own = snapshot["SnapshotId"]
    delete = Call(
        "ec2",
        "delete_snapshot",
        {"SnapshotId": own},
        settled=("InvalidSnapshot.NotFound",),
    )
    return Thing(
        "snapshot",
        own,
        sight.whose.name_of(snapshot, own),
        calls=(delete,),
        before={"gib": snapshot["VolumeSize"]},
        tags=tag_dict(snapshot),
        protections=tuple(_snapshot_protections(own, sight)),
    )


def _snapshot_protections(snapshot_id: str, sight: Sight) -> t.Iterator[Protection]:
    """Yield the lock of a snapshot. One in compliance mode cannot be lifted after its cooling-off period.

    https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-lock-concepts.html
    """
    for lock in sight.found(LOCKS):
        if lock["SnapshotId"] == snapshot_id and lock["LockState"] != "expired":
            what = f"it is locked in the state {lock['LockState']} until {lock.get('LockExpiresOn', 'further notice')}"
            if lock["LockState"] == "compliance":
                yield Protection(what, otherwise="AWS does not unlock it earlier. Remove it after that date.")
            else:
                yield Protection(what, f"aws ec2 unlock-snapshot --snapshot-id {snapshot_id}")


def _users(sight: Sight) -> t.Iterator[Thing]:
    """Yield others' instances and launch templates that use an image of the environment."""
    images = {image["ImageId"] for image in sight.found("images")}
    for instance in (i for r in sight.found("image users") for i in r["Instances"]):
        if instance["State"]["Name"] != "terminated" and not sight.whose.owns_described(instance):
            name, used = tag_dict(instance).get("Name", ""), some(instance["ImageId"])
            yield Thing("instance", instance["InstanceId"], name, ours=False, needs=used)
    for template in _others(sight):
        own, name = template["LaunchTemplateId"], template["LaunchTemplateName"]
        if used := _named_by(sight.found(_versions_of(template))) & images:
            yield Thing("launch template", own, name, ours=False, needs=used)


def _others(sight: Sight) -> list[Described]:
    return [one for one in sight.found("everybody's templates") if not sight.whose.owns_described(one)]


def _versions_of(template: Described) -> str:
    return f"versions of {template['LaunchTemplateId']}"


def _named_by(versions: t.Iterable[Described]) -> frozenset[str]:
    return some(*(one.get("LaunchTemplateData", {}).get("ImageId") for one in versions))


REMOVAL = Removal(
    kinds=("image", "snapshot"),
    things=_things,
    # AWS also returns others' public images and snapshots, unless the request asks for the account's own.
    tagged={
        "images": Tagged("describe_images", "Images", "ImageId", own={"Owners": ["self"]}),
        "snapshots": Tagged("describe_snapshots", "Snapshots", "SnapshotId", own={"OwnerIds": ["self"]}),
    },
    reads=_reads,
    after="servers",
)
