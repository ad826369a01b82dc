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
short_description: Let one distribution read the bucket of a static site, and nobody else
description:
  - Puts three statements into the bucket's policy. The distribution may read what is below a prefix. It may be told
    what is missing (404 instead of 403). Nobody gets anything without TLS.
  - Statements of others stay. Those of this module have a Sid that begins with C(Groundwork).
options:
  bucket:
    description: The bucket's name, without dots.
    type: str
    required: true
  prefix:
    description: Where the content is in the bucket, the distribution's origin path without its slash.
    type: str
    default: site
  distribution:
    description: The distribution's name, as in M(groundwork.aws.cloudfront_distribution). It is found by its tags.
    type: str
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 2 API calls, in parallel, when there is nothing to do.
seealso:
  - module: groundwork.aws.s3_site_bucket
  - module: groundwork.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Let the distribution read the bucket, and nobody else
  groundwork.aws.s3_site_access:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
    distribution: site
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
      resource: bucket policy
      name: dev-site-example
distribution_arn:
  description: The distribution's ARN. V((known after apply)) in check mode when it does not exist yet.
  returned: success
  type: str
  sample: arn:aws:cloudfront::123456789012:distribution/E1A2B3C4D5E6F7
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.access import converge_access

ARGUMENTS = {
    "bucket": {"type": "str", "required": True},
    "prefix": {"type": "str", "default": "site"},
    "distribution": {"type": "str", "required": True},
}


def main() -> None:
    run_module(ARGUMENTS, converge_access)


if __name__ == "__main__":
    main()
