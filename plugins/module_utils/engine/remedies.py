# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IAM actions that an API call needs, and what to do about an error of AWS.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import typing as t

# The prefix of a service's actions, where it is not the name of boto3's client.
PREFIXES = {
    "efs": "elasticfilesystem",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}

# The actions of calls, where they are not the name of the call alone.
ACTIONS: t.Mapping[tuple[str, str], tuple[str, ...]] = {
    ("autoscaling", "create_auto_scaling_group"): (
        "autoscaling:CreateAutoScalingGroup",
        "autoscaling:CreateOrUpdateTags",
        "ec2:RunInstances",
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",
    ),
    ("cloudfront", "create_distribution_with_tags"): ("cloudfront:CreateDistribution", "cloudfront:TagResource"),
    ("ec2", "run_instances"): ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"),
    ("efs", "create_file_system"): (
        "elasticfilesystem:CreateFileSystem",
        "elasticfilesystem:TagResource",
        "iam:CreateServiceLinkedRole",
    ),
    # https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html
    ("efs", "create_mount_target"): (
        "elasticfilesystem:CreateMountTarget",
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
    ),
    ("efs", "delete_mount_target"): ("elasticfilesystem:DeleteMountTarget", "ec2:DeleteNetworkInterface"),
    ("efs", "modify_mount_target_security_groups"): (
        "elasticfilesystem:ModifyMountTargetSecurityGroups",
        "ec2:ModifyNetworkInterfaceAttribute",
    ),
    ("elbv2", "create_load_balancer"): (
        "elasticloadbalancing:CreateLoadBalancer",
        "elasticloadbalancing:AddTags",
        "iam:CreateServiceLinkedRole",
    ),
    ("iam", "add_role_to_instance_profile"): ("iam:AddRoleToInstanceProfile", "iam:PassRole"),
    ("iam", "create_instance_profile"): ("iam:CreateInstanceProfile", "iam:TagInstanceProfile"),
    ("iam", "create_role"): ("iam:CreateRole", "iam:TagRole"),
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html
    ("rds", "create_db_instance"): ("rds:CreateDBInstance", "rds:AddTagsToResource", "iam:CreateServiceLinkedRole"),
    ("rds", "create_db_parameter_group"): ("rds:CreateDBParameterGroup", "rds:AddTagsToResource"),
    ("rds", "create_db_subnet_group"): ("rds:CreateDBSubnetGroup", "rds:AddTagsToResource"),
    ("rds", "delete_db_instance"): ("rds:DeleteDBInstance", "rds:CreateDBSnapshot", "rds:AddTagsToResource"),
    ("s3", "complete_multipart_upload"): ("s3:PutObject",),
    ("s3", "copy_object"): ("s3:GetObject", "s3:PutObject"),
    ("s3", "create_bucket"): ("s3:CreateBucket", "s3:PutBucketOwnershipControls", "s3:TagResource"),
    ("s3", "create_multipart_upload"): ("s3:PutObject",),
    ("s3", "delete_objects"): ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("s3", "get_bucket_encryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "get_bucket_lifecycle_configuration"): ("s3:GetLifecycleConfiguration",),
    ("s3", "get_public_access_block"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "head_bucket"): ("s3:ListBucket",),
    ("s3", "head_object"): ("s3:GetObject",),
    ("s3", "list_buckets"): ("s3:ListAllMyBuckets",),
    ("s3", "list_multipart_uploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "list_object_versions"): ("s3:ListBucketVersions",),
    ("s3", "list_objects_v2"): ("s3:ListBucket",),
    ("s3", "put_bucket_encryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "put_bucket_lifecycle_configuration"): ("s3:PutLifecycleConfiguration",),
    ("s3", "put_public_access_block"): ("s3:PutBucketPublicAccessBlock",),
    ("s3", "upload_part"): ("s3:PutObject",),
    ("ssm", "put_parameter"): ("ssm:PutParameter", "ssm:AddTagsToResource"),
}
# Calls of these services tag what they create, which is another action.
TAGGING = {"ec2": "ec2:CreateTags", "elbv2": "elasticloadbalancing:AddTags"}
UNTAGGED = ("create_launch_template_version", "create_route", "create_tags")

ALLOW = "Allow {actions} to the credentials in use, or use others."
CLOCK = "The clock of this machine is wrong by minutes. Set it, for example with 'timedatectl set-ntp true'."
UNKNOWN_KEY = "AWS does not know the access key. Check the profile or the environment variables that contain it."
REMEDIES = {
    "UnauthorizedOperation": ALLOW,
    "AccessDenied": ALLOW,
    "AccessDeniedException": ALLOW,
    "AuthFailure": "Check the credentials, and that the region is enabled for the account.",
    "ExpiredToken": "Renew the session's credentials and run again.",
    "ExpiredTokenException": "Renew the session's credentials and run again.",
    "RequestExpired": f"{CLOCK} If it is right, renew the session's credentials.",
    "RequestTimeTooSkewed": CLOCK,
    "SignatureDoesNotMatch": "The secret access key does not belong to the access key, or a proxy changes requests.",
    "InvalidAccessKeyId": UNKNOWN_KEY,
    "InvalidClientTokenId": UNKNOWN_KEY,
    "UnrecognizedClientException": UNKNOWN_KEY,
    "OptInRequired": "The account must subscribe to this service or image first, in the AWS console.",
    "PendingVerification": "AWS is verifying the account, which takes up to four hours. Run again later.",
    "InsufficientInstanceCapacity": "AWS has no servers of this type in this Availability Zone at present. Run again "
    "later, or use another instance type or zone.",
    "Unsupported": "This Availability Zone does not offer it, such as the instance type. Use another zone or type.",
    "PreconditionFailed": "It was changed by another process meanwhile. Run again; that change is not lost.",
    "DependencyViolation": "Another resource still uses it. Remove that resource first, or declare this one again.",
    "RequestLimitExceeded": "AWS throttled ten attempts. Run again later; nothing is lost.",
}
QUOTA = "A quota of the account is exhausted. Raise it in Service Quotas, or delete unused resources."


def actions(service: str, operation: str) -> tuple[str, ...]:
    """Return the IAM actions that a call needs. `service` is the name of boto3's client, `operation` of its method."""
    if (service, operation) in ACTIONS:
        return ACTIONS[service, operation]
    name = f"{PREFIXES.get(service, service)}:{api_name(operation)}"
    tags = operation.startswith(("create_", "allocate_", "import_")) and operation not in UNTAGGED
    return (name, TAGGING[service]) if tags and service in TAGGING else (name,)


def api_name(operation: str) -> str:
    """Return the name of the API's operation, as `CreateVpc` for boto3's `create_vpc`, and `CreateDBInstance`."""
    return "".join("DB" if part == "db" else part.title() for part in operation.split("_"))


def remedy(code: str, service: str, operation: str, own: t.Mapping[str, str]) -> str:
    """Return what to do about the error `code` of a call, or "". The remedies `own` precede those of all calls."""
    text = {**REMEDIES, **own}.get(code, QUOTA if code.endswith("LimitExceeded") else "")
    *others, last = actions(service, operation)
    return text.format(actions=f"{', '.join(others)} and {last}" if others else last)
