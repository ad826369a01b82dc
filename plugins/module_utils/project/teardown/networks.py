# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove VPCs, subnets, route tables, gateways, endpoints, security groups and Elastic IP addresses."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.interfaces import gateways_of
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import Answers
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import (
    Batch,
    Described,
    Thing,
    Whose,
    some,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.changes import TARGETS

# AWS reports a deleted resource as a user of others for some moments.
# https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
IN_USE = "DependencyViolation"
ENDPOINTS = Batch("ec2", "delete_vpc_endpoints", "VpcEndpointIds", 25)


def network_things(answers: Answers, whose: Whose, deadline: float) -> list[Thing]:
    """Return all resources of networks, except network interfaces and resources that have some."""
    return [
        *(thing for gateway in answers["nat gateways"] for thing in _nat(gateway, answers, whose, deadline)),
        *(_endpoint(endpoint, whose, deadline) for endpoint in answers["endpoints"] if _there(endpoint)),
        *(_address(address, whose) for address in answers["addresses"]),
        *(thing for group in answers["groups"] for thing in _group(group, whose)),
        *(_subnet(subnet, answers, whose) for subnet in answers["subnets"]),
        *(thing for table in answers["tables"] for thing in _table(table, answers, whose)),
        *(_acl(acl, whose) for acl in answers["acls"] if not acl["IsDefault"]),
        *(thing for gateway in answers["gateways"] for thing in _gateway(gateway, answers, whose)),
        *(_vpc(vpc, whose) for vpc in answers["vpcs"]),
    ]


def _thing(kind: str, described: Described, key: str, whose: Whose, **more: t.Any) -> Thing:
    own = described[key]
    return Thing(kind, own, whose.name_of(described, own), ours=whose.owns_described(described), **more)


def _nat(gateway: Described, answers: Answers, whose: Whose, deadline: float) -> t.Iterator[Thing]:
    """Yield a NAT gateway of the environment. One that is being deleted is awaited.

    AWS describes deleted and failed ones for an hour; they are left out. Others' NAT gateways are found by their
    interfaces. https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    """
    if not whose.owns_described(gateway) or gateway["State"] in ("deleted", "failed"):
        return
    own = gateway["NatGatewayId"]
    addresses = [a.get("AllocationId") for a in gateway.get("NatGatewayAddresses", [])]
    gone = Wait(
        f"the NAT gateway {own} to be deleted",
        ec2("describe_nat_gateways", NatGatewayIds=[own]),
        lambda answer: all(g["State"] == "deleted" for g in answer.get("NatGateways", [])),
        deadline=deadline,
    )
    delete = ec2("delete_nat_gateway", NatGatewayId=own).settled_by("NatGatewayNotFound")
    yield _thing(
        "nat gateway",
        gateway,
        "NatGatewayId",
        whose,
        needs=some(gateway["SubnetId"], *addresses, *gateways_of(gateway["VpcId"], answers)),
        calls=() if gateway["State"] == "deleting" else (delete,),
        wait=gone,
        before={"subnet_id": gateway["SubnetId"]},
    )


def _there(endpoint: Described) -> bool:
    return bool(endpoint["State"].lower() not in ("deleted", "failed", "rejected", "expired"))


def _endpoint(endpoint: Described, whose: Whose, deadline: float) -> Thing:
    own = endpoint["VpcEndpointId"]
    gone = Wait(
        f"the VPC endpoint {own} to be deleted",
        ec2("describe_vpc_endpoints", VpcEndpointIds=[own]),
        lambda answer: all(e["State"].lower() == "deleted" for e in answer.get("VpcEndpoints", [])),
        deadline=deadline,
    )
    groups = [group["GroupId"] for group in endpoint.get("Groups", [])]
    return _thing(
        "vpc endpoint",
        endpoint,
        "VpcEndpointId",
        whose,
        needs=some(endpoint["VpcId"], *endpoint.get("SubnetIds", []), *groups),
        batch=ENDPOINTS,
        wait=gone,
        before={"service": endpoint["ServiceName"]},
    )


def _address(address: Described, whose: Whose) -> Thing:
    """Return an Elastic IP address. It is released when it is not in use; a terminated instance disassociates it."""
    release = Call(
        "ec2",
        "release_address",
        {"AllocationId": address["AllocationId"]},
        settled=("InvalidAllocationID.NotFound",),
        passing=("InvalidIPAddress.InUse",),
    )
    return _thing(
        "elastic ip", address, "AllocationId", whose, calls=(release,), before={"public_ip": address["PublicIp"]}
    )


def _group(group: Described, whose: Whose) -> t.Iterator[Thing]:
    """Yield a security group, and its rules that refer to other groups, which keep these groups.

    A default group is deleted with its VPC. A rule in another owner's group that refers to a group of the environment
    keeps it.
    """
    own = group["GroupId"]
    if group["GroupName"] == "default":
        return
    permissions = {"ingress": group.get("IpPermissions", []), "egress": group.get("IpPermissionsEgress", [])}
    referring = {way: [_to_groups(one, own) for one in rules] for way, rules in permissions.items()}
    calls = [
        ec2(f"revoke_security_group_{way}", GroupId=own, IpPermissions=rules).settled_by(
            "InvalidPermission.NotFound", "InvalidGroup.NotFound"
        )
        for way, found in referring.items()
        if (rules := [one for one in found if one["UserIdGroupPairs"]])
    ]
    others = {pair["GroupId"] for found in referring.values() for one in found for pair in one["UserIdGroupPairs"]}
    ours = whose.owns_described(group)
    delete = Call(
        "ec2", "delete_security_group", {"GroupId": own}, settled=("InvalidGroup.NotFound",), passing=(IN_USE,)
    )
    name = whose.name_of(group, group["GroupName"])
    if ours and calls:
        words = {"refers to": sorted(others)}
        # The group also needs these groups: they can be deleted only after its rules.
        needs = frozenset({own, *others})
        yield Thing(
            "security group rules", f"{own}/rules", name, calls=tuple(calls), needs=needs, before=words, part_of=own
        )
    yield Thing(
        "security group",
        own,
        name,
        ours=ours,
        needs=some(group["VpcId"], *(() if ours else others)),
        works_through=frozenset(others),
        calls=(delete,),
        before={"description": group["Description"]},
        place="" if ours else f"vpc {group['VpcId']}",
    )


def _to_groups(permission: Described, own: str) -> dict[str, t.Any]:
    """Return the part of a permission that refers to other security groups, in the form that revokes it."""
    kept = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
    pairs = [p for p in permission.get("UserIdGroupPairs", []) if p["GroupId"] != own]
    return {**kept, "UserIdGroupPairs": [{k: p[k] for k in ("GroupId", "UserId") if k in p} for p in pairs]}


def _subnet(subnet: Described, answers: Answers, whose: Whose) -> Thing:
    """Return a subnet. It works through its route table's targets, which stay if others' resources in it keep it."""
    own = subnet["SubnetId"]
    tables = [one for one in answers["tables"] if any(a.get("SubnetId") == own for a in one["Associations"])]
    acls = [a["NetworkAclId"] for a in answers["acls"] if any(x["SubnetId"] == own for x in a["Associations"])]
    delete = Call("ec2", "delete_subnet", {"SubnetId": own}, settled=("InvalidSubnetID.NotFound",), passing=(IN_USE,))
    return _thing(
        "subnet",
        subnet,
        "SubnetId",
        whose,
        needs=some(subnet["VpcId"], *(table["RouteTableId"] for table in tables), *acls),
        works_through=frozenset(target for table in tables for target in targets_of(table)),
        calls=(delete,),
        before={"cidr": subnet["CidrBlock"], "zone": subnet["AvailabilityZone"]},
    )


def targets_of(table: Described) -> set[str]:
    """Return the targets of a table's routes that still exist."""
    live = [route for route in table["Routes"] if route.get("State") != "blackhole"]
    return {str(route[key]) for route in live for key in TARGETS if route.get(key)} - {"local"}


def _table(table: Described, answers: Answers, whose: Whose) -> t.Iterator[Thing]:
    """Yield a route table, and its routes to targets outside the environment, which keep it.

    The main table is deleted with the VPC, whatever its tags.
    """
    if any(link.get("Main") for link in table["Associations"]):
        return
    own = table["RouteTableId"]
    ours = whose.owns_described(table)
    delete = Call(
        "ec2", "delete_route_table", {"RouteTableId": own}, settled=("InvalidRouteTableID.NotFound",), passing=(IN_USE,)
    )
    yield _thing(
        "route table",
        table,
        "RouteTableId",
        whose,
        needs=some(table["VpcId"]),
        works_through=frozenset() if ours else frozenset(targets_of(table)),
        calls=(delete,),
    )
    if ours:
        mine = _own_targets(answers, whose)
        name = whose.name_of(table, own)
        for route in table["Routes"]:
            target = next((str(route[key]) for key in TARGETS if route.get(key)), "other")
            if target != "local" and target not in mine and route.get("State") != "blackhole":
                where = next((str(v) for k, v in route.items() if k.startswith("Destination")), "")
                yield Thing(
                    "route", f"{where} to {target}", "", ours=False, needs=some(own), place=f"route table {name}"
                )


def _own_targets(answers: Answers, whose: Whose) -> set[str]:
    keys = {"gateways": "InternetGatewayId", "nat gateways": "NatGatewayId", "endpoints": "VpcEndpointId"}
    return {one[key] for kind, key in keys.items() for one in answers[kind] if whose.owns_described(one)}


def _acl(acl: Described, whose: Whose) -> Thing:
    """Return a network ACL. The collection creates none, but one that was created by hand keeps the VPC."""
    own = acl["NetworkAclId"]
    delete = Call(
        "ec2", "delete_network_acl", {"NetworkAclId": own}, settled=("InvalidNetworkAclID.NotFound",), passing=(IN_USE,)
    )
    return _thing("network acl", acl, "NetworkAclId", whose, needs=some(acl["VpcId"]), calls=(delete,))


def _gateway(gateway: Described, answers: Answers, whose: Whose) -> t.Iterator[Thing]:
    own = gateway["InternetGatewayId"]
    vpcs = [attachment["VpcId"] for attachment in gateway.get("Attachments", [])]
    ours = {vpc["VpcId"] for vpc in answers["vpcs"]}
    detach = [
        Call(
            "ec2",
            "detach_internet_gateway",
            {"InternetGatewayId": own, "VpcId": vpc},
            settled=("Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"),
            passing=(IN_USE,),
        )
        for vpc in vpcs
    ]
    delete = Call(
        "ec2",
        "delete_internet_gateway",
        {"InternetGatewayId": own},
        settled=("InvalidInternetGatewayID.NotFound",),
        passing=(IN_USE,),
    )
    yield _thing(
        "internet gateway", gateway, "InternetGatewayId", whose, needs=frozenset(vpcs), calls=(*detach, delete)
    )
    for vpc in vpcs:
        if vpc not in ours:
            yield Thing("vpc", vpc, "", ours=False, needs=some(own))


def _vpc(vpc: Described, whose: Whose) -> Thing:
    own = vpc["VpcId"]
    delete = Call("ec2", "delete_vpc", {"VpcId": own}, settled=("InvalidVpcID.NotFound",), passing=(IN_USE,))
    return _thing("vpc", vpc, "VpcId", whose, calls=(delete,), before={"cidr": vpc["CidrBlock"]})
