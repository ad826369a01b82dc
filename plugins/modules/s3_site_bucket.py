#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_bucket
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the private bucket of a static site
description:
  - Creates or updates a bucket that is private (public access is blocked, access control lists are disabled), encrypted
    and versioned. Its lifecycle rule deletes noncurrent versions, expired delete markers and incomplete multipart
    uploads.
  - Other lifecycle rules are kept.
  - The module M(amazon.aws.s3_bucket) creates a bucket without tags first, and cannot plan the policy of a bucket that
    does not exist yet.
options:
  bucket:
    description: The name of the bucket, without dots.
    type: str
    required: true
  keep_versions_days:
    description: The number of days for which noncurrent versions are kept. A release can be restored for that long.
    type: int
    default: 30
  kms_key_arn:
    description:
      - The ARN of the KMS key for the default encryption. By default the bucket uses keys that S3 manages (SSE-S3).
      - The key policy must allow the distribution to decrypt, see
        U(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html).
    type: str
    default: ""
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 5 parallel API calls if nothing changes.
  - It is an error if a bucket of that name exists without the environment's tags.
seealso:
  - module: groundwork.aws.s3_site_access
  - module: groundwork.aws.s3_site_content
"""

EXAMPLES = r"""
- name: Create the bucket
  groundwork.aws.s3_site_bucket:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(create) or V(update).
      type: str
      returned: success
    resource:
      description: The kind of resource, as AWS names it.
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
  sample:
    - action: create
      resource: bucket
      name: dev-site-example
bucket:
  description: The name of the bucket.
  returned: success
  type: str
  sample: dev-site-example
arn:
  description: The ARN of the bucket.
  returned: success
  type: str
  sample: arn:aws:s3:::dev-site-example
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_bucket import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.bucket import converge_bucket

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "kms_key_arn": {"no_log": False},  # a name, not the key
}


def main() -> None:
    run_module(ARGUMENTS, converge_bucket)


if __name__ == "__main__":
    main()
