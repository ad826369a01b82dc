from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from control_plane import TRUST, Lab

from groundwork_lab import credentials
from groundwork_lab.api.permissions import permits

ACCOUNT = "arn:aws:ssm:eu-central-1:123456789012:parameter"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


@pytest.mark.parametrize(
    ("policies", "action", "resource", "expected"),
    [
        ([], "s3:GetObject", "arn:aws:s3:::b/k", False),
        ([allow("s3:Get*", "arn:aws:s3:::b/*")], "s3:GetObject", "arn:aws:s3:::b/k", True),
        ([allow("s3:Get*", "arn:aws:s3:::c/*")], "s3:GetObject", "arn:aws:s3:::b/k", False),
        ([allow("*"), allow("s3:*", Effect="Deny")], "s3:GetObject", "arn:aws:s3:::b/k", False),
        ([allow("ec2:Describe*", "arn:aws:ec2:x")], "ec2:DescribeVpcs", "*", True),
        ([allow("*"), allow("ec2:*", "arn:aws:ec2:x", Effect="Deny")], "ec2:DescribeVpcs", "*", True),
        ([allow("*"), allow("ec2:*", Effect="Deny")], "ec2:DescribeVpcs", "*", False),
    ],
)
def test_what_policies_permit(policies: list[dict[str, Any]], action: str, resource: str, expected: bool) -> None:
    assert permits(policies, action, [resource]) is expected


@pytest.fixture
def role(lab: Lab) -> Any:
    """Return clients with the keys of an instance whose role may read one parameter and the objects of one bucket."""
    iam = lab.client("iam")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    statements = [
        *allow("ssm:GetParameter", f"{ACCOUNT}/web/password")["Statement"],
        *allow("s3:GetObject", "arn:aws:s3:::releases/*")["Statement"],
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=document)
    instance = lab.running(lab.subnet(lab.vpc()), IamInstanceProfile={"Name": "web"})
    keys = credentials.of_instance(instance, "web")

    def client(service: str) -> Any:
        made = lab.client(service)
        made._request_signer._credentials.access_key = keys.access_key_id
        return made

    return client


def code_of(call: Any, **arguments: Any) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_role_reads_what_it_may(lab: Lab, role: Any) -> None:
    for name in ("/web/password", "/other"):
        lab.ssm.put_parameter(Name=name, Type="String", Value="secret")
    assert code_of(role("ssm").get_parameter, Name="/web/password") == ""
    assert code_of(role("ssm").get_parameter, Name="/other") == "AccessDeniedException"
    assert code_of(role("ssm").put_parameter, Name="/web/password", Value="x") == "AccessDeniedException"
    s3 = lab.client("s3")
    for bucket in ("releases", "secrets"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_object(Bucket=bucket, Key="a/b.txt", Body=b"x")
    assert code_of(role("s3").get_object, Bucket="releases", Key="a/b.txt") == ""
    assert code_of(role("s3").get_object, Bucket="secrets", Key="a/b.txt") == "AccessDenied"
    assert code_of(role("s3").list_objects_v2, Bucket="releases") == "AccessDenied"
    assert code_of(role("s3").put_object, Bucket="releases", Key="a", Body=b"") == "AccessDenied"


def test_an_attached_policy_counts(lab: Lab, role: Any) -> None:
    iam, document = lab.client("iam"), json.dumps({"Version": "2012-10-17", **allow("ec2:Describe*")})
    arn = iam.create_policy(PolicyName="reader", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="web", PolicyArn=arn)
    assert code_of(role("ec2").describe_vpcs) == ""
    assert code_of(role("ec2").create_vpc, CidrBlock="10.9.0.0/16") == "UnauthorizedOperation"


def test_a_permissions_boundary_limits_a_role(lab: Lab, role: Any) -> None:
    lab.client("ssm").put_parameter(Name="/web/password", Value="x", Type="SecureString")
    iam, read = lab.client("iam"), role("ssm").get_parameter
    for number, (action, code) in enumerate((("s3:*", "AccessDeniedException"), ("ssm:Get*", ""))):
        document = json.dumps({"Version": "2012-10-17", **allow(action)})
        arn = iam.create_policy(PolicyName=f"boundary-{number}", PolicyDocument=document)["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName="web", PermissionsBoundary=arn)
        assert code_of(read, Name="/web/password") == code
    assert code_of(role("ec2").describe_vpcs) == "UnauthorizedOperation"  # a boundary gives no permission


def test_a_role_without_a_policy_may_only_ask_who_it_is(lab: Lab, role: Any) -> None:
    assert code_of(role("sts").get_caller_identity) == ""
    assert code_of(role("ec2").describe_instances) == "UnauthorizedOperation"
    assert code_of(role("iam").list_roles) == "AccessDenied"


def test_everybody_else_may_do_everything(lab: Lab, role: Any) -> None:
    assert code_of(lab.ec2.describe_instances) == ""
