#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_console_host_keys
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Record the SSH host keys that servers print on their consoles
description:
  - Reads the console of servers whose host keys are not known yet, waits until cloud-init has printed them, and records
    them in a C(known_hosts) file.
  - The console comes over the EC2 API, authenticated and encrypted, so nobody on the network can put a key of their own
    in its place, as they can when a first connection is trusted blindly.
  - Keys are recorded under the instance's id. Connect with this file as C(UserKnownHostsFile), and with
    C(-o HostKeyAlias=<instance id> -o StrictHostKeyChecking=yes).
  - Entries of instances that are no more are dropped. Lines that do not begin with an instance's id stay.
  - No module of amazon.aws or community.aws reads a console.
options:
  servers:
    description:
      - The servers' names and the ids of their instances, V((known after apply)) for those that are only planned.
      - All servers of the environment when it is not given, which takes one call.
    type: dict
  known_hosts:
    description:
      - The file to keep, on the controller. It is replaced at once, never half written.
    type: path
    required: true
  verify:
    description:
      - Whether what is recorded is compared with what the consoles still show, with one call for each server.
      - Different keys are an error.
    type: bool
    default: false
  deadline:
    description:
      - How long to wait for the keys, in seconds.
      - Servers of the Nitro system tell their console at once. Others tell it some minutes after their start.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. No API call when the keys of all given servers are known.
seealso:
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: Keep the servers
  groundwork.aws.ec2_instance_group:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public: {count: 1, instance_type: t3.small}
  register: group

- name: Know their host keys before anybody connects
  groundwork.aws.ec2_console_host_keys:
    environment_name: dev
    region: eu-central-1
    servers: "{{ group.servers | items2dict(key_name='name', value_name='id') }}"
    known_hosts: ~/.ssh/known_hosts.dev
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in order.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create) and V(delete).
      type: str
      returned: success
    resource:
      description: Always V(host keys).
      type: str
      returned: success
    name:
      description: The server's name; of one that is no more, the instance's id.
      type: str
      returned: success
  sample:
    - action: create
      resource: host keys
      name: public-1
known_hosts:
  description: The file.
  returned: success
  type: str
  sample: /home/me/.ssh/known_hosts.dev
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.host_keys import converge_host_keys

ARGUMENTS = {
    "servers": {"type": "dict"},
    "known_hosts": {"type": "path", "required": True},
    "verify": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 600},
}


def main() -> None:
    run_module(ARGUMENTS, converge_host_keys)


if __name__ == "__main__":
    main()
