from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from control_plane import Lab

from groundwork_lab.settings import POOL


@pytest.fixture
def place(lab: Lab) -> dict[str, str]:
    vpc = lab.vpc()
    return {"vpc": vpc, "subnet": lab.subnet(vpc), "gateway": lab.gateway(vpc)}


def public(lab: Lab, instance: str) -> str | None:
    address = lab.instance(instance).get("PublicIpAddress")
    world = lab.plane.snapshot()
    known = world.interfaces[world.instances[instance].interface_id].public_ip
    assert (IPv4Address(address) if address else None) == known
    return str(address) if address else None


@pytest.mark.correction("ec2:AllocateAddress", "An Elastic IP address is of the lab's internet.")
def test_addresses_come_from_the_pool(lab: Lab, place: dict[str, str]) -> None:
    made = lab.ec2.allocate_address(Domain="vpc")
    assert IPv4Address(made["PublicIp"]) in POOL
    instance = lab.running(place["subnet"])
    assert public(lab, instance) is None
    associated = lab.ec2.associate_address(AllocationId=made["AllocationId"], InstanceId=instance)
    assert public(lab, instance) == made["PublicIp"]
    [told] = lab.ec2.describe_addresses(AllocationIds=[made["AllocationId"]])["Addresses"]
    assert told["AssociationId"] == associated["AssociationId"]
    assert told["InstanceId"] == instance
    assert told["PrivateIpAddress"] == lab.instance(instance)["PrivateIpAddress"]


@pytest.mark.correction(
    "ec2:AssociateAddress",
    "Associating an address again changes nothing, and an associated one needs AllowReassociation.",
)
@pytest.mark.correction("ec2:DisassociateAddress", "An association that is replaced does not exist any more.")
@pytest.mark.correction("ec2:ReleaseAddress", "An associated address cannot be released.")
def test_associating(lab: Lab, place: dict[str, str]) -> None:
    one, two = lab.running(place["subnet"]), lab.running(place["subnet"])
    address, associate = lab.address(), lab.ec2.associate_address
    first = associate(AllocationId=address, InstanceId=one)["AssociationId"]
    assert associate(AllocationId=address, InstanceId=one)["AssociationId"] == first
    lab.refused("Resource.AlreadyAssociated", associate, AllocationId=address, InstanceId=two)
    associate(AllocationId=address, InstanceId=two, AllowReassociation=True)
    assert public(lab, one) is None
    other = lab.address()
    associate(AllocationId=other, InstanceId=two)  # replaces the former address
    assert "AssociationId" not in lab.ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    lab.refused("InvalidIPAddress.InUse", lab.ec2.release_address, AllocationId=other)
    lab.refused("InvalidAssociationID.NotFound", lab.ec2.disassociate_address, AssociationId=first)
    lab.ec2.release_address(AllocationId=address)
    lab.refused("InvalidAllocationID.NotFound", lab.ec2.release_address, AllocationId=address)


@pytest.mark.correction(
    "ec2:AssociateAddress", "The instance must be running or stopped, and its VPC must have an internet gateway."
)
def test_instances_that_cannot_take_an_address(lab: Lab, place: dict[str, str]) -> None:
    pending = lab.launch(place["subnet"])["InstanceId"]
    lab.refused("InvalidInstanceID", lab.ec2.associate_address, AllocationId=lab.address(), InstanceId=pending)
    inland = lab.running(lab.subnet(lab.vpc("10.1.0.0/16"), "10.1.0.0/24"))
    lab.refused("Gateway.NotAttached", lab.ec2.associate_address, AllocationId=lab.address(), InstanceId=inland)


@pytest.mark.correction(
    "ec2:RunInstances",
    "The request decides over the automatic public address, then the subnet.",
    also=(
        "Interface.check_auto_public_ip",
        "Interface.association",
    ),
    data_plane=True,
)
@pytest.mark.parametrize(
    ("maps", "asks", "expected"),
    [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
)
def test_automatic_addresses(lab: Lab, place: dict[str, str], maps: bool, asks: bool | None, expected: bool) -> None:
    subnet = place["subnet"]
    lab.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": maps})
    options = {}
    if asks is not None:
        options["NetworkInterfaces"] = [{"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": asks}]
    assert (public(lab, lab.running(subnet, **options)) is not None) is expected


@pytest.mark.correction(
    "ec2:StopInstances",
    "A stopped instance loses its automatic public address and gets another one when it starts.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
    also=("Interface.stop",),
    data_plane=True,
)
def test_an_automatic_address_lives_from_start_to_stop(lab: Lab, place: dict[str, str]) -> None:
    lab.ec2.modify_subnet_attribute(SubnetId=place["subnet"], MapPublicIpOnLaunch={"Value": True})
    instance = lab.running(place["subnet"])
    before = public(lab, instance)
    lab.ec2.stop_instances(InstanceIds=[instance])
    assert public(lab, instance) == before
    lab.plane.instance_state(instance, "stopped")
    assert public(lab, instance) is None
    lab.ec2.start_instances(InstanceIds=[instance])
    after = public(lab, instance)
    assert after is not None
    assert after != before


@pytest.mark.correction(
    "ec2:AssociateAddress",
    "An Elastic IP address replaces the automatic one, and remains when the instance stops.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
    data_plane=True,
)
def test_an_elastic_address_outlives_a_stop_and_hides_the_automatic_one(lab: Lab, place: dict[str, str]) -> None:
    lab.ec2.modify_subnet_attribute(SubnetId=place["subnet"], MapPublicIpOnLaunch={"Value": True})
    instance = lab.running(place["subnet"])
    automatic, address = public(lab, instance), lab.address()
    association = lab.ec2.associate_address(AllocationId=address, InstanceId=instance)["AssociationId"]
    elastic = public(lab, instance)
    assert elastic != automatic
    lab.ec2.stop_instances(InstanceIds=[instance])
    lab.plane.instance_state(instance, "stopped")
    lab.ec2.start_instances(InstanceIds=[instance])
    lab.plane.instance_state(instance, "running")
    assert public(lab, instance) == elastic
    lab.ec2.disassociate_address(AssociationId=association)
    assert public(lab, instance) not in (None, elastic)
    lab.ec2.associate_address(AllocationId=address, InstanceId=instance)
    lab.plane.instance_state(instance, "terminated")
    lab.ec2.release_address(AllocationId=address)
