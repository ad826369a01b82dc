from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab


@pytest.fixture
def subnet(lab: Lab) -> str:
    vpc = lab.vpc()
    lab.gateway(vpc)
    return str(lab.subnet(vpc))


def state(lab: Lab, gateway: str) -> str:
    return str(lab.ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"][0]["State"])


@pytest.mark.correction("ec2:CreateNatGateway", "A NAT gateway is pending until it routes.", data_plane=True)
@pytest.mark.correction(
    "ec2:DeleteNatGateway",
    "A NAT gateway is deleting until it is removed, and keeps its address until then.",
    data_plane=True,
)
def test_a_gateways_life(lab: Lab, subnet: str, tagged: Any) -> None:
    address = lab.address()
    made = lab.nat(subnet, AllocationId=address, TagSpecifications=tagged("natgateway", Name="nat"))
    gateway, told = made["NatGatewayId"], made["NatGatewayAddresses"][0]
    assert made["State"] == "pending"
    assert told["PrivateIp"].startswith("10.0.0.")
    world = lab.plane.snapshot()
    interface = world.interfaces[told["NetworkInterfaceId"]]
    assert world.nat_gateways[gateway].interface_id == interface.id
    assert (str(interface.private_ip), str(interface.public_ip)) == (told["PrivateIp"], told["PublicIp"])
    assert (interface.owner, interface.owner_id) == ("nat-gateway", gateway)
    assert interface.security_group_ids == ()
    assert not interface.source_dest_check
    lab.plane.reconciled(world)
    assert state(lab, gateway) == "available"

    lab.ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert state(lab, gateway) == "deleting"
    lab.refused("InvalidIPAddress.InUse", lab.ec2.release_address, AllocationId=address)
    lab.plane.reconciled(world)  # an older `World` still contains it
    assert state(lab, gateway) == "deleting"
    world = lab.plane.snapshot()
    assert gateway not in world.nat_gateways
    assert interface.id not in world.interfaces
    lab.plane.reconciled(world)
    assert state(lab, gateway) == "deleted"
    assert lab.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    lab.ec2.release_address(AllocationId=address)
    found = lab.ec2.describe_nat_gateways(Filters=[{"Name": "tag:Name", "Values": ["nat"]}])["NatGateways"]
    assert [each["NatGatewayId"] for each in found] == [gateway]
    assert lab.ec2.describe_nat_gateways(Filters=[{"Name": "tag:Name", "Values": ["x"]}])["NatGateways"] == []


@pytest.mark.correction(
    "ec2:CreateNatGateway",
    "A gateway that cannot be created is failed, with FailureCode.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NatGateway.html",
)
def test_what_fails_after_the_call(lab: Lab, subnet: str) -> None:
    inland = lab.subnet(lab.vpc("10.1.0.0/16"), "10.1.0.0/24")
    failed = lab.nat(inland)
    assert (failed["State"], failed["FailureCode"]) == ("failed", "Gateway.NotAttached")
    address = lab.address()
    lab.nat(subnet, AllocationId=address)
    assert lab.nat(subnet, AllocationId=address)["FailureCode"] == "Resource.AlreadyAssociated"
    assert len(lab.plane.snapshot().nat_gateways) == 1


@pytest.mark.correction("ec2:CreateNatGateway", "The subnet and the allocation must exist.")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"AllocationId": "eipalloc-0123456789abcdef0"}, "InvalidAllocationID.NotFound"),
        ({"ConnectivityType": "private"}, "UnsupportedOperation"),
        ({"PrivateIpAddress": "10.0.0.9"}, "UnsupportedOperation"),
    ],
)
def test_what_fails_at_once(lab: Lab, subnet: str, changes: dict[str, str], code: str) -> None:
    request = {"SubnetId": subnet, "AllocationId": lab.address(), **changes}
    lab.refused(code, lab.ec2.create_nat_gateway, **request)


@pytest.mark.correction("ec2:DescribeNatGateways", "An unknown gateway is refused with NatGatewayNotFound.")
@pytest.mark.correction("ec2:CreateNatGateway", "A public NAT gateway needs an allocation.")
def test_an_address_is_needed_and_unknown_gateways_are_told(lab: Lab, subnet: str) -> None:
    lab.refused("MissingParameter", lab.ec2.create_nat_gateway, SubnetId=subnet)
    for call in (lab.ec2.delete_nat_gateway, lambda NatGatewayId: state(lab, NatGatewayId)):  # noqa: N803
        lab.refused("NatGatewayNotFound", call, NatGatewayId="nat-0123456789abcdef0")


@pytest.mark.correction("ec2:DeleteNetworkInterface", "The interface of a NAT gateway is managed by its requester.")
def test_its_interface_is_not_the_customers(lab: Lab, subnet: str) -> None:
    lab.nat(subnet)
    [interface] = lab.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert interface["RequesterManaged"]
    assert interface["InterfaceType"] == "nat_gateway"
    lab.refused(
        "InvalidParameterValue",
        lab.ec2.delete_network_interface,
        NetworkInterfaceId=interface["NetworkInterfaceId"],
    )
    association = interface["Association"]["AssociationId"]
    lab.refused("AuthFailure", lab.ec2.disassociate_address, AssociationId=association)


@pytest.mark.correction(
    "ec2:CreateNatGateway",
    "A client token creates one gateway.",
    page="https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html",
    data_plane=True,
)
def test_a_client_token_makes_one_gateway(lab: Lab, subnet: str) -> None:
    request = {"AllocationId": lab.address(), "ClientToken": "once"}
    first = lab.nat(subnet, **request)["NatGatewayId"]
    lab.plane.reconciled(lab.plane.snapshot())
    again = lab.nat(subnet, **request)
    assert (again["NatGatewayId"], again["State"]) == (first, "available")
    lab.refused(
        "IdempotentParameterMismatch",
        lab.ec2.create_nat_gateway,
        SubnetId=subnet,
        AllocationId=lab.address(),
        ClientToken="once",
    )
