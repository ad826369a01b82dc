"""The values of requests are those of botocore's model."""

from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab
from moto.core.utils import get_service_model

from groundwork_lab.aws.models import is_integer, missing, violations


@pytest.mark.parametrize(
    ("service", "operation", "params", "paths"),
    [
        ("ec2", "RunInstances", {"MetadataOptions": {"HttpTokens": "maybe"}}, ["metadataOptions.httpTokens"]),
        ("ec2", "RunInstances", {"MetadataOptions": {"HttpTokens": "required"}}, []),
        ("ec2", "CreateVolume", {"VolumeType": "tape", "Size": 3}, ["volumeType"]),
        ("iam", "CreateRole", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}, ["roleName"]),
        ("iam", "CreateRole", {"RoleName": "x" * 65, "AssumeRolePolicyDocument": "{}"}, ["roleName"]),
        ("iam", "CreateRole", {"RoleName": "x", "MaxSessionDuration": 60}, ["maxSessionDuration"]),
        ("ssm", "GetParameters", {"Names": ["x"] * 11}, ["names"]),
        ("iam", "TagRole", {"RoleName": "x", "Tags": [{"Key": "", "Value": "v"}]}, ["tags.1.member.key"]),
    ],
)
def test_violations(service: str, operation: str, params: dict[str, Any], paths: list[str]) -> None:
    shape = get_service_model(service).operation_model(operation).input_shape
    assert [each.path for each in violations(shape, params)] == paths


@pytest.mark.parametrize(
    ("service", "operation", "params", "paths"),
    [
        ("acm", "DescribeCertificate", {}, ["certificateArn"]),
        ("acm", "AddTagsToCertificate", {"CertificateArn": "a", "Tags": [{"Key": "a"}, {}]}, ["tags.2.member.key"]),
        ("route53", "ChangeResourceRecordSets", {"HostedZoneId": "Z", "ChangeBatch": {}}, ["changeBatch.changes"]),
        ("route53", "ListHostedZones", {}, []),
    ],
)
def test_missing_members(service: str, operation: str, params: dict[str, Any], paths: list[str]) -> None:
    shape = get_service_model(service).operation_model(operation).input_shape
    assert list(missing(shape, params)) == paths


def test_integers() -> None:
    for given in ("0", "-5", "+5", "007"):
        assert is_integer(given)
        int(given)
    for given in ("", "-", "--5", "5-", "1.0", "1_0", " 1", "1\n", "\u00b2", "\u0665"):
        assert not is_integer(given), given


@pytest.mark.parametrize("given", ["--5", "\u00b2", "-"])
def test_what_looks_like_an_integer(given: str) -> None:
    shape = get_service_model("iam").operation_model("CreateRole").input_shape
    assert list(violations(shape, {"MaxSessionDuration": given})) == []


@pytest.mark.correction("ec2:RunInstances", "A parameter with an enumeration has one of its values.")
@pytest.mark.parametrize(
    "given",
    [
        {"MetadataOptions": {"HttpTokens": "maybe"}},
        {"MetadataOptions": {"HttpPutResponseHopLimit": 65}},
        {"InstanceInitiatedShutdownBehavior": "explode"},
        {"Placement": {"Tenancy": "shared"}},
        {"CreditSpecification": {"CpuCredits": "many"}, "Placement": {"Tenancy": "none"}},
    ],
)
def test_launches_with_values_that_do_not_exist(lab: Lab, given: dict[str, Any]) -> None:
    subnet = lab.subnet(lab.vpc())
    client = lab.client("ec2")
    options = {"ImageId": lab.image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    lab.refused("InvalidParameterValue", client.run_instances, **options, **given)


@pytest.mark.correction("iam:CreateRole", "Names, lengths and numbers are those of the model.")
@pytest.mark.parametrize("given", [{"RoleName": "a b"}, {"RoleName": "x", "MaxSessionDuration": 60}])
def test_roles_that_iam_refuses(lab: Lab, given: dict[str, Any]) -> None:
    document = '{"Version": "2012-10-17", "Statement": []}'
    client = lab.client("iam", parameter_validation=False)
    lab.refused("ValidationError", client.create_role, AssumeRolePolicyDocument=document, **given)


@pytest.mark.correction("ec2:CreateVolume", "A volume has a zone of the region, and a size and settings of its type.")
@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("InvalidZone.NotFound", {"AvailabilityZone": "eu-central-1z", "Size": 8}),
        ("MissingParameter", {"AvailabilityZone": "eu-central-1a"}),
        ("InvalidParameterValue", {"AvailabilityZone": "eu-central-1a", "Size": 0}),
        ("InvalidParameterValue", {"AvailabilityZone": "eu-central-1a", "Size": 20000, "VolumeType": "gp2"}),
        (
            "InvalidParameterCombination",
            {"AvailabilityZone": "eu-central-1a", "Size": 8, "VolumeType": "gp2", "Iops": 9},
        ),
        ("InvalidParameterValue", {"AvailabilityZone": "eu-central-1a", "Size": 8, "VolumeType": "tape"}),
    ],
)
def test_volumes_that_aws_refuses(lab: Lab, code: str, given: dict[str, Any]) -> None:
    lab.refused(code, lab.ec2.create_volume, **given)


@pytest.mark.correction(
    "ec2:AuthorizeSecurityGroupIngress", "A rule names a group of its own VPC, without VPC peering.",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
)  # fmt: skip
def test_a_group_of_another_vpc(lab: Lab) -> None:
    here, there = lab.group(lab.vpc(), "here"), lab.group(lab.vpc("10.1.0.0/16"), "there")
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": there}]}
    for call in (lab.ec2.authorize_security_group_ingress, lab.ec2.authorize_security_group_egress):
        lab.refused("InvalidGroup.NotFound", call, GroupId=here, IpPermissions=[rule])


@pytest.mark.correction("ec2:CreateVpc", "The lab has no IPv6.")
def test_no_ipv6_at_birth(lab: Lab) -> None:
    ask = lab.ec2.create_vpc
    lab.refused("UnsupportedOperation", ask, CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)


@pytest.mark.correction("ssm:SendCommand", "The lab's servers have no agent that runs commands.")
def test_no_command_is_invented(lab: Lab) -> None:
    send = lab.ssm.send_command
    lab.refused("UnsupportedOperation", send, DocumentName="AWS-RunShellScript", InstanceIds=["i-0123456789abcdef0"])
