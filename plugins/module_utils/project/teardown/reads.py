# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all resources of an environment: one read per type, then the reads that depend on the first results.

Resources are found by their tags. If the environment has a VPC, all other resources in it are read too, because they
may keep resources of the environment.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, tag_filter
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown import buckets, edge, image_users
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import Whose

Answers = t.Mapping[str, list[t.Any]]

# Types that EC2 finds by a tag: the operation and the list in the response.
TAGGED = {
    "addresses": ("describe_addresses", "Addresses"),
    "endpoints": ("describe_vpc_endpoints", "VpcEndpoints"),
    "gateways": ("describe_internet_gateways", "InternetGateways"),
    "groups": ("describe_security_groups", "SecurityGroups"),
    "images": ("describe_images", "Images"),
    "instances": ("describe_instances", "Reservations"),
    "interfaces": ("describe_network_interfaces", "NetworkInterfaces"),
    "key pairs": ("describe_key_pairs", "KeyPairs"),
    "launch templates": ("describe_launch_templates", "LaunchTemplates"),
    "acls": ("describe_network_acls", "NetworkAcls"),
    "nat gateways": ("describe_nat_gateways", "NatGateways"),
    "snapshots": ("describe_snapshots", "Snapshots"),
    "subnets": ("describe_subnets", "Subnets"),
    "tables": ("describe_route_tables", "RouteTables"),
    "volumes": ("describe_volumes", "Volumes"),
    "vpcs": ("describe_vpcs", "Vpcs"),
}
# AWS also returns others' public images and snapshots, unless the request asks for the account's own.
OWN = {"images": {"Owners": ["self"]}, "snapshots": {"OwnerIds": ["self"]}}
# Types of resources in a VPC or attached to it, and the filter that finds them there.
INSIDE = {
    "acls": "vpc-id",
    "endpoints": "vpc-id",
    "gateways": "attachment.vpc-id",
    "groups": "vpc-id",
    "interfaces": "vpc-id",
    "nat gateways": "vpc-id",
    "subnets": "vpc-id",
    "tables": "vpc-id",
}
IDS = {
    "acls": "NetworkAclId",
    "endpoints": "VpcEndpointId",
    "gateways": "InternetGatewayId",
    "groups": "GroupId",
    "interfaces": "NetworkInterfaceId",
    "nat gateways": "NatGatewayId",
    "subnets": "SubnetId",
    "tables": "RouteTableId",
}
TAGS_A_CALL = 20  # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html


def look(whose: Whose, wishes: t.Container[str], clients: Clients) -> Answers:
    """Return all resources, read in three rounds. The last is needed only for ETags and for the content of buckets."""
    first = observe(clients, first_reads(whose))
    answers = merged(first, observe(clients, second_reads(whose, first, wishes)))
    third = {
        **edge.third_reads(answers, whose),
        **buckets.third_reads(answers, whose, wishes),
        **image_users.third_reads(answers, whose),
    }
    return {**answers, **observe(clients, third)}


def first_reads(whose: Whose) -> dict[str, Read]:
    """Return the first reads: one per type."""
    tag = tag_filter(ENVIRONMENT, whose.environment)
    ssm = {"Key": f"tag:{ENVIRONMENT}", "Values": [whose.environment]}
    path = {"Key": "Path", "Option": "Recursive", "Values": [f"/groundwork/{whose.environment}"]}
    return {
        **{
            key: Read("ec2", operation, result, {"Filters": [tag], **OWN.get(key, {})})
            for key, (operation, result) in TAGGED.items()
        },
        "balancers": Read("elbv2", "describe_load_balancers", "LoadBalancers"),
        "target groups": Read("elbv2", "describe_target_groups", "TargetGroups"),
        "scaling groups": Read("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", {"Filters": [tag]}),
        "tagged parameters": Read("ssm", "describe_parameters", "Parameters", {"ParameterFilters": [ssm]}),
        "parameters": Read("ssm", "describe_parameters", "Parameters", {"ParameterFilters": [path]}),
        "roles": Read("iam", "list_roles", "Roles"),
        "profiles": Read("iam", "list_instance_profiles", "InstanceProfiles"),
        **edge.first_reads(),
        **buckets.first_reads(),
    }


def second_reads(whose: Whose, first: Answers, wishes: t.Container[str]) -> dict[str, Read]:
    """Return the second reads: the other resources in the environment's VPCs, and details that need a resource's id."""
    reads: dict[str, Read] = {}
    vpcs = [vpc["VpcId"] for vpc in first["vpcs"]]
    if vpcs:
        for key, name in INSIDE.items():
            operation, result = TAGGED[key]
            reads[f"inside {key}"] = Read("ec2", operation, result, {"Filters": [{"Name": name, "Values": vpcs}]})
    reads |= _balancing_reads(whose, first)
    reads |= edge.second_reads(first) | buckets.second_reads(first) | image_users.second_reads(first, wishes)
    for role in first["roles"]:
        if whose.has_name(role["RoleName"]):
            named = {"RoleName": role["RoleName"]}
            reads[f"tags {role['Arn']}"] = Read("iam", "list_role_tags", "Tags", named, GONE)
            reads[f"inline {role['Arn']}"] = Read("iam", "list_role_policies", "PolicyNames", named, GONE)
            reads[f"attached {role['Arn']}"] = Read(
                "iam", "list_attached_role_policies", "AttachedPolicies", named, GONE
            )
    for profile in first["profiles"]:
        if whose.has_name(profile["InstanceProfileName"]):
            named = {"InstanceProfileName": profile["InstanceProfileName"]}
            reads[f"tags {profile['Arn']}"] = Read("iam", "get_instance_profile", "InstanceProfile.Tags", named, GONE)
    return reads


GONE = ("NoSuchEntity",)


def _balancing_reads(whose: Whose, first: Answers) -> dict[str, Read]:
    """Return the reads of ELB's tags and attributes, which ELB returns apart from the resources."""
    balancers = [b["LoadBalancerArn"] for b in first["balancers"] if whose.has_name(b["LoadBalancerName"])]
    groups = [g["TargetGroupArn"] for g in first["target groups"] if whose.has_name(g["TargetGroupName"])]
    arns = [*balancers, *groups]
    reads = {
        f"tags of {start}": Read(
            "elbv2", "describe_tags", "TagDescriptions", {"ResourceArns": arns[start : start + TAGS_A_CALL]}
        )
        for start in range(0, len(arns), TAGS_A_CALL)
    }
    for arn in balancers:
        attributes = {"LoadBalancerArn": arn}
        reads[f"attributes {arn}"] = Read("elbv2", "describe_load_balancer_attributes", "Attributes", attributes)
    return reads


def merged(first: Answers, second: Answers) -> dict[str, list[t.Any]]:
    """Return the results of both rounds. A resource found by its tag and in a VPC is there once."""
    answers: dict[str, list[t.Any]] = {**first, **second}
    for key in INSIDE:
        found = [*first[key], *second.get(f"inside {key}", [])]
        answers[key] = list({one[IDS[key]]: one for one in found}.values())
    return answers
