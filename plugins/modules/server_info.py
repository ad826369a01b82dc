#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server_info
short_description: Read the state of a LAMP server
description:
  - Reads the current releases, the state of services, workers and schedules, and what is left of disks and memory. It
    changes nothing.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  sites:
    description: The folders of the sites, by their names.
    type: dict
    required: true
  services:
    description: The names of the systemd services.
    type: list
    elements: str
    default: []
  units:
    description: The names of the workers and timers that the sites should have.
    type: list
    elements: str
    default: []
  files:
    description: The mount point of a file system that several servers share. None by default.
    type: path
    default: ""
  backup:
    description: The file with the last backup of the server. None by default.
    type: path
    default: ""
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description: The module makes no changes.
    support: full
  diff_mode:
    description: The module makes no changes.
    support: none
"""

EXAMPLES = r"""
- name: Read the state of the server
  groundwork.aws.server_info:
    sites: {shop: /srv/www/shop}
    services: [apache2, php8.2-fpm]
    units: [groundwork-shop-queue@1]
  become: true
"""

RETURN = r"""
state:
  description: The state of the server. Times are in UTC, sizes in bytes.
  returned: success
  type: dict
  contains:
    sites:
      description: >-
        For each site its current release, since when it is current, the releases on the server, and whether visitors
        get the site.
      type: dict
      returned: success
      sample: {shop: {release: 3f2a9c01d4e5, since: "2026-11-30T03:31:52Z", kept: [3f2a9c01d4e5], ready: true}}
    services:
      description: The properties of each service, as C(systemctl show) names them.
      type: dict
      returned: success
    units:
      description: The properties of the given units.
      type: list
      elements: dict
      returned: success
    failed:
      description: The names of all units of the server that failed.
      type: list
      elements: str
      returned: success
    disks:
      description: The file systems, each with its mount point, its size and its free space.
      type: list
      elements: dict
      returned: success
    files:
      description: >-
        The state of the file system that several servers share, by its mount point: V(mounted), V(not mounted), or
        V(does not answer).
      type: dict
      returned: success
    backup:
      description: >-
        The last backup of the server, with its age in seconds, the last failure since then, and the backups whose
        restore was interrupted, by site. Missing without O(backup).
      type: dict
      returned: success
      sample: {id: 20261130T023000Z-private-1, age: 3600, failure: "", interrupted: {}}
    memory:
      description: The size of the memory, and what new processes can have of it.
      type: dict
      returned: success
    load:
      description: The load of the last minute.
      type: float
      returned: success
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.server_info import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.looking.state import state_of
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import rooms


def main() -> None:
    """Read the state of this server."""
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        given = module.params
        own = {"units": given["units"], "files": given["files"]}
        own["backup"] = given["backup"]
        state = state_of(run, given["sites"], given["services"], rooms=rooms(), **own)
    except GroundworkError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, state=state)


if __name__ == "__main__":
    main()
