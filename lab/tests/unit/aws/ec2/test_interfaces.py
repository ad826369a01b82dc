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


@pytest.mark.correction(
    "ec2:CreateNetworkInterface",
    "An interface has a free private address, keeps it in an instance, and outlives the instance.",
    also=(
        "Interface.delete",
        "Interface.attachment",
    ),
    data_plane=True,
)
@pytest.mark.correction("ec2:DeleteNetworkInterface", "An interface in use cannot be deleted.", data_plane=True)
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


@pytest.mark.correction(
    "ec2:ModifyNetworkInterfaceAttribute",
    "The security groups of an instance are those of its interface, at most five.",
    also=("Interface.group_set",),
    data_plane=True,
)
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


@pytest.mark.correction(
    "ec2:DescribeInstances",
    "An instance has a public name if its VPC has DNS host names.",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html",
    also=(
        "Instance.private_dns_name",
        "Instance.public_dns_name",
        "Instance.public_ip",
        "Instance.public_ip_address",
        "Interface.association",
    ),
)
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


@pytest.mark.correction(
    "ec2:DescribeNetworkInterfaces", "An interface of a load balancer is managed by its requester.", data_plane=True
)
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


@pytest.mark.correction("ec2:AttachNetworkInterface", "An instance of the lab has one interface.")
@pytest.mark.correction("ec2:AssignPrivateIpAddresses", "An interface of the lab has one private address.")
@pytest.mark.correction("ec2:AssignIpv6Addresses", "The lab has no IPv6.")
def test_what_the_lab_does_not_do_with_interfaces(lab: Any) -> None:
    vpc = lab.vpc()
    subnet = lab.subnet(vpc)
    interface = lab.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    code, other = "UnsupportedOperation", {"InstanceId": lab.running(subnet), "DeviceIndex": 1}
    lab.refused(code, lab.ec2.assign_ipv6_addresses, NetworkInterfaceId=interface, Ipv6AddressCount=1)
    lab.refused(code, lab.ec2.attach_network_interface, NetworkInterfaceId=interface, **other)
    assign = lab.ec2.assign_private_ip_addresses
    lab.refused(code, assign, NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)


def test_a_primary_interface_stays(lab: Any) -> None:
    instance = lab.running(lab.subnet(lab.vpc()))
    [interface] = lab.instance(instance)["NetworkInterfaces"]
    detach = lab.ec2.detach_network_interface
    lab.refused("OperationNotPermitted", detach, AttachmentId=interface["Attachment"]["AttachmentId"])
    lab.refused("InvalidAttachmentID.NotFound", detach, AttachmentId="eni-attach-0123456789abcdef0")


@pytest.mark.correction("ec2:DetachNetworkInterface", "The interface of a NAT gateway is attached by its requester.")
def test_a_managed_interface_stays(lab: Any) -> None:
    vpc = lab.vpc()
    lab.gateway(vpc)
    lab.nat(lab.subnet(vpc))
    [interface] = lab.ec2.describe_network_interfaces()["NetworkInterfaces"]
    attachment = interface["Attachment"]["AttachmentId"]
    lab.refused("OperationNotPermitted", lab.ec2.detach_network_interface, AttachmentId=attachment)


@pytest.mark.correction(
    "ec2:DescribeNetworkInterfaces",
    "Interfaces are found by status, MAC address and DeviceIndex of their attachment.",
)
@pytest.mark.parametrize(
    ("name", "value"), [("status", "in-use"), ("mac-address", "02:*"), ("attachment.device-index", "0")]
)
def test_filters_of_interfaces(lab: Any, name: str, value: str) -> None:
    instance = lab.running(lab.subnet(lab.vpc()))
    found = lab.ec2.describe_network_interfaces(Filters=[{"Name": name, "Values": [value]}])["NetworkInterfaces"]
    assert [each["Attachment"]["InstanceId"] for each in found] == [instance]
