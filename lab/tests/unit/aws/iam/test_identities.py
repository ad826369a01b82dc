from __future__ import annotations

import json
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab import credentials

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


@pytest.mark.correction("iam:ListUsers", "The lab's user is a user of the account, with its key.")
def test_the_user_of_the_lab(lab: Lab) -> None:
    iam = lab.client("iam")
    users = iam.list_users()["Users"]
    assert len(users) == 1
    user = users[0]
    me = lab.client("sts").get_caller_identity()
    assert (me["Arn"], me["UserId"]) == (user["Arn"], user["UserId"])
    assert iam.get_user()["User"]["Arn"] == user["Arn"]
    [key] = iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
    assert key["AccessKeyId"] == credentials.ACCESS_KEY


@pytest.mark.correction(
    "iam:CreateUser",
    "Each kind of identity has unique IDs with its prefix.",
    page="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids",
    also=("Backend.create_group", "Backend.create_instance_profile"),
)
def test_unique_ids(lab: Lab) -> None:
    iam = lab.client("iam")
    made = {
        "AIDA": iam.create_user(UserName="one")["User"]["UserId"],
        "AGPA": iam.create_group(GroupName="one")["Group"]["GroupId"],
        "AROA": iam.create_role(RoleName="one", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["RoleId"],
        "AIPA": iam.create_instance_profile(InstanceProfileName="one")["InstanceProfile"]["InstanceProfileId"],
        "ANPA": iam.create_policy(PolicyName="one", PolicyDocument=DENY)["Policy"]["PolicyId"],
    }
    assert {prefix: (each[:4], len(each)) for prefix, each in made.items()} == {each: (each, 21) for each in made}


DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


@pytest.mark.correction(
    "iam:CreatePolicy",
    "A policy tells how many roles have it as their permissions boundary.",
    page="https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html",
)
def test_how_often_a_policy_is_a_boundary(lab: Lab) -> None:
    iam = lab.client("iam")
    policy = iam.create_policy(PolicyName="edge", PolicyDocument=DENY)["Policy"]
    assert policy["PermissionsBoundaryUsageCount"] == 0
    for boundary in (policy["Arn"], CORE):
        wanted = {"AssumeRolePolicyDocument": json.dumps(TRUST), "PermissionsBoundary": boundary}
        iam.create_role(RoleName=boundary.rpartition("/")[2], **wanted)
        assert iam.get_policy(PolicyArn=boundary)["Policy"]["PermissionsBoundaryUsageCount"] == 1


def made_below(iam: Any, path: str, number: int) -> None:
    """Make one of each kind of identity that has a path."""
    name = {"Path": path}
    iam.create_user(UserName=f"u{number}", **name)
    iam.create_group(GroupName=f"g{number}", **name)
    iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=json.dumps(TRUST), **name)
    iam.create_instance_profile(InstanceProfileName=f"i{number}", **name)
    arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=DENY, **name)["Policy"]["Arn"]
    for kind, owner in (("user", "u0"), ("group", "g0"), ("role", "r0")):
        getattr(iam, f"attach_{kind}_policy")(**{f"{kind.title()}Name": owner, "PolicyArn": arn})


PATHS = [
    ("list_users", "Users", {}),
    ("list_groups", "Groups", {}),
    ("list_roles", "Roles", {}),
    ("list_instance_profiles", "InstanceProfiles", {}),
    ("list_policies", "Policies", {"Scope": "Local"}),
    ("list_attached_user_policies", "AttachedPolicies", {"UserName": "u0"}),
    ("list_attached_group_policies", "AttachedPolicies", {"GroupName": "g0"}),
    ("list_attached_role_policies", "AttachedPolicies", {"RoleName": "r0"}),
]


@pytest.mark.correction(
    "iam:ListInstanceProfiles", "A list has what is below its path, in pages.", also=("Responses.call_action",)
)
def test_lists_below_a_path_in_pages(lab: Lab) -> None:
    iam = lab.client("iam")
    for number in range(3):
        made_below(iam, "/a/", number)
    made_below(iam, "/b/", 3)
    for call, member, given in PATHS:
        pages = list(iam.get_paginator(call).paginate(PathPrefix="/a/", PaginationConfig={"PageSize": 2}, **given))
        assert [(len(each[member]), each["IsTruncated"]) for each in pages] == [(2, True), (1, False)], call
        names = [str(each) for page in pages for each in page[member]]
        assert len(set(names)) == 3, call
        [other] = getattr(iam, call)(PathPrefix="/b/", **given)[member]
        assert any(str(value).endswith("3") for value in other.values()), call
        lab.refused("ValidationError", getattr(iam, call), Marker="nothing", **given)


@pytest.mark.correction("iam:ListServiceSpecificCredentials", "The list of what cannot be created is empty.")
def test_lists_of_what_cannot_be_created(lab: Lab) -> None:
    iam = lab.client("iam")
    iam.create_user(UserName="one")
    assert iam.list_service_specific_credentials(UserName="one")["ServiceSpecificCredentials"] == []
    lab.refused("NoSuchEntity", iam.list_service_specific_credentials, UserName="two")
