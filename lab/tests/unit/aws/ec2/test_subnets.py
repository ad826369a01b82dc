from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from control_plane import Lab

from groundwork_lab.aws.ec2.subnets import is_size_allowed, network_of
from groundwork_lab.settings import REGION


@pytest.mark.parametrize(
    ("cidr", "expected"),
    [
        ("10.0.0.0/16", "10.0.0.0/16"),
        ("100.68.0.18/18", "100.68.0.0/18"),
        ("10.0.0.0/33", None),
        ("10.0.0/24", None),
        ("10.0.0.1", None),
        ("", None),
        ("public", None),
        ("::/0", None),
    ],
)
def test_network_of(cidr: str, expected: str | None) -> None:
    assert network_of(cidr) == (IPv4Network(expected) if expected else None)


@pytest.mark.parametrize(("prefix", "allowed"), [(15, False), (16, True), (28, True), (29, False)])
def test_sizes(prefix: int, allowed: bool) -> None:
    assert is_size_allowed(IPv4Network(f"10.0.0.0/{prefix}")) is allowed


@pytest.mark.parametrize(
    ("cidr", "code"),
    [("10.0.0.0/8", "InvalidVpc.Range"), ("10.0.0.0/29", "InvalidVpc.Range"), ("ten", "InvalidParameterValue")],
)
def test_vpcs_that_aws_refuses(lab: Lab, cidr: str, code: str) -> None:
    lab.refused(code, lab.ec2.create_vpc, CidrBlock=cidr)


@pytest.mark.correction(
    "ec2:CreateSubnet",
    "A subnet has a CIDR block between /16 and /28, inside of its VPC, and an Availability Zone of the region.",
)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CidrBlock": "10.0.0.0/29"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.0.128/25"}, "InvalidSubnet.Conflict"),
        ({"CidrBlock": "no"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "us-east-1a"}, "InvalidParameterValue"),
        ({"VpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"),
        ({"Ipv6CidrBlock": "fd00::/64"}, "UnsupportedOperation"),
    ],
)
def test_subnets_that_aws_refuses(lab: Lab, changes: dict[str, str], code: str) -> None:
    vpc = lab.vpc()
    lab.subnet(vpc)
    lab.refused(code, lab.ec2.create_subnet, **{"VpcId": vpc, "CidrBlock": "10.0.1.0/24", **changes})


@pytest.mark.correction(
    "ec2:CreateVpc",
    "The bits of a CIDR block behind its prefix are zero, and the default group allows traffic from itself.",
    also=("GroupsBackend._add_source_group",),
)
def test_what_a_vpc_comes_with(lab: Lab) -> None:
    vpc = lab.vpc("10.0.7.9/16")
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    assert lab.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlock"] == "10.0.0.0/16"
    [table] = lab.ec2.describe_route_tables(Filters=here)["RouteTables"]
    assert table["Associations"][0]["Main"]
    assert [route["GatewayId"] for route in table["Routes"]] == ["local"]
    [group] = lab.ec2.describe_security_groups(Filters=here)["SecurityGroups"]
    assert group["GroupName"] == "default"
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    [acl] = lab.ec2.describe_network_acls(Filters=here)["NetworkAcls"]
    assert sorted(entry["RuleNumber"] for entry in acl["Entries"]) == [100, 100, 32767, 32767]


@pytest.mark.correction(
    "ec2:CreateDefaultVpc",
    "The main route table of the default VPC has a route to an internet gateway.",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html",
)
def test_an_account_has_a_default_vpc_with_a_way_out(lab: Lab) -> None:
    [vpc] = lab.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16"
    subnets = lab.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert all(subnet["DefaultForAz"] and subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    [table] = lab.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["RouteTables"]
    assert any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"])


@pytest.mark.correction("ec2:CreateSubnet", "Only a subnet of the default VPC is a default subnet.")
def test_a_zones_first_subnet_is_no_default_one(lab: Lab) -> None:
    zone = {"Name": "availability-zone", "Values": ["eu-central-1a"]}
    [default] = lab.ec2.describe_subnets(Filters=[zone])["Subnets"]
    lab.ec2.delete_subnet(SubnetId=default["SubnetId"])
    vpc = lab.vpc()
    subnet = lab.subnet(vpc)
    [found] = lab.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert (found["DefaultForAz"], found["MapPublicIpOnLaunch"]) == (False, False)
    assert found["AvailableIpAddressCount"] == 251
    lab.running(subnet)
    assert lab.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"] == 250


@pytest.mark.correction(
    "ec2:RunInstances",
    "A subnet has as many addresses as its CIDR block without the five that AWS reserves; the first one is the fourth.",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html",
    also=(
        "Subnet.get_available_subnet_ip",
        "Subnet.request_ip",
        "Subnet.del_subnet_ip",
        "Subnet.available_ip_address_count",
    ),
)
def test_addresses_run_out_and_come_back(lab: Lab) -> None:
    subnet = lab.subnet(lab.vpc(), "10.0.0.0/28")
    made = [lab.launch(subnet) for _ in range(11)]
    assert sorted({each["PrivateIpAddress"] for each in made}) == sorted(f"10.0.0.{n}" for n in range(4, 15))
    lab.refused(
        "InsufficientFreeAddressesInSubnet",
        lab.ec2.run_instances,
        ImageId=lab.image,
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
    )
    lab.plane.instance_state(made[3]["InstanceId"], "terminated")
    assert lab.launch(subnet)["PrivateIpAddress"] == made[3]["PrivateIpAddress"]


@pytest.mark.correction("ec2:ModifyVpcAttribute", "A request changes one attribute of a VPC.")
def test_one_attribute_at_a_time(lab: Lab) -> None:
    vpc = lab.vpc()
    yes = {"Value": True}
    lab.refused(
        "InvalidParameterCombination",
        lab.ec2.modify_vpc_attribute,
        VpcId=vpc,
        EnableDnsSupport=yes,
        EnableDnsHostnames=yes,
    )
    lab.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames=yes)
    assert lab.plane.snapshot().vpcs[vpc].dns_hostnames


@pytest.mark.correction(
    "ec2:DeleteVpc",
    "A VPC is deleted after its resources, with its main route table, default group and default network ACL.",
)
@pytest.mark.correction("ec2:DeleteSubnet", "A subnet with a network interface cannot be deleted.")
@pytest.mark.correction("ec2:DeleteRouteTable", "A route table with a subnet cannot be deleted.")
def test_deleting_asks_for_dependents_first(lab: Lab) -> None:
    vpc = lab.vpc()
    subnet, gateway, group = lab.subnet(vpc), lab.gateway(vpc), lab.group(vpc)
    table = lab.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    lab.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    instance = lab.running(subnet)
    lab.refused("DependencyViolation", lab.ec2.delete_subnet, SubnetId=subnet)
    lab.refused("DependencyViolation", lab.ec2.delete_route_table, RouteTableId=table)
    lab.plane.instance_state(instance, "terminated")
    for delete in (
        lambda: lab.ec2.delete_subnet(SubnetId=subnet),
        lambda: lab.ec2.delete_route_table(RouteTableId=table),
        lambda: lab.ec2.delete_security_group(GroupId=group),
        lambda: lab.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc),
    ):
        lab.refused("DependencyViolation", lab.ec2.delete_vpc, VpcId=vpc)
        delete()
    lab.ec2.delete_vpc(VpcId=vpc)
    world = lab.plane.snapshot()
    assert vpc not in world.vpcs
    assert all(each.vpc_id != vpc for each in (*world.route_tables.values(), *world.network_acls.values()))
    assert all(each.vpc_id != vpc for each in world.security_groups.values())


@pytest.mark.correction(
    "ec2:AssociateVpcCidrBlock", "Another CIDR block of a VPC is between /16 and /28 and overlaps none of its own."
)
def test_another_block_of_a_vpc(lab: Lab) -> None:
    vpc = lab.vpc()
    associate = lab.ec2.associate_vpc_cidr_block
    lab.refused("CidrConflict", associate, VpcId=vpc, CidrBlock="10.0.128.0/17")
    lab.refused("InvalidVpc.Range", associate, VpcId=vpc, CidrBlock="10.1.0.0/29")
    lab.refused("UnsupportedOperation", associate, VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    associate(VpcId=vpc, CidrBlock="10.1.0.0/16")
    assert lab.subnet(vpc, "10.1.0.0/24")


@pytest.mark.correction("ec2:ModifySubnetAttribute", "A request changes one attribute of a subnet.")
def test_one_attribute_of_a_subnet(lab: Lab) -> None:
    yes, subnet = {"Value": True}, lab.subnet(lab.vpc())
    modify = lab.ec2.modify_subnet_attribute
    both = {"MapPublicIpOnLaunch": yes, "AssignIpv6AddressOnCreation": yes}
    lab.refused("InvalidParameterCombination", modify, SubnetId=subnet, **both)
    lab.refused("MissingParameter", modify, SubnetId=subnet)


@pytest.mark.correction(
    "ec2:CreateVpc",
    "A new VPC has the DHCP option set of the region.",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html",
)
def test_the_dhcp_options_of_a_vpc(lab: Lab) -> None:
    lab.vpc()
    used = {each["DhcpOptionsId"] for each in lab.ec2.describe_vpcs()["Vpcs"]}
    [options] = lab.ec2.describe_dhcp_options()["DhcpOptions"]
    assert used == {options["DhcpOptionsId"]}
    told = {each["Key"]: [one["Value"] for one in each["Values"]] for each in options["DhcpConfigurations"]}
    assert told == {"domain-name": [f"{REGION}.compute.internal"], "domain-name-servers": ["AmazonProvidedDNS"]}
    lab.refused("DependencyViolation", lab.ec2.delete_dhcp_options, DhcpOptionsId=options["DhcpOptionsId"])
