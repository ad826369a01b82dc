#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_command_info
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Read the results of release commands
description:
  - Returns what servers have recorded about the commands that one of them runs once for a release, with the end of the
    output of those that failed.
options:
  releases:
    description: The releases, by the names of their sites.
    type: dict
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, and 1 for each release that has a record.
  - Permissions. C(s3:ListBucket) on the bucket of M(groundwork.aws.environment_lock), C(s3:GetObject) on its objects.
seealso:
  - module: groundwork.aws.server
"""

EXAMPLES = r"""
- name: Read the result of the release command
  groundwork.aws.release_command_info:
    environment_name: dev
    region: eu-central-1
    releases: {shop: 3f2a9c01d4e5}
  register: commands
"""

RETURN = r"""
commands:
  description: The records, by site. A release without a record is missing.
  returned: success
  type: list
  elements: dict
  contains:
    site:
      description: The name of the site.
      type: str
      returned: success
    release:
      description: The id of the release.
      type: str
      returned: success
    state:
      description: V(running), V(succeeded) or V(failed).
      type: str
      returned: success
    server:
      description: The id of the instance that runs the commands or has run them.
      type: str
      returned: success
    message:
      description: What failed, with the end of the output. Empty if nothing did.
      type: str
      returned: success
  sample:
    - {site: shop, release: 3f2a9c01d4e5, state: succeeded, server: i-0123456789abcdef0, message: ""}
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.release_command_info import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.commands import look_at_commands


def main() -> None:
    run_module(ARGUMENTS, look_at_commands)


if __name__ == "__main__":
    main()
