from __future__ import annotations

from typing import Any

import pytest

from groundwork_lab import credentials


@pytest.fixture
def instance(lab: Any) -> str:
    """One with the profile `profile`, in which there is the role `web-role`."""
    iam = lab.client("iam")
    iam.create_role(RoleName="web-role", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="web-role")
    return str(lab.running(lab.subnet(lab.vpc()), IamInstanceProfile={"Name": "profile"}))


def test_the_world_knows_the_role(lab: Any, instance: str) -> None:
    assert lab.plane.snapshot().instances[instance].role == "web-role"
    lab.client("iam").remove_role_from_instance_profile(InstanceProfileName="profile", RoleName="web-role")
    assert lab.plane.snapshot().instances[instance].role is None


def test_an_instance_learns_who_it_is(lab: Any, instance: str) -> None:
    keys = credentials.of_instance(instance, "web-role")
    client = lab.client("sts")
    client._request_signer._credentials.access_key = keys.access_key_id
    assert client.get_caller_identity()["Arn"] == f"arn:aws:sts::123456789012:assumed-role/web-role/{instance}"


def test_others_are_who_they_were(lab: Any, instance: str) -> None:
    assert instance not in lab.client("sts").get_caller_identity()["Arn"]
