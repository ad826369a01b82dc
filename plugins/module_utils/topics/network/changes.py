# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to a network."""

from __future__ import annotations

import typing as t
from ipaddress import IPv4Network

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, retag, specification, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ref, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.observed import Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import (
    ANYWHERE,
    DEFAULT_GROUP,
    INTERNET_GATEWAY,
    S3_ENDPOINT,
    TIER,
    VPC,
    Network,
    SubnetWish,
    subnet_ref,
    table_ref,
)


def plan_network(
    desired: Network, observed: Observed, blocks: t.Mapping[str, IPv4Network], owner: Owner
) -> list[Change]:
    """Return the changes that turn `observed` into `desired`, in the order in which AWS accepts them."""
    return [
        *_vpc_changes(desired, observed, owner),
        *_default_group_changes(observed),
        *_gateway_changes(desired, observed, owner),
        *_each(desired, lambda wish: _subnet_changes(wish, observed, blocks, owner)),
        *_each(desired, lambda wish: _table_changes(wish, observed, owner)),
        *_endpoint_changes(desired, observed, owner),
        *_tag_changes(desired, observed, owner),
        *(_removals(desired, observed) if desired.purge else ()),
    ]


def _each(desired: Network, changes: t.Callable[[SubnetWish], t.Iterable[Change]]) -> t.Iterator[Change]:
    return (change for wish in desired.subnets for change in changes(wish))


def _vpc_changes(desired: Network, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    wanted = {"cidr": str(desired.cidr), "dns_support": True, "dns_hostnames": True}
    # A new VPC has DNS support but no DNS hostnames, unless it is a default one. AWS changes one attribute per call.
    # https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
    actual = {"dns_support": observed.dns_support, "dns_hostnames": observed.dns_hostnames}
    attributes = {"dns_support": "EnableDnsSupport", "dns_hostnames": "EnableDnsHostnames"}
    missing = [attributes[key] for key, enabled in actual.items() if not enabled]
    modify = [Call("ec2", "modify_vpc_attribute", {"VpcId": VPC, name: {"Value": True}}) for name in missing]
    if not observed.vpc:
        create = ec2(
            "create_vpc",
            CidrBlock=str(desired.cidr),
            TagSpecifications=specification("vpc", owner.tags(VPC.name)),
        ).yielding(VPC, "Vpc.VpcId")
        yield Change("create", VPC.resource, VPC.name, (create, *modify), after={"id": VPC, **wanted})
    elif modify:
        yield Change("update", VPC.resource, VPC.name, tuple(modify), {**wanted, **actual}, wanted)


EVERYTHING = {"IpProtocol": "-1"}


def _default_group_changes(observed: Observed) -> t.Iterator[Change]:
    """Yield changes that remove all rules of the default security group, which servers without a group get."""
    if not observed.vpc:
        inside = [{"Name": "vpc-id", "Values": [VPC]}, {"Name": "group-name", "Values": ["default"]}]
        find = ec2("describe_security_groups", Filters=inside).yielding(DEFAULT_GROUP, "SecurityGroups.0.GroupId")
        ingress: list[dict[str, t.Any]] = [{**EVERYTHING, "UserIdGroupPairs": [{"GroupId": DEFAULT_GROUP}]}]
        egress: list[dict[str, t.Any]] = [{**EVERYTHING, "IpRanges": [{"CidrIp": ANYWHERE}]}]
        calls = [find, *_revocations(ingress, egress)]
    else:
        group = observed.default_group or {}
        ingress, egress = group.get("IpPermissions", []), group.get("IpPermissionsEgress", [])
        calls = _revocations(ingress, egress)
    if calls:
        before = {"ingress_rules": len(ingress), "egress_rules": len(egress)}
        after = {"ingress_rules": 0, "egress_rules": 0}
        yield Change("update", DEFAULT_GROUP.resource, DEFAULT_GROUP.name, tuple(calls), before, after)


def _revocations(ingress: t.Sequence[t.Any], egress: t.Sequence[t.Any]) -> list[Call]:
    return [
        ec2(f"revoke_security_group_{way}", GroupId=DEFAULT_GROUP, IpPermissions=rules).settled_by(
            "InvalidPermission.NotFound"
        )
        for way, rules in (("ingress", ingress), ("egress", egress))
        if rules
    ]


def _gateway_changes(desired: Network, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    if not desired.public:
        return
    attach = ec2("attach_internet_gateway", InternetGatewayId=INTERNET_GATEWAY, VpcId=VPC)
    after = {"id": INTERNET_GATEWAY, "vpc_id": VPC}
    if not observed.gateway:
        create = ec2(
            "create_internet_gateway",
            TagSpecifications=specification("internet-gateway", owner.tags(INTERNET_GATEWAY.name)),
        ).yielding(INTERNET_GATEWAY, "InternetGateway.InternetGatewayId")
        yield Change("create", INTERNET_GATEWAY.resource, INTERNET_GATEWAY.name, (create, attach), after=after)
    elif not observed.vpc or observed.vpc["VpcId"] not in _attached_to(observed.gateway):
        before = {"id": INTERNET_GATEWAY, "vpc_id": ", ".join(_attached_to(observed.gateway))}
        yield Change("update", INTERNET_GATEWAY.resource, INTERNET_GATEWAY.name, (attach,), before, after)


def _attached_to(gateway: t.Mapping[str, t.Any]) -> list[str]:
    return [attachment["VpcId"] for attachment in gateway.get("Attachments", [])]


def _subnet_changes(
    wish: SubnetWish, observed: Observed, blocks: t.Mapping[str, IPv4Network], owner: Owner
) -> t.Iterator[Change]:
    """Yield changes that create subnets, and that disable public addresses by default in existing ones.

    A server gets a public IP address only if its own declaration says so, not because of its subnet.
    """
    ref = subnet_ref(wish.name)
    actual = observed.subnets.get(wish.name)
    if not actual:
        create = ec2(
            "create_subnet",
            VpcId=VPC,
            CidrBlock=str(blocks[wish.name]),
            AvailabilityZone=wish.zone,
            TagSpecifications=specification("subnet", owner.tags(wish.name, **{TIER: wish.tier})),
        ).yielding(ref, "Subnet.SubnetId")
        after = {"id": ref, "cidr": str(blocks[wish.name]), "zone": wish.zone, "tier": wish.tier}
        yield Change("create", ref.resource, ref.name, (create,), after=after)
    elif actual.get("MapPublicIpOnLaunch"):
        modify = ec2("modify_subnet_attribute", SubnetId=ref, MapPublicIpOnLaunch={"Value": False})
        key = "map_public_ip_on_launch"
        yield Change("update", ref.resource, ref.name, (modify,), {key: True}, {key: False})


def _table_changes(wish: SubnetWish, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    """Yield changes to the subnet's route table: its creation, its association, and its route to the internet gateway.

    Other routes stay: the default route of a private subnet belongs to the component `nat`.
    """
    ref = table_ref(wish.name)
    actual = observed.tables.get(wish.name)
    calls = (*_associate(wish, observed), *_default_route(wish, observed))
    after = {"id": ref, "subnet": wish.name, **({"default_route": INTERNET_GATEWAY} if wish.public else {})}
    if not actual:
        create = ec2(
            "create_route_table",
            VpcId=VPC,
            TagSpecifications=specification("route-table", owner.tags(wish.name, **{TIER: wish.tier})),
        ).yielding(ref, "RouteTable.RouteTableId")
        yield Change("create", ref.resource, ref.name, (create, *calls), after=after)
    elif calls:
        before = {"id": ref, "default_route": _target(default_route(actual))}
        yield Change("update", ref.resource, ref.name, calls, before, after)


def _associate(wish: SubnetWish, observed: Observed) -> t.Iterator[Call]:
    subnet = observed.subnets.get(wish.name)
    table = observed.tables.get(wish.name)
    link = observed.associations.get(subnet["SubnetId"]) if subnet else None
    if link and table and link["RouteTableId"] == table["RouteTableId"]:
        return
    if link:
        association = link["RouteTableAssociationId"]
        yield ec2("replace_route_table_association", AssociationId=association, RouteTableId=table_ref(wish.name))
    else:
        yield ec2("associate_route_table", SubnetId=subnet_ref(wish.name), RouteTableId=table_ref(wish.name))


def default_route(table: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any] | None:
    """Return the IPv4 default route of a described route table."""
    return next((route for route in table["Routes"] if route.get("DestinationCidrBlock") == ANYWHERE), None)


TARGETS = ("GatewayId", "NatGatewayId", "NetworkInterfaceId", "TransitGatewayId", "VpcPeeringConnectionId")


def _target(route: t.Mapping[str, t.Any] | None) -> str:
    return next((str(route[key]) for key in TARGETS if route.get(key)), "other") if route else "none"


def _default_route(wish: SubnetWish, observed: Observed) -> t.Iterator[Call]:
    where = {"RouteTableId": table_ref(wish.name), "DestinationCidrBlock": ANYWHERE}
    table = observed.tables.get(wish.name)
    route = default_route(table) if table else None
    target = _target(route)
    if not wish.public:
        if target.startswith("igw-"):
            yield ec2("delete_route", **where)
    elif not route:
        yield ec2("create_route", **where, GatewayId=INTERNET_GATEWAY).safe_to_repeat()
    elif not observed.gateway or target != observed.gateway["InternetGatewayId"]:
        yield ec2("replace_route", **where, GatewayId=INTERNET_GATEWAY)


def _endpoint_changes(desired: Network, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    if not desired.s3_endpoint:
        return
    names = [subnet.name for subnet in desired.subnets]
    after = {"id": S3_ENDPOINT, "route_tables": names}
    if not observed.endpoint:
        create = ec2(
            "create_vpc_endpoint",
            VpcEndpointType="Gateway",
            VpcId=VPC,
            ServiceName=f"com.amazonaws.{desired.region}.s3",
            RouteTableIds=[table_ref(name) for name in names],
            TagSpecifications=specification("vpc-endpoint", owner.tags(S3_ENDPOINT.name)),
        ).yielding(S3_ENDPOINT, "VpcEndpoint.VpcEndpointId")
        yield Change("create", S3_ENDPOINT.resource, S3_ENDPOINT.name, (create,), after=after)
        return
    served = set(observed.endpoint["RouteTableIds"])
    unserved = [n for n in names if n not in observed.tables or observed.tables[n]["RouteTableId"] not in served]
    if unserved:
        add = [table_ref(name) for name in unserved]
        modify = ec2("modify_vpc_endpoint", VpcEndpointId=S3_ENDPOINT, AddRouteTableIds=add)
        before = {"id": S3_ENDPOINT, "route_tables": [name for name in names if name not in unserved]}
        yield Change("update", S3_ENDPOINT.resource, S3_ENDPOINT.name, (modify,), before, after)


def _tag_changes(desired: Network, observed: Observed, owner: Owner) -> list[Change]:
    have: list[tuple[Ref, t.Mapping[str, t.Any] | None, dict[str, str]]] = [
        (VPC, observed.vpc, owner.tags(VPC.name)),
        (INTERNET_GATEWAY, observed.gateway, owner.tags(INTERNET_GATEWAY.name)),
        (S3_ENDPOINT, observed.endpoint, owner.tags(S3_ENDPOINT.name)),
    ]
    for wish in desired.subnets:
        tags = owner.tags(wish.name, **{TIER: wish.tier})
        have.append((subnet_ref(wish.name), observed.subnets.get(wish.name), tags))
        have.append((table_ref(wish.name), observed.tables.get(wish.name), tags))
    return retag([(ref, tag_dict(actual), tags) for ref, actual, tags in have if actual])


def undeclared(desired: Network, observed: Observed) -> list[str]:
    """Return the owner's resources that are not declared, as `subnet public-c`."""
    return [f"{change.resource} {change.name}" for change in _removals(desired, observed)]


def _unwanted_subnets(desired: Network, observed: Observed) -> list[str]:
    """Return the names of undeclared subnets and of their remaining route tables."""
    return sorted((observed.subnets.keys() | observed.tables.keys()) - {subnet.name for subnet in desired.subnets})


def _removals(desired: Network, observed: Observed) -> t.Iterator[Change]:
    """Yield changes that delete undeclared resources, in the order in which AWS accepts them.

    AWS refuses to delete a subnet that is in use, before anything else of it is deleted.
    """
    if observed.endpoint and not desired.s3_endpoint:
        yield _endpoint_removal(observed.endpoint)
    for name in _unwanted_subnets(desired, observed):
        subnet, table = observed.subnets.get(name), observed.tables.get(name)
        if subnet:
            delete = ec2("delete_subnet", SubnetId=subnet["SubnetId"])
            before = {"id": subnet["SubnetId"], "cidr": subnet["CidrBlock"], "zone": subnet["AvailabilityZone"]}
            yield Change("delete", "subnet", name, (delete,), before)
        if table:
            yield _table_removal(name, table)
    if observed.gateway and not desired.public:
        gateway = observed.gateway["InternetGatewayId"]
        detach = (
            ec2("detach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc)
            for vpc in _attached_to(observed.gateway)
        )
        delete = ec2("delete_internet_gateway", InternetGatewayId=gateway)
        before = {"id": gateway}
        yield Change("delete", INTERNET_GATEWAY.resource, INTERNET_GATEWAY.name, (*detach, delete), before)


def _table_removal(name: str, table: t.Mapping[str, t.Any]) -> Change:
    # AWS deletes the association with the subnet. An association that remains would prevent the table's deletion.
    links = [link["RouteTableAssociationId"] for link in table["Associations"]]
    leave = (
        ec2("disassociate_route_table", AssociationId=link).settled_by("InvalidAssociationID.NotFound")
        for link in links
    )
    delete = ec2("delete_route_table", RouteTableId=table["RouteTableId"])
    return Change("delete", "route table", name, (*leave, delete), {"id": table["RouteTableId"]})


def _endpoint_removal(endpoint: t.Mapping[str, t.Any]) -> Change:
    ids = [endpoint["VpcEndpointId"]]
    # DeleteVpcEndpoints returns 200 also on a failure, so that only another read shows the result.
    gone = Wait(
        f"the VPC endpoint {ids[0]} to be deleted",
        ec2("describe_vpc_endpoints", VpcEndpointIds=ids),
        lambda answer: all(e["State"].lower() == "deleted" for e in answer.get("VpcEndpoints", [])),
    )
    delete = ec2("delete_vpc_endpoints", VpcEndpointIds=ids)
    return Change("delete", S3_ENDPOINT.resource, S3_ENDPOINT.name, (delete,), {"id": ids[0]}, wait=gone)
