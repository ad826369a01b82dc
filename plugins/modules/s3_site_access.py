#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_access
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Allow only one distribution to read the bucket of a static site
description:
  - Adds three statements to the bucket policy. The first one allows the distribution to read the objects below a
    prefix. The second one allows it to list the bucket, so that S3 answers 404 instead of 403 for missing objects. The
    third one denies all requests without TLS.
  - Other statements are kept. The statements of this module have a Sid that begins with C(Groundwork).
options:
  bucket:
    description: The name of the bucket, without dots.
    type: str
    required: true
  prefix:
    description: The prefix of the content, which is the distribution's origin path without its slash.
    type: str
    default: site
  distribution:
    description: The name of the distribution, as in M(groundwork.aws.cloudfront_distribution).
    type: str
    required: true
  more_distributions:
    description: The names of other distributions that may read the bucket too. Those that do not exist are ignored.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 parallel API calls if nothing changes.
seealso:
  - module: groundwork.aws.s3_site_bucket
  - module: groundwork.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Allow only the distribution to read the bucket
  groundwork.aws.s3_site_access:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
    distribution: site
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
      resource: bucket policy
      name: dev-site-example
distribution_arn:
  description: The ARN of the distribution. V((known after apply)) in check mode if it does not exist yet.
  returned: success
  type: str
  sample: arn:aws:cloudfront::123456789012:distribution/E1A2B3C4D5E6F7
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_access import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.access import converge_access


def main() -> None:
    run_module(ARGUMENTS, converge_access)


if __name__ == "__main__":
    main()
