#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_cache_policy
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep a cache policy of CloudFront
description:
  - Makes the policy that says what tells objects apart in the cache, and for how long they stay there.
  - What is in the cache's key is also sent to the origin.
  - Neither amazon.aws nor community.aws has a module that finds nothing to do.
options:
  name:
    description: What people call it. With the environment's name before it this is its name in AWS.
    type: str
    required: true
  min_ttl:
    description: For how many seconds objects stay at least, whatever the origin says.
    type: int
    default: 1
  default_ttl:
    description: For how many seconds objects stay of which the origin says nothing.
    type: int
    default: 86400
  max_ttl:
    description: For how many seconds objects stay at most.
    type: int
    default: 31536000
  gzip:
    description: Whether objects are kept compressed by gzip too.
    type: bool
    default: true
  brotli:
    description: Whether objects are kept compressed by Brotli too.
    type: bool
    default: true
  headers:
    description: The request headers that tell objects apart, or V(none) alone.
    type: list
    elements: str
    default: [none]
  cookies:
    description: The cookies that tell objects apart, or V(none) or V(all) alone.
    type: list
    elements: str
    default: [none]
  query_strings:
    description: The fields of the query string that tell objects apart, or V(none) or V(all) alone.
    type: list
    elements: str
    default: [none]
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
"""

EXAMPLES = r"""
- name: Keep the pages of a search apart by what was searched for
  groundwork.aws.cloudfront_cache_policy:
    environment_name: dev
    name: search
    default_ttl: 60
    query_strings: [q, page]
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
      resource: cache policy
      name: search
id:
  description: Its id. V((known after apply)) in check mode when it does not exist yet.
  returned: success
  type: str
  sample: 658327ea-f89d-4fab-a63d-7e88639e58f6
name:
  description: Its name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import parse_cache_policy
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    CACHE_POLICY,
    converge_reusable,
)

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "min_ttl": {"type": "int", "default": 1},
    "default_ttl": {"type": "int", "default": 86400},
    "max_ttl": {"type": "int", "default": 31536000},
    "gzip": {"type": "bool", "default": True},
    "brotli": {"type": "bool", "default": True},
    "headers": {"type": "list", "elements": "str", "default": ["none"]},
    "cookies": {"type": "list", "elements": "str", "default": ["none"]},
    "query_strings": {"type": "list", "elements": "str", "default": ["none"]},
}


def main() -> None:
    run_module(ARGUMENTS, lambda run: converge_reusable(run, CACHE_POLICY, parse_cache_policy))


if __name__ == "__main__":
    main()
