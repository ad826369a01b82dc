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
short_description: Manage a cache policy of CloudFront
description:
  - Creates or updates a cache policy, which defines the cache key and the TTLs of objects.
  - The values in the cache key are also sent to the origin.
  - Neither amazon.aws nor community.aws has an idempotent module for this.
options:
  name:
    description: The name. Its name in AWS is C(<environment>-<name>).
    type: str
    required: true
  component:
    description: The role that the policy belongs to, for its comment.
    type: str
    default: static_site
  min_ttl:
    description: The minimum TTL in seconds, which overrides the origin's headers.
    type: int
    default: 1
  default_ttl:
    description: The TTL in seconds of objects for which the origin sends no caching headers.
    type: int
    default: 86400
  max_ttl:
    description: The maximum TTL in seconds.
    type: int
    default: 31536000
  gzip:
    description: Whether gzip-compressed objects are requested and cached.
    type: bool
    default: true
  brotli:
    description: Whether Brotli-compressed objects are requested and cached.
    type: bool
    default: true
  headers:
    description: The request headers in the cache key, or only V(none).
    type: list
    elements: str
    default: [none]
  cookies:
    description: The cookies in the cache key, or only V(none) or V(all).
    type: list
    elements: str
    default: [none]
  query_strings:
    description: The query string parameters in the cache key, or only V(none) or V(all).
    type: list
    elements: str
    default: [none]
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
"""

EXAMPLES = r"""
- name: Cache search results by their query string parameters
  groundwork.aws.cloudfront_cache_policy:
    environment_name: dev
    name: search
    default_ttl: 60
    query_strings: [q, page]
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
      resource: cache policy
      name: search
id:
  description: The id. V((known after apply)) in check mode if it does not exist yet.
  returned: success
  type: str
  sample: 658327ea-f89d-4fab-a63d-7e88639e58f6
name:
  description: The name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_cache_policy import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import parse_cache_policy
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    CACHE_POLICY,
    converge_reusable,
)


def main() -> None:
    run_module(ARGUMENTS, lambda run: converge_reusable(run, CACHE_POLICY, parse_cache_policy))


if __name__ == "__main__":
    main()
