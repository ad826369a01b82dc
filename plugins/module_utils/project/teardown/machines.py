# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove instances, Auto Scaling groups, launch templates, volumes, images, snapshots and key pairs."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import is_scaled
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.interfaces import gateways_of, outlives
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.options import IMAGES
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import Answers
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import (
    Batch,
    Described,
    Thing,
    Whose,
    some,
)

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html: at most 1000 per call
INSTANCES = Batch("ec2", "terminate_instances", "InstanceIds", 1000)


def machine_things(answers: Answers, whose: Whose, deadline: float) -> list[Thing]:
    """Return instances, Auto Scaling groups, launch templates, volumes, images, snapshots and key pairs."""
    instances = [i for r in answers["instances"] for i in r["Instances"] if whose.owns_described(i)]
    alive = [instance for instance in instances if instance["State"]["Name"] != "terminated"]
    along = {volume for instance in alive for volume in _volumes(instance, along=True)}
    return [
        *(_scaling_group(group, answers, whose, deadline) for group in answers["scaling groups"]),
        *(_instance(instance, answers, whose, deadline) for instance in alive),
        *(_launch_template(template, whose) for template in answers["launch templates"]),
        *(thing for v in answers["volumes"] if v["VolumeId"] not in along for thing in _volume(v, alive, whose)),
        *(_image(image) for image in answers["images"]),
        *(_snapshot(snapshot, whose) for snapshot in answers["snapshots"]),
        *(_key_pair(pair, whose) for pair in answers["key pairs"]),
    ]


def _scaling_group(group: Described, answers: Answers, whose: Whose, deadline: float) -> Thing:
    """Return an Auto Scaling group, which is deleted with its instances, and described until they are terminated.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
    """
    name = group["AutoScalingGroupName"]
    named = {"AutoScalingGroupNames": [name]}
    templates = {one["LaunchTemplateId"] for one in answers["launch templates"]}
    used = group.get("LaunchTemplate") or group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get(
        "LaunchTemplateSpecification", {}
    )
    gone = Wait(
        f"the Auto Scaling group {name} to be deleted",
        Call("autoscaling", "describe_auto_scaling_groups", named),
        lambda answer: not answer.get("AutoScalingGroups"),
        deadline=deadline,
    )
    delete = Call(
        "autoscaling",
        "delete_auto_scaling_group",
        {"AutoScalingGroupName": name, "ForceDelete": True},
        passing=("ScalingActivityInProgress", "ResourceInUse"),
    )
    subnets = [one for one in group.get("VPCZoneIdentifier", "").split(",") if one]
    return Thing(
        "auto scaling group",
        group.get("AutoScalingGroupARN", name),
        name.removeprefix(f"{whose.environment}-"),
        needs=some(*subnets, *group.get("TargetGroupARNs", []), *({used.get("LaunchTemplateId")} & templates)),
        calls=() if group.get("Status") else (delete,),  # "Delete in progress"
        wait=gone,
        before={"desired_capacity": group["DesiredCapacity"]},
    )


def _volumes(instance: Described, *, along: bool) -> set[str]:
    """Return the volumes of an instance that AWS deletes with it (`along`), or those that remain."""
    devices = [one["Ebs"] for one in instance.get("BlockDeviceMappings", []) if "Ebs" in one]
    return {ebs["VolumeId"] for ebs in devices if bool(ebs.get("DeleteOnTermination")) == along}


def _instance(instance: Described, answers: Answers, whose: Whose, deadline: float) -> Thing:
    own = instance["InstanceId"]
    interfaces = instance.get("NetworkInterfaces", [])
    public = any(interface.get("Association", {}).get("PublicIp") for interface in interfaces)
    gone = Wait(
        f"the server {whose.name_of(instance, own)} ({own}) to be terminated",
        ec2("describe_instances", InstanceIds=[own]),
        lambda answer: all(
            i["State"]["Name"] == "terminated" for r in answer.get("Reservations", []) for i in r["Instances"]
        ),
        deadline=deadline,
    )
    return Thing(
        "server",
        own,
        _server_name(instance, whose),
        needs=some(
            *(interface["SubnetId"] for interface in interfaces),
            *(group["GroupId"] for interface in interfaces for group in interface.get("Groups", [])),
            *(interface["NetworkInterfaceId"] for interface in interfaces if outlives(_attached(interface, own))),
            *_volumes(instance, along=False),
            *(a["AllocationId"] for a in answers["addresses"] if a.get("InstanceId") == own),
            *(gateways_of(instance["VpcId"], answers) if public and instance.get("VpcId") else ()),
            instance.get("IamInstanceProfile", {}).get("Arn"),
        ),
        batch=None if instance["State"]["Name"] == "shutting-down" else INSTANCES,
        wait=gone,
        before={"type": instance["InstanceType"], "state": instance["State"]["Name"]},
    )


def _server_name(instance: Described, whose: Whose) -> str:
    """Return a server's name. The servers of an Auto Scaling group share a name, so that the id is added."""
    own = instance["InstanceId"]
    return f"{whose.name_of(instance)} {own}".strip() if is_scaled(instance) else whose.name_of(instance, own)


def _attached(interface: Described, instance_id: str) -> Described:
    """Return an interface with its attachment in the form of DescribeNetworkInterfaces, which has the instance's id."""
    return {**interface, "Attachment": {**interface.get("Attachment", {}), "InstanceId": instance_id}}


def _launch_template(template: Described, whose: Whose) -> Thing:
    own = template["LaunchTemplateId"]
    delete = ec2("delete_launch_template", LaunchTemplateId=own).settled_by("InvalidLaunchTemplateId.NotFound")
    name = template["LaunchTemplateName"].removeprefix(f"{whose.environment}-")
    return Thing("launch template", own, name, calls=(delete,))


def _volume(volume: Described, instances: t.Sequence[Described], whose: Whose) -> t.Iterator[Thing]:
    """Return a volume that AWS does not delete with an instance of the environment.

    An instance of others to which it is attached keeps it.
    """
    own = volume["VolumeId"]
    if volume["State"] in ("deleting", "deleted"):
        return
    mine = {instance["InstanceId"] for instance in instances}
    delete = Call(
        "ec2", "delete_volume", {"VolumeId": own}, settled=("InvalidVolume.NotFound",), passing=("VolumeInUse",)
    )
    before = {"gib": volume["Size"]}
    yield Thing("volume", own, whose.name_of(volume, own), calls=(delete,), before=before)
    for attachment in volume.get("Attachments", []):
        if attachment["InstanceId"] not in mine:
            yield Thing("instance", attachment["InstanceId"], "", ours=False, needs=some(own))


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
    )


def _snapshot(snapshot: Described, whose: Whose) -> Thing:
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
        passing=("InvalidSnapshot.InUse",),
    )
    return Thing("snapshot", own, whose.name_of(snapshot, own), calls=(delete,), before={"gib": snapshot["VolumeSize"]})


def _key_pair(pair: Described, whose: Whose) -> Thing:
    delete = ec2("delete_key_pair", KeyPairId=pair["KeyPairId"]).settled_by("InvalidKeyPair.NotFound")
    return Thing("key pair", pair["KeyPairId"], pair["KeyName"].removeprefix(f"{whose.environment}-"), calls=(delete,))
