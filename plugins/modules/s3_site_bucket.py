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
short_description: Keep the private bucket of a static site
description:
  - Makes a bucket that is private (public access blocked, no access control lists), encrypted and versioned, in which
    old versions, markers of deleted objects and unfinished uploads go after some time.
  - Rules of the lifecycle that others made stay.
  - The module M(amazon.aws.s3_bucket) makes a bucket without its tags first, and plans no policy for one that does not
    exist yet.
options:
  bucket:
    description: The bucket's name, without dots.
    type: str
    required: true
  keep_versions_days:
    description: For how many days replaced and deleted objects are kept. A release can be brought back that long.
    type: int
    default: 30
  kms_key_arn:
    description:
      - The KMS key that the bucket encrypts with. S3's own keys unless given.
      - The key's policy must let the distribution decrypt, see
        U(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html).
    type: str
    default: ""
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 5 API calls, in parallel, when there is nothing to do.
  - A bucket of that name without the environment's tags is refused.
seealso:
  - module: groundwork.aws.s3_site_access
  - module: groundwork.aws.s3_site_content
"""

EXAMPLES = r"""
- name: Keep the bucket
  groundwork.aws.s3_site_bucket:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in order.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(create) or V(update).
      type: str
      returned: success
    resource:
      description: The kind of resource, in AWS' words.
      type: str
      returned: success
    name:
      description: The name that people use.
      type: str
      returned: success
  sample:
    - action: create
      resource: bucket
      name: dev-site-example
bucket:
  description: The bucket's name.
  returned: success
  type: str
  sample: dev-site-example
arn:
  description: The bucket's ARN.
  returned: success
  type: str
  sample: arn:aws:s3:::dev-site-example
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.bucket import converge_bucket

ARGUMENTS = {
    "bucket": {"type": "str", "required": True},
    "keep_versions_days": {"type": "int", "default": 30},
    "kms_key_arn": {"type": "str", "default": "", "no_log": False},  # a name, not the key
}


def main() -> None:
    run_module(ARGUMENTS, converge_bucket)


if __name__ == "__main__":
    main()
