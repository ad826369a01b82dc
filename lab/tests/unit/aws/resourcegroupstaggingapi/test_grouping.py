from __future__ import annotations

from typing import Any

import pytest

DISTRIBUTION = {
    "CallerReference": "one",
    "Comment": "",
    "Enabled": True,
    "Origins": {
        "Quantity": 1,
        "Items": [
            {
                "Id": "s3",
                "DomainName": "bucket.s3.eu-central-1.amazonaws.com",
                "S3OriginConfig": {"OriginAccessIdentity": ""},
            }
        ],
    },
    "DefaultCacheBehavior": {
        "TargetOriginId": "s3",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    },
}


@pytest.mark.correction(
    "resourcegroupstaggingapi:GetResources",
    "The resources of global services are in us-east-1 only.",
    also=("GroupingBackend._get_resources_generator",),
)
def test_global_resources_are_in_one_region(lab: Any, tagged: Any) -> None:
    vpc = lab.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", Name="x"))["Vpc"]["VpcId"]
    config = {"DistributionConfig": DISTRIBUTION, "Tags": {"Items": [{"Key": "Name", "Value": "x"}]}}
    made = lab.client("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=config)

    def resources(region: str) -> list[str]:
        found = lab.client("resourcegroupstaggingapi", region).get_resources()["ResourceTagMappingList"]
        return [each["ResourceARN"] for each in found]

    assert [arn.rpartition("/")[2] for arn in resources("eu-central-1")] == [vpc]
    assert resources("us-east-1") == [made["Distribution"]["ARN"]]
