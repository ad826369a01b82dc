"""The filters of all Describe operations, compared with what botocore's model documents and the operations describe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from control_plane import Lab
from moto.core.utils import camelcase_to_underscores, get_service_model

from groundwork_lab.aws.ec2 import described
from groundwork_lab.aws.ec2.corrections import Responses
from groundwork_lab.settings import ACCOUNT, REGION

OPERATIONS = sorted(
    each for each in get_service_model("ec2").operation_names if each.startswith("Describe") and described.names(each)
)
ANSWERED = [each for each in OPERATIONS if hasattr(Responses, camelcase_to_underscores(each))]
ABSENT = {
    "DescribeImages": {
        *[
            "informational",
            "low",
            "medium",
            "high",
            "critical",
        ],  # values of a filter, which the page lists like filters
        "instance-type-specification.supported-instance-type",
        "instance-type-specification.unsupported-instance-type",
        "scan-result.critical-fix-available-since",
        "scan-result.finding-scan-date",
        "scan-result.high-fix-available-since",
        "scan-result.highest-finding-severity-label",
        "scan-result.informational-fix-available-since",
        "scan-result.low-fix-available-since",
        "scan-result.medium-fix-available-since",
    },
    "DescribeInstances": {
        "metadata-options.http-protocol-ipv4",
        "network-interface.addresses.association.allocation-id",
        "network-interface.addresses.association.association-id",
        "network-interface.association.allocation-id",
        "network-interface.association.association-id",
        "network-interface.deny-all-igw-traffic",
        "network-interface.ipv6-native",
        "network-interface.outpost-arn",
        "network-interface.requester-id",
        "network-interface.requester-managed",
        "network-interface.tag-key",
        "network-interface.tag-value",
    },
    "DescribeLaunchTemplateVersions": {"http-protocol-ipv4"},
}
"""Documented filters of members that the API does not describe, of the resources that the lab has."""

FOREIGN = tuple(
    f"Describe{name}"
    for name in ("Bundle", "LocalGateway", "Reserved", "Spot", "Traffic", "TransitGateway", "Vpn", "SnapshotTier")
)
CATALOGUES: Mapping[str, Mapping[str, Any]] = {
    "DescribeInstanceTypes": {"InstanceTypes": ["t3.micro", "m5d.large", "i3.large"]},
    "DescribeLaunchTemplateVersions": {"Versions": ["$Latest"]},
    "DescribeVpcEndpointServices": {"ServiceNames": ["com.amazonaws.eu-central-1.s3"]},
}
NEEDY = {  # operations that need the id of a thing that the lab does not have, or have a long answer of random values
    *["DescribeFleetInstances", "DescribeVpcEndpointServicePermissions", "DescribeSpotPriceHistory"],
}
"""Parameters that an operation needs, or that make its answer short."""


@pytest.mark.parametrize("operation", [each for each in ANSWERED if not each.startswith(FOREIGN)])
def test_each_documented_filter_is_of_a_described_member(operation: str) -> None:
    named = {each for each in described.names(operation) if not each.startswith("tag")}
    lost = {each for each in named if not described.paths(operation, each)}
    assert lost == ABSENT.get(operation, set())


OF_MODULES = {
    "DescribeAddresses": "domain instance-id network-interface-id tag:Name",
    "DescribeDhcpOptions": "dhcp-options-id",
    "DescribeHosts": "state",
    "DescribeImages": "name owner-alias owner-id",
    "DescribeImportImageTasks": "tag:Name task-state",
    "DescribeInstances": "image-id instance-id instance-state-name network-interface.network-interface-id subnet-id "
    "tag:Name",
    "DescribeInternetGateways": "attachment.vpc-id",
    "DescribeNatGateways": "state subnet-id",
    "DescribeNetworkAcls": "association.network-acl-id association.subnet-id network-acl-id tag:Name vpc-id",
    "DescribeNetworkInterfaces": "attachment.device-index attachment.instance-id description network-interface-id "
    "private-ip-address requester-id subnet-id",
    "DescribePlacementGroups": "group-name",
    "DescribeRouteTables": "association.gateway-id association.subnet-id vpc-id",
    "DescribeSecurityGroups": "group-name vpc-id",
    "DescribeSnapshots": "tag:Name volume-id",
    "DescribeSpotInstanceRequests": "state",
    "DescribeSubnets": "availability-zone cidr cidr-block default-for-az subnet-id tag:Name vpc-id",
    "DescribeTags": "resource-id resource-type",
    "DescribeTransitGateways": "transit-gateway-id",
    "DescribeTransitGatewayVpcAttachments": "state tag:Name transit-gateway-id vpc-id",
    "DescribeVolumes": "attachment.device attachment.instance-id availability-zone tag:Name",
    "DescribeVpcEndpoints": "service-name vpc-id",
    "DescribeVpcPeeringConnections": "accepter-vpc-info.vpc-id requester-vpc-info.vpc-id status-code "
    "vpc-peering-connection-id",
    "DescribeVpcs": "cidr-block cidr-block-association.cidr-block dhcp-options-id isDefault tag:Name",
    "DescribeVpnConnections": "customer-gateway-id tag:Name transit-gateway-id vpn-connection-id vpn-gateway-id",
    "DescribeVpnGateways": "state tag:Name type",
}
"""The filters that the modules of amazon.aws send without being asked for them."""


@pytest.mark.parametrize(
    ("operation", "name"), [(each, name) for each in OF_MODULES for name in OF_MODULES[each].split()]
)
def test_filters_of_the_modules_of_amazon_aws(operation: str, name: str) -> None:
    assert described.taken(operation, {"Filters": [{"Name": name, "Values": ["x"]}]}) == {name: ["x"]}
    assert name.startswith("tag:") or described.paths(operation, name)


def test_addresses_of_a_domain(lab: Lab) -> None:
    address = lab.address()

    def found(domain: str) -> list[str]:
        told = lab.ec2.describe_addresses(Filters=[{"Name": "domain", "Values": [domain]}])
        return [each["AllocationId"] for each in told["Addresses"]]

    assert (found("vpc"), found("standard")) == ([address], [])


@pytest.fixture
def account(lab: Lab) -> Mapping[str, str]:
    """Make two of many things, and return the ids of the first ones."""
    ids: dict[str, str] = {}
    for number in (2, 1):
        vpc = lab.vpc(f"10.{number}.0.0/16")
        subnet = lab.subnet(vpc, f"10.{number}.0.0/24")
        group = lab.group(vpc, f"web-{number}")
        lab.ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 80 + number,
                    "ToPort": 90 + number,
                    "IpRanges": [{"CidrIp": f"192.0.{number}.0/24"}],
                    "UserIdGroupPairs": [{"GroupId": group}],
                }
            ],
        )
        gateway = lab.gateway(vpc)
        [table] = lab.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        lab.ec2.create_route(
            RouteTableId=table["RouteTableId"], DestinationCidrBlock=f"198.18.{number}.0/24", GatewayId=gateway
        )
        acl = lab.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        lab.ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=100 + number, Protocol="1", RuleAction="deny", Egress=False,
            CidrBlock=f"203.0.{number}.0/24", IcmpTypeCode={"Type": number, "Code": -1},
        )  # fmt: skip
        instance = lab.running(subnet, SecurityGroupIds=[group], InstanceType=("t3.micro", "t3.small")[number - 1])
        lab.ec2.create_tags(Resources=[instance, vpc], Tags=[{"Key": "number", "Value": str(number)}])
        ids = {"vpc": vpc, "subnet": subnet, "group": group, "gateway": gateway, "table": table["RouteTableId"]}
        ids |= {"acl": acl, "instance": instance}
    return ids


SELECTED = [
    ("describe_network_acls", "NetworkAclId", "acl", "network-acl-id", "{acl}"),
    ("describe_network_acls", "NetworkAclId", "acl", "entry.cidr", "203.0.1.0/24"),
    ("describe_network_acls", "NetworkAclId", "acl", "entry.icmp.type", "1"),
    ("describe_network_acls", "NetworkAclId", "acl", "entry.rule-number", "101"),
    ("describe_route_tables", "RouteTableId", "table", "route.destination-cidr-block", "198.18.1.0/24"),
    ("describe_route_tables", "RouteTableId", "table", "route.gateway-id", "{gateway}"),
    ("describe_security_groups", "GroupId", "group", "ip-permission.user-id", ACCOUNT),
    ("describe_security_groups", "GroupId", "group", "ip-permission.from-port", "81"),
    ("describe_security_groups", "GroupId", "group", "ip-permission.cidr", "192.0.1.*"),
    ("describe_security_groups", "GroupId", "group", "ip-permission.protocol", "6"),
    ("describe_subnets", "SubnetId", "subnet", "available-ip-address-count", "250"),
    ("describe_subnets", "SubnetId", "subnet", "cidrBlock", "10.1.0.0/24"),
    ("describe_subnets", "SubnetId", "subnet", "map-public-ip-on-launch", "false"),
    ("describe_vpcs", "VpcId", "vpc", "cidr-block-association.state", "associated"),
    ("describe_vpcs", "VpcId", "vpc", "cidr", "10.1.*"),
    ("describe_vpcs", "VpcId", "vpc", "tag:number", "1"),
]
OF_INSTANCES = [
    ("hypervisor", "xen"),
    ("ebs-optimized", "false"),
    ("launch-index", "0"),
    ("reason", ""),
    ("metadata-options.http-put-response-hop-limit", "*"),
    ("block-device-mapping.status", "*"),
    ("block-device-mapping.delete-on-termination", "true"),
    ("network-interface.status", "in-use"),
    ("network-interface.attachment.instance-id", "{instance}"),
    ("network-interface.attachment.device-index", "0"),
    ("network-interface.addresses.primary", "true"),
    ("network-interface.source-dest-check", "true"),
    ("monitoring-state", "disabled"),
    ("instance.group-name", "web-1"),
    ("owner-id", ACCOUNT),
]


@pytest.mark.correction(
    "ec2:DescribeNetworkAcls", "All documented filters of all Describe operations are applied.", page="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html",
    also=("InstancesResponses.describe_instances",),
)  # fmt: skip
def test_filters_select(lab: Lab, account: Mapping[str, str]) -> None:
    for operation, key, found, name, value in SELECTED:
        call = getattr(lab.ec2, operation)
        wanted = [{"Name": name, "Values": [value.format(**account)]}, {"Name": "vpc-id", "Values": [account["vpc"]]}]
        [answered] = [each for each in call(Filters=wanted).values() if isinstance(each, list)]
        assert account[found] in {each[key] for each in answered}, (operation, name)
        none = call(Filters=[{"Name": name, "Values": ["no-such-value"]}])
        assert not [each for each in none.values() if isinstance(each, list) and each], (operation, name)


def test_filters_of_instances(lab: Lab, account: Mapping[str, str]) -> None:
    for name, value in OF_INSTANCES:
        wanted = [{"Name": name, "Values": [value.format(**account)]}, {"Name": "tag:number", "Values": ["1"]}]
        parts = lab.ec2.describe_instances(Filters=wanted)["Reservations"]
        assert [each["InstanceId"] for part in parts for each in part["Instances"]] == [account["instance"]], name


def wire(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.strftime("%Y-%m-%dT%H:%M:%S.000Z") if isinstance(value, datetime) else str(value)


def values(item: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(item, list):
        for each in item:
            yield from values(each, path)
    elif not path:
        yield wire(item)
    elif path[0] in item:
        yield from values(item[path[0]], path[1:])


def listed(operation: str, answer: Mapping[str, Any]) -> list[Any]:
    key = described.list_key(operation)
    found = answer.get(key or "", [])
    if operation == "DescribeInstances":
        return [each for parent in found for each in parent["Instances"]]
    return list(found)


def disagreeing(operation: str, describe: Callable[..., Any]) -> Iterator[str]:
    """Yield the filters that do not find exactly what has one of four described values, or that find without one."""
    members = get_service_model("ec2").operation_model(operation).input_shape.members
    parameter = next(each for each in described.FILTERS if each in members)

    def found(name: str, value: str) -> list[Any]:
        return listed(operation, describe(**{parameter: [{"Name": name, "Values": [value]}]}))

    whole = listed(operation, describe())
    for name in sorted(each for each in described.names(operation) if not each.startswith("tag")):
        paths = [path for path in described.paths(operation, name) if not path[0].startswith(described.PARENT)]
        told = [{text for path in paths for text in values(each, path)} for each in whole]
        right = not found(name, "no-such") and all(
            found(name, value) == [each for each, texts in zip(whole, told, strict=True) if value in texts]
            for value in sorted({text for each in told for text in each})[:4]
        )
        if not right:
            yield f"{operation} {name}"


def test_each_filter_finds_what_the_operation_describes(lab: Lab, account: Mapping[str, str]) -> None:
    asked = [each for each in ANSWERED if each not in NEEDY]
    wrong = [
        name
        for each in asked
        for name in disagreeing(
            each, partial(getattr(lab.ec2, camelcase_to_underscores(each)), **CATALOGUES.get(each, {}))
        )
    ]
    assert wrong == []


@pytest.mark.correction("ec2:DescribeInstanceTypes", "A filter of a number works.")
def test_instance_types_with_a_disk(lab: Lab) -> None:
    wanted = [{"Name": "instance-storage-info.disk.size-in-gb", "Values": ["118"]}]
    found = lab.ec2.describe_instance_types(Filters=wanted)["InstanceTypes"]
    assert {disk["SizeInGB"] for each in found for disk in each["InstanceStorageInfo"]["Disks"]} == {118}


def test_endpoint_services(lab: Lab) -> None:
    wanted = [{"Name": "service-type", "Values": ["Gateway"]}]
    found = lab.ec2.describe_vpc_endpoint_services(Filters=wanted)
    assert found["ServiceNames"] == [each["ServiceName"] for each in found["ServiceDetails"]]
    assert "com.amazonaws.eu-central-1.s3" in found["ServiceNames"]


@pytest.mark.correction(
    "ec2:DescribeSubnets",
    "A filter of an unknown name is refused.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html",
)
@pytest.mark.parametrize("operation", ["describe_subnets", "describe_network_acls", "describe_volumes"])
def test_unknown_filters(lab: Lab, operation: str) -> None:
    call = getattr(lab.ec2, operation)
    lab.refused("InvalidParameterValue", call, Filters=[{"Name": "colour", "Values": ["red"]}])
    lab.refused("InvalidParameterValue", call, Filters=[{"Values": ["red"]}])
    many = [str(number) for number in range(201)]
    lab.refused("FilterLimitExceeded", call, Filters=[{"Name": "tag-key", "Values": many}])


@pytest.mark.correction(
    "ec2:DescribePlacementGroups", "What the account does not have is an empty list, and what it names is not found."
)
def test_what_the_lab_does_not_have(lab: Lab) -> None:
    assert lab.ec2.describe_placement_groups()["PlacementGroups"] == []
    assert lab.ec2.describe_capacity_reservations()["CapacityReservations"] == []
    lab.refused("InvalidPlacementGroup.Unknown", lab.ec2.describe_placement_groups, GroupNames=["near"])


TOLD = {
    "DescribeRouteTables": ("RouteTables", {"PropagatingVgws": []}),
    "DescribeSubnets": ("Subnets", {"EnableDns64": False, "MapCustomerOwnedIpOnLaunch": False}),
    "DescribeNetworkInterfaces": ("NetworkInterfaces", {"DenyAllIgwTraffic": False, "RequesterManaged": False}),
    "DescribeVolumes": ("Volumes", {"MultiAttachEnabled": False}),
    "DescribeVpcEndpoints": ("VpcEndpoints", {"RequesterManaged": False, "PrivateDnsEnabled": False}),
}
"""The list in the answer of an operation, and the members that AWS tells although nothing has set them."""


@pytest.mark.correction(
    "ec2:DescribeRouteTables",
    "Members that nothing has set are told as false or as empty lists.",
)
def test_members_that_nothing_has_set(lab: Lab) -> None:
    vpc = lab.vpc()
    instance = lab.running(lab.subnet(vpc))
    table = lab.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    lab.ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[table])
    for operation, (member, expected) in TOLD.items():
        found = getattr(lab.ec2, camelcase_to_underscores(operation))()[member]
        assert found, operation
        assert all(each == {**each, **expected} for each in found), operation
    told = lab.instance(instance)
    assert (told["EnaSupport"], told["HibernationOptions"]) == (True, {"Configured": False})
