# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the existing network, in two rounds of parallel calls."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.doubles import doubles
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import S3_ENDPOINT, Network


@dataclass(frozen=True)
class Observed:
    """The existing resources as AWS describes them, by their names."""

    vpc: t.Mapping[str, t.Any] | None = None
    dns_support: bool = True
    dns_hostnames: bool = False
    subnets: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    others: tuple[IPv4Network, ...] = ()  # CIDR blocks of other subnets in the VPC
    tables: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    associations: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)  # by subnet id
    gateway: t.Mapping[str, t.Any] | None = None
    endpoint: t.Mapping[str, t.Any] | None = None
    default_group: t.Mapping[str, t.Any] | None = None
    zones: tuple[str, ...] = ()  # of the region; empty if they were not needed

    def cidr(self, name: str) -> IPv4Network:
        """Return the CIDR block of an existing subnet."""
        return IPv4Network(self.subnets[name]["CidrBlock"])


def look(owner: Owner, desired: Network, clients: Clients) -> Observed:
    """Return all existing resources of the network, read in at most eight calls if none is missing.

    Raise GroundworkError if two VPCs have the environment's tags.
    """
    roots = observe(
        clients,
        {
            "vpcs": Read("ec2", "describe_vpcs", "Vpcs", {"Filters": owner.filters()}),
            "gateways": Read("ec2", "describe_internet_gateways", "InternetGateways", {"Filters": owner.filters()}),
        },
    )
    if len(roots["vpcs"]) > 1:
        raise doubles(owner.environment, [str(vpc["VpcId"]) for vpc in roots["vpcs"]], clients)
    vpc = next(iter(roots["vpcs"]), None)
    parts = observe(clients, _reads_inside(vpc["VpcId"])) if vpc else {}
    observed = _assemble(owner, roots["gateways"], vpc, parts)
    if all(wish.name in observed.subnets for wish in desired.subnets):
        return observed
    zones = observe(clients, {"zones": Read("ec2", "describe_availability_zones", "AvailabilityZones")})["zones"]
    return replace(observed, zones=tuple(sorted(zone["ZoneName"] for zone in zones if zone["State"] == "available")))


def the_only(
    found: t.Sequence[t.Mapping[str, t.Any]], key: str, what: str, owner: Owner
) -> t.Mapping[str, t.Any] | None:
    """Return the only resource found, or None. Raise GroundworkError if there are several."""
    if len(found) > 1:
        ids = ", ".join(sorted(str(one[key]) for one in found))
        raise GroundworkError(
            f"{len(found)} {what}s have the tags of the environment {owner.environment}: {ids}. Delete the wrong "
            "ones, or remove their groundwork: tags."
        )
    return found[0] if found else None


def _reads_inside(vpc_id: str) -> dict[str, Read]:
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
        "endpoints": Read("ec2", "describe_vpc_endpoints", "VpcEndpoints", {"Filters": [inside]}),
    }
    # AWS returns one attribute per call.
    for key, attribute in (("dns_support", "enableDnsSupport"), ("dns_hostnames", "enableDnsHostnames")):
        result = attribute[0].upper() + attribute[1:]
        reads[key] = Read("ec2", "describe_vpc_attribute", result, {"VpcId": vpc_id, "Attribute": attribute})
    return reads


def _assemble(
    owner: Owner,
    gateways: t.Sequence[t.Mapping[str, t.Any]],
    vpc: t.Mapping[str, t.Any] | None,
    parts: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]],
) -> Observed:
    subnets = parts.get("subnets", ())
    tables = parts.get("tables", ())
    # The API reference has the state `available`, but AWS also returns `Available`.
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
