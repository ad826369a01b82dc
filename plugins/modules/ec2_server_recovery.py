#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_server_recovery
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Make servers reachable again whose private key or host keys are lost
description:
  - Installs a public key on running or stopped servers, and reads their host keys again, without a connection to them.
    Their disks and data are kept.
  - Stops a server and adds a script to its user data. It starts the server, and cloud-init executes the script at the
    boot, which prints the host keys on the console. The module records them as M(groundwork.aws.ec2_console_host_keys)
    does. Then it stops the server, restores its user data, and starts it. EC2 changes the user data of stopped
    instances only.
  - A server gets a new public IP address at a start, unless it has an Elastic IP address.
  - The script replaces the key of EC2's key pair in C(authorized_keys) of O(user) and of C(root). Other keys are kept.
    It generates host keys only if the server has none.
  - Gives EC2's key pair the public key first, if it has another one, so that new servers get it too.
  - The image must have cloud-init, as all images of Linux distributions for EC2 do.
  - The role servers deregisters the servers from their load balancers before, and registers them afterwards.
options:
  recover:
    description:
      - The servers to recover, by name or instance ID, as a list or separated by commas. V(all) are all servers of the
        environment that no Auto Scaling group has launched.
    type: raw
    required: true
  recover_downtime:
    description:
      - Whether the interruption of the servers is V(accepted). Otherwise nothing is changed, and the message says what
        the recovery would interrupt.
    type: str
    choices: [refused, accepted]
    default: refused
  state:
    description:
      - V(planned) checks the options and returns RV(servers) and RV(lines). V(recovered) recovers the servers, one
        after the other.
    type: str
    choices: [planned, recovered]
    default: recovered
  key_file:
    description:
      - The path of the public key, on the controller. The key must be of type ed25519 or RSA.
    type: path
    required: true
  key_file_planned:
    description:
      - Whether a later task of the play creates O(key_file), so that it may be missing with O(state=planned) and in
        check mode.
    type: bool
    default: false
  known_hosts:
    description:
      - The path of the file for the host keys, on the controller.
    type: path
    required: true
  user:
    description:
      - The user that Ansible connects as. The default is the one of Debian's images.
    type: str
    default: admin
  database:
    description:
      - The server with the database of all sites, V(each) if every server has its own, or empty. It is announced.
    type: str
    default: ""
  deadline:
    description:
      - The time limit for a server to be running, and again for its host keys, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 3 API calls. For each server 6 reads, 7 writes, and 1 read every two or three seconds while waiting.
  - After an interrupted run, run again. A recovery that has printed the host keys goes on, another one begins again.
seealso:
  - module: groundwork.aws.ssm_private_key
  - module: groundwork.aws.ec2_console_host_keys
  - module: groundwork.aws.ec2_server_replacement
"""

EXAMPLES = r"""
- name: Recover a server whose host keys are lost
  groundwork.aws.ec2_server_recovery:
    environment_name: dev
    region: eu-central-1
    recover: [public-1]
    recover_downtime: accepted
    key_file: ~/.ssh/groundwork-dev.pub
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
      description: One of V(create) and V(update).
      type: str
      returned: success
    resource:
      description: One of V(key pair), V(server) and V(host keys).
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
  sample:
    - action: update
      resource: server
      name: public-1
servers:
  description: The servers in the order of their recovery.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      returned: success
    id:
      description: The id of the instance.
      type: str
      returned: success
    tier:
      description: The tier.
      type: str
      returned: success
    held:
      description: The reason why the server is not registered with target groups, or an empty string.
      type: str
      returned: success
  sample:
    - name: public-1
      id: i-0123456789abcdef0
      tier: public
      held: ""
target_groups:
  description: The names of the environment's target groups that exist, which may be none before the first complete run.
  returned: success
  type: list
  elements: str
  sample: [private, public]
lines:
  description: What the recovery does to each server, for the user.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      public-1 (i-0123456789abcdef0) is deregistered from its load balancers, stopped and started twice, its disks and
      data are kept, its public address 203.0.113.7 changes
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_server_recovery import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery_run import converge_recovery

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "key_file": {"no_log": False},
    "key_file_planned": {"no_log": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_recovery)


if __name__ == "__main__":
    main()
