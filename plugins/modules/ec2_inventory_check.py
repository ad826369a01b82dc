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
short_description: Check that the inventory contains the servers that exist in EC2
description:
  - Fails if the inventory does not contain a running server of the tiers, or if all servers of a tier are stopped. The
    message contains the servers, the settings of the inventory's files that exclude them, and what to do.
  - Without this check a play would omit these servers, and Ansible would report success.
  - Warns about stopped servers of a tier that has other servers.
  - Servers of Auto Scaling groups do not have to be in the inventory. An account without servers is not an error.
options:
  tiers:
    description: The tiers with numbered servers that the playbook works on.
    type: list
    elements: str
    required: true
  shown:
    description: The instance ids of the hosts in the inventory's groups of tiers, by the hosts' names.
    type: dict
    default: {}
  sources:
    description:
      - The files and folders of the inventory. The settings of the inventory plugin are compared with those of the
        environment, to find the reason why a server is missing.
    type: list
    elements: str
    default: []
  starts_servers:
    description: Whether the playbook starts stopped servers. Then stopped servers are not an error.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call. The role servers runs the module only if a numbered server is missing in the inventory.
  - It changes nothing. It does the same in check mode.
seealso:
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: Check that the inventory contains the servers
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
  description: The names of the servers that exist in EC2 and that the inventory does not contain.
  returned: always
  type: list
  elements: str
  sample: [private-1]
stopped:
  description: Those of them that are stopped or being stopped.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The server's name, from its tag C(Name).
      type: str
    id:
      description: The id of the instance.
      type: str
  sample:
    - name: private-1
      id: i-0123456789abcdef0
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_inventory_check import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.inventory import check_inventory


def main() -> None:
    run_module(ARGUMENTS, check_inventory)


if __name__ == "__main__":
    main()
