# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The builder of an image, and the tester that starts from the image, each with its own security group."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, specification
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ref, Token, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import (
    OPEN_EGRESS,
    Rule,
    group_ref,
    permission,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.observed import Id, Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import Golden
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import VPC

BUILDER, TESTER = "image-builder", "image-tester"
PORTS = {BUILDER: 22, TESTER: 80}


def launch(owner: Owner, desired: Golden, name: str, image: Id, root_device: str = "") -> t.Iterator[Change]:
    """Yield changes that create the machine's security group and launch the machine.

    The builder has the servers' key pair, and internet access to install packages. The tester has no key and no
    outbound access.
    """
    ref = group_ref(name)
    create = ec2(
        "create_security_group",
        VpcId=VPC,
        GroupName=owner.name(name),
        Description=f"{name} of {owner.environment}",
        TagSpecifications=specification("security-group", owner.tags(name)),
    ).yielding(ref, "GroupId")
    rules = [Rule("ingress", "tcp", PORTS[name], PORTS[name], "cidr", cidr) for cidr in desired.admin_cidrs]
    allow = ec2("authorize_security_group_ingress", GroupId=ref, IpPermissions=[permission(rule) for rule in rules])
    close = ec2("revoke_security_group_egress", GroupId=ref, IpPermissions=[permission(OPEN_EGRESS)])
    calls = (create, allow) if name == BUILDER else (create, allow, close)
    shown = {"id": ref, "ingress": [str(rule) for rule in rules], "egress": [str(OPEN_EGRESS)][: name == BUILDER]}
    yield Change("create", ref.resource, name, calls, after=shown)
    yield _machine(owner, desired, name, image, root_device)


def _machine(owner: Owner, desired: Golden, name: str, image: Id, root_device: str) -> Change:
    """Return the change that launches a machine. The stamp in its client token makes the token unique to this bake."""
    ref, tags = Ref("server", name), owner.tags(name)
    interface = {
        "DeviceIndex": 0,
        "SubnetId": Ref("subnet", desired.subnet),
        "Groups": [group_ref(name)],
        "AssociatePublicIpAddress": True,
        "DeleteOnTermination": True,
    }
    disk = {"VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}
    arguments: dict[str, t.Any] = {
        "ImageId": image,
        "InstanceType": desired.instance_type,
        "MinCount": 1,
        "MaxCount": 1,
        "NetworkInterfaces": [interface],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
        "TagSpecifications": [
            *specification("instance", tags),
            *specification("volume", tags),
            *specification("network-interface", tags),
        ],
        "ClientToken": Token((owner.environment, name, desired.stamp)),
    }
    if name == BUILDER:
        arguments["KeyName"] = owner.name("servers")
        arguments["BlockDeviceMappings"] = [{"DeviceName": root_device, "Ebs": disk}]
    call = ec2("run_instances", **arguments).yielding(ref, "Instances.0.InstanceId")
    after = {"ImageId": image, "InstanceType": desired.instance_type, "Subnet": desired.subnet, "Tags": tags}
    wait = Wait(
        f"the server {name} to be running",
        ec2("describe_instances", InstanceIds=[ref]),
        lambda answer: (
            [(i["State"]["Name"], bool(i.get("PublicIpAddress"))) for i in _instances(answer)] == [("running", True)]
        ),
        broken=_gone,
        deadline=desired.deadline,
    )
    return Change("create", ref.resource, name, (call,), after=after, wait=wait)


def _instances(answer: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    return [instance for reservation in answer.get("Reservations", []) for instance in reservation["Instances"]]


def _gone(answer: t.Mapping[str, t.Any]) -> str | None:
    """Return AWS' reason why a machine is terminated or shutting down, or None if it is not."""
    lost = [one for one in _instances(answer) if one["State"]["Name"] in ("shutting-down", "terminated")]
    return lost[0].get("StateReason", {}).get("Message", "AWS reports no reason") if lost else None


def _all_are(state: str) -> t.Callable[[t.Mapping[str, t.Any]], bool]:
    return lambda answer: all(one["State"]["Name"] == state for one in _instances(answer))


def stop(name: str, deadline: float) -> Change:
    """Return the change that stops the machine and waits for it to be stopped."""
    ref = Ref("server", name)
    look = ec2("describe_instances", InstanceIds=[ref])
    wait = Wait(f"the server {name} to be stopped", look, _all_are("stopped"), broken=_gone, deadline=deadline)
    states = {"State": "running"}, {"State": "stopped"}
    return Change("update", ref.resource, name, (ec2("stop_instances", InstanceIds=[ref]),), *states, wait=wait)


def clear_bench(observed: Observed, deadline: float) -> t.Iterator[Change]:
    """Yield changes that terminate the machines and then delete their security groups."""
    for machine in observed.machines:
        terminate = ec2("terminate_instances", InstanceIds=[machine.id]).settled_by("InvalidInstanceID.NotFound")
        look = ec2("describe_instances", InstanceIds=[machine.id])
        wait = Wait(f"the server {machine.name} to be terminated", look, _all_are("terminated"), deadline=deadline)
        yield Change("delete", "server", machine.name, (terminate,), {"id": machine.id}, wait=wait)
    awaits = tuple(Ref("server", machine.name) for machine in observed.machines)
    for name, group_id in observed.groups.items():
        delete = ec2("delete_security_group", GroupId=group_id).settled_by("InvalidGroup.NotFound")
        yield Change("delete", "security group", name, (delete,), {"id": group_id}, awaits=awaits)
