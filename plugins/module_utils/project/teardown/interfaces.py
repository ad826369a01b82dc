# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces: whose they are, and what holds a VPC although no tag tells of it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import Answers
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import Described, Thing, Whose

BALANCER = "ELB "  # how the description of a balancer's interface begins


@dataclass(frozen=True)
class Holders:
    """The ids of what has interfaces: what is ours and there, what is ours and gone, and the balancers of anybody."""

    ours: frozenset[str]
    gone: frozenset[str]
    balancers: frozenset[str]


def holders(answers: Answers, whose: Whose) -> Holders:
    """What can have interfaces; a balancer is told by the end of its ARN, as in its interfaces' description."""
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
    """`app/<name>/<id>` of a load balancer's ARN."""
    return arn.partition("loadbalancer/")[2]


def owned_arns(answers: Answers, whose: Whose) -> set[str]:
    """What Elastic Load Balancing says is ours."""
    told = [one for key in answers if key.startswith("tags of ") for one in answers[key]]
    return {one["ResourceArn"] for one in told if whose.owns_described(one)}


def interface_things(answers: Answers, whose: Whose, deadline: float) -> list[Thing]:
    """Ours that stand alone or are on their way out, and everything that others have in the VPC.

    The interfaces of servers, balancers and NAT gateways of ours go with them, and are no things of their own.
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
    """What an interface belongs to, as (kind, id): an instance, a NAT gateway, a load balancer; ("", "") of none.

    Of balancers and NAT gateways only the description tells; theirs is made by AWS ("ELB app/<name>/<id>").
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
    """Whether it stays when its instance is terminated, as one that was attached by hand does."""
    attachment = interface.get("Attachment", {})
    return bool(attachment.get("InstanceId")) and not attachment.get("DeleteOnTermination", False)


def needs_of(interfaces: t.Iterable[Described], answers: Answers) -> frozenset[str]:
    """Subnets and groups; with a public address also the internet gateway, which cannot be detached then.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html
    """
    found: set[str] = set()
    for interface in interfaces:
        found |= {interface["SubnetId"], *(group["GroupId"] for group in interface.get("Groups", []))}
        if interface.get("Association", {}).get("PublicIp"):
            found |= gateways_of(interface["VpcId"], answers)
    return frozenset(found)


def gateways_of(vpc_id: str, answers: Answers) -> set[str]:
    """The internet gateway of a VPC."""
    return {
        gateway["InternetGatewayId"]
        for gateway in answers["gateways"]
        if any(attachment["VpcId"] == vpc_id for attachment in gateway.get("Attachments", []))
    }


def place_of(interfaces: t.Iterable[Described], answers: Answers, whose: Whose) -> str:
    """The subnets in which interfaces are, as people call them."""
    names = {subnet["SubnetId"]: whose.name_of(subnet, subnet["SubnetId"]) for subnet in answers["subnets"]}
    subnets = dict.fromkeys(interface["SubnetId"] for interface in interfaces)
    return ", ".join(f"subnet {names.get(one, one)}" for one in subnets)


def _tagged(interface: Described) -> Described:
    return {"Tags": interface.get("TagSet", [])}


def _alone(interface: Described, answers: Answers, whose: Whose) -> Thing:
    """One that nothing takes along when it goes: ours by its tag, else somebody's."""
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
        passing=("InvalidNetworkInterface.InUse",),  # until the instance that was terminated has let go of it
    )
    before = {"subnet_id": interface["SubnetId"], "address": interface.get("PrivateIpAddress")}
    return Thing("network interface", own, name, needs=needs, calls=(delete,), before=before)


def _leaving(interface: Described, answers: Answers, whose: Whose, deadline: float) -> Thing:
    """Nothing to do but to await that AWS takes it away."""
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
    """A balancer is gone for the network when its nodes' interfaces are, minutes after the API forgot it.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-delete.html
    """
    words = BALANCER + path_of(arn)
    look = ec2("describe_network_interfaces", Filters=[{"Name": "description", "Values": [words]}])
    return Wait(f"the network interfaces of {path_of(arn)} to be deleted", look, _none_left, deadline=deadline)


def _holder(kind: str, holder: str, interfaces: t.Sequence[Described], answers: Answers, whose: Whose) -> Thing:
    """Somebody else's instance, balancer or NAT gateway, known by its interfaces."""
    place = place_of(interfaces, answers, whose)
    return Thing(kind, holder, "", ours=False, needs=needs_of(interfaces, answers), place=place)
