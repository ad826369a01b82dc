# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find network interfaces and their owners, including resources without tags that keep a VPC.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import Answers
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import Described, Thing, Whose

BALANCER = "ELB "  # the beginning of the description of a load balancer's network interface


@dataclass(frozen=True)
class Holders:
    """The ids of resources with network interfaces.

    `ours` are the environment's existing ones, `gone` its deleted ones, and `balancers` all load balancers.
    """

    ours: frozenset[str]
    gone: frozenset[str]
    balancers: frozenset[str]


def holders(answers: Answers, whose: Whose) -> Holders:
    """Return the resources that can have network interfaces.

    Load balancers are identified by the end of their ARN, which is in their interfaces' description.
    """
    instances = [i for r in answers["instances"] for i in r["Instances"]]
    gateways = [g for g in answers["nat gateways"] if whose.owns_described(g)]
    balancers = {b["LoadBalancerArn"]: path_of(b["LoadBalancerArn"]) for b in answers["balancers"]}
    states = {
        **{i["InstanceId"]: i["State"]["Name"] for i in instances},
        **{g["NatGatewayId"]: g["State"] for g in gateways},
        **{balancers[arn]: "present" for arn in owned_arns(answers, whose) & balancers.keys()},
    }
    gone = frozenset(one for one, state in states.items() if state in ("terminated", "deleted", "failed"))
    return Holders(frozenset(states) - gone, gone, frozenset(balancers.values()))


def path_of(arn: str) -> str:
    """Return `app/<name>/<id>` of a load balancer's ARN."""
    return arn.partition("loadbalancer/")[2]


def owned_arns(answers: Answers, whose: Whose) -> set[str]:
    """Return the ARNs that have the environment's tags in Elastic Load Balancing."""
    told = [one for key in answers if key.startswith("tags of ") for one in answers[key]]
    return {one["ResourceArn"] for one in told if whose.owns_described(one)}


def interface_things(answers: Answers, whose: Whose, deadline: float) -> list[Thing]:
    """Return interfaces that are not part of another resource of the environment, and others' resources in the VPC.

    The interfaces of the environment's servers, load balancers and NAT gateways are not returned, because AWS deletes
    them with these.
    """
    known = holders(answers, whose)
    things: list[Thing] = []
    others: dict[tuple[str, str], list[Described]] = defaultdict(list)
    for interface in answers["interfaces"]:
        kind, holder = holder_of(interface)
        forgotten = kind == "load balancer" and holder not in known.balancers
        if holder in known.gone or forgotten:
            things.append(_leaving(interface, answers, whose, deadline))
        elif not holder or (holder in known.ours and outlives(interface)):
            things.append(_alone(interface, answers, whose))
        elif holder not in known.ours:
            others[kind, holder].append(interface)
    return [*things, *(_holder(kind, one, theirs, answers, whose) for (kind, one), theirs in others.items())]


def holder_of(interface: Described) -> tuple[str, str]:
    """Return the resource that an interface belongs to, as (kind, id), or ("", "") for none.

    It is an instance, a NAT gateway or a load balancer. For the latter two AWS reports it only in the description ("ELB
    app/<name>/<id>").
    """
    instance = interface.get("Attachment", {}).get("InstanceId")
    words = str(interface.get("Description", ""))
    if instance:
        return "instance", instance
    if interface.get("InterfaceType") == "nat_gateway":
        return "nat gateway", words.rpartition(" ")[2]
    if interface.get("RequesterManaged") and words.startswith(BALANCER):
        return "load balancer", words.removeprefix(BALANCER)
    return "", ""


def outlives(interface: Described) -> bool:
    """Return whether the interface remains when its instance is terminated, as one that was attached by hand does."""
    attachment = interface.get("Attachment", {})
    return bool(attachment.get("InstanceId")) and not attachment.get("DeleteOnTermination", False)


def needs_of(interfaces: t.Iterable[Described], answers: Answers) -> frozenset[str]:
    """Return the interfaces' subnets and security groups, and with a public address the internet gateway.

    AWS does not detach the internet gateway of a public address.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html
    """
    found: set[str] = set()
    for interface in interfaces:
        found |= {interface["SubnetId"], *(group["GroupId"] for group in interface.get("Groups", []))}
        if interface.get("Association", {}).get("PublicIp"):
            found |= gateways_of(interface["VpcId"], answers)
    return frozenset(found)


def gateways_of(vpc_id: str, answers: Answers) -> set[str]:
    """Return the ids of the internet gateways of a VPC."""
    return {
        gateway["InternetGatewayId"]
        for gateway in answers["gateways"]
        if any(attachment["VpcId"] == vpc_id for attachment in gateway.get("Attachments", []))
    }


def place_of(interfaces: t.Iterable[Described], answers: Answers, whose: Whose) -> str:
    """Return the names of the interfaces' subnets."""
    names = {subnet["SubnetId"]: whose.name_of(subnet, subnet["SubnetId"]) for subnet in answers["subnets"]}
    subnets = dict.fromkeys(interface["SubnetId"] for interface in interfaces)
    return ", ".join(f"subnet {names.get(one, one)}" for one in subnets)


def _tagged(interface: Described) -> Described:
    return {"Tags": interface.get("TagSet", [])}


def _alone(interface: Described, answers: Answers, whose: Whose) -> Thing:
    """Return an interface that is not deleted with another resource. It is the environment's if it has the tag."""
    own = interface["NetworkInterfaceId"]
    needs = needs_of([interface], answers)
    name = whose.name_of(_tagged(interface), own)
    if not whose.owns_described(_tagged(interface)):
        place = place_of([interface], answers, whose)
        return Thing("network interface", own, name, ours=False, needs=needs, place=place)
    delete = Call(
        "ec2",
        "delete_network_interface",
        {"NetworkInterfaceId": own},
        settled=("InvalidNetworkInterfaceID.NotFound",),
        passing=("InvalidNetworkInterface.InUse",),  # until the terminated instance has detached it
    )
    before = {"subnet_id": interface["SubnetId"], "address": interface.get("PrivateIpAddress")}
    return Thing("network interface", own, name, needs=needs, calls=(delete,), before=before)


def _leaving(interface: Described, answers: Answers, whose: Whose, deadline: float) -> Thing:
    """Return an interface that AWS deletes, so that it only has to be awaited."""
    own = interface["NetworkInterfaceId"]
    look = ec2("describe_network_interfaces", Filters=[{"Name": "network-interface-id", "Values": [own]}])
    return Thing(
        "network interface",
        own,
        whose.name_of(_tagged(interface), own),
        needs=needs_of([interface], answers),
        wait=Wait(f"AWS to remove the network interface {own}", look, _none_left, deadline=deadline),
        before={"description": interface.get("Description", "")},
    )


def _none_left(answer: t.Mapping[str, t.Any]) -> bool:
    return not answer.get("NetworkInterfaces")


def balancer_gone(arn: str, deadline: float) -> Wait:
    """Return the wait for the deletion of a load balancer's network interfaces.

    AWS deletes them minutes after the load balancer.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-delete.html
    """
    words = BALANCER + path_of(arn)
    look = ec2("describe_network_interfaces", Filters=[{"Name": "description", "Values": [words]}])
    return Wait(f"the network interfaces of {path_of(arn)} to be deleted", look, _none_left, deadline=deadline)


def _holder(kind: str, holder: str, interfaces: t.Sequence[Described], answers: Answers, whose: Whose) -> Thing:
    """Return another owner's instance, load balancer or NAT gateway, found by its interfaces."""
    place = place_of(interfaces, answers, whose)
    return Thing(kind, holder, "", ours=False, needs=needs_of(interfaces, answers), place=place)
