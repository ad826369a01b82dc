#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_response_headers_policy
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep a response headers policy of CloudFront
description:
  - Makes the policy that says which headers the edge puts on its answers, and which it takes away.
  - What is not given is taken out of the policy, but for what this module does not know.
options:
  name:
    description: What people call it. With the environment's name before it this is its name in AWS.
    type: str
    required: true
  security:
    description: Headers that protect visitors. They take the place of the origin's.
    type: dict
    suboptions:
      hsts:
        description: Strict-Transport-Security. Browsers use nothing but HTTPS for that long.
        type: dict
        suboptions:
          max_age:
            description: For how many seconds.
            type: int
            default: 31536000
          include_subdomains:
            description: Whether it is meant for all names below too.
            type: bool
            default: false
          preload:
            description: Whether browsers may ship with it.
            type: bool
            default: false
      content_security_policy:
        description: Content-Security-Policy.
        type: str
      content_type_options:
        description: Whether X-Content-Type-Options is C(nosniff).
        type: bool
        default: true
      frame_options:
        description: X-Frame-Options.
        type: str
        choices: [DENY, SAMEORIGIN]
      referrer_policy:
        description: Referrer-Policy.
        type: str
        choices:
          - no-referrer
          - no-referrer-when-downgrade
          - origin
          - origin-when-cross-origin
          - same-origin
          - strict-origin
          - strict-origin-when-cross-origin
          - unsafe-url
      xss_protection:
        description:
          - X-XSS-Protection, which only browsers of the past obey. V(off) turns their filter off, V(filter) on, and
            V(block) has them show nothing of what the filter finds.
        type: str
        choices: ["off", filter, block]
  cors:
    description: Which other sites may read the answers.
    type: dict
    suboptions:
      origins:
        description: The sites, or V(*).
        type: list
        elements: str
        required: true
      methods:
        description: The methods that they may use, or V(ALL).
        type: list
        elements: str
        default: [GET, HEAD, OPTIONS]
      headers:
        description: The request headers that they may send.
        type: list
        elements: str
        default: ["*"]
      expose:
        description: The response headers that they may read.
        type: list
        elements: str
        default: []
      credentials:
        description: Whether they may send cookies.
        type: bool
        default: false
      max_age:
        description: For how many seconds browsers remember this.
        type: int
        default: 600
      override:
        description: Whether this takes the place of the origin's own.
        type: bool
        default: true
  custom:
    description: Other headers, by name.
    type: dict
  remove:
    description: Headers of the origin that visitors do not get.
    type: list
    elements: str
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
- name: Keep the site's headers
  groundwork.aws.cloudfront_response_headers_policy:
    environment_name: dev
    name: site
    security:
      hsts: {max_age: 63072000, include_subdomains: true}
      content_security_policy: default-src 'self'
      frame_options: DENY
      referrer_policy: strict-origin-when-cross-origin
    custom:
      X-Robots-Tag: noindex
    remove: [Server]
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
      resource: response headers policy
      name: site
id:
  description: Its id. V((known after apply)) in check mode when it does not exist yet.
  returned: success
  type: str
  sample: 67f7725c-6f97-4210-82d7-5512b31e9d03
name:
  description: Its name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    HEADERS_ARGUMENTS,
    parse_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    RESPONSE_HEADERS_POLICY,
    converge_reusable,
)

ARGUMENTS = {"name": {"type": "str", "required": True}, **HEADERS_ARGUMENTS}


def main() -> None:
    run_module(ARGUMENTS, lambda run: converge_reusable(run, RESPONSE_HEADERS_POLICY, parse_response_headers_policy))


if __name__ == "__main__":
    main()
