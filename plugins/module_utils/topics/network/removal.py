# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove VPCs, subnets, route tables, internet gateways, VPC endpoints and network ACLs."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Batch,
    Described,
    Removal,
    Sight,
    Tagged,
    Thing,
    internet_of,
    some,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.changes import TARGETS

ENDPOINTS = Batch("ec2", "delete_vpc_endpoints", "VpcEndpointIds", 25, "Unsuccessful", ("InvalidVpcEndpoint.NotFound",))


def _things(sight: Sight) -> t.Iterator[Thing]:
    answers = sight.answers
    yield from (_endpoint(endpoint, sight) for endpoint in answers["endpoints"] if _there(endpoint))
    yield from (_subnet(subnet, sight) for subnet in answers["subnets"])
    for table in answers["tables"]:
        yield from _table(table, sight)
    yield from (_acl(acl, sight) for acl in answers["acls"] if not acl["IsDefault"])
    for gateway in answers["gateways"]:
        yield from _gateway(gateway, sight)
    yield from (_vpc(vpc, sight) for vpc in answers["vpcs"])


def _there(endpoint: Described) -> bool:
    return bool(endpoint["State"].lower() not in ("deleted", "failed", "rejected", "expired"))


def _endpoint(endpoint: Described, sight: Sight) -> Thing:
    own = endpoint["VpcEndpointId"]
    gone = Wait(
        f"the VPC endpoint {own} to be deleted",
        ec2("describe_vpc_endpoints", VpcEndpointIds=[own]),
        lambda answer: all(e["State"].lower() == "deleted" for e in answer.get("VpcEndpoints", [])),
        deadline=sight.deadline,
    )
    groups = [group["GroupId"] for group in endpoint.get("Groups", [])]
    return sight.thing(
        "vpc endpoint",
        endpoint,
        "VpcEndpointId",
        needs=some(endpoint["VpcId"], *endpoint.get("SubnetIds", []), *groups),
        batch=ENDPOINTS,
        wait=gone,
        before={"service": endpoint["ServiceName"]},
    )


def _subnet(subnet: Described, sight: Sight) -> Thing:
    """Return a subnet. It works through its route table's targets, which stay if others' resources in it keep it."""
    own = subnet["SubnetId"]
    tables = [one for one in sight.answers["tables"] if any(a.get("SubnetId") == own for a in one["Associations"])]
    acls = [a["NetworkAclId"] for a in sight.answers["acls"] if any(x["SubnetId"] == own for x in a["Associations"])]
    delete = Call("ec2", "delete_subnet", {"SubnetId": own}, settled=("InvalidSubnetID.NotFound",))
    return sight.thing(
        "subnet",
        subnet,
        "SubnetId",
        needs=some(subnet["VpcId"], *(table["RouteTableId"] for table in tables), *acls),
        works_through=frozenset(target for table in tables for target in targets_of(table)),
        calls=(delete,),
        before={"cidr": subnet["CidrBlock"], "zone": subnet["AvailabilityZone"]},
    )


def targets_of(table: Described) -> set[str]:
    """Return the targets of a table's routes that still exist."""
    live = [route for route in table["Routes"] if route.get("State") != "blackhole"]
    return {str(route[key]) for route in live for key in TARGETS if route.get(key)} - {"local"}


def _table(table: Described, sight: Sight) -> t.Iterator[Thing]:
    """Yield a route table, and its routes to targets outside the environment, which keep it.

    The main table is deleted with the VPC, whatever its tags.
    """
    if any(link.get("Main") for link in table["Associations"]):
        return
    own = table["RouteTableId"]
    ours = sight.whose.owns_described(table)
    delete = Call("ec2", "delete_route_table", {"RouteTableId": own}, settled=("InvalidRouteTableID.NotFound",))
    yield sight.thing(
        "route table",
        table,
        "RouteTableId",
        needs=some(table["VpcId"]),
        works_through=frozenset() if ours else frozenset(targets_of(table)),
        calls=(delete,),
    )
    if ours:
        mine = _own_targets(sight)
        name = sight.whose.name_of(table, own)
        for route in table["Routes"]:
            target = next((str(route[key]) for key in TARGETS if route.get(key)), "other")
            if target != "local" and target not in mine and route.get("State") != "blackhole":
                where = next((str(v) for k, v in route.items() if k.startswith("Destination")), "")
                yield Thing(
                    "route", f"{where} to {target}", "", ours=False, needs=some(own), place=f"route table {name}"
                )


def _own_targets(sight: Sight) -> set[str]:
    keys = {"gateways": "InternetGatewayId", "nat gateways": "NatGatewayId", "endpoints": "VpcEndpointId"}
    return {one[key] for kind, key in keys.items() for one in sight.found(kind) if sight.whose.owns_described(one)}


def _acl(acl: Described, sight: Sight) -> Thing:
    """Return a network ACL. The collection creates none, but one that was created by hand keeps the VPC."""
    own = acl["NetworkAclId"]
    delete = Call("ec2", "delete_network_acl", {"NetworkAclId": own}, settled=("InvalidNetworkAclID.NotFound",))
    return sight.thing("network acl", acl, "NetworkAclId", needs=some(acl["VpcId"]), calls=(delete,))


def _gateway(gateway: Described, sight: Sight) -> t.Iterator[Thing]:
    own = gateway["InternetGatewayId"]
    vpcs = [attachment["VpcId"] for attachment in gateway.get("Attachments", [])]
    ours = {vpc["VpcId"] for vpc in sight.answers["vpcs"]}
    detach = [
        Call(
            "ec2",
            "detach_internet_gateway",
            {"InternetGatewayId": own, "VpcId": vpc},
            settled=("Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"),
        )
        for vpc in vpcs
    ]
    delete = Call(
        "ec2",
        "delete_internet_gateway",
        {"InternetGatewayId": own},
        settled=("InvalidInternetGatewayID.NotFound",),
    )
    yield sight.thing(
        "internet gateway",
        gateway,
        "InternetGatewayId",
        needs=frozenset(vpcs),
        serves=frozenset(internet_of(vpc) for vpc in vpcs),
        calls=(*detach, delete),
    )
    for vpc in vpcs:
        if vpc not in ours:
            yield Thing("vpc", vpc, "", ours=False, needs=some(own))


def _vpc(vpc: Described, sight: Sight) -> Thing:
    own = vpc["VpcId"]
    delete = Call("ec2", "delete_vpc", {"VpcId": own}, settled=("InvalidVpcID.NotFound",))
    return sight.thing("vpc", vpc, "VpcId", calls=(delete,), before={"cidr": vpc["CidrBlock"]})


REMOVAL = Removal(
    kinds=("internet gateway", "network acl", "route table", "subnet", "vpc", "vpc endpoint"),
    things=_things,
    tagged={
        "acls": Tagged("describe_network_acls", "NetworkAcls", "NetworkAclId", "vpc-id"),
        "endpoints": Tagged("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-id"),
        "gateways": Tagged("describe_internet_gateways", "InternetGateways", "InternetGatewayId", "attachment.vpc-id"),
        "subnets": Tagged("describe_subnets", "Subnets", "SubnetId", "vpc-id"),
        "tables": Tagged("describe_route_tables", "RouteTables", "RouteTableId", "vpc-id"),
        "vpcs": Tagged("describe_vpcs", "Vpcs", "VpcId"),
    },
    after="firewall",
)
