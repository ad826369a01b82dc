#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_generated_secret
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Get a secret from SSM Parameter Store, generated on first use
description:
  - Returns the value of a SecureString parameter. If the parameter does not exist, the module first generates a value
    with the operating system's random generator and stores it.
  - An existing parameter is never overwritten, except with O(rotate). Two runs at the same time both return the value
    that was stored first.
  - M(community.aws.ssm_parameter) needs a value from the user, and compares it in every run.
options:
  name:
    description:
      - The parameter's path, as V(/groundwork/dev/lamp/shop/database-password).
    type: str
    required: true
  component:
    description:
      - The role that the secret belongs to, for its tag C(groundwork:component).
    type: str
    required: true
  length:
    description:
      - The number of characters of a new secret. Length and O(characters) must give at least 96 bits of entropy.
    type: int
    default: 32
  characters:
    description:
      - The characters of a new secret. By default letters and digits.
    type: str
    default: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789
  key_id:
    description:
      - The KMS key that encrypts a new secret. By default the account's key for Parameter Store.
    type: str
  generate:
    description:
      - Whether a value is generated if the parameter does not exist. Otherwise a missing parameter is an error.
    type: bool
    default: true
  rotate:
    description:
      - Whether the value of an existing parameter is replaced by a new one.
    type: bool
    default: false
  quotings:
    description:
      - The ways in which the value will be written, as in the placeholders of M(groundwork.aws.server). A value that
        cannot be written so is an error.
    type: list
    elements: str
    choices: [dotenv, line, php, php-fpm]
    default: []
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if the parameter exists.
  - The result contains the secret, so Ansible hides it, as if the task had C(no_log=true). Failures are shown.
  - Tags are set only when the parameter is created.
"""

EXAMPLES = r"""
- name: Get the database's password
  groundwork.aws.ssm_generated_secret:
    environment_name: dev
    region: eu-central-1
    name: /groundwork/dev/lamp/shop/database-password
    component: lamp
  register: password
"""

RETURN = r"""
changes:
  description: The changes. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(create), or V(update) for a rotation.
      type: str
      returned: success
    resource:
      description: Always V(parameter).
      type: str
      returned: success
    name:
      description: The parameter's path.
      type: str
      returned: success
name:
  description: The parameter's path.
  returned: success
  type: str
  sample: /groundwork/dev/lamp/shop/database-password
value:
  description: The secret. V((known after apply)) in check mode if it does not exist yet.
  returned: success
  type: str
version:
  description: The version of the parameter, which each rotation increases. In check mode the one that it would have.
  returned: success
  type: int
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ssm_generated_secret import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.secrets.run import converge_secret

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "key_id": {"no_log": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_secret)


if __name__ == "__main__":
    main()
