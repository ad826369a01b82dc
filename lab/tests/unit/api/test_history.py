"""Calls that are answered in an earlier state of the account."""

from __future__ import annotations

import json

import pytest
from control_plane import Lab

from groundwork_lab.api.faults import Fault
from groundwork_lab.credentials import ACCESS_KEY

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def now(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which the test moves on."""
    time = [0.0]
    monkeypatch.setattr(lab.plane.history, "clock", lambda: time[0])
    return time


def cidrs(lab: Lab) -> set[str]:
    return {vpc["CidrBlock"] for vpc in lab.ec2.describe_vpcs()["Vpcs"]} - {"172.31.0.0/16"}


def test_a_stale_read_shows_what_was(lab: Lab, now: list[float]) -> None:
    kept, deleted = lab.vpc("10.1.0.0/16"), lab.vpc("10.2.0.0/16")
    lab.plane.faults.set(Fault(stale=3))
    lab.ec2.delete_vpc(VpcId=deleted)
    now[0] = 1
    lab.vpc("10.3.0.0/16")
    lab.ec2.create_tags(Resources=[kept], Tags=[{"Key": "Name", "Value": "kept"}])
    assert cidrs(lab) == {"10.1.0.0/16", "10.2.0.0/16"}
    now[0] = 3.5
    assert cidrs(lab) == {"10.1.0.0/16"}
    assert not lab.ec2.describe_vpcs(VpcIds=[kept])["Vpcs"][0].get("Tags")
    now[0] = 4.5
    assert cidrs(lab) == {"10.1.0.0/16", "10.3.0.0/16"}
    assert lab.ec2.describe_vpcs(VpcIds=[kept])["Vpcs"][0]["Tags"] == [{"Key": "Name", "Value": "kept"}]


def test_a_stale_read_changes_nothing(lab: Lab, now: list[float]) -> None:
    lab.plane.faults.set(Fault(stale=3))
    vpc = lab.vpc()
    lab.subnet(vpc)
    before = lab.plane.snapshot()
    assert cidrs(lab) == set()
    lab.refused("InvalidVpcID.NotFound", lab.ec2.describe_vpcs, VpcIds=[vpc])
    assert lab.plane.snapshot() == before
    lab.plane.faults.clear()
    assert cidrs(lab) == {"10.0.0.0/16"}


def test_reports_of_hosts_are_read_late_too(lab: Lab, now: list[float]) -> None:
    instance = lab.launch(lab.subnet(lab.vpc()))["InstanceId"]
    lab.plane.faults.set(Fault(stale=3))
    lab.plane.instance_state(instance, "running")
    assert lab.instance(instance)["State"]["Name"] == "pending"
    now[0] = 4
    assert lab.instance(instance)["State"]["Name"] == "running"


def test_a_new_id_is_unknown_for_a_while(lab: Lab, now: list[float]) -> None:
    lab.plane.faults.set(Fault(unknown=3))
    vpc = lab.vpc()
    subnet = {"VpcId": vpc, "CidrBlock": "10.0.0.0/24"}
    lab.refused("InvalidVpcID.NotFound", lab.ec2.create_subnet, **subnet)
    lab.refused("InvalidVpcID.NotFound", lab.ec2.describe_vpcs, VpcIds=[vpc])
    assert cidrs(lab) == {"10.0.0.0/16"}  # the call names nothing
    assert len(lab.changes) == 1
    iam = lab.client("iam")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=TRUST)
    lab.refused("NoSuchEntity", iam.delete_role, RoleName="web")
    now[0] = 3.5
    lab.ec2.create_subnet(**subnet)
    iam.delete_role(RoleName="web")


def test_a_fault_of_one_access_key(lab: Lab, now: list[float]) -> None:
    iam = lab.client("iam")
    iam.create_user(UserName="other")
    other = iam.create_access_key(UserName="other")["AccessKey"]["AccessKeyId"]
    lab.plane.faults.set(Fault(stale=3, access_key=other))
    lab.vpc()
    assert cidrs(lab) == {"10.0.0.0/16"}
    lab.plane.faults.set(Fault(stale=3, access_key=ACCESS_KEY))
    now[0] = 4
    lab.vpc("10.1.0.0/16")
    assert cidrs(lab) == {"10.0.0.0/16"}


def test_objects_of_s3_are_never_stale(lab: Lab, now: list[float]) -> None:
    s3 = lab.client("s3")
    lab.plane.faults.set(Fault(stale=3))
    lab.vpc()
    s3.create_bucket(Bucket="site-1", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="site-1", Key="page", Body=b"hello")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="site-1")["Contents"]] == ["page"]


def test_states_are_kept_as_long_as_a_fault_needs_them(lab: Lab, now: list[float]) -> None:
    lab.vpc("10.1.0.0/16")
    assert not lab.plane.history._states
    lab.plane.faults.set(Fault(stale=3))
    for number in range(2, 8):
        now[0] = number
        lab.vpc(f"10.{number}.0.0/16")
    assert [until for until, _restore in lab.plane.history._states] == [4, 5, 6, 7]
    lab.plane.faults.clear()
    lab.vpc("10.9.0.0/16")
    assert not lab.plane.history._states
