#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_restored_secrets
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Bring generated secrets back from a backup
description:
  - Gives parameters of Parameter Store the values that they had when a backup was made, because data may have been made
    with them. Parameters that have these values already, and parameters that do not exist, are left as they are.
  - No value is in a result, a difference or a log.
options:
  backup:
    description: The id of the backup.
    type: str
    required: true
  tier:
    description: The tier of the server whose backup it is.
    type: str
    required: true
  parameters:
    description:
      - The paths of the parameters by site, and by the name of the secret, as in the example.
        Nothing else in the backup is used.
    type: dict
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, 1 for each site with secrets, 1 for each secret, and 1 for each that has another value.
  - Permissions. C(s3:GetObject) on the objects of M(groundwork.aws.s3_backup_bucket), C(ssm:GetParameter) and
    C(ssm:PutParameter) on the parameters.
seealso:
  - module: groundwork.aws.s3_backups_info
  - module: groundwork.aws.ssm_generated_secret
"""

EXAMPLES = r"""
- name: Bring the secret of the shop back
  groundwork.aws.ssm_restored_secrets:
    environment_name: dev
    region: eu-central-1
    backup: 20261130T023000Z-private-1
    tier: private
    parameters:
      shop:
        APP_SECRET: /groundwork/dev/lamp/shop/APP_SECRET
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
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ssm_restored_secrets import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.secrets import restore_secrets

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "parameters": {"no_log": False},  # paths, not values
}


def main() -> None:
    run_module(ARGUMENTS, restore_secrets)


if __name__ == "__main__":
    main()
