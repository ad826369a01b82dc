from __future__ import annotations

import json

import pytest
from control_plane import Lab

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


@pytest.mark.correction(
    "iam:AttachRolePolicy", "The policies that AWS manages can be attached, read and listed.",
    also=("Responses.call_action",),
)  # fmt: skip
def test_policies_of_aws(lab: Lab) -> None:
    iam = lab.client("iam")
    iam.create_role(RoleName="server", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="server", PolicyArn=CORE)
    attached = iam.list_attached_role_policies(RoleName="server")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AmazonSSMManagedInstanceCore", "PolicyArn": CORE}]
    assert iam.get_policy(PolicyArn=CORE)["Policy"]["AttachmentCount"] == 1
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    names = {each["PolicyName"] for page in pages for each in page["Policies"]}
    assert {"AdministratorAccess", "AmazonSSMManagedInstanceCore", "ReadOnlyAccess"} <= names
    assert iam.list_policies(Scope="Local")["Policies"] == []
    unknown = "arn:aws:iam::aws:policy/NoSuchPolicy"
    lab.refused("NoSuchEntity", iam.attach_role_policy, RoleName="server", PolicyArn=unknown)


@pytest.mark.correction("iam:UpdateRole", "What the request does not contain remains.")
def test_a_role_is_updated_in_parts(lab: Lab) -> None:
    iam = lab.client("iam")
    iam.create_role(RoleName="server", AssumeRolePolicyDocument=json.dumps(TRUST), Description="of a server")
    iam.update_role(RoleName="server", MaxSessionDuration=7200)
    iam.update_role(RoleName="server")
    role = iam.get_role(RoleName="server")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("of a server", 7200)
