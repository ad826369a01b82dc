from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.ec2.interfaces import primary_address, private_dns_name, public_dns_name


@pytest.mark.parametrize(
    ("single", "several", "expected"),
    [
        (None, None, None),
        ("10.0.0.9", None, "10.0.0.9"),
        (["10.0.0.9"], None, "10.0.0.9"),
        ([], [{"PrivateIpAddress": "10.0.0.8", "Primary": True}], "10.0.0.8"),
        (None, [{"PrivateIpAddress": "10.0.0.8", "Primary": False}], None),
    ],
)
def test_primary_address(single: object, several: Any, expected: str | None) -> None:
    assert primary_address(single, several) == expected


def test_dns_names() -> None:
    assert private_dns_name("10.0.0.9", "eu-central-1") == "ip-10-0-0-9.eu-central-1.compute.internal"
    assert private_dns_name("10.0.0.9", "us-east-1") == "ip-10-0-0-9.ec2.internal"
    assert public_dns_name("198.19.0.9", "eu-central-1") == "ec2-198-19-0-9.eu-central-1.compute.amazonaws.com"


def test_an_interface_of_its_own(lab: Lab) -> None:
    vpc = lab.vpc()
    subnet, group = lab.subnet(vpc), lab.group(vpc)
    create = lab.ec2.create_network_interface
    made = create(SubnetId=subnet, Groups=[group], PrivateIpAddress="10.0.0.50")["NetworkInterface"]
    interface = made["NetworkInterfaceId"]
    found = lab.plane.snapshot().interfaces[interface]
    assert (str(found.private_ip), found.owner, found.security_group_ids) == ("10.0.0.50", "none", (group,))
    lab.refused("InvalidIPAddress.InUse", create, SubnetId=subnet, PrivateIpAddress="10.0.0.50")
    lab.refused("UnsupportedOperation", create, SubnetId=subnet, SecondaryPrivateIpAddressCount=1)
    lab.refused("DependencyViolation", lab.ec2.delete_security_group, GroupId=group)
    instance = lab.running(subnet, NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}])
    assert lab.plane.snapshot().instances[instance].interface_id == interface
    assert lab.instance(instance)["PrivateIpAddress"] == "10.0.0.50"
    delete = lab.ec2.delete_network_interface
    lab.refused("InvalidParameterValue", delete, NetworkInterfaceId=interface)
    lab.plane.instance_state(instance, "terminated")
    assert lab.plane.snapshot().interfaces[interface].owner == "none"  # it existed before the launch, so it is kept
    delete(NetworkInterfaceId=interface)
    lab.refused("InvalidNetworkInterfaceID.NotFound", delete, NetworkInterfaceId=interface)


def test_groups_are_the_interfaces(lab: Lab) -> None:
    vpc = lab.vpc()
    one, two = lab.group(vpc, "one"), lab.group(vpc, "two")
    instance = lab.running(lab.subnet(vpc), SecurityGroupIds=[one])
    interface = lab.plane.snapshot().instances[instance].interface_id
    modify = lab.ec2.modify_network_interface_attribute
    modify(NetworkInterfaceId=interface, Groups=[two])
    assert [each["GroupId"] for each in lab.instance(instance)["SecurityGroups"]] == [two]
    assert lab.plane.snapshot().interfaces[interface].security_group_ids == (two,)
    many = [lab.group(vpc, f"group-{n}") for n in range(6)]
    lab.refused("SecurityGroupsPerInterfaceLimitExceeded", modify, NetworkInterfaceId=interface, Groups=many)
    lab.refused("InvalidGroup.NotFound", modify, NetworkInterfaceId=interface, Groups=["sg-0123456789abcdef0"])


def test_names_follow_the_vpc(lab: Lab) -> None:
    vpc = lab.vpc()
    lab.gateway(vpc)
    subnet = lab.subnet(vpc)
    lab.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    instance = lab.running(subnet)
    assert lab.instance(instance)["PublicDnsName"] == ""
    lab.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    found = lab.instance(instance)
    assert found["PublicDnsName"] == public_dns_name(found["PublicIpAddress"], "eu-central-1")
    assert found["PrivateDnsName"] == private_dns_name(found["PrivateIpAddress"], "eu-central-1")
    association = found["NetworkInterfaces"][0]["Association"]
    assert (association["PublicIp"], association["IpOwnerId"]) == (found["PublicIpAddress"], "amazon")


def test_an_interface_for_a_balancer(lab: Lab) -> None:
    vpc = lab.vpc()
    lab.gateway(vpc)
    subnet, group = lab.subnet(vpc), lab.group(vpc)
    context = lab.plane.context
    with context.lock:
        made = context.create_interface(
            subnet_id=subnet,
            group_ids=[group],
            owner="load-balancer",
            owner_id="arn:balancer",
            public=True,
            description="ELB app/web/1",
        )
    found = lab.plane.snapshot().interfaces[made.id]
    assert (found.owner, found.owner_id, found.security_group_ids) == ("load-balancer", "arn:balancer", (group,))
    assert found.public_ip is not None
    [told] = lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[made.id])["NetworkInterfaces"]
    assert (told["RequesterManaged"], told["RequesterId"], told["Status"]) == (True, "amazon-elb", "in-use")
    assert told["Association"]["PublicIp"] == str(found.public_ip)
    modify = lab.ec2.modify_network_interface_attribute
    lab.refused("AuthFailure", modify, NetworkInterfaceId=made.id, Groups=[group])
    with context.lock:
        context.delete_interface(made.id)
        context.delete_interface(made.id)
    assert made.id not in lab.plane.snapshot().interfaces
