#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_backup
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Make, check and restore backups on a server
description:
  - Runs on a server that M(groundwork.aws.server) has configured for backups, with the variables of the role backup.
  - A backup has, for each site, a dump of its database, its shared files, and the secrets that were generated for it.
options:
  state:
    description:
      - V(made) makes a backup now, with the service that the timer of the server starts. With O(backup) it is the one
        before that backup is restored, and its id ends with C(-safety). The sites that are restored must then be in it,
        but those that an interrupted restore has left incomplete.
      - V(drilled) gets a backup, restores it into a MariaDB of its own that runs for this time only, without a network,
        and compares it with what was recorded when it was made. It changes nothing.
      - V(restored) does that first, and then brings the backup back.
    type: str
    choices: [made, drilled, restored]
    required: true
  backup:
    description: The id of the backup, for V(drilled) and V(restored), and for V(made) before a restore.
    type: str
    default: ""
  urls:
    description: The presigned URLs of the backup's objects, by their names, from M(groundwork.aws.s3_backups_info).
    type: dict
    default: {}
  site:
    description: The site whose data are drilled or restored. All by default.
    type: str
    default: ""
  beside:
    description:
      - Whether to restore beside the data that are there. The database is then C(<name>_restored_from_backup), which
        only root can access, and the files are in C(restored-<id>) beside the shared folder.
      - Otherwise databases and shared folders are replaced. A site has no access to its database meanwhile.
    type: bool
    default: false
  checked:
    description: Whether V(drilled) has checked the same backup just before, so that V(restored) does not do it again.
    type: bool
    default: false
  safety:
    description:
      - The id of the backup that was made right before. Without it, the former shared folders are kept, as
        C(<folder>.before-restore).
    type: str
    default: ""
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description: Shows the changes, without making them. V(drilled) then reads the manifest alone.
    support: full
  diff_mode:
    description: The data are not shown.
    support: none
notes:
  - Room. The size of the backup is needed in C(/var/tmp), and three times the size of the dumps. If it is not there,
    the module fails before it changes anything.
seealso:
  - module: groundwork.aws.s3_backups_info
"""

EXAMPLES = r"""
- name: Make a backup now
  groundwork.aws.server_backup:
    state: made
  become: true

- name: Restore the newest backup in isolation, and check it
  groundwork.aws.server_backup:
    state: drilled
    backup: "{{ backups.backup.id }}"
    urls: "{{ backups.urls }}"
  become: true
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
backup:
  description: The backup that was made.
  returned: when O(state=made)
  type: dict
  sample: {id: 20261130T023000Z-private-1, bytes: 1048576, seconds: 3.1}
drill:
  description: What was found, with the seconds that the restore took.
  returned: when O(state=drilled)
  type: dict
  sample: {id: 20261130T023000Z-private-1, seconds: 12.5, sites: {shop: {tables: 4, rows: 120, files: 17}}}
restored:
  description: What was restored, and the former folders that are still there.
  returned: when O(state=restored)
  type: dict
  sample: {id: 20261130T023000Z-private-1, kept: [], sites: {shop: {tables: 4, rows: 120, files: 17}}}
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.server_backup import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import running
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "urls": {"no_log": True},
}


def main() -> None:
    """Make, check or restore a backup on this server."""
    required = [("state", "drilled", ["backup", "urls"]), ("state", "restored", ["backup", "urls"])]
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True, required_if=required)
    try:
        result = running.converge(run, module.params, check_mode=module.check_mode)
    except GroundworkError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
