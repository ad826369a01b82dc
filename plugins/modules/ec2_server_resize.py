#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_server_resize
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Give existing servers another instance type
description:
  - Stops servers whose type differs from the C(instance_type) of their tier, changes their type, and starts them, one
    after the other. Their disks and data are kept, and so are their private addresses.
  - A server gets a new public IP address at a start, unless it has an Elastic IP address.
  - Before the first server is stopped, the module checks that the Availability Zones of all servers offer the type,
    that it has the architecture of the servers, and that the account's quota of vCPUs is not exceeded.
  - If EC2 refuses the type or the start, for example because it lacks capacity, the server is started with its former
    type, and the module fails.
  - The servers of Auto Scaling groups are replaced instead, by M(groundwork.aws.autoscaling_server_groups).
  - The role servers deregisters the servers from their load balancers before, and registers them afterwards.
options:
  resize:
    description:
      - The servers to change, by name or instance ID, as a list or separated by commas. V(all) are all servers of the
        tiers. Servers that have the type of their tier are left as they are.
    type: raw
    required: true
  resize_downtime:
    description:
      - Whether the interruption of the servers is V(accepted). Otherwise nothing is changed, and the message says what
        would be interrupted.
    type: str
    choices: [refused, accepted]
    default: refused
  state:
    description:
      - V(planned) checks the options and returns RV(servers) and RV(lines). V(resized) changes the servers, one after
        the other.
    type: str
    choices: [planned, resized]
    default: resized
  tiers:
    description: The tiers, as for M(groundwork.aws.ec2_instance_group).
    type: dict
    required: true
  zones:
    description: The Availability Zones of the network, for tiers without C(subnets).
    type: list
    elements: str
    default: []
  database:
    description:
      - The server with the database of all sites, V(each) if every server has its own, or empty. It is announced.
    type: str
    default: ""
  deadline:
    description: The time limit for a server to be running, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, 3 more if a server changes, and 1 for each quota of vCPUs of which more is needed. For each
    server 2 reads, 3 writes, and 1 read every two seconds while waiting.
  - After an interrupted run, run again.
seealso:
  - module: groundwork.aws.ec2_instance_group
  - module: groundwork.aws.ec2_server_recovery
  - module: groundwork.aws.ec2_server_replacement
"""

EXAMPLES = r"""
- name: Give the public servers the type of their tier
  groundwork.aws.ec2_server_resize:
    environment_name: dev
    region: eu-central-1
    resize: [public-1, public-2]
    resize_downtime: accepted
    zones: [eu-central-1a, eu-central-1b]
    tiers:
      public: {count: 2, instance_type: t3.large}
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(update).
      type: str
      returned: success
    resource:
      description: V(server).
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
  description: The servers in the order of their changes.
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
as_before:
  description: Whether the servers to change run with their former types.
  returned: when EC2 refuses a change, or the options are invalid
  type: bool
lines:
  description: What happens to each server, for the user.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      public-1 (i-0123456789abcdef0) is deregistered from its load balancers, stopped, changed from t3.small to t3.large
      and started, its disks and data are kept, its public address 203.0.113.7 changes
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_server_resize import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.resizing_run import converge_resize


def main() -> None:
    run_module(ARGUMENTS, converge_resize)


if __name__ == "__main__":
    main()
