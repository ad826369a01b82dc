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
  - Returns the value of a SecureString parameter. When there is none, one is generated from the operating system's
    randomness and stored first.
  - An existing parameter is never overwritten. Two runs at the same time both return the value that was stored first.
  - M(community.aws.ssm_parameter) takes a value that somebody else has to generate, and compares it at every run.
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
      - How many characters a new secret has. Together with O(characters) at least 96 bits.
    type: int
    default: 32
  characters:
    description:
      - What a new secret is made of, letters and digits by default.
    type: str
    default: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789
  key_id:
    description:
      - The KMS key that encrypts a new secret. The account's own for Parameter Store when it is not given.
    type: str
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. One API call when the parameter exists.
  - The result contains the secret. Ansible shows nothing of it, as if the task had C(no_log=true). A failure is shown.
  - Tags are set when the parameter is made.
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
  description: What was changed, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: Always V(create).
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
  description: The secret. V((known after apply)) in check mode when there is none yet.
  returned: success
  type: str
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.secrets import LETTERS_AND_DIGITS, converge_secret

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "component": {"type": "str", "required": True},
    "length": {"type": "int", "default": 32},
    "characters": {"type": "str", "default": LETTERS_AND_DIGITS},
    "key_id": {"type": "str", "no_log": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_secret)


if __name__ == "__main__":
    main()
