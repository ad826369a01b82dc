"""A load balancer as the origin of a distribution, as AWS' reference architecture for WordPress has it."""

from __future__ import annotations

from typing import Any

CACHING_DISABLED, CACHING_OPTIMIZED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
METHODS = ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"]


def listed(*values: Any) -> dict[str, Any]:
    return {"Quantity": len(values), "Items": list(values)}


def test_all_of_the_site_is_forwarded_and_static_files_are_cached(cdn: Any) -> None:
    server = {
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "https-only",
        "OriginSslProtocols": listed("TLSv1.2"),
    }
    origin = {
        "Id": "site",
        "DomainName": "origin.example.com",
        "CustomOriginConfig": server,
        "CustomHeaders": listed({"HeaderName": "X-Origin-Secret", "HeaderValue": "0123456789"}),
    }
    behavior = {"TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https"}
    default = {
        **behavior,
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER,
        "AllowedMethods": {**listed(*METHODS), "CachedMethods": listed("HEAD", "GET")},
    }
    static = {**behavior, "PathPattern": "/wp-content/*", "CachePolicyId": CACHING_OPTIMIZED}
    made = cdn.distribution(
        Origins=listed(origin), DefaultCacheBehavior=default, CacheBehaviors=listed(static), HttpVersion="http2"
    )["Distribution"]
    told = made["DistributionConfig"]
    assert told["Origins"]["Items"][0]["CustomOriginConfig"] == {
        **server,
        "OriginReadTimeout": 30,
        "OriginKeepaliveTimeout": 5,
    }
    assert told["DefaultCacheBehavior"]["OriginRequestPolicyId"] == ALL_VIEWER
    assert made["Id"] in cdn.lab.plane.snapshot().distributions


def test_the_prefix_list_of_the_edge_counts_as_55_rules(cdn: Any) -> None:
    ec2 = cdn.lab.ec2
    names = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    [found] = ec2.describe_managed_prefix_lists(Filters=names)["PrefixLists"]
    group = cdn.lab.group(cdn.lab.vpc())

    def permission(port: int, **peer: Any) -> dict[str, Any]:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}

    lists = {"PrefixListIds": [{"PrefixListId": found["PrefixListId"]}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission(443, **lists)])
    more = [permission(port, IpRanges=[{"CidrIp": "192.0.2.0/24"}]) for port in range(1, 7)]
    refused = cdn.lab.refused
    refused(
        "RulesPerSecurityGroupLimitExceeded", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=more
    )
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=more[:5])
    world = cdn.lab.plane.snapshot()
    edges = {str(cidr) for rule in world.security_groups[group].ingress if rule.from_port == 443 for cidr in rule.cidrs}
    assert edges == {"198.18.0.9/32"}
