#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_backups_info
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Find the backups of a server
description:
  - Lists the complete backups of a server, and chooses one of them. A backup without a manifest is not complete, and is
    left out.
options:
  tier:
    description: The tier of the server.
    type: str
    required: true
  server:
    description: The name of the server.
    type: str
    required: true
  choice:
    description:
      - V(newest), a time in UTC as V(2026-11-30T02:30:00Z), or the id of a backup as V(20261130T023000Z-private-1). A
        time chooses the newest backup that was begun before it.
    type: str
    default: newest
  site:
    description: A site that the backup must have. Any by default.
    type: str
    default: ""
  urls:
    description:
      - Whether to return presigned URLs, by which whoever has them can read the backup for 6 hours. The result is then
        hidden in Ansible's output.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, and 1 if there is such a backup.
  - Permissions. C(s3:ListBucket) on the bucket of M(groundwork.aws.s3_backup_bucket), C(s3:GetObject) on its objects.
seealso:
  - module: groundwork.aws.s3_backup_bucket
  - module: groundwork.aws.server_backup
"""

EXAMPLES = r"""
- name: Find the newest backup of the database server
  groundwork.aws.s3_backups_info:
    environment_name: dev
    region: eu-central-1
    tier: private
    server: private-1
  register: backups
"""

RETURN = r"""
bucket:
  description: The name of the bucket.
  returned: success
  type: str
  sample: groundwork-dev-backups-123456789012-eu-central-1
ids:
  description: The ids of all complete backups of the server, the newest last.
  returned: success
  type: list
  elements: str
  sample: [20261130T023000Z-private-1]
backup:
  description: The chosen backup. Empty if there is none.
  returned: success
  type: dict
  contains:
    id:
      description: The id.
      type: str
      returned: success
    age:
      description: The seconds since it was begun.
      type: int
      returned: success
    sites:
      description: The sites that it has.
      type: list
      elements: str
      returned: success
urls:
  description: The presigned URLs of its objects, by their names.
  returned: when O(urls) is set
  type: dict
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_backups_info import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.choosing import look_at_backups


def main() -> None:
    run_module(ARGUMENTS, look_at_backups)


if __name__ == "__main__":
    main()
