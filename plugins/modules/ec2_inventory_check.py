#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_inventory_check
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Check that the inventory shows the servers that EC2 has
description:
  - Fails when EC2 has running servers of the tiers that the inventory does not show, or servers of a tier that are all
    stopped. It tells which servers these are, what in the inventory's files hides them, and what to do.
  - A playbook would otherwise leave these servers out, and Ansible would report success.
  - Warns about stopped servers of a tier that has others.
  - Servers of Auto Scaling groups need not be in the inventory. An account without servers is no error.
options:
  tiers:
    description: The tiers with a number of servers that the playbook works on.
    type: list
    elements: str
    required: true
  shown:
    description: The ids of the instances that the inventory shows in the groups of their tiers, by the hosts' names.
    type: dict
    default: {}
  sources:
    description:
      - The inventory's files and folders. The settings in those that ask EC2 are compared with the environment's, to
        tell why a server is not shown.
    type: list
    elements: str
    default: []
  starts_servers:
    description: Whether the playbook starts stopped servers, so that these are no error.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. One API call. The role servers runs it only when a counted server is not in the inventory.
  - It changes nothing, and does the same in check mode.
seealso:
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: Check that the inventory shows the servers
  groundwork.aws.ec2_inventory_check:
    environment_name: dev
    region: eu-central-1
    tiers: [public, private]
    shown:
      public-1: i-0a1b2c3d4e5f60718
    sources: "{{ ansible_inventory_sources }}"
"""

RETURN = r"""
hidden:
  description: The names of the servers that EC2 has and the inventory does not show.
  returned: always
  type: list
  elements: str
  sample: [private-1]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.inventory import ARGUMENTS, check_inventory


def main() -> None:
    run_module(ARGUMENTS, check_inventory)


if __name__ == "__main__":
    main()
