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
short_description: Manage an origin access control of CloudFront
description:
  - Creates or updates an origin access control, with which a distribution signs its requests to an S3 bucket.
  - Neither amazon.aws nor community.aws has such a module.
options:
  name:
    description: The name. Its name in AWS is C(<environment>-<name>).
    type: str
    required: true
  signing:
    description:
      - Which requests to the bucket are signed. V(no-override) signs requests without an Authorization header only.
    type: str
    choices: [always, no-override, never]
    default: always
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if nothing changes.
  - It has no tags. It belongs to the environment by its name and its comment. A resource of the same name with
    another comment is an error, and is not changed.
  - An update contains the version that was read, so that it fails if the resource was changed in between.
seealso:
  - module: groundwork.aws.cloudfront_distribution
  - module: groundwork.aws.s3_site_access
"""

EXAMPLES = r"""
- name: Create the origin access control of the site's distribution
  groundwork.aws.cloudfront_origin_access_control:
    environment_name: dev
    name: site
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
      resource: origin access control
      name: site
id:
  description: The id. V((known after apply)) in check mode if it does not exist yet.
  returned: success
  type: str
  sample: E2QWRUHAPOMQZL
name:
  description: The name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_origin_access_control import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_origin_access_control,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    ORIGIN_ACCESS_CONTROL,
    converge_reusable,
)


def main() -> None:
    run_module(ARGUMENTS, lambda run: converge_reusable(run, ORIGIN_ACCESS_CONTROL, parse_origin_access_control))


if __name__ == "__main__":
    main()
