# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find network interfaces and their owners, including resources without tags that keep a VPC.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
"""

from __future__ import annotations

import typing as t
from collections import defaultdict

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Interfaces,
    Removal,
    Sight,
    Tagged,
    Thing,
    internet_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.removal import outlives


def interface_removal(removals: t.Iterable[Removal]) -> Removal:
    """Return how network interfaces are removed, besides those that AWS deletes with resources of these topics."""
    owners = [removal.interfaces for removal in removals if removal.interfaces]
    return Removal(
        kinds=("network interface",),
        things=lambda sight: interface_things(owners, sight),
        tagged={
            "interfaces": Tagged("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", "vpc-id")
        },
    )


def interface_things(owners: t.Sequence[Interfaces], sight: Sight) -> list[Thing]:
    """Return interfaces that are not part of another resource of the environment, and others' resources in the VPC.

    The interfaces of the environment's servers, load balancers and NAT gateways are not returned, because AWS deletes
    them with these.
    """
    states = {owner.kind: owner.states(sight) for owner in owners}
    things: list[Thing] = []
    others: dict[tuple[str, str], list[Described]] = defaultdict(list)
    for interface in sight.answers["interfaces"]:
        owner, holder = holder_of(interface, owners)
        state = states[owner.kind].get(holder, owner.otherwise) if owner else "ours"
        if state == "gone":
            things.append(_leaving(interface, sight))
        elif not owner or (state == "ours" and outlives(interface)):
            things.append(_alone(interface, sight))
        elif state == "theirs":
            others[owner.kind, holder].append(interface)
    return [*things, *(_holder(kind, one, theirs, sight) for (kind, one), theirs in others.items())]


def holder_of(interface: Described, owners: t.Iterable[Interfaces]) -> tuple[Interfaces | None, str]:
    """Return the kind and the id of the resource that an interface belongs to, or (None, "")."""
    return next(((owner, found) for owner in owners if (found := owner.holder(interface))), (None, ""))


def needs_of(interfaces: t.Iterable[Described]) -> frozenset[str]:
    """Return the interfaces' subnets and security groups, and with a public address the internet access."""
    found: set[str] = set()
    for interface in interfaces:
        found |= {interface["SubnetId"], *(group["GroupId"] for group in interface.get("Groups", []))}
        if interface.get("Association", {}).get("PublicIp"):
            found.add(internet_of(interface["VpcId"]))
    return frozenset(found)


def place_of(interfaces: t.Iterable[Described], sight: Sight) -> str:
    """Return the names of the interfaces' subnets."""
    names = {subnet["SubnetId"]: sight.whose.name_of(subnet, subnet["SubnetId"]) for subnet in sight.answers["subnets"]}
    subnets = dict.fromkeys(interface["SubnetId"] for interface in interfaces)
    return ", ".join(f"subnet {names.get(one, one)}" for one in subnets)


def _tagged(interface: Described) -> Described:
    return {"Tags": interface.get("TagSet", [])}


def _alone(interface: Described, sight: Sight) -> Thing:
    """Return an interface that is not deleted with another resource. It is the environment's if it has the tag."""
    own = interface["NetworkInterfaceId"]
    needs = needs_of([interface])
    name = sight.whose.name_of(_tagged(interface), own)
    if not sight.whose.owns_described(_tagged(interface)):
        place = place_of([interface], sight)
        return Thing("network interface", own, name, ours=False, needs=needs, place=place)
    delete = Call(
        "ec2",
        "delete_network_interface",
        {"NetworkInterfaceId": own},
        settled=("InvalidNetworkInterfaceID.NotFound",),
    )
    before = {"subnet_id": interface["SubnetId"], "address": interface.get("PrivateIpAddress")}
    return Thing("network interface", own, name, needs=needs, calls=(delete,), before=before)


def _leaving(interface: Described, sight: Sight) -> Thing:
    """Return an interface that AWS deletes, so that it only has to be awaited."""
    own = interface["NetworkInterfaceId"]
    look = ec2("describe_network_interfaces", Filters=[{"Name": "network-interface-id", "Values": [own]}])
    return Thing(
        "network interface",
        own,
        sight.whose.name_of(_tagged(interface), own),
        needs=needs_of([interface]),
        wait=Wait(f"AWS to remove the network interface {own}", look, _none_left, deadline=sight.deadline),
        before={"description": interface.get("Description", "")},
    )


def _none_left(answer: t.Mapping[str, t.Any]) -> bool:
    return not answer.get("NetworkInterfaces")


def _holder(kind: str, holder: str, interfaces: t.Sequence[Described], sight: Sight) -> Thing:
    """Return another owner's instance, load balancer or NAT gateway, found by its interfaces."""
    place = place_of(interfaces, sight)
    return Thing(kind, holder, "", ours=False, needs=needs_of(interfaces), place=place)
