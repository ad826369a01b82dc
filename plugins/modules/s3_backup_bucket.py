#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_backup_bucket
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the bucket of an environment's backups
description:
  - Creates or updates the bucket C(groundwork-<environment>-backups-<account>-<region>). It is private (public
    access is blocked, access control lists are disabled), encrypted and versioned, and denies requests without TLS.
  - Its lifecycle rules end each backup after O(keep_days), and what was deleted or overwritten after as many days more.
    Other lifecycle rules are kept.
options:
  keep_days:
    description: The number of days for which a backup is kept.
    type: int
    default: 30
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 7 API calls if nothing changes.
  - It is an error if a bucket of that name exists without the environment's tags.
seealso:
  - module: groundwork.aws.server_backup
  - module: groundwork.aws.s3_backups_info
"""

EXAMPLES = r"""
- name: Create the bucket of the backups
  groundwork.aws.s3_backup_bucket:
    environment_name: dev
    region: eu-central-1
    keep_days: 90
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
bucket:
  description: The name of the bucket.
  returned: success
  type: str
  sample: groundwork-dev-backups-123456789012-eu-central-1
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_backup_bucket import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.bucket import converge_backup_bucket


def main() -> None:
    run_module(ARGUMENTS, converge_backup_bucket)


if __name__ == "__main__":
    main()
