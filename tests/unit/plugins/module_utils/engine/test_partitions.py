from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import REGION, ZONE
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import (
    PARTITIONS,
    check_partition,
    partition_named,
    partition_of,
)

REGIONS = {
    "eu-central-1": "aws",
    "us-east-1": "aws",
    "mx-central-1": "aws",
    "il-central-1": "aws",
    "cn-northwest-1": "aws-cn",
    "us-gov-west-1": "aws-us-gov",
    "us-iso-east-1": "aws-iso",
    "us-isob-east-1": "aws-iso-b",
    "eu-isoe-west-1": "aws-iso-e",
    "us-isof-south-1": "aws-iso-f",
    "eusc-de-east-1": "aws-eusc",
}


@pytest.mark.parametrize(("region", "name"), REGIONS.items())
def test_regions_and_zones_of_all_partitions(region: str, name: str) -> None:
    assert REGION.fullmatch(region)
    zone = ZONE.fullmatch(f"{region}a")
    assert zone is not None
    assert (zone["region"], zone["letter"]) == (region, "a")
    assert partition_of(region).name == name
    assert partition_named(name).arn("s3", "files") == f"arn:{name}:s3:::files"


@pytest.mark.parametrize(("region", "name"), REGIONS.items())
def test_only_the_partition_aws_is_supported_and_others_are_refused_with_the_reason(region: str, name: str) -> None:
    problems = Problems()
    check_partition(region, problems)
    assert (problems.found == []) == (name == "aws")
    assert all(name in one.wrong and "CloudFront" in one.wrong for one in problems.found)


def test_the_table_is_botocores() -> None:
    session = pytest.importorskip("botocore.session").get_session()
    data = session.get_component("data_loader").load_data("endpoints")
    known = {one["partition"]: one["dnsSuffix"] for one in data["partitions"]}
    assert {one.name: one.suffix for one in PARTITIONS} == known
    for partition in data["partitions"]:
        for region in partition["regions"]:
            assert partition_of(region).name == partition["partition"], region


def test_a_region_that_botocore_does_not_know_is_in_aws() -> None:
    assert partition_of("moon-base-1").name == "aws"
