"""The certificates and distributions of an environment, in both of their regions."""

from __future__ import annotations

import typing as t

from cloud import NewCloud

from ansible_collections.groundwork.aws.plugins.module_utils.project.https import look_at_https

OWN = {"groundwork:environment": "dev", "groundwork:component": "dns", "Name": "dev-web"}
HOME, EDGE = "eu-central-1", "us-east-1"


def tags(**others: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in {**OWN, **others}.items()]


def distribution_config(reference: str) -> dict[str, t.Any]:
    """Return a small configuration in CloudFront's shape."""
    origin = {
        "Id": "web",
        "DomainName": "files.s3.eu-central-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behavior = {
        "TargetOriginId": "web",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    return {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behavior,
    }


def test_it_returns_what_has_the_tags_of_the_environment(new_cloud: NewCloud) -> None:
    cloud = new_cloud()
    for region, name in ((HOME, "b.example.com"), (EDGE, "a.example.com")):
        cloud.client("acm", region=region).request_certificate(
            DomainName=name, ValidationMethod="DNS", Tags=tags(**{"groundwork:region": HOME})
        )
    cloud.client("acm", region=HOME).request_certificate(DomainName="c.example.com", ValidationMethod="DNS")
    cloudfront = cloud.client("cloudfront")
    made = {}
    for reference, others in (
        ("ours", {}),
        ("elsewhere", {"groundwork:region": "eu-west-1"}),
        ("foreign", {"groundwork:environment": "prod"}),
    ):
        given = {"DistributionConfig": distribution_config(reference), "Tags": {"Items": tags(**others)}}
        made[reference] = cloudfront.create_distribution_with_tags(DistributionConfigWithTags=given)["Distribution"]
    cloud.sleep(60)
    result = cloud.run(look_at_https, {"environment_name": "dev", "region": HOME, "tags": {}})
    assert [(one["names"], one["status"], one["ends"], one["in_use"]) for one in result["certificates"]] == [
        (["a.example.com"], "PENDING_VALIDATION", "", False),
        (["b.example.com"], "PENDING_VALIDATION", "", False),
    ]
    assert all("CNAME" in one["problem"] for one in result["certificates"])
    [found] = result["distributions"]
    assert found == {
        "id": made["ours"]["Id"],
        "name": "web",
        "domain": made["ours"]["DomainName"],
        "aliases": [],
        "status": "Deployed",
        "enabled": True,
    }
    assert cloud.writes == []
