# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove instances, volumes and key pairs."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import server_key_parameter
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import is_scaled, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    PARAMETERS,
    Batch,
    Described,
    Interfaces,
    Protection,
    Removal,
    Sight,
    State,
    Tagged,
    Thing,
    internet_of,
    some,
)

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html: at most 1000 per call
INSTANCES = Batch("ec2", "terminate_instances", "InstanceIds", 1000)
# AWS refuses to terminate an instance with one of these attributes, by their names in DescribeInstanceAttribute.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-stop-protection.html
PROTECTING = {
    "disableApiTermination": ("termination protection is enabled", "--no-disable-api-termination"),
    "disableApiStop": ("stop protection is enabled, which prevents termination too", "--no-disable-api-stop"),
}
GONE = ("InvalidInstanceID.NotFound",)


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads of the attributes that protect instances, which DescribeInstances does not report."""
    for instance in _alive(sight):
        for attribute in PROTECTING if instance["State"]["Name"] != "shutting-down" else ():
            which = {"InstanceId": instance["InstanceId"], "Attribute": attribute}
            member = f"{attribute[0].upper()}{attribute[1:]}.Value"
            yield _attribute_of(instance, attribute), Read("ec2", "describe_instance_attribute", member, which, GONE)


def _attribute_of(instance: Described, attribute: str) -> str:
    return f"{attribute} of {instance['InstanceId']}"


def _protections(instance: Described, sight: Sight) -> tuple[Protection, ...]:
    command = f"aws ec2 modify-instance-attribute --instance-id {instance['InstanceId']}"
    return tuple(
        Protection(what, f"{command} {switch}")
        for attribute, (what, switch) in PROTECTING.items()
        if sight.found(_attribute_of(instance, attribute)) == [True]
    )


def _things(sight: Sight) -> t.Iterator[Thing]:
    alive = _alive(sight)
    along = {volume for instance in alive for volume in _volumes(instance, along=True)}
    yield from (_instance(instance, sight) for instance in alive)
    for volume in sight.answers["volumes"]:
        if volume["VolumeId"] not in along:
            yield from _volume(volume, alive, sight)
    yield from (_key_pair(pair, sight) for pair in sight.answers["key pairs"])


def _instances(sight: Sight) -> list[Described]:
    found = [instance for reservation in sight.found("instances") for instance in reservation["Instances"]]
    return [instance for instance in found if sight.whose.owns_described(instance)]


def _alive(sight: Sight) -> list[Described]:
    return [one for one in _instances(sight) if one["State"]["Name"] != "terminated"]


def outlives(interface: Described) -> bool:
    """Return whether the interface remains when its instance is terminated, as one that was attached by hand does."""
    attachment = interface.get("Attachment", {})
    return bool(attachment.get("InstanceId")) and not attachment.get("DeleteOnTermination", False)


def _volumes(instance: Described, *, along: bool) -> set[str]:
    """Return the volumes of an instance that AWS deletes with it (`along`), or those that remain."""
    devices = [one["Ebs"] for one in instance.get("BlockDeviceMappings", []) if "Ebs" in one]
    return {ebs["VolumeId"] for ebs in devices if bool(ebs.get("DeleteOnTermination")) == along}


def _instance(instance: Described, sight: Sight) -> Thing:
    own = instance["InstanceId"]
    interfaces = instance.get("NetworkInterfaces", [])
    public = {one["Association"]["PublicIp"] for one in interfaces if one.get("Association", {}).get("PublicIp")}
    gone = Wait(
        f"the server {sight.whose.name_of(instance, own)} ({own}) to be terminated",
        ec2("describe_instances", InstanceIds=[own]),
        lambda answer: all(
            i["State"]["Name"] == "terminated" for r in answer.get("Reservations", []) for i in r["Instances"]
        ),
        deadline=sight.deadline,
    )
    return Thing(
        "server",
        own,
        _server_name(instance, sight),
        needs=some(
            *(interface["SubnetId"] for interface in interfaces),
            *(group["GroupId"] for interface in interfaces for group in interface.get("Groups", [])),
            *(interface["NetworkInterfaceId"] for interface in interfaces if outlives(_attached(interface, own))),
            *_volumes(instance, along=False),
            *public,
            *((internet_of(instance["VpcId"]),) if public and instance.get("VpcId") else ()),
            instance.get("IamInstanceProfile", {}).get("Arn"),
            # An interrupted teardown keeps the key for as long as there are servers.
            server_key_parameter(sight.whose.environment),
            PARAMETERS,
        ),
        batch=None if instance["State"]["Name"] == "shutting-down" else INSTANCES,
        wait=gone,
        before={"type": instance["InstanceType"], "state": instance["State"]["Name"]},
        tags=tag_dict(instance),
        protections=_protections(instance, sight),
    )


def _server_name(instance: Described, sight: Sight) -> str:
    """Return a server's name. The servers of an Auto Scaling group share a name, so that the id is added."""
    own = instance["InstanceId"]
    return (
        f"{sight.whose.name_of(instance)} {own}".strip() if is_scaled(instance) else sight.whose.name_of(instance, own)
    )


def _attached(interface: Described, instance_id: str) -> Described:
    """Return an interface with its attachment in the form of DescribeNetworkInterfaces, which has the instance's id."""
    return {**interface, "Attachment": {**interface.get("Attachment", {}), "InstanceId": instance_id}}


def _volume(volume: Described, instances: t.Sequence[Described], sight: Sight) -> t.Iterator[Thing]:
    """Return a volume that AWS does not delete with an instance of the environment.

    An instance of others to which it is attached keeps it.
    """
    own = volume["VolumeId"]
    if volume["State"] in ("deleting", "deleted"):
        return
    mine = {instance["InstanceId"] for instance in instances}
    delete = Call("ec2", "delete_volume", {"VolumeId": own}, settled=("InvalidVolume.NotFound",))
    yield sight.thing("volume", volume, "VolumeId", calls=(delete,), before={"gib": volume["Size"]})
    for attachment in volume.get("Attachments", []):
        if attachment["InstanceId"] not in mine:
            yield Thing("instance", attachment["InstanceId"], "", ours=False, needs=some(own))


def _key_pair(pair: Described, sight: Sight) -> Thing:
    delete = ec2("delete_key_pair", KeyPairId=pair["KeyPairId"]).settled_by("InvalidKeyPair.NotFound")
    return Thing("key pair", pair["KeyPairId"], sight.short(pair["KeyName"]), calls=(delete,), tags=tag_dict(pair))


def _states(sight: Sight) -> dict[str, State]:
    return {one["InstanceId"]: "gone" if one["State"]["Name"] == "terminated" else "ours" for one in _instances(sight)}


REMOVAL = Removal(
    kinds=("server", "volume", "key pair"),
    things=_things,
    tagged={
        "instances": Tagged("describe_instances", "Reservations", "ReservationId"),
        "key pairs": Tagged("describe_key_pairs", "KeyPairs", "KeyPairId"),
        "volumes": Tagged("describe_volumes", "Volumes", "VolumeId"),
    },
    reads=_reads,
    interfaces=Interfaces("instance", lambda one: str(one.get("Attachment", {}).get("InstanceId", "")), _states),
    after="scaling",  # a group would replace a terminated instance
)
