from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from control_plane import TRUST, Lab

from groundwork_lab import credentials
from groundwork_lab.aws.sts.trust import EC2
from groundwork_lab.settings import ACCOUNT


@pytest.fixture
def instance(lab: Lab) -> str:
    """Launch an instance with the profile `profile`, which contains the role `web-role`."""
    iam = lab.client("iam")
    iam.create_role(RoleName="web-role", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="web-role")
    return str(lab.running(lab.subnet(lab.vpc()), IamInstanceProfile={"Name": "profile"}))


def test_the_world_knows_the_role(lab: Lab, instance: str) -> None:
    assert lab.plane.snapshot().instances[instance].role == "web-role"
    lab.client("iam").remove_role_from_instance_profile(InstanceProfileName="profile", RoleName="web-role")
    assert lab.plane.snapshot().instances[instance].role is None


@pytest.mark.correction("sts:GetCallerIdentity", "The key of an instance belongs to the session of its role.")
def test_an_instance_learns_who_it_is(lab: Lab, instance: str) -> None:
    keys = credentials.of_instance(instance, "web-role")
    client = lab.client("sts")
    client._request_signer._credentials.access_key = keys.access_key_id
    assert client.get_caller_identity()["Arn"] == f"arn:aws:sts::123456789012:assumed-role/web-role/{instance}"


def test_others_are_who_they_were(lab: Lab, instance: str) -> None:
    assert instance not in lab.client("sts").get_caller_identity()["Arn"]


NOBODY = "AKIAIOSFODNN7EXAMPLE"  # from AWS' documentation


def with_key(lab: Lab, service: str, key: str) -> Any:
    client = lab.client(service)
    client._request_signer._credentials.access_key = key
    return client


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("s3", "list_buckets", "InvalidAccessKeyId", 403),
        ("ec2", "describe_vpcs", "AuthFailure", 401),
        ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
        ("cloudfront", "list_distributions", "InvalidClientTokenId", 403),
        ("ssm", "describe_parameters", "UnrecognizedClientException", 400),
    ],
)
@pytest.mark.parametrize("key", [NOBODY, "ASIAIOSFODNN7EXAMPLE", "x"])
def test_a_key_of_nobody_is_refused(lab: Lab, service: str, operation: str, code: str, status: int, key: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(with_key(lab, service, key), operation)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert lab.plane.calls.counted() == {}


@pytest.mark.correction("sts:GetSessionToken", "The lab issues temporary credentials by AssumeRole only.")
@pytest.mark.correction("sts:GetFederationToken", "The lab issues temporary credentials by AssumeRole only.")
def test_keys_are_known_as_long_as_they_are_somebodys(lab: Lab, instance: str) -> None:
    iam = lab.client("iam")
    iam.create_user(UserName="somebody")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]["AccessKeyId"]
    assert with_key(lab, "ec2", key).describe_vpcs()["Vpcs"]
    iam.update_access_key(UserName="somebody", AccessKeyId=key, Status="Inactive")
    lab.refused("AuthFailure", with_key(lab, "ec2", key).describe_vpcs)
    iam.create_role(
        RoleName="deploy", AssumeRolePolicyDocument=TRUST.replace('"Service"', '"AWS"').replace(EC2, ACCOUNT)
    )
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy", "RoleSessionName": "session"}
    assumed = lab.client("sts").assume_role(**role)["Credentials"]["AccessKeyId"]
    assert with_key(lab, "ec2", assumed).describe_vpcs()["Vpcs"]
    lab.refused("InvalidAction", lab.client("sts").get_session_token)
