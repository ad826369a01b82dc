#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sts_account_check
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Check that the credentials are of the environment's AWS account
description:
  - Fails if the credentials are of another account than O(account_id), before anything of the environment is read or
    changed.
options:
  account_id:
    description: The 12 digits of the environment's account. Write them in quotes, because YAML drops a leading zero.
    type: str
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 1 API call.
  - It changes nothing. It does the same in check mode.
"""

EXAMPLES = r"""
- name: Check the account
  groundwork.aws.sts_account_check:
    environment_name: prod
    region: eu-central-1
    account_id: "012345678901"
"""

RETURN = r"""
account:
  description: The id of the account.
  returned: success
  type: str
  sample: "012345678901"
arn:
  description: The ARN of the user or role whose credentials are used.
  returned: success
  type: str
  sample: arn:aws:sts::012345678901:assumed-role/deploy/ci
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.sts_account_check import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.account.run import check_account


def main() -> None:
    run_module(ARGUMENTS, check_account)


if __name__ == "__main__":
    main()
