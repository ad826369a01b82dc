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
short_description: Manage and publish a CloudFront function
description:
  - Creates or updates a function and publishes it to the stage LIVE.
  - Neither amazon.aws nor community.aws has such a module.
options:
  name:
    description: The name. Its name in AWS is C(<environment>-<name>).
    type: str
    required: true
  code:
    description:
      - The JavaScript code, which must define a function C(handler(event)).
      - At most 10,240 bytes, including the line that the module adds before it.
    type: str
    required: true
  runtime:
    description: The runtime. The module writes it into the first line of the code.
    type: str
    choices: [cloudfront-js-2.0, cloudfront-js-1.0]
    default: cloudfront-js-2.0
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if nothing changes.
  - It has no tags. It belongs to the environment by its name and its comment. A resource of the same name with
    another comment is an error, and is not changed.
  - If a run is interrupted between the update and the publication, the next run publishes the function.
seealso:
  - module: groundwork.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Return the index page of a folder
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
      resource: function
      name: site
name:
  description: The name in AWS.
  returned: success
  type: str
  sample: dev-site
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_function import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import (
    converge_function,
)


def main() -> None:
    run_module(ARGUMENTS, converge_function)


if __name__ == "__main__":
    main()
