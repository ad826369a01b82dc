from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.ec2.routes import is_shadowing_local


@pytest.mark.parametrize(
    ("destination", "expected"),
    [("0.0.0.0/0", False), ("10.0.0.0/8", False), ("10.0.0.0/16", True), ("10.0.4.0/24", True), ("10.1.0.0/24", False)],
)
def test_is_shadowing_local(destination: str, expected: bool) -> None:
    assert is_shadowing_local(IPv4Network(destination), [IPv4Network("10.0.0.0/16")]) is expected


@pytest.fixture
def network(lab: Lab) -> dict[str, str]:
    vpc = lab.vpc()
    table = lab.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return {"vpc": vpc, "subnet": lab.subnet(vpc), "gateway": lab.gateway(vpc), "table": table}


def routes(lab: Lab, table: str) -> dict[str, tuple[str, str]]:
    """Return (target, state) by destination."""
    [found] = lab.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return {
        each["DestinationCidrBlock"]: (each.get("GatewayId") or each.get("NatGatewayId"), each["State"])
        for each in found["Routes"]
    }


@pytest.mark.correction(
    "ec2:CreateRoute",
    "A route has one destination and one existing target, and is not more specific than the local route.",
)
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"DestinationCidrBlock": "0.0.0.0/0"}, "MissingParameter"),
        ({"GatewayId": "gateway"}, "MissingParameter"),
        (
            {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0123456789abcdef0"},
            "InvalidInternetGatewayID.NotFound",
        ),
        (
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0123456789abcdef0"},
            "InvalidNatGatewayID.NotFound",
        ),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "n", "GatewayId": "g"}, "InvalidParameterCombination"),
        ({"DestinationCidrBlock": "10.0.1.0/24", "GatewayId": "gateway"}, "InvalidParameterValue"),
        ({"DestinationCidrBlock": "10.0.7.0/24", "NetworkInterfaceId": "eni"}, "InvalidParameterValue"),
        ({"DestinationCidrBlock": "10.0.0.0/17", "NetworkInterfaceId": "eni"}, "InvalidParameterValue"),
        ({"DestinationCidrBlock": "everywhere", "GatewayId": "gateway"}, "InvalidParameterValue"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "loose"}, "InvalidParameterValue"),
        ({"DestinationCidrBlock": "10.0.0.0/16", "NetworkInterfaceId": "eni"}, "RouteAlreadyExists"),
        ({"DestinationIpv6CidrBlock": "::/0", "GatewayId": "gateway"}, "UnsupportedOperation"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"}, "UnsupportedOperation"),
    ],
)
def test_routes_that_aws_refuses(lab: Lab, network: dict[str, str], request_: dict[str, str], code: str) -> None:
    names = {**network, "loose": lab.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]}
    names["eni"] = lab.ec2.create_network_interface(SubnetId=network["subnet"])["NetworkInterface"][
        "NetworkInterfaceId"
    ]
    request = {key: names.get(value, value) for key, value in request_.items()}
    lab.refused(code, lab.ec2.create_route, RouteTableId=network["table"], **request)


@pytest.mark.correction("ec2:ReplaceRoute", "The bits of a destination behind its prefix are set to zero.")
@pytest.mark.correction(
    "ec2:DescribeRouteTables", "A route whose target is deleted or detached is a black hole.", also=("Route.state",)
)
@pytest.mark.correction("ec2:DeleteRoute", "The local route cannot be deleted.")
def test_routes_live_and_become_black_holes(lab: Lab, network: dict[str, str]) -> None:
    table, gateway = network["table"], network["gateway"]
    nat = lab.nat(network["subnet"])["NatGatewayId"]
    lab.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    lab.refused(
        "RouteAlreadyExists",
        lab.ec2.create_route,
        RouteTableId=table,
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway,
    )
    lab.ec2.create_route(RouteTableId=table, DestinationCidrBlock="192.0.2.77/24", GatewayId=gateway)
    lab.ec2.replace_route(RouteTableId=table, DestinationCidrBlock="192.0.2.0/24", NatGatewayId=nat)
    local = ("local", "active")
    assert routes(lab, table) == {
        "10.0.0.0/16": local,
        "0.0.0.0/0": (gateway, "active"),
        "192.0.2.0/24": (nat, "active"),
    }
    lab.ec2.delete_nat_gateway(NatGatewayId=nat)
    lab.plane.reconciled(lab.plane.snapshot())
    lab.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network["vpc"])
    assert routes(lab, table) == {
        "10.0.0.0/16": local,
        "0.0.0.0/0": (gateway, "blackhole"),
        "192.0.2.0/24": (nat, "blackhole"),
    }
    lab.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="192.0.2.0/24")
    lab.refused("InvalidRoute.NotFound", lab.ec2.delete_route, RouteTableId=table, DestinationCidrBlock="192.0.2.0/24")
    lab.refused("InvalidParameterValue", lab.ec2.delete_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16")


@pytest.mark.correction("ec2:AssociateRouteTable", "A subnet is associated with one route table, of its own VPC.")
@pytest.mark.correction("ec2:DisassociateRouteTable", "The association of the main route table cannot be removed.")
def test_one_table_a_subnet(lab: Lab, network: dict[str, str]) -> None:
    first = lab.ec2.associate_route_table(RouteTableId=network["table"], SubnetId=network["subnet"])["AssociationId"]
    again = lab.ec2.associate_route_table(RouteTableId=network["table"], SubnetId=network["subnet"])["AssociationId"]
    assert first == again
    other = lab.ec2.create_route_table(VpcId=network["vpc"])["RouteTable"]["RouteTableId"]
    lab.refused(
        "Resource.AlreadyAssociated", lab.ec2.associate_route_table, RouteTableId=other, SubnetId=network["subnet"]
    )
    moved = lab.ec2.replace_route_table_association(AssociationId=first, RouteTableId=other)["NewAssociationId"]
    assert lab.plane.snapshot().subnets[network["subnet"]].route_table_id == other
    lab.ec2.disassociate_route_table(AssociationId=moved)
    [main] = lab.ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [network["vpc"]]}, {"Name": "association.main", "Values": ["true"]}]
    )["RouteTables"]
    assert lab.plane.snapshot().subnets[network["subnet"]].route_table_id == main["RouteTableId"]
    association = main["Associations"][0]["RouteTableAssociationId"]
    lab.refused("InvalidParameterValue", lab.ec2.disassociate_route_table, AssociationId=association)
    lab.refused("DependencyViolation", lab.ec2.delete_route_table, RouteTableId=main["RouteTableId"])
    elsewhere = lab.ec2.create_route_table(VpcId=lab.vpc())["RouteTable"]["RouteTableId"]
    lab.refused(
        "InvalidParameterValue", lab.ec2.associate_route_table, RouteTableId=elsewhere, SubnetId=network["subnet"]
    )


@pytest.mark.correction("ec2:CreateNetworkAclEntry", "A number of a rule is used once in each direction, up to 32766.")
@pytest.mark.correction("ec2:DeleteNetworkAclEntry", "A rule that is deleted must exist.")
def test_network_acls(lab: Lab, network: dict[str, str]) -> None:
    acl = lab.ec2.create_network_acl(VpcId=network["vpc"])["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "Protocol": "6", "Egress": False, "CidrBlock": "0.0.0.0/0", "RuleAction": "allow"}
    entry["PortRange"] = {"From": 80, "To": 80}
    lab.ec2.create_network_acl_entry(**entry, RuleNumber=10)
    lab.refused("NetworkAclEntryAlreadyExists", lab.ec2.create_network_acl_entry, **entry, RuleNumber=10)
    lab.refused("InvalidParameterValue", lab.ec2.create_network_acl_entry, **entry, RuleNumber=32767)
    lab.refused(
        "InvalidNetworkAclEntry.NotFound",
        lab.ec2.delete_network_acl_entry,
        NetworkAclId=acl,
        RuleNumber=11,
        Egress=False,
    )
    found = lab.plane.snapshot().network_acls[acl].entries
    assert [(each.number, each.egress, each.allow, each.protocol, each.from_port) for each in found] == [
        (10, False, True, "tcp", 80),
        (32767, False, False, "-1", None),
        (32767, True, False, "-1", None),
    ]
    [default] = lab.ec2.describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [network["subnet"]]}]
    )["NetworkAcls"]
    lab.ec2.replace_network_acl_association(
        AssociationId=default["Associations"][0]["NetworkAclAssociationId"], NetworkAclId=acl
    )
    assert lab.plane.snapshot().subnets[network["subnet"]].network_acl_id == acl


@pytest.mark.correction(
    "ec2:CreateNetworkAclEntry", "A rule has a valid CIDR block, protocol, action and range of ports."
)
@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("InvalidParameterValue", {"CidrBlock": "/"}),
        ("InvalidParameterValue", {"CidrBlock": "10.0.0.0/33"}),
        ("MissingParameter", {"CidrBlock": ""}),
        ("InvalidParameterValue", {"Protocol": "#{protocol}"}),
        ("InvalidParameterValue", {"Protocol": "256"}),
        ("InvalidParameterValue", {"RuleAction": "maybe"}),
        ("InvalidParameterValue", {"PortRange": {"From": 2, "To": 1}}),
        ("InvalidParameterValue", {"PortRange": {"From": 1, "To": 65536}}),
        ("UnsupportedOperation", {"Ipv6CidrBlock": "::/0"}),
    ],
)
def test_entries_of_network_acls_are_checked_before_they_are_kept(lab: Lab, code: str, wrong: dict[str, Any]) -> None:
    acl = lab.ec2.create_network_acl(VpcId=lab.vpc())["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 10, "Egress": False, "Protocol": "6", "RuleAction": "allow"}
    entry |= {"CidrBlock": "10.0.0.0/16", "PortRange": {"From": 80, "To": 80}}
    lab.ec2.create_network_acl_entry(**entry)
    before = lab.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    lab.refused(code, lab.ec2.create_network_acl_entry, **{**entry, "RuleNumber": 11, **wrong})
    lab.refused(code, lab.ec2.replace_network_acl_entry, **{**entry, **wrong})
    assert lab.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"] == before
    assert lab.plane.snapshot().unreadable == ()


@pytest.mark.correction("ec2:ReplaceNetworkAclAssociation", "The association and the network ACL are of one VPC.")
def test_an_association_is_replaced_in_its_vpc(lab: Any, network: dict[str, str]) -> None:
    here = [{"Name": "association.subnet-id", "Values": [network["subnet"]]}]
    [acl] = lab.ec2.describe_network_acls(Filters=here)["NetworkAcls"]
    association = acl["Associations"][0]["NetworkAclAssociationId"]
    elsewhere = lab.ec2.create_network_acl(VpcId=lab.vpc())["NetworkAcl"]["NetworkAclId"]
    replace = lab.ec2.replace_network_acl_association
    lab.refused("InvalidParameterValue", replace, AssociationId=association, NetworkAclId=elsewhere)
    own = acl["NetworkAclId"]
    lab.refused("InvalidAssociationID.NotFound", replace, AssociationId="aclassoc-0123456789abcdef0", NetworkAclId=own)


@pytest.mark.correction(
    "ec2:CreateNetworkAcl",
    "A network ACL ends with a rule that denies everything.",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html",
)
def test_a_network_acl_denies_in_the_end(lab: Any) -> None:
    entries = lab.ec2.create_network_acl(VpcId=lab.vpc())["NetworkAcl"]["Entries"]
    assert {(each["RuleNumber"], each["Egress"], each["RuleAction"]) for each in entries} == {
        (32767, True, "deny"),
        (32767, False, "deny"),
    }


@pytest.mark.correction(
    "ec2:CreateNetworkAclEntry", "The type and the code of ICMP are kept, and a protocol is described by its number.",
    also=("RoutesResponses.create_network_acl_entry", "RoutesResponses.replace_network_acl_entry"),
)  # fmt: skip
def test_icmp_in_network_acls(lab: Lab) -> None:
    acl = lab.ec2.create_network_acl(VpcId=lab.vpc())["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 10, "Egress": False, "RuleAction": "allow", "CidrBlock": "10.0.0.0/8"}
    lab.refused("MissingParameter", lab.ec2.create_network_acl_entry, **entry, Protocol="1")
    wrong = {"Type": 256, "Code": -1}
    lab.refused("InvalidParameterValue", lab.ec2.create_network_acl_entry, **entry, Protocol="1", IcmpTypeCode=wrong)
    lab.ec2.create_network_acl_entry(**entry, Protocol="icmp", IcmpTypeCode={"Type": 8, "Code": -1})
    lab.ec2.replace_network_acl_entry(**entry, Protocol="icmp", IcmpTypeCode={"Type": 3, "Code": 4})
    [described] = lab.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    [kept] = [each for each in described["Entries"] if each["RuleNumber"] == 10]
    assert (kept["Protocol"], kept["IcmpTypeCode"]) == ("1", {"Type": 3, "Code": 4})


@pytest.mark.correction(
    "ec2:DescribeNetworkAcls",
    "An unknown id is refused as that of a network ACL.",
    also=("RoutesBackend.get_network_acl",),
)
def test_unknown_network_acls(lab: Lab) -> None:
    unknown = "acl-0123456789abcdef0"
    for call in (lab.ec2.describe_network_acls, lab.ec2.delete_network_acl):
        name = "NetworkAclIds" if call == lab.ec2.describe_network_acls else "NetworkAclId"
        lab.refused("InvalidNetworkAclID.NotFound", call, **{name: [unknown] if name.endswith("s") else unknown})
