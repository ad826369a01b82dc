from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2.tagging import check_specifications, check_tags, resource_type

NAME = [{"Key": "Name", "Value": "x"}]


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": "", "Value": "x"}],
        [{"Key": "aws:mine", "Value": "x"}],
        [{"Key": "k" * 129, "Value": "x"}],
        [{"Key": "k", "Value": "x" * 257}],
        [*NAME, *NAME],
        [{"Key": f"k{n}", "Value": ""} for n in range(51)],
    ],
)
def test_tags_that_aws_refuses(tags: list[dict[str, str]]) -> None:
    with pytest.raises(AwsError):
        check_tags(tags)


@pytest.mark.parametrize(
    ("operation", "specifications", "good"),
    [
        ("CreateVpc", [{"ResourceType": "vpc", "Tags": NAME}], True),
        ("CreateVpc", [{"ResourceType": "subnet", "Tags": NAME}], False),
        ("CreateVpc", [{"Tags": NAME}], False),
        ("CreateVpc", [{"ResourceType": "vpc", "Tags": []}], False),
        ("RunInstances", [{"ResourceType": "instance", "Tags": NAME}, {"ResourceType": "volume", "Tags": NAME}], True),
        ("RunInstances", [{"ResourceType": "instance", "Tags": NAME}] * 2, False),
        ("CreateSomethingElse", [{"ResourceType": "else", "Tags": NAME}], True),
    ],
)
def test_specifications(operation: str, specifications: list[dict[str, Any]], good: bool) -> None:
    if good:
        check_specifications(operation, specifications)
        return
    with pytest.raises(AwsError):
        check_specifications(operation, specifications)


def test_every_resource_of_a_network_is_tagged_at_birth(lab: Lab, tagged: Any) -> None:
    ec2 = lab.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", Name="x"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", TagSpecifications=tagged("subnet", Name="x"))
    gateway = ec2.create_internet_gateway(TagSpecifications=tagged("internet-gateway", Name="x"))
    gateway_id = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tagged("route-table", Name="x"))
    address = ec2.allocate_address(TagSpecifications=tagged("elastic-ip", Name="x"))["AllocationId"]
    subnet_id = subnet["Subnet"]["SubnetId"]
    specification = tagged("natgateway", Name="x")
    nat = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address, TagSpecifications=specification)
    specification = tagged("security-group", Name="x")
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc, TagSpecifications=specification)
    rule = ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
        TagSpecifications=tagged("security-group-rule", Name="x"),
    )
    specification = tagged("vpc-endpoint", Name="x")
    service = "com.amazonaws.eu-central-1.s3"
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, TagSpecifications=specification)
    made = {
        vpc: "vpc",
        subnet_id: "subnet",
        gateway_id: "internet-gateway",
        table["RouteTable"]["RouteTableId"]: "route-table",
        address: "elastic-ip",
        nat["NatGateway"]["NatGatewayId"]: "natgateway",
        group["GroupId"]: "security-group",
        rule["SecurityGroupRules"][0]["SecurityGroupRuleId"]: "security-group-rule",
        endpoint["VpcEndpoint"]["VpcEndpointId"]: "vpc-endpoint",
    }
    assert {resource: resource_type(resource) for resource in made} == made
    told = {each["ResourceId"] for each in ec2.describe_tags(Filters=[{"Name": "value", "Values": ["x"]}])["Tags"]}
    assert told == set(made)
    [tag] = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}])["Tags"]
    assert tag == {"Key": "Name", "Value": "x", "ResourceId": vpc, "ResourceType": "vpc"}
    for resource in made:
        ec2.create_tags(Resources=[resource], Tags=[{"Key": "later", "Value": "y"}])


@pytest.mark.correction(
    "ec2:CreateTags",
    "The prefix aws: is reserved, and a tagged resource must exist.",
    also=("TagsBackend.do_resources_exist",),
)
@pytest.mark.correction("ec2:DeleteTags", "A request without tags removes all tags of the user.")
def test_tags_afterwards(lab: Lab) -> None:
    vpc = lab.vpc()
    create, delete = lab.ec2.create_tags, lab.ec2.delete_tags
    create(Resources=[vpc], Tags=[*NAME, {"Key": "a", "Value": ""}])
    lab.refused("InvalidParameterValue", create, Resources=[vpc], Tags=[{"Key": "aws:a", "Value": "b"}])
    lab.refused("InvalidNatGatewayID.NotFound", create, Resources=["nat-0123456789abcdef0"], Tags=NAME)
    delete(Resources=[vpc], Tags=[{"Key": "a"}])
    assert lab.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"] == NAME
    delete(Resources=[vpc])
    assert lab.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", []) == []


@pytest.mark.correction(
    "ec2:DescribeTags",
    "A deleted resource has no tags.",
    also=(
        "TagsBackend.delete_volume",
        "RoutesBackend.delete_network_acl",
    ),
)
def test_what_is_gone_has_no_tags(lab: Lab, tagged: Any) -> None:
    ec2, x = lab.ec2, {"Name": "x"}
    vpc = lab.vpc()
    group, subnet, gateway = lab.group(vpc), lab.subnet(vpc), lab.gateway(vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    key = ec2.create_key_pair(KeyName="k", KeyType="ed25519")["KeyPairId"]
    address = lab.address()
    instance = lab.running(subnet, TagSpecifications=[*tagged("volume", **x), *tagged("network-interface", **x)])
    rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    specification = tagged("security-group-rule", **x)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule], TagSpecifications=specification)
    ec2.create_tags(Resources=[vpc, group, subnet, gateway, table, acl, key, address], Tags=NAME)
    lab.plane.instance_state(instance, "terminated")
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_network_acl(NetworkAclId=acl)
    ec2.delete_key_pair(KeyName="k")
    ec2.release_address(AllocationId=address)
    assert [tag["ResourceId"] for tag in ec2.describe_tags()["Tags"]] == [vpc]
    ec2.delete_vpc(VpcId=vpc)
    assert ec2.describe_tags()["Tags"] == []
    lab.refused("InvalidParameterValue", ec2.describe_tags, Filters=[{"Name": "id", "Values": ["x"]}])
