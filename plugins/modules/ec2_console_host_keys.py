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
  - Reads the consoles of servers whose host keys are not recorded yet, waits for cloud-init to print the keys, and
    records them in a C(known_hosts) file.
  - The console output is read with the EC2 API, authenticated and encrypted. So an attacker on the network cannot
    replace the keys, which is possible if the key of a first connection is trusted unchecked.
  - Keys are recorded under the id of the instance. Connect with this file as C(UserKnownHostsFile), and with
    C(-o HostKeyAlias=<instance id> -o StrictHostKeyChecking=yes).
  - One key of each server is also written to the tag C(groundwork:host-key) of its instance. Another controller copies
    it from there, also in check mode, so that it needs no console output. An RSA key is too long for a tag.
  - It is an error if the file and the tag have different keys. Neither is overwritten.
  - Entries of instances that do not exist any more are deleted. Lines that do not begin with the id of an instance are
    kept.
  - No module of amazon.aws or community.aws reads the console output.
options:
  servers:
    description:
      - The instance ids of the servers by name. Give V((known after apply)) for servers that check mode only plans.
      - The default is all servers of the environment, which takes 1 call.
    type: dict
  known_hosts:
    description:
      - The path of the file, on the controller. It is replaced atomically.
    type: path
    required: true
  shared:
    description:
      - Whether to write the keys to tags of the instances, and to copy keys from there.
    type: bool
    default: true
  required:
    description:
      - The names of the servers whose keys must be recorded. The module waits for their consoles only. The keys of
        other servers are copied from their tags, and a missing one is a warning.
      - The default is all servers.
    type: list
    elements: str
  verify:
    description:
      - Whether to compare the recorded keys with the consoles, with 1 call for each server. Different keys are an
        error.
    type: bool
    default: false
  deadline:
    description:
      - The time limit for the keys, in seconds.
      - The console output of Nitro instances is available immediately, that of others some minutes after the launch.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if the keys of all servers are recorded, and 0 with O(shared=false) and O(servers). 1 write for
    each server whose key is not in its tag.
seealso:
  - module: groundwork.aws.ec2_instance_group
"""

EXAMPLES = r"""
- name: Create the servers
  groundwork.aws.ec2_instance_group:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public: {count: 1, instance_type: t3.small}
  register: group

- name: Record their host keys before the first connection
  groundwork.aws.ec2_console_host_keys:
    environment_name: dev
    region: eu-central-1
    servers: "{{ group.servers | items2dict(key_name='name', value_name='id') }}"
    known_hosts: ~/.ssh/known_hosts.dev
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update) and V(delete).
      type: str
      returned: success
    resource:
      description: Always V(host keys).
      type: str
      returned: success
    name:
      description: The name of the server, or the id of an instance that does not exist any more.
      type: str
      returned: success
  sample:
    - action: create
      resource: host keys
      name: public-1
known_hosts:
  description: The path of the file.
  returned: success
  type: str
  sample: /home/me/.ssh/known_hosts.dev
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_console_host_keys import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.host_keys import converge_host_keys


def main() -> None:
    run_module(ARGUMENTS, converge_host_keys)


if __name__ == "__main__":
    main()
