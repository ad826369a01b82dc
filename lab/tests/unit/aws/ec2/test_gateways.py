from __future__ import annotations

import pytest
from control_plane import Lab

from groundwork_lab import settings

S3_SERVICE = "com.amazonaws.eu-central-1.s3"


@pytest.mark.correction("ec2:AttachInternetGateway", "A VPC has one internet gateway, and a gateway one VPC.")
@pytest.mark.correction("ec2:DeleteInternetGateway", "An attached gateway cannot be deleted.")
def test_one_gateway_a_vpc(lab: Lab) -> None:
    vpc = lab.vpc()
    gateway = lab.gateway(vpc)
    spare = lab.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    attach = lab.ec2.attach_internet_gateway
    lab.refused("Resource.AlreadyAssociated", attach, InternetGatewayId=gateway, VpcId=vpc)
    lab.refused("InvalidParameterValue", attach, InternetGatewayId=spare, VpcId=vpc)
    lab.refused("InvalidVpcID.NotFound", attach, InternetGatewayId=spare, VpcId="vpc-0123456789abcdef0")
    lab.refused("DependencyViolation", lab.ec2.delete_internet_gateway, InternetGatewayId=gateway)
    found = lab.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])
    assert [each["InternetGatewayId"] for each in found["InternetGateways"]] == [gateway]
    assert lab.plane.snapshot().internet_gateways[gateway].vpc_id == vpc
    assert lab.plane.snapshot().internet_gateways[spare].vpc_id is None


@pytest.mark.correction(
    "ec2:DetachInternetGateway", "A gateway cannot be detached while interfaces in the VPC have public addresses."
)
def test_detaching_waits_for_public_addresses(lab: Lab) -> None:
    vpc = lab.vpc()
    gateway, subnet = lab.gateway(vpc), lab.subnet(vpc)
    nat = lab.nat(subnet)["NatGatewayId"]
    detach = {"InternetGatewayId": gateway, "VpcId": vpc}
    lab.refused("DependencyViolation", lab.ec2.detach_internet_gateway, **detach)
    lab.ec2.delete_nat_gateway(NatGatewayId=nat)
    lab.refused("DependencyViolation", lab.ec2.detach_internet_gateway, **detach)
    lab.plane.reconciled(lab.plane.snapshot())
    lab.ec2.detach_internet_gateway(**detach)
    lab.refused("Gateway.NotAttached", lab.ec2.detach_internet_gateway, **detach)


@pytest.mark.correction(
    "ec2:CreateVpcEndpoint",
    "A gateway endpoint adds its prefix list to its route tables, once to each.",
)
@pytest.mark.correction("ec2:ModifyVpcEndpoint", "Route tables can be added and removed.")
@pytest.mark.correction("ec2:DeleteVpcEndpoints", "The endpoints that do not exist are in Unsuccessful.")
def test_s3_endpoint(lab: Lab) -> None:
    vpc = lab.vpc()
    first, second = (lab.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    create = lab.ec2.create_vpc_endpoint
    made = create(VpcId=vpc, ServiceName=S3_SERVICE, RouteTableIds=[first])["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    assert made["VpcEndpointType"] == "Gateway"
    lab.refused("RouteAlreadyExists", create, VpcId=vpc, ServiceName=S3_SERVICE, RouteTableIds=[first])
    lab.refused("InvalidServiceName", create, VpcId=vpc, ServiceName="com.amazonaws.eu-central-1.s4")
    lab.refused("UnsupportedOperation", create, VpcId=vpc, ServiceName=S3_SERVICE, VpcEndpointType="Interface")
    lab.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[second], RemoveRouteTableIds=[first])
    world = lab.plane.snapshot()
    assert world.route_tables[first].endpoint_ids == ()
    assert world.route_tables[second].endpoint_ids == (endpoint,)
    assert world.gateway_endpoints[endpoint].service == S3_SERVICE
    [table] = lab.ec2.describe_route_tables(RouteTableIds=[second])["RouteTables"]
    [prefix_list] = [each["DestinationPrefixListId"] for each in table["Routes"] if "DestinationPrefixListId" in each]
    entries = lab.ec2.get_managed_prefix_list_entries(PrefixListId=prefix_list)["Entries"]
    assert [each["Cidr"] for each in entries] == [f"{settings.S3}/32"]
    gone = lab.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint, "vpce-0123456789abcdef0"])["Unsuccessful"]
    assert [each["ResourceId"] for each in gone] == ["vpce-0123456789abcdef0"]
    assert lab.ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert lab.plane.snapshot().route_tables[second].endpoint_ids == ()


@pytest.mark.correction(
    "ec2:DescribeInternetGateways",
    "A filter of an unknown name is refused, and values can have wildcards.",
)
def test_filters_of_gateways(lab: Lab) -> None:
    vpc = lab.vpc()
    gateway, describe = lab.gateway(vpc), lab.ec2.describe_internet_gateways
    found = describe(Filters=[{"Name": "attachment.vpc-id", "Values": [f"{vpc[:-1]}?"]}])["InternetGateways"]
    assert [each["InternetGatewayId"] for each in found] == [gateway]
    lab.refused("InvalidParameterValue", describe, Filters=[{"Name": "vpc-id", "Values": [vpc]}])
