#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_function
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep a CloudFront function, published
description:
  - Creates or updates a function and publishes it, so that edges run the given code.
  - Neither amazon.aws nor community.aws has a module for it.
options:
  name:
    description: What people call it. With the environment's name before it this is its name in AWS.
    type: str
    required: true
  code:
    description:
      - The JavaScript, with a function C(handler(event)).
      - With the line that the module puts before it at most 10,240 bytes.
    type: str
    required: true
  runtime:
    description: The runtime. It is noted in the code's first line.
    type: str
    choices: [cloudfront-js-2.0, cloudfront-js-1.0]
    default: cloudfront-js-2.0
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 1 API call when there is nothing to do.
  - It has no tags. Its name and its comment tell whose it is. Another one of that name is refused, not taken over.
  - A run that was stopped between the update and the publication is completed by the next one.
seealso:
  - module: groundwork.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Give folders their index page
  groundwork.aws.cloudfront_function:
    environment_name: dev
    name: site
    code: |
      function handler(event) {
        var request = event.request;
        if (request.uri.endsWith('/')) {
          request.uri += 'index.html';
        }
        return request;
      }
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
      resource: function
      name: site
name:
  description: Its name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import (
    RUNTIMES,
    converge_function,
)

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "code": {"type": "str", "required": True},
    "runtime": {"type": "str", "choices": list(RUNTIMES), "default": RUNTIMES[0]},
}


def main() -> None:
    run_module(ARGUMENTS, converge_function)


if __name__ == "__main__":
    main()
