from __future__ import annotations

import json
from typing import Any

import pytest
from control_plane import TRUST, Lab

from groundwork_lab.aws.sts.trust import trusts

ACCOUNT = "123456789012"
ME = f"arn:aws:iam::{ACCOUNT}:user/bob"


def policy(principal: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **more}


@pytest.mark.parametrize(
    ("statements", "caller", "expected"),
    [
        ([policy({"Service": "ec2.amazonaws.com"})], "ec2.amazonaws.com", True),
        ([policy({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})], "ec2.amazonaws.com", True),
        ([policy({"Service": "lambda.amazonaws.com"})], "ec2.amazonaws.com", False),
        ([policy({"AWS": ACCOUNT})], "ec2.amazonaws.com", False),
        ([policy({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], ME, True),
        ([policy({"AWS": ACCOUNT})], ME, True),
        ([policy({"AWS": ME})], ME, True),
        ([policy({"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"})], ME, False),
        ([policy("*")], ME, True),
        ([policy("*"), policy({"AWS": ME}, "Deny")], ME, False),
        ([policy("*", Condition={"StringEquals": {"sts:ExternalId": "one"}})], ME, False),
        ([policy("*", Action="sts:TagSession")], ME, False),
        ([], ME, False),
    ],
)
def test_trust(statements: list[Any], caller: str, expected: bool) -> None:
    assert trusts(json.dumps({"Statement": statements}), {caller}) is expected


ROLE, SESSION = f"arn:aws:iam::{ACCOUNT}:role/web", f"arn:aws:sts::{ACCOUNT}:assumed-role/web/one"


@pytest.mark.parametrize("named", [ROLE, SESSION, ACCOUNT])
def test_a_session_has_two_names(named: str) -> None:
    assert trusts({"Statement": [policy({"AWS": named})]}, {ROLE, SESSION})
    assert not trusts({"Statement": [policy({"AWS": f"{named}s"})]}, {ROLE, SESSION})


def test_an_external_id() -> None:
    document = {"Statement": [policy("*", Condition={"StringEquals": {"sts:ExternalId": "one"}})]}
    assert trusts(document, {ME}, {"sts:externalid": "one"})
    assert not trusts(document, {ME}, {"sts:externalid": "two"})


@pytest.mark.correction("sts:AssumeRole", "A role must exist, and trust who assumes it.")
def test_roles_that_cannot_be_assumed(lab: Lab) -> None:
    iam, sts = lab.client("iam"), lab.client("sts")
    arn = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    lab.refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="one")
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)
    lab.refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="one")
    mine = json.dumps({"Version": "2012-10-17", "Statement": [policy({"AWS": ACCOUNT})]})
    iam.update_assume_role_policy(RoleName="deploy", PolicyDocument=mine)
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="one")["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA")


def test_an_instance_has_no_role_that_does_not_trust_it(lab: Lab) -> None:
    iam = lab.client("iam")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=TRUST.replace("ec2.", "lambda."))
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="web")
    instance = lab.running(lab.subnet(lab.vpc()), IamInstanceProfile={"Name": "profile"})
    assert lab.plane.snapshot().instances[instance].role is None
    iam.update_assume_role_policy(RoleName="web", PolicyDocument=TRUST)
    assert lab.plane.snapshot().instances[instance].role == "web"
