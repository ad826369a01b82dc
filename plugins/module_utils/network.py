# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of an environment: VPC, subnets of tiers and zones, route tables, internet gateway, S3 endpoint."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network

from ansible_collections.groundwork.aws.plugins.module_utils.addressing import (
    LARGEST_PREFIX,
    SMALLEST_PREFIX,
    NoRoom,
    allocate,
    is_private,
    overlaps,
    parse_vpc_block,
)
from ansible_collections.groundwork.aws.plugins.module_utils.aws import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.ownership import (
    Owner,
    retag,
    specification,
    tag_dict,
)
from ansible_collections.groundwork.aws.plugins.module_utils.plan import Call, Change, Ids, Ref, Wait, ec2, shown
from ansible_collections.groundwork.aws.plugins.module_utils.running import Run

COMPONENT = "network"
TIER = "groundwork:tier"
ANYWHERE = "0.0.0.0/0"

VPC = Ref("vpc", "main")
INTERNET_GATEWAY = Ref("internet gateway", "main")
S3_ENDPOINT = Ref("vpc endpoint", "s3")
DEFAULT_GROUP = Ref("security group", "default")


def subnet_ref(name: str) -> Ref:
    """The id of the subnet that people call `name`."""
    return Ref("subnet", name)


def table_ref(name: str) -> Ref:
    """The id of the route table of the subnet that people call `name`."""
    return Ref("route table", name)


# What is desired ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SubnetWish:
    """A subnet that should be; `cidr` only when it is given, else it is allocated."""

    name: str  # tier and zone's letter: public-a
    tier: str
    zone: str
    public: bool
    cidr: IPv4Network | None = None


@dataclass(frozen=True)
class Network:
    """The network that should be; `subnets` in the order of their allocation."""

    cidr: IPv4Network
    region: str
    subnet_prefix: int
    subnets: tuple[SubnetWish, ...]
    s3_endpoint: bool = False
    purge: bool = False

    @property
    def public(self) -> bool:
        """Whether any subnet leads to the internet."""
        return any(subnet.public for subnet in self.subnets)


# `eu-central-1a`, and local zones as `us-west-2-lax-1a`.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
ZONE = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+)+-\d+)(?:-[a-z]+-\d+)?(?P<letter>[a-z])")
TIER_NAME = re.compile(r"[a-z]([a-z0-9-]{0,14}[a-z0-9])?")


def parse_network(options: t.Mapping[str, t.Any], problems: Problems) -> Network | None:
    """The desired network of the options of `ec2_vpc_network`, or None when `problems` has grown."""
    before = len(problems.found)
    cidr = parse_vpc_block(options["cidr"], "cidr", problems)
    zones = _parse_zones(options["zones"], options.get("region"), problems)
    tiers = _parse_tiers(options["tiers"], problems)
    prefix = _parse_prefix(options["subnet_prefix"], cidr, problems)
    names = [f"{tier}-{zone[-1]}" for tier in tiers for zone in zones]
    given = _parse_given(options.get("subnet_cidrs") or {}, names, cidr, problems)
    if len(problems.found) > before or cidr is None:
        return None
    _check_room(cidr, prefix, names, given, problems)
    if len(problems.found) > before:
        return None
    if not is_private(cidr):
        problems.warn("cidr", f"{cidr} is not private space, so its real owners cannot be reached from the VPC")
    return Network(
        cidr=cidr,
        region=_region(zones[0]),
        subnet_prefix=prefix,
        subnets=tuple(
            SubnetWish(f"{tier}-{zone[-1]}", tier, zone, public, given.get(f"{tier}-{zone[-1]}"))
            for tier, public in tiers.items()
            for zone in zones
        ),
        s3_endpoint=bool(options["s3_endpoint"]),
        purge=bool(options["purge"]),
    )


def _region(zone: str) -> str:
    match = ZONE.fullmatch(zone)
    return match["region"] if match else ""


def _parse_zones(zones: t.Sequence[str], region: str | None, problems: Problems) -> list[str]:
    if not zones:
        problems.add("zones", "there is none", "name at least one availability zone, for example eu-central-1a")
    for position, zone in enumerate(zones):
        where = f"zones[{position}]"
        if not ZONE.fullmatch(zone):
            problems.add(where, f"'{zone}' is no availability zone", "write it as region and letter: eu-central-1a")
        elif region and _region(zone) != region:
            problems.add(where, f"{zone} is not in the region {region}", f"name zones of {region}")
        elif zone in zones[:position]:
            problems.add(where, f"{zone} is named twice", "name each zone once")
        elif zone[-1] in [other[-1] for other in zones[:position]]:
            problems.add(where, f"another zone ends with '{zone[-1]}' too", "subnets are named by that letter: use one")
    if len({_region(zone) for zone in zones if ZONE.fullmatch(zone)}) > 1:
        problems.add("zones", "the zones are of several regions", "a VPC is in one region: name zones of one")
    return list(zones)


def _parse_tiers(tiers: t.Sequence[t.Mapping[str, t.Any]], problems: Problems) -> dict[str, bool]:
    if not tiers:
        problems.add("tiers", "there is none", "name at least one tier")
    parsed: dict[str, bool] = {}
    for position, tier in enumerate(tiers):
        name, where = tier["name"], f"tiers[{position}].name"
        if not TIER_NAME.fullmatch(name):
            problems.add(where, f"'{name}' is no tier's name", "use at most 16 lower case letters, digits and hyphens")
        if name in parsed:
            problems.add(where, f"'{name}' is there twice", "give each tier a name of its own")
        parsed[name] = bool(tier["public"])
    return parsed


def _parse_prefix(prefix: int, cidr: IPv4Network | None, problems: Problems) -> int:
    largest = cidr.prefixlen if cidr else LARGEST_PREFIX
    if not largest <= prefix <= SMALLEST_PREFIX:
        problems.add("subnet_prefix", f"/{prefix} is no size for a subnet here", f"use {largest} to {SMALLEST_PREFIX}")
    return prefix


def _parse_given(
    given: t.Mapping[str, t.Any], names: t.Sequence[str], cidr: IPv4Network | None, problems: Problems
) -> dict[str, IPv4Network]:
    blocks: dict[str, IPv4Network] = {}
    for name, value in given.items():
        where = f"subnet_cidrs.{name}"
        if name not in names:
            problems.add(where, "there is no such subnet", f"the subnets are {', '.join(names) or 'none'}")
        block = parse_vpc_block(value, where, problems)
        if block and cidr and not block.subnet_of(cidr):
            problems.add(where, f"{block} is not inside the VPC's {cidr}", f"use a part of {cidr}")
        elif block:
            blocks[name] = block
    for one, other in overlaps(blocks):
        problems.add(
            f"subnet_cidrs.{other}", f"{blocks[other]} overlaps {blocks[one]} of {one}", "give each its own addresses"
        )
    return blocks


def _check_room(
    cidr: IPv4Network, prefix: int, names: t.Sequence[str], given: t.Mapping[str, IPv4Network], problems: Problems
) -> None:
    try:
        allocate(cidr, prefix, names, existing={}, given=given)
    except NoRoom:
        blocks = "1 block" if prefix == cidr.prefixlen else f"{2 ** (prefix - cidr.prefixlen)} blocks"
        problems.add(
            "cidr",
            f"{cidr} has {blocks} of /{prefix}, too few for {len(names)} subnets ({', '.join(names)})",
            f"use a larger cidr or a longer subnet_prefix (up to {SMALLEST_PREFIX})",
        )


# What is ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Observed:
    """What exists, as AWS describes it, by the names that people use."""

    vpc: t.Mapping[str, t.Any] | None = None
    dns_support: bool = True
    dns_hostnames: bool = False
    subnets: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    others: tuple[IPv4Network, ...] = ()  # blocks of subnets in our VPC that are not ours
    tables: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    associations: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)  # by subnet id
    gateway: t.Mapping[str, t.Any] | None = None
    endpoint: t.Mapping[str, t.Any] | None = None
    default_group: t.Mapping[str, t.Any] | None = None
    zones: tuple[str, ...] = ()  # of the region; empty when nobody needed to know

    def cidr(self, name: str) -> IPv4Network:
        """The block of an existing subnet."""
        return IPv4Network(self.subnets[name]["CidrBlock"])


def look(owner: Owner, desired: Network, clients: Clients) -> Observed:
    """Everything that exists of the network, in at most eight calls when nothing is missing.

    Raises GroundworkError when two VPCs claim to be the environment's.
    """
    roots = observe(
        clients,
        {
            "vpcs": Read("ec2", "describe_vpcs", "Vpcs", {"Filters": owner.filters()}),
            "gateways": Read("ec2", "describe_internet_gateways", "InternetGateways", {"Filters": owner.filters()}),
        },
    )
    vpc = the_only(roots["vpcs"], "VpcId", "VPC", owner)
    parts = observe(clients, _reads_inside(vpc["VpcId"], desired)) if vpc else {}
    observed = _assemble(owner, roots["gateways"], vpc, parts)
    if all(wish.name in observed.subnets for wish in desired.subnets):
        return observed
    zones = observe(clients, {"zones": Read("ec2", "describe_availability_zones", "AvailabilityZones")})["zones"]
    return replace(observed, zones=tuple(sorted(zone["ZoneName"] for zone in zones if zone["State"] == "available")))


def the_only(
    found: t.Sequence[t.Mapping[str, t.Any]], key: str, what: str, owner: Owner
) -> t.Mapping[str, t.Any] | None:
    """The one resource found, or None. Raises GroundworkError when there are more: nobody knows which is meant."""
    if len(found) > 1:
        ids = ", ".join(sorted(str(one[key]) for one in found))
        raise GroundworkError(
            f"{len(found)} {what}s are tagged as the environment {owner.environment}'s: {ids}. "
            "Delete the ones that are not, or take their groundwork: tags away."
        )
    return found[0] if found else None


def _reads_inside(vpc_id: str, desired: Network) -> dict[str, Read]:
    inside = {"Name": "vpc-id", "Values": [vpc_id]}
    reads = {
        "subnets": Read("ec2", "describe_subnets", "Subnets", {"Filters": [inside]}),
        "tables": Read("ec2", "describe_route_tables", "RouteTables", {"Filters": [inside]}),
        "default_group": Read(
            "ec2",
            "describe_security_groups",
            "SecurityGroups",
            {"Filters": [inside, {"Name": "group-name", "Values": ["default"]}]},
        ),
    }
    # AWS answers one attribute a call.
    for key, attribute in (("dns_support", "enableDnsSupport"), ("dns_hostnames", "enableDnsHostnames")):
        result = attribute[0].upper() + attribute[1:]
        reads[key] = Read("ec2", "describe_vpc_attribute", result, {"VpcId": vpc_id, "Attribute": attribute})
    if desired.s3_endpoint or desired.purge:
        reads["endpoints"] = Read("ec2", "describe_vpc_endpoints", "VpcEndpoints", {"Filters": [inside]})
    return reads


def _assemble(
    owner: Owner,
    gateways: t.Sequence[t.Mapping[str, t.Any]],
    vpc: t.Mapping[str, t.Any] | None,
    parts: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]],
) -> Observed:
    subnets = parts.get("subnets", ())
    tables = parts.get("tables", ())
    # The API's reference spells the states `available`, its answers have been seen to say `Available`.
    endpoints = [e for e in parts.get("endpoints", ()) if e["State"].lower() in ("available", "pending")]
    return Observed(
        vpc=vpc,
        dns_support=not vpc or parts["dns_support"][0]["Value"],
        dns_hostnames=bool(vpc) and parts["dns_hostnames"][0]["Value"],
        subnets=owner.by_name(subnets),
        others=tuple(IPv4Network(s["CidrBlock"]) for s in subnets if not owner.owns(s)),
        tables=owner.by_name(tables),
        associations={
            link["SubnetId"]: link for table in tables for link in table["Associations"] if "SubnetId" in link
        },
        gateway=the_only(gateways, "InternetGatewayId", "internet gateway", owner),
        endpoint=owner.by_name(endpoints).get(S3_ENDPOINT.name),
        default_group=next(iter(parts.get("default_group", ())), None),
    )


# What the two make of each other ------------------------------------------------------------------------------------


def place(desired: Network, observed: Observed, problems: Problems) -> dict[str, IPv4Network]:
    """The block of every subnet; what AWS could not do is added to `problems`."""
    _check_immutable(desired, observed, problems)
    if observed.zones:
        for zone in sorted({subnet.zone for subnet in desired.subnets} - set(observed.zones)):
            problems.add("zones", f"the account has no zone {zone}", f"use from {', '.join(observed.zones)}")
    given = {subnet.name: subnet.cidr for subnet in desired.subnets if subnet.cidr}
    existing = {name: observed.cidr(name) for name in observed.subnets}
    for name in sorted(given.keys() - existing.keys()):
        for other in [*existing.values(), *observed.others]:
            if given[name].overlaps(other):
                problems.add(f"subnet_cidrs.{name}", f"{given[name]} overlaps the existing {other}", "use a free block")
    try:
        return allocate(
            desired.cidr,
            desired.subnet_prefix,
            [subnet.name for subnet in desired.subnets],
            existing=existing,
            given=given,
            taken=observed.others,
        )
    except NoRoom as error:
        problems.add(
            "cidr",
            f"{desired.cidr} has no free block of /{desired.subnet_prefix} left for the subnet {error}",
            "give it a smaller one in subnet_cidrs, or lengthen subnet_prefix",
        )
        return {}


def _check_immutable(desired: Network, observed: Observed, problems: Problems) -> None:
    if observed.vpc and observed.vpc["CidrBlock"] != str(desired.cidr):
        problems.add(
            "cidr",
            f"the VPC exists with {observed.vpc['CidrBlock']}, and AWS cannot change it to {desired.cidr}",
            f"write {observed.vpc['CidrBlock']}, or remove the network first",
        )
    for subnet in desired.subnets:
        actual = observed.subnets.get(subnet.name)
        if actual and subnet.cidr and actual["CidrBlock"] != str(subnet.cidr):
            problems.add(
                f"subnet_cidrs.{subnet.name}",
                f"the subnet exists with {actual['CidrBlock']}, and AWS cannot change it to {subnet.cidr}",
                f"write {actual['CidrBlock']}, or remove the subnet first",
            )
        if actual and actual["AvailabilityZone"] != subnet.zone:
            problems.add(
                "zones",
                f"the subnet {subnet.name} exists in {actual['AvailabilityZone']}, and cannot move to {subnet.zone}",
                f"name {actual['AvailabilityZone']}, or remove the subnet first",
            )


def plan_network(
    desired: Network, observed: Observed, blocks: t.Mapping[str, IPv4Network], owner: Owner
) -> list[Change]:
    """The changes that make `observed` what is `desired`, in the order in which AWS takes them."""
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
    # A new VPC has DNS support, and no DNS hostnames unless it is a default one; AWS changes one attribute a call.
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
    """A server that is launched without a group gets the default one: it opens nothing then."""
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
    """New subnets, and existing ones that give public addresses by themselves.

    No subnet does that: a server gets a public address when its own declaration says so, and never because of
    where it happened to be launched.
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
    """The subnet's own route table, associated; its default route when that leads, or should lead, to the internet.

    Other routes are other people's: a private subnet's default route belongs to the component `nat`.
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
    """The IPv4 default route of a described route table."""
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
        yield ec2("create_route", **where, GatewayId=INTERNET_GATEWAY)
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
    """The names of subnets (or of what is left of them) that are ours and that nobody wants any more."""
    return sorted((observed.subnets.keys() | observed.tables.keys()) - {subnet.name for subnet in desired.subnets})


def _removals(desired: Network, observed: Observed) -> t.Iterator[Change]:
    """What is not declared, in the order that AWS takes; a subnet that is in use refuses before anything is lost."""
    if observed.endpoint and not desired.s3_endpoint:
        yield _endpoint_removal(observed.endpoint)
    for name in undeclared(desired, observed):
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
    # The association goes with the subnet; where it lingers, it would keep the table.
    links = [link["RouteTableAssociationId"] for link in table["Associations"]]
    leave = (
        ec2("disassociate_route_table", AssociationId=link).settled_by("InvalidAssociationID.NotFound")
        for link in links
    )
    delete = ec2("delete_route_table", RouteTableId=table["RouteTableId"])
    return Change("delete", "route table", name, (*leave, delete), {"id": table["RouteTableId"]})


def _endpoint_removal(endpoint: t.Mapping[str, t.Any]) -> Change:
    ids = [endpoint["VpcEndpointId"]]
    # DeleteVpcEndpoints answers 200 also when it could not: only looking again tells.
    gone = Wait(
        f"the endpoint {ids[0]} is deleted",
        ec2("describe_vpc_endpoints", Filters=[{"Name": "vpc-endpoint-id", "Values": ids}]),
        lambda answer: all(e["State"].lower() == "deleted" for e in answer.get("VpcEndpoints", [])),
    )
    delete = ec2("delete_vpc_endpoints", VpcEndpointIds=ids)
    return Change("delete", S3_ENDPOINT.resource, S3_ENDPOINT.name, (delete,), {"id": ids[0]}, wait=gone)


# The whole of it ----------------------------------------------------------------------------------------------------


def known_ids(observed: Observed) -> Ids:
    """The ids of what exists."""
    ids: Ids = {}
    for ref, actual, key in (
        (VPC, observed.vpc, "VpcId"),
        (INTERNET_GATEWAY, observed.gateway, "InternetGatewayId"),
        (S3_ENDPOINT, observed.endpoint, "VpcEndpointId"),
        (DEFAULT_GROUP, observed.default_group, "GroupId"),
        *((subnet_ref(name), subnet, "SubnetId") for name, subnet in observed.subnets.items()),
        *((table_ref(name), table, "RouteTableId") for name, table in observed.tables.items()),
    ):
        if actual:
            ids[ref] = actual[key]
    return ids


def converge_network(run: Run) -> dict[str, t.Any]:
    """Look, plan, and make it so: the module `ec2_vpc_network`."""
    owner, desired = run.parse(COMPONENT, parse_network)
    observed = look(owner, desired, run.clients)
    problems = Problems()
    blocks = place(desired, observed, problems)
    problems.raise_if_any()
    left = undeclared(desired, observed)
    if left and not desired.purge:
        run.warn(f"The subnets {', '.join(left)} exist and are not declared. They stay; purge=true removes them.")
    ids = known_ids(observed)
    result = run.make(plan_network(desired, observed, blocks, owner), ids)
    return {**result, "vpc_id": shown(VPC, ids), "subnets": _facts(desired, blocks, ids)}


def _facts(desired: Network, blocks: t.Mapping[str, IPv4Network], ids: Ids) -> dict[str, dict[str, t.Any]]:
    return {
        wish.name: {
            "id": shown(subnet_ref(wish.name), ids),
            "cidr": str(blocks[wish.name]),
            "zone": wish.zone,
            "tier": wish.tier,
            "public": wish.public,
            "route_table_id": shown(table_ref(wish.name), ids),
        }
        for wish in desired.subnets
    }
