from __future__ import annotations

import base64
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2.instances import check_counts, check_interface_fields, decoded_user_data
from groundwork_lab.model import MetadataOptions


@pytest.mark.parametrize("raw", [b"", b"#!/bin/sh\n", b"x" * 16384])
def test_user_data(raw: bytes) -> None:
    assert decoded_user_data(base64.b64encode(raw)) == raw


@pytest.mark.parametrize("encoded", [base64.b64encode(b"x" * 16385), b"not base64!"])
def test_user_data_that_aws_refuses(encoded: bytes) -> None:
    with pytest.raises(AwsError):
        decoded_user_data(encoded)


@pytest.mark.parametrize(("least", "most"), [(0, 1), (2, 1)])
def test_counts_that_aws_refuses(least: int, most: int) -> None:
    with pytest.raises(AwsError):
        check_counts(least, most)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"NetworkInterfaces": [{}], "SubnetId": "subnet-1"}, "InvalidParameterCombination"),
        ({"NetworkInterfaces": [{}], "SecurityGroupIds": ["sg-1"]}, "InvalidParameterCombination"),
        ({"NetworkInterfaces": [{}, {}]}, "UnsupportedOperation"),
        ({"NetworkInterfaces": [{"DeviceIndex": 1}]}, "UnsupportedOperation"),
        ({"PrivateIpAddress": "10.0.0.9", "MaxCount": 2}, "InvalidParameterCombination"),
    ],
)
def test_interface_fields_that_aws_refuses(params: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as caught:
        check_interface_fields(params)
    assert caught.value.code == code


@pytest.fixture
def subnet(lab: Lab) -> str:
    return str(lab.subnet(lab.vpc()))


@pytest.mark.correction("ec2:RunInstances", "A launch is checked completely before anything is created.")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "debian"}, "InvalidAMIID.Malformed"),
        ({"KeyName": "unknown"}, "InvalidKeyPair.NotFound"),
        ({"InstanceType": "t3.enormous"}, "InvalidParameterValue"),
        (
            {"InstanceType": "m5.large", "CreditSpecification": {"CpuCredits": "standard"}},
            "InstanceCreditSpecification.NotSupported",
        ),
        ({"CreditSpecification": {"CpuCredits": "endless"}}, "InvalidParameterValue"),
        ({"InstanceType": "t4g.micro"}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"PrivateIpAddress": "10.0.0.3"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.1.9"}, "InvalidParameterValue"),
        ({"UserData": "x" * 16385}, "InvalidParameterValue"),
        ({"MinCount": 2}, "InvalidParameterValue"),
        ({"IamInstanceProfile": {"Name": "unknown"}}, "InvalidParameterValue"),
        ({"Placement": {"AvailabilityZone": "eu-central-1b"}}, "InvalidParameterValue"),
        ({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 1}}]}, "InvalidBlockDeviceMapping"),
        ({"LaunchTemplate": {"LaunchTemplateName": "unknown"}}, "InvalidLaunchTemplateName.NotFoundException"),
        ({"InstanceMarketOptions": {"MarketType": "spot"}}, "UnsupportedOperation"),
    ],
)
def test_launches_that_aws_refuses(lab: Lab, subnet: str, changes: dict[str, Any], code: str) -> None:
    request = {"ImageId": lab.image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro", "SubnetId": subnet}
    lab.refused(code, lab.ec2.run_instances, **{**request, **changes})
    assert lab.ec2.describe_instances()["Reservations"] == []
    assert lab.plane.snapshot().interfaces == {}


@pytest.mark.correction("ec2:RunInstances", "A security group must be of the subnet's VPC.")
def test_a_group_of_another_vpc(lab: Lab, subnet: str) -> None:
    elsewhere = lab.group(lab.vpc("10.1.0.0/16"))
    request = {"ImageId": lab.image, "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    lab.refused("InvalidParameter", lab.ec2.run_instances, **request, SecurityGroupIds=[elsewhere])


def test_a_launch(lab: Lab, subnet: str, tagged: Any, public_key: bytes) -> None:
    lab.ec2.import_key_pair(KeyName="me", PublicKeyMaterial=public_key)
    group = lab.group(lab.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"])
    made = lab.launch(
        subnet,
        KeyName="me",
        SecurityGroupIds=[group],
        UserData="#cloud-config\n",
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "InstanceMetadataTags": "enabled"},
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeSize": 10}}],
        TagSpecifications=[
            *tagged("instance", Name="public-1"),
            *tagged("volume", Name="disk"),
            *tagged("network-interface", Name="card"),
        ],
    )
    assert made["State"]["Name"] == "pending"
    world = lab.plane.snapshot()
    instance = world.instances[made["InstanceId"]]
    assert instance.state == "pending"
    assert instance.public_key == public_key.decode()
    assert instance.user_data == b"#cloud-config\n"
    assert instance.metadata == MetadataOptions("required", 2, enabled=True, tags=True)
    assert instance.tags == {"Name": "public-1"}
    assert instance.zone == "eu-central-1a"
    interface = world.interfaces[instance.interface_id]
    assert (interface.owner, interface.owner_id) == ("instance", instance.id)
    assert interface.security_group_ids == (group,)
    assert str(interface.private_ip) == made["PrivateIpAddress"] == "10.0.0.4"
    [volume] = lab.ec2.describe_volumes()["Volumes"]
    assert (volume["Encrypted"], volume["Size"], volume["VolumeType"]) == (True, 10, "gp3")
    assert volume["Tags"] == [{"Key": "Name", "Value": "disk"}]
    assert volume["Attachments"][0]["DeleteOnTermination"]
    [card] = lab.ec2.describe_network_interfaces(Filters=[{"Name": "tag:Name", "Values": ["card"]}])[
        "NetworkInterfaces"
    ]
    assert card["Attachment"]["DeleteOnTermination"]


@pytest.mark.correction("ec2:RunInstances", "As many instances are launched as MaxCount says.")
def test_as_many_as_wanted(lab: Lab, subnet: str) -> None:
    made = lab.ec2.run_instances(ImageId=lab.image, MinCount=1, MaxCount=3, SubnetId=subnet)["Instances"]
    assert [each["AmiLaunchIndex"] for each in made] == [0, 1, 2]
    assert len(lab.plane.snapshot().instances) == 3


@pytest.mark.correction(
    "ec2:RunInstances",
    "A client token launches once, and cannot be used for another request.",
    page="https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html",
    also=("Answering.RESPONSE_KEY_PATH_TO_TRANSFORMER",),
)
def test_a_client_token_makes_one_instance(lab: Lab, subnet: str) -> None:
    first = lab.launch(subnet, ClientToken="once")["InstanceId"]
    lab.plane.instance_state(first, "running")
    again = lab.launch(subnet, ClientToken="once")
    assert (again["InstanceId"], again["State"]["Name"]) == (first, "running")
    request = {"ImageId": lab.image, "MinCount": 1, "MaxCount": 2, "InstanceType": "t3.micro", "SubnetId": subnet}
    lab.refused("IdempotentParameterMismatch", lab.ec2.run_instances, **request, ClientToken="once")
    assert lab.launch(subnet, ClientToken="twice")["InstanceId"] != first


@pytest.mark.correction("ec2:RunInstances", "A private address is used once.")
def test_a_fixed_address_is_one_instances(lab: Lab, subnet: str) -> None:
    lab.launch(subnet, PrivateIpAddress="10.0.0.77")
    request = {"ImageId": lab.image, "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    lab.refused("InvalidIPAddress.InUse", lab.ec2.run_instances, **request, PrivateIpAddress="10.0.0.77")


@pytest.mark.correction(
    "ec2:RunInstances", "Without a subnet, the instance is in a default subnet, with a public address."
)
def test_without_a_subnet_it_is_a_default_one(lab: Lab) -> None:
    made = lab.ec2.run_instances(ImageId=lab.image, MinCount=1, MaxCount=1)["Instances"][0]
    assert made["PrivateIpAddress"].startswith("172.31.")
    assert lab.instance(made["InstanceId"])["PublicIpAddress"].startswith("198.19.")


def status(lab: Lab, instance: str) -> str:
    [found] = lab.ec2.describe_instance_status(InstanceIds=[instance], IncludeAllInstances=True)["InstanceStatuses"]
    return f"{found['InstanceState']['Name']} {found['InstanceStatus']['Status']}"


@pytest.mark.correction(
    "ec2:StopInstances",
    "An instance has the states of its lifecycle, as its host reports them.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html",
    also=(
        "Instance.start",
        "Instance.stop",
        "Instance.terminate",
        "Instance.reboot",
        "Instance.instance_status",
        "Instance.system_status",
        "Instance.private_ip",
        "Instance.private_ip_address",
        "Instance.subnet_id",
        "Instance.vpc_id",
    ),
    data_plane=True,
)
@pytest.mark.correction("ec2:StartInstances", "Only a stopped instance starts.", data_plane=True)
def test_states_follow_the_host(lab: Lab, subnet: str) -> None:
    instance = lab.launch(subnet)["InstanceId"]
    changes = len(lab.changes)
    assert status(lab, instance) == "pending not-applicable"
    assert lab.ec2.describe_instance_status()["InstanceStatuses"] == []
    lab.refused("IncorrectInstanceState", lab.ec2.stop_instances, InstanceIds=[instance])
    lab.plane.instance_state(instance, "running")
    assert status(lab, instance) == "running initializing"
    lab.plane.instance_reachable(instance)
    assert status(lab, instance) == "running ok"
    assert len(lab.changes) == changes + 1

    lab.ec2.reboot_instances(InstanceIds=[instance])
    assert lab.plane.snapshot().instances[instance].reboots == 1
    assert status(lab, instance) == "running initializing"

    [told] = lab.ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"]
    assert (told["PreviousState"]["Name"], told["CurrentState"]["Name"]) == ("running", "stopping")
    assert lab.plane.snapshot().instances[instance].state == "stopping"
    lab.refused("IncorrectInstanceState", lab.ec2.start_instances, InstanceIds=[instance])
    lab.plane.instance_state(instance, "stopped")
    assert lab.instance(instance)["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    lab.refused("IncorrectInstanceState", lab.ec2.reboot_instances, InstanceIds=[instance])

    [told] = lab.ec2.start_instances(InstanceIds=[instance])["StartingInstances"]
    assert told["CurrentState"]["Name"] == "pending"
    lab.plane.instance_state(instance, "running")
    [told] = lab.ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"]
    assert told["CurrentState"]["Name"] == "shutting-down"
    assert lab.plane.snapshot().instances[instance].state == "shutting-down"
    lab.plane.instance_state(instance, "terminated")
    found = lab.instance(instance)
    assert found["State"]["Name"] == "terminated"
    assert "PrivateIpAddress" not in found
    assert found["NetworkInterfaces"] == []
    world = lab.plane.snapshot()
    assert (world.instances, world.interfaces) == ({}, {})
    assert lab.ec2.describe_volumes()["Volumes"] == []
    [told] = lab.ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"]
    assert told["CurrentState"]["Name"] == "terminated"


@pytest.mark.correction("ec2:DescribeInstances", "StateReason has the reason of a failed launch.", data_plane=True)
def test_a_host_that_fails_says_why(lab: Lab, subnet: str) -> None:
    instance = lab.launch(subnet)["InstanceId"]
    lab.plane.instance_state(instance, "terminated", reason="Server.InternalError: no disk left")
    reason = lab.instance(instance)["StateReason"]
    assert reason == {"Code": "Server.InternalError", "Message": "Server.InternalError: no disk left"}
    lab.plane.instance_state("i-0123456789abcdef0", "running")  # of an instance that does not exist


@pytest.mark.correction(
    "ec2:DescribeInstances",
    "InstanceInitiatedShutdownBehavior decides what follows when the host shuts down.",
    data_plane=True,
)
@pytest.mark.parametrize(("behavior", "expected"), [("stop", "stopped"), ("terminate", "shutting-down")])
def test_a_host_that_shuts_itself_down(lab: Lab, subnet: str, behavior: str, expected: str) -> None:
    instance = lab.running(subnet, InstanceInitiatedShutdownBehavior=behavior)
    lab.plane.instance_state(instance, "stopped")
    found = lab.instance(instance)
    assert found["State"]["Name"] == expected
    assert found["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"


@pytest.mark.correction(
    "ec2:TerminateInstances", "A protected instance is not terminated, nor are the others of the request."
)
def test_termination_protection(lab: Lab, subnet: str) -> None:
    guarded, other = lab.running(subnet, DisableApiTermination=True), lab.running(subnet)
    lab.refused("OperationNotPermitted", lab.ec2.terminate_instances, InstanceIds=[other, guarded])
    assert lab.instance(other)["State"]["Name"] == "running"
    lab.ec2.modify_instance_attribute(InstanceId=guarded, DisableApiTermination={"Value": False})
    lab.ec2.terminate_instances(InstanceIds=[other, guarded])


@pytest.mark.correction(
    "ec2:ModifyInstanceAttribute", "The type and the user data of an instance can be changed while it is stopped."
)
@pytest.mark.correction("ec2:ModifyInstanceMetadataOptions", "Options that are not in the request remain.")
def test_attributes(lab: Lab, subnet: str) -> None:
    instance = lab.running(subnet, UserData="a")
    modify = lab.ec2.modify_instance_attribute
    lab.refused("IncorrectInstanceState", modify, InstanceId=instance, InstanceType={"Value": "t3.small"})
    lab.ec2.stop_instances(InstanceIds=[instance])
    lab.plane.instance_state(instance, "stopped")
    modify(InstanceId=instance, InstanceType={"Value": "t3.small"})
    modify(InstanceId=instance, UserData={"Value": b"b"})
    vpc = lab.instance(instance)["VpcId"]
    group = lab.group(vpc)
    modify(InstanceId=instance, Groups=[group])
    modify(InstanceId=instance, SourceDestCheck={"Value": False})
    world = lab.plane.snapshot()
    found = world.instances[instance]
    assert (found.instance_type, found.user_data) == ("t3.small", b"b")
    assert world.interfaces[found.interface_id].security_group_ids == (group,)
    assert not world.interfaces[found.interface_id].source_dest_check
    lab.ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required")
    lab.ec2.modify_instance_metadata_options(InstanceId=instance, HttpPutResponseHopLimit=3)
    assert lab.plane.snapshot().instances[instance].metadata == MetadataOptions("required", 3, enabled=True)


@pytest.mark.correction(
    "ec2:GetConsoleOutput", "The output is what the host has written so far, and is missing before.", data_plane=True
)
def test_console_output(lab: Lab, subnet: str) -> None:
    instance = lab.running(subnet)
    assert "Output" not in lab.ec2.get_console_output(InstanceId=instance)
    lab.hosts.consoles[instance] = b"login: \xff\n"
    told = lab.client("ec2").get_console_output(InstanceId=instance)
    assert told["Output"].startswith("login: ")
    lab.refused("InvalidInstanceID.NotFound", lab.ec2.get_console_output, InstanceId="i-0123456789abcdef0")


def test_an_instance_profile(lab: Lab, subnet: str) -> None:
    iam = lab.client("iam")
    iam.create_instance_profile(InstanceProfileName="web")
    made = lab.ec2.run_instances(
        ImageId=lab.image, MinCount=2, MaxCount=2, SubnetId=subnet, IamInstanceProfile={"Name": "web"}
    )["Instances"]
    world = lab.plane.snapshot()
    arns = {world.instances[each["InstanceId"]].instance_profile_arn for each in made}
    assert arns == {"arn:aws:iam::123456789012:instance-profile/web"}


@pytest.mark.correction(
    "ec2:DescribeInstances",
    "All filters of the documentation work, with wildcards.",
    also=("InstancesBackend.get_reservations_by_instance_ids",),
)
@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("instance-state-name", "running", True),
        ("instance-state-name", "stopped", False),
        ("tag:Name", "public-*", True),
        ("tag:Name", "private-*", False),
        ("tag-key", "Name", True),
        ("private-ip-address", "10.0.0.4", True),
        ("network-interface.addresses.private-ip-address", "10.0.0.5", False),
        ("instance-type", "t3.*", True),
    ],
)
def test_filters(lab: Lab, subnet: str, tagged: Any, name: str, value: str, found: bool) -> None:
    lab.running(subnet, TagSpecifications=tagged("instance", Name="public-1"))
    told = lab.ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}])["Reservations"]
    assert bool(told) is found


@pytest.mark.correction("ec2:DescribeInstances", "A filter of an unknown name is refused.")
def test_unknown_filters_are_refused(lab: Lab) -> None:
    wrong = [{"Name": "instance-state", "Values": ["running"]}]
    lab.refused("InvalidParameterValue", lab.ec2.describe_instances, Filters=wrong)
    lab.refused("InvalidParameterValue", lab.ec2.describe_vpcs, Filters=wrong)


def credits_of(lab: Lab, *instances: str) -> list[str]:
    told = lab.ec2.describe_instance_credit_specifications(InstanceIds=list(instances))
    return [one["CpuCredits"] for one in told["InstanceCreditSpecifications"]]


@pytest.mark.correction(
    "ec2:DescribeInstanceCreditSpecifications",
    "An instance has the option of its launch, or that of its family. Without ids, the unlimited ones are listed.",
)
def test_cpu_credits_of_a_launch(lab: Lab, subnet: str) -> None:
    old, new = lab.running(subnet, InstanceType="t2.micro"), lab.running(subnet, InstanceType="t3.micro")
    given = lab.running(subnet, InstanceType="t3.micro", CreditSpecification={"CpuCredits": "standard"})
    none = lab.running(subnet, InstanceType="m5.large")
    assert credits_of(lab, old, new, given) == ["standard", "unlimited", "standard"]
    describe = lab.ec2.describe_instance_credit_specifications
    assert [one["InstanceId"] for one in describe()["InstanceCreditSpecifications"]] == [new]
    lab.refused("InstanceCreditSpecification.NotSupported", describe, InstanceIds=[none])


@pytest.mark.correction(
    "ec2:ModifyInstanceCreditSpecification",
    "The option of a running or stopped instance is changed. Refused instances are listed in the response.",
)
def test_cpu_credits_are_modified(lab: Lab, subnet: str) -> None:
    ours, none = lab.running(subnet, InstanceType="t3.micro"), lab.running(subnet, InstanceType="m5.large")
    wanted = [{"InstanceId": one, "CpuCredits": "standard"} for one in (ours, none, "i-0123456789abcdef0")]
    told = lab.ec2.modify_instance_credit_specification(InstanceCreditSpecifications=wanted)
    assert told["SuccessfulInstanceCreditSpecifications"] == [{"InstanceId": ours}]
    codes = [one["Error"]["Code"] for one in told["UnsuccessfulInstanceCreditSpecifications"]]
    assert codes == ["InstanceCreditSpecification.NotSupported", "InvalidInstanceID.NotFound"]
    assert credits_of(lab, ours) == ["standard"]


@pytest.mark.correction("ec2:ModifyInstanceAttribute", "Another type must exist and have the instance's architecture.")
def test_another_type_of_a_stopped_instance(lab: Lab, subnet: str) -> None:
    instance = lab.running(subnet, InstanceType="t3.micro")
    lab.ec2.stop_instances(InstanceIds=[instance])
    lab.plane.instance_state(instance, "stopped")
    modify = lab.ec2.modify_instance_attribute
    for kind in ("t3.enormous", "t4g.micro"):
        lab.refused("InvalidParameterValue", modify, InstanceId=instance, InstanceType={"Value": kind})
    modify(InstanceId=instance, InstanceType={"Value": "m5.large"})
    [described] = lab.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert described["InstanceType"] == "m5.large"
    lab.refused(
        "InstanceCreditSpecification.NotSupported",
        lab.ec2.describe_instance_credit_specifications,
        InstanceIds=[instance],
    )
