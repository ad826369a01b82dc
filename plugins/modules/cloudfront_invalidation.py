#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_invalidation
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Invalidate what CloudFront distributions have cached when their origins serve something else
description:
  - Compares what the origins serve, such as releases, with what the tags of each distribution record. If it differs,
    all cached objects are invalidated with one path, and the tags are updated.
  - A distribution that does not exist is left out.
options:
  distributions:
    description: The distributions.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name. Its name in AWS is C(<environment>-<name>).
        type: str
        required: true
      content:
        description: What the origins serve, by names of your own, such as the releases of sites by tier and site. Names
          that are left out are not compared.
        type: dict
        required: true
  state:
    description:
      - V(serving) invalidates.
      - V(changing) only records that the origins are about to serve O(distributions[].content), so that the next run
        with V(serving) invalidates also if the origins go back to what they served before.
    type: str
    choices: [serving, changing]
    default: serving
  component:
    description: The role that the distributions belong to, as their tag C(groundwork:component) contains it.
    type: str
    default: static_site
  deadline:
    description: The time limit for an invalidation, in seconds.
    type: int
    default: 900
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call for each distribution if nothing changes.
seealso:
  - module: groundwork.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Invalidate what is cached of the previous release
  groundwork.aws.cloudfront_invalidation:
    environment_name: dev
    region: eu-central-1
    component: alb
    distributions:
      - name: alb-public
        content: {"public:shop": 5b1c07aa9e12}
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
      description: V(invalidation) or V(tags).
      type: str
      returned: success
    name:
      description: The name of the distribution.
      type: str
      returned: success
  sample:
    - action: create
      resource: invalidation
      name: alb-public
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_invalidation import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.invalidating import (
    converge_invalidation,
)


def main() -> None:
    run_module(ARGUMENTS, converge_invalidation)


if __name__ == "__main__":
    main()
