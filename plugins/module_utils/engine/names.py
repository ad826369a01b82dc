# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patterns of all names and ids that more than one topic uses, and of all ids and ARNs of AWS.

Patterns are for `fullmatch`.
"""

from __future__ import annotations

import re

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems

# Names that the collection defines.
ENVIRONMENT_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
TIER_NAME = re.compile(r"[a-z]([a-z0-9-]{0,14}[a-z0-9])?")
RESOURCE_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")  # security groups, CloudFront's policies and functions
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORD = re.compile(r"\w+")  # in the text of a playbook or a template
RELATIVE_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")

# Parameters that no server may read: the private key for the servers of an environment.
KEY_PARAMETER = re.compile(r"/groundwork/[^/]+/servers/.*")


def server_key_parameter(environment: str) -> str:
    """Return the name of the parameter with the private key for an environment's servers."""
    return f"/groundwork/{environment}/servers/key"


def backup_bucket(environment: str, account: str, region: str) -> str:
    """Return the name of the bucket with the backups of an environment, at most 63 characters."""
    return f"groundwork-{environment}-backups-{account}-{region}"


def _resource_id(prefix: str) -> re.Pattern[str]:
    """Return the pattern of an id of EC2: a prefix, and 8 (before 2018) or 17 hexadecimal digits.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
    """
    return re.compile(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})")


ALLOCATION_ID = _resource_id("eipalloc")
IMAGE_ID = _resource_id("ami")
INSTANCE_ID = _resource_id("i")
PREFIX_LIST_ID = _resource_id("pl")
SECURITY_GROUP_ID = _resource_id("sg")
# https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
AWS_PREFIX_LIST = re.compile(r"(cn\.)?com\.amazonaws\.[a-z0-9-]+(\.[a-z0-9-]+)+")

# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
PARAMETER_PATH = r"(?:/[A-Za-z0-9_.-]+){1,15}"
PARAMETER_NAME = re.compile(rf"(?=.{{1,1011}}$){PARAMETER_PATH}")

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
_ARN = r"arn:aws[a-z-]*"
CERTIFICATE_ARN = re.compile(rf"{_ARN}:acm:us-east-1:\d{{12}}:certificate/[0-9a-f-]+")  # CloudFront's region
ACM_CERTIFICATE_ARN = re.compile(rf"{_ARN}:acm:(?P<region>[a-z0-9-]+):\d{{12}}:certificate/[0-9a-f-]+")
SERVER_CERTIFICATE_ARN = re.compile(rf"{_ARN}:iam::\d{{12}}:server-certificate/.+")
LOAD_BALANCER_ARN = re.compile(rf"{_ARN}:elasticloadbalancing:[a-z0-9-]+:\d{{12}}:loadbalancer/app/(?P<name>[^/]+)/.+")
POLICY_ARN = re.compile(rf"{_ARN}:iam::(?P<account>\d{{12}}|aws):policy/[\w+=,.@/-]{{1,512}}", re.ASCII)
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
IAM_PATH = re.compile(r"/|/[!-~]{1,510}/")
# Automated snapshots have the prefix. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html
DB_SNAPSHOT_ID = re.compile(r"(rds:)?(?=.{1,255}$)[A-Za-z](-?[A-Za-z0-9])*")
KMS_KEY_ARN = re.compile(rf"{_ARN}:kms:[a-z0-9-]+:\d{{12}}:key/[A-Za-z0-9-]+")
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
KMS_KEY_ID = re.compile(
    rf"{_ARN}:kms:[a-z0-9-]+:\d{{12}}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+|[A-Za-z0-9-]{{36}}"
)
WEB_ACL_ARN = re.compile(rf"{_ARN}:wafv2:us-east-1:\d{{12}}:global/webacl/[^/]+/[0-9a-f-]+")

# Of all partitions: eu-central-1, us-gov-west-1, us-isob-east-1, eusc-de-east-1.
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")
ZONE = re.compile(r"(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d+)(?:-[a-z]+-\d+)?(?P<letter>[a-z])")

# https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
_TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
TOKEN = re.compile(rf"{_TCHAR}+")

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# The buckets that the collection creates have no dots, since S3's certificate covers none.
OWN_BUCKET = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3|--table-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
)
ACCOUNT_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")  # of a Linux system: useradd(8)
# Without wildcards of a policy, and without parts that a client resolves (".", "..").
PREFIX = re.compile(r"(?!(.*/)?\.{1,2}(/|$))[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


def token(longest: int) -> re.Pattern[str]:
    """Return the pattern of an HTTP token of at most `longest` characters."""
    return re.compile(rf"{_TCHAR}{{1,{longest}}}")


def check_bucket(name: str, problems: Problems, variable: str = "bucket") -> str:
    """Return the name. Add to `problems` an invalid bucket name. S3's certificate does not cover names with dots."""
    if not OWN_BUCKET.fullmatch(name):
        right = "use 3 to 63 lower case letters, digits and hyphens, without a hyphen at either end"
        dotted = " here: S3's certificate covers no host name with another dot, so that HTTPS fails"
        wrong = f"'{name}' is not a valid bucket name{dotted if '.' in name else ''}"
        problems.add(variable, wrong, right)
    return name
