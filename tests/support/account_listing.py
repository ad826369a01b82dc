"""Everything that there is in an account, by type: what is compared before and after an environment's life."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Listing = dict[str, dict[str, Any]]

# Service, operation, the response's list, and what tells one from another.
TYPES = (
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("cloudfront", "list_cache_policies", "CachePolicyList", "CachePolicy"),
    ("cloudfront", "list_distributions", "DistributionList", "Id"),
    ("cloudfront", "list_functions", "FunctionList", "Name"),
    ("cloudfront", "list_origin_access_controls", "OriginAccessControlList", "Id"),
    ("cloudfront", "list_origin_request_policies", "OriginRequestPolicyList", "OriginRequestPolicy"),
    ("cloudfront", "list_response_headers_policies", "ResponseHeadersPolicyList", "ResponseHeadersPolicy"),
    ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    ("ec2", "describe_images", "Images", "ImageId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_key_pairs", "KeyPairs", "KeyPairId"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("ec2", "describe_network_acls", "NetworkAcls", "NetworkAclId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId"),
    ("ec2", "describe_snapshots", "Snapshots", "SnapshotId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "Arn"),
    ("iam", "list_roles", "Roles", "Arn"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
)
# AWS tells for about an hour of what is gone.
GONE = {"NatGateways": ("deleted", "failed")}


def account_listing(client: Callable[[str], Any]) -> Listing:
    """All resources of the account as AWS describes them: {type: {id: description}}."""
    listing = {result: _all(client(service), operation, result, key) for service, operation, result, key in TYPES}
    instances: dict[str, Any] = {}
    for reservation in client("ec2").describe_instances()["Reservations"]:
        for one in reservation["Instances"]:
            if one["State"]["Name"] != "terminated":
                instances[one["InstanceId"]] = one
    return {**listing, "Instances": _plain(instances)}


def _all(client: Any, operation: str, result: str, key: str) -> dict[str, Any]:
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate()
        found = [one for page in pages for one in _items(page[result])]
    else:
        found = _items(getattr(client, operation)()[result])
    return _plain({str(one[key]): one for one in found if one.get("State") not in GONE.get(result, ())})


def _items(answer: Any) -> list[Any]:
    """A list, in CloudFront's answers wrapped."""
    return answer if isinstance(answer, list) else answer.get("Items", [])


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """Dates as text, lists in an order that AWS does not promise."""
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return {key: _sorted(plain[key]) for key in sorted(plain)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
