from __future__ import annotations

import pytest
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2.answering import fingerprint, page


def test_pages() -> None:
    items = list(range(7))
    first, token = page(items, 3, None, "DescribeVpcs")
    second, token = page(items, 3, token, "DescribeVpcs")
    third, last = page(items, 3, token, "DescribeVpcs")
    assert (first, second, third, last) == ([0, 1, 2], [3, 4, 5], [6], None)
    assert page(items, None, None, "DescribeVpcs") == (items, None)


@pytest.mark.parametrize("token", ["x", "%%%", "RGVzY3JpYmVTdWJuZXRzOjM="])  # the last one is DescribeSubnets:3
def test_tokens_that_are_not_ours(token: str) -> None:
    with pytest.raises(AwsError) as caught:
        page([1], 1, token, "DescribeVpcs")
    assert caught.value.code == "InvalidNextToken"


def test_fingerprints() -> None:
    assert fingerprint({"A": 1, "B": [2], "ClientToken": "x"}) == fingerprint({"B": [2], "A": 1, "ClientToken": "y"})
    assert fingerprint({"A": 1}) != fingerprint({"A": 2})


@pytest.mark.correction(
    "ec2:DescribeVpcs",
    "All Describe operations with MaxResults return pages.",
    page="https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html",
    also=("Answering.call_action",),
)
@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("describe_vpcs", "Vpcs"),
        ("describe_subnets", "Subnets"),
        ("describe_security_groups", "SecurityGroups"),
        ("describe_route_tables", "RouteTables"),
    ],
)
def test_descriptions_come_in_pages(lab: Lab, operation: str, key: str) -> None:
    for n in range(7):
        vpc = lab.vpc(f"10.{n}.0.0/16")
        lab.subnet(vpc, f"10.{n}.0.0/24")
    whole = getattr(lab.ec2, operation)()[key]
    pages = list(lab.ec2.get_paginator(operation).paginate(PaginationConfig={"PageSize": 5}))
    assert [len(each[key]) for each in pages] == [5] * (len(whole) // 5) + ([len(whole) % 5] if len(whole) % 5 else [])
    assert [each for found in pages for each in found[key]] == whole


@pytest.mark.correction(
    "ec2:DescribeRegions",
    "The account has the lab's region only; limits of pages, dry runs and unknown actions hold for all operations.",
    also=("Answering.call_action",),
)
def test_what_holds_for_all_operations(lab: Lab) -> None:
    lab.refused("InvalidParameterValue", lab.ec2.describe_vpcs, MaxResults=1001)
    instance = lab.running(lab.subnet(lab.vpc()))
    describe = lab.ec2.describe_instances
    lab.refused("InvalidParameterCombination", describe, InstanceIds=[instance], MaxResults=5)
    assert describe(InstanceIds=[instance, instance])["Reservations"]
    lab.refused("UnsupportedOperation", lab.ec2.create_vpc_peering_connection, VpcId="vpc-1", PeerVpcId="vpc-2")
    lab.refused("UnsupportedOperation", lab.ec2.describe_instance_topology)
    lab.refused("UnsupportedOperation", lab.ec2.create_placement_group, GroupName="near")
    lab.refused("DryRunOperation", lab.ec2.run_instances, ImageId=lab.image, MinCount=1, MaxCount=1, DryRun=True)
    [region] = lab.ec2.describe_regions()["Regions"]
    assert region["RegionName"] == "eu-central-1"
