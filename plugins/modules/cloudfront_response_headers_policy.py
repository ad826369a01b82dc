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
short_description: Manage a response headers policy of CloudFront
description:
  - Creates or updates a response headers policy, which defines the headers that CloudFront adds to responses and those
    that it removes from them.
  - Headers that are not given are removed from the policy. Settings that the module does not support are kept.
options:
  name:
    description: The name. Its name in AWS is C(<environment>-<name>).
    type: str
    required: true
  security:
    description: Security headers. They override those of the origin.
    type: dict
    suboptions:
      hsts:
        description: Strict-Transport-Security, which makes browsers use HTTPS only.
        type: dict
        suboptions:
          max_age:
            description: The duration in seconds.
            type: int
            default: 31536000
          include_subdomains:
            description: Whether it applies to all subdomains too.
            type: bool
            default: false
          preload:
            description: Whether the site may be added to the preload lists of browsers.
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
          - X-XSS-Protection, which only old browsers support. V(off) disables their filter, V(filter) enables it, and
            V(block) prevents rendering of the page if the filter detects an attack.
        type: str
        choices: ["off", filter, block]
  cors:
    description: The headers of cross-origin resource sharing (CORS).
    type: dict
    suboptions:
      origins:
        description: The allowed origins, or V(*).
        type: list
        elements: str
        required: true
      methods:
        description: The allowed methods, or V(ALL).
        type: list
        elements: str
        default: [GET, HEAD, OPTIONS]
      headers:
        description: The allowed request headers.
        type: list
        elements: str
        default: ["*"]
      expose:
        description: The exposed response headers.
        type: list
        elements: str
        default: []
      credentials:
        description: Whether credentials such as cookies are allowed.
        type: bool
        default: false
      max_age:
        description: The number of seconds for which browsers cache the response to a preflight request.
        type: int
        default: 600
      override:
        description: Whether these headers override those of the origin.
        type: bool
        default: true
  custom:
    description: The values of other headers, by name.
    type: dict
  remove:
    description: Headers of the origin to remove.
    type: list
    elements: str
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
- name: Create the policy of the site's headers
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
      resource: response headers policy
      name: site
id:
  description: The id. V((known after apply)) in check mode if it does not exist yet.
  returned: success
  type: str
  sample: 67f7725c-6f97-4210-82d7-5512b31e9d03
name:
  description: The name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_response_headers_policy import (
    ARGUMENTS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    RESPONSE_HEADERS_POLICY,
    converge_reusable,
)


def main() -> None:
    run_module(ARGUMENTS, lambda run: converge_reusable(run, RESPONSE_HEADERS_POLICY, parse_response_headers_policy))


if __name__ == "__main__":
    main()
