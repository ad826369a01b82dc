from __future__ import annotations

import json
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


ME = f"arn:aws:iam::{ACCOUNT}:user/{credentials.USER}"


@pytest.mark.correction("sts:GetCallerIdentity", "The ARN of a user is of IAM.")
def test_a_user_has_an_arn_of_iam(lab: Lab) -> None:
    assert lab.client("sts").get_caller_identity()["Arn"] == ME


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


def trusted(lab: Lab, principal: Any, condition: Any = None) -> None:
    """Let the role `deploy` trust a principal."""
    more = {"Condition": condition} if condition else {}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = lab.client("iam")
    if "deploy" in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
        iam.update_assume_role_policy(RoleName="deploy", PolicyDocument=policy)
    else:
        iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=policy)


DEPLOY = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy", "RoleSessionName": "session"}
ALL, ROOT = "*", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


@pytest.mark.correction(
    "sts:AssumeRole", "The conditions of a trust policy are met by the keys of the request.",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
    also=("IdentityResponses.setup_class",),
)  # fmt: skip
@pytest.mark.parametrize(
    ("principal", "operator", "key", "met", "unmet"),
    [
        (ROOT, "ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:user/*", f"arn:aws:iam::{ACCOUNT}:role/*"),
        (ROOT, "StringEquals", "sts:RoleSessionName", "session", "other"),
        (ALL, "StringEquals", "aws:PrincipalAccount", ACCOUNT, "012345678901"),
        (ALL, "StringLike", "aws:userid", "AIDA*", "AROA*"),
        (ROOT, "IpAddress", "aws:SourceIp", "0.0.0.0/0", "192.0.2.0/24"),
    ],
)
def test_conditions_of_trust(lab: Lab, principal: Any, operator: str, key: str, met: str, unmet: str) -> None:
    assume = lab.client("sts").assume_role
    trusted(lab, principal, {operator: {key: met}})
    assert assume(**DEPLOY)["Credentials"]
    trusted(lab, principal, {operator: {key: unmet}})
    lab.refused("AccessDenied", assume, **DEPLOY)


@pytest.mark.correction("sts:AssumeRole", "A trust policy names the caller, as GetCallerIdentity tells who it is.")
def test_each_caller_is_trusted_by_its_own_name(lab: Lab, instance: str) -> None:
    iam = lab.client("iam")
    every = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
    iam.put_role_policy(
        RoleName="web-role", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", **every})
    )
    iam.create_user(UserName="somebody")
    somebody = iam.create_access_key(UserName="somebody")["AccessKey"]["AccessKeyId"]
    trusted(lab, ROOT)
    session = lab.client("sts").assume_role(**DEPLOY)["Credentials"]["AccessKeyId"]
    roles, sessions = f"arn:aws:iam::{ACCOUNT}:role", f"arn:aws:sts::{ACCOUNT}:assumed-role"
    callers = {
        credentials.ACCESS_KEY: [ME],
        somebody: [f"arn:aws:iam::{ACCOUNT}:user/somebody"],
        credentials.of_instance(instance, "web-role").access_key_id: [
            f"{sessions}/web-role/{instance}",
            f"{roles}/web-role",
        ],
        session: [f"{sessions}/deploy/session", f"{roles}/deploy"],
    }
    clients = {key: with_key(lab, "sts", key) for key in callers}
    assert [each.get_caller_identity()["Arn"] for each in clients.values()] == [each[0] for each in callers.values()]
    for owner, names in callers.items():
        for name in names:
            trusted(lab, {"AWS": name})
            assert clients[owner].assume_role(**DEPLOY)["AssumedRoleUser"]
            for other in callers.keys() - {owner}:
                lab.refused("AccessDenied", clients[other].assume_role, **DEPLOY)


@pytest.mark.correction("sts:AssumeRole", "Values are those of the model.", also=("Checked.call_action",))
@pytest.mark.parametrize(
    "given",
    [{"RoleSessionName": "a b"}, {"DurationSeconds": 60}, {"DurationSeconds": 43201}, {"RoleArn": "arn:aws:iam::1"}],
)
def test_values_of_the_model(lab: Lab, given: dict[str, Any]) -> None:
    trusted(lab, ROOT)
    sts = lab.client("sts", parameter_validation=False)
    lab.refused("ValidationError", sts.assume_role, **DEPLOY | given)
