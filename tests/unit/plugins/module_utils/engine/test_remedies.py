"""What a user is told to do about an error of AWS, and the IAM actions that a call needs."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.remedies import ACTIONS, REMEDIES, actions, remedy


@pytest.mark.parametrize(
    ("service", "operation", "needed"),
    [
        ("ec2", "describe_vpcs", ("ec2:DescribeVpcs",)),
        ("ec2", "create_vpc", ("ec2:CreateVpc", "ec2:CreateTags")),
        ("ec2", "create_route", ("ec2:CreateRoute",)),
        ("ec2", "run_instances", ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole")),
        ("elbv2", "describe_rules", ("elasticloadbalancing:DescribeRules",)),
        ("elbv2", "create_listener", ("elasticloadbalancing:CreateListener", "elasticloadbalancing:AddTags")),
        ("resourcegroupstaggingapi", "get_resources", ("tag:GetResources",)),
        ("s3", "list_objects_v2", ("s3:ListBucket",)),
        ("s3", "get_bucket_policy", ("s3:GetBucketPolicy",)),
        ("s3", "get_bucket_encryption", ("s3:GetEncryptionConfiguration",)),
        ("efs", "describe_file_systems", ("elasticfilesystem:DescribeFileSystems",)),
        ("efs", "delete_mount_target", ("elasticfilesystem:DeleteMountTarget", "ec2:DeleteNetworkInterface")),
        ("cloudfront", "create_distribution_with_tags", ("cloudfront:CreateDistribution", "cloudfront:TagResource")),
    ],
)
def test_the_actions_of_a_call(service: str, operation: str, needed: tuple[str, ...]) -> None:
    assert actions(service, operation) == needed


def test_a_denied_call_names_all_its_actions() -> None:
    told = remedy("AccessDenied", "elbv2", "create_load_balancer", {})
    assert told == (
        "Allow elasticloadbalancing:CreateLoadBalancer, elasticloadbalancing:AddTags and iam:CreateServiceLinkedRole "
        "to the credentials in use, or use others."
    )


@pytest.mark.parametrize("code", [*REMEDIES, "VcpuLimitExceeded"])
def test_every_remedy_is_complete(code: str) -> None:
    told = remedy(code, "ec2", "run_instances", {})
    assert told.endswith(".")
    assert "{" not in told


def test_a_calls_own_remedy_comes_first() -> None:
    assert remedy("AccessDenied", "s3", "put_object", {"AccessDenied": "Ask for it."}) == "Ask for it."
    assert remedy("InvalidParameterValue", "ec2", "create_vpc", {}) == ""


def test_the_table_has_no_action_that_follows_from_the_name() -> None:
    for (service, operation), given in ACTIONS.items():
        assert given != (f"{service}:{''.join(part.title() for part in operation.split('_'))}",), (service, operation)
