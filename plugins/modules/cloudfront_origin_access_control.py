#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_origin_access_control
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep an origin access control of CloudFront
description:
  - Makes the origin access control by which an S3 bucket knows the requests of a distribution.
  - Neither amazon.aws nor community.aws has a module for it.
options:
  name:
    description: What people call it. With the environment's name before it this is its name in AWS.
    type: str
    required: true
  signing:
    description:
      - Which requests to the bucket are signed. With V(no-override) those that visitors have not signed themselves.
    type: str
    choices: [always, no-override, never]
    default: always
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 1 API call when there is nothing to do.
  - It has no tags. Its name and its comment tell whose it is. Another one of that name is refused, not taken over.
  - An update names the version that was read, so that what somebody else changed in between is not lost.
seealso:
  - module: groundwork.aws.cloudfront_distribution
  - module: groundwork.aws.s3_site_access
"""

EXAMPLES = r"""
- name: Have the distribution sign what it asks of the bucket
  groundwork.aws.cloudfront_origin_access_control:
    environment_name: dev
    name: site
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
      resource: origin access control
      name: site
id:
  description: Its id. V((known after apply)) in check mode when it does not exist yet.
  returned: success
  type: str
  sample: E2QWRUHAPOMQZL
name:
  description: Its name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_origin_access_control,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    ORIGIN_ACCESS_CONTROL,
    converge_reusable,
)

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "signing": {"type": "str", "choices": ["always", "no-override", "never"], "default": "always"},
}


def main() -> None:
    run_module(ARGUMENTS, lambda run: converge_reusable(run, ORIGIN_ACCESS_CONTROL, parse_origin_access_control))


if __name__ == "__main__":
    main()
