#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_server_replacement
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Replace running servers by new ones, step by step
description:
  - A server is replaced by a successor, which is launched while its predecessor is running. The successor has the same
    tier, number and subnet, the name V(public-1-next), and the tag C(groundwork:replaces) with the predecessor's id,
    which is set by the call that launches it. When the predecessor is terminated, the successor gets the name
    V(public-1).
  - A successor is launched from the promoted image if the tier uses it, otherwise from the newest image that matches
    the tier's C(image).
  - The playbook C(groundwork.aws.replace) configures the successors and registers them with the load balancers between
    the steps. Each step can be repeated, and continues where an earlier run ended.
options:
  state:
    description:
      - V(planned) returns the batches of servers to replace, in order. It only changes the names of successors whose
        predecessors an earlier run has terminated. In check mode it also returns the changes of the other steps.
      - V(launched) launches the successors, and waits for them to be running.
      - V(replaced) deregisters the predecessors from the environment's target groups, drains and terminates them, and
        renames their successors.
      - V(kept) drains and terminates the successors instead.
    type: str
    choices: [planned, launched, replaced, kept]
    required: true
  replace:
    description:
      - The servers to replace, as V(outdated) or as a list. V(outdated) selects all servers that do not use the image
        of a successor.
      - In the list, a name such as V(public-1) selects a server only if it is outdated or if its replacement is in
        progress. The id of an instance selects that instance in any case. So a second run changes nothing.
    type: raw
    required: true
  replace_batch:
    description:
      - The number of servers of a tier that are replaced together, or a percentage of the tier such as V(50%), rounded
        down but at least one. The tier has that many additional servers during the replacement.
    type: str
    default: 50%
  database:
    description:
      - The server that has the databases of the sites, or V(each) if each server has its own. Empty if the servers have
        no databases.
    type: str
    default: ""
  local_files:
    description: Whether a site has shared files of which each server has its own.
    type: bool
    default: false
  replace_data:
    description:
      - What becomes of databases and shared files on the servers, which are deleted with them. With V(kept), a server
        that has any is not replaced.
      - V(backed_up) requires a complete backup of each such server that is not older than O(replace_backup_minutes).
        The new server has none of them, and M(groundwork.aws.server_backup) restores them. What is written after the
        backup is lost, so show the maintenance page first.
      - V(lost) deletes them. The server that has the databases of all sites must then be given by its name or id.
    type: str
    choices: [kept, backed_up, lost]
    default: kept
  replace_backup_minutes:
    description: The greatest age in minutes of the backups that O(replace_data=backed_up) requires.
    type: int
    default: 60
  tiers:
    description: The tiers, as in O(groundwork.aws.ec2_instance_group#module:tiers).
    type: dict
    required: true
  zones:
    description: The Availability Zones of the network, for tiers without C(subnets).
    type: list
    elements: str
    default: []
  key_file:
    description: The path of the public key, on the controller.
    type: path
    required: true
  key_file_planned:
    description: Whether O(key_file) may be missing in check mode.
    type: bool
    default: false
  metadata_hop_limit:
    description: The maximum number of network hops of a response of the instance metadata service.
    type: int
    default: 1
  allow_removal:
    description: Whether servers may exceed the C(count) of their tier. This module does not terminate them.
    type: bool
    default: false
  deadline:
    description: The time limit for all successors to be running, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. The reads of M(groundwork.aws.ec2_instance_group), 1 API call for each launch, 2 for each predecessor to
    terminate it and to rename its successor, and 1 every one or two seconds while waiting. With
    O(replace_data=backed_up) 1 more, and 1 for each server with data.
  - An interrupted launch is repeated with the same client token, so that no successor is launched twice.
seealso:
  - module: groundwork.aws.ec2_instance_group
  - module: groundwork.aws.elbv2_target_rotation
"""

EXAMPLES = r"""
- name: Show the servers to replace
  groundwork.aws.ec2_server_replacement:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public: {count: 2, instance_type: t3.small}
    state: planned
    replace: outdated

- name: Launch the successor of an instance, even if it is not outdated
  groundwork.aws.ec2_server_replacement:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public: {count: 2, instance_type: t3.small}
    state: launched
    replace: [i-0123456789abcdef0]

- name: Terminate the instance and rename its successor
  groundwork.aws.ec2_server_replacement:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public: {count: 2, instance_type: t3.small}
    state: replaced
    replace: [i-0123456789abcdef0]
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
      description: The kind of resource, V(server) or V(targets).
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
  sample:
    - action: create
      resource: server
      name: public-1-next
batches:
  description: The batches of servers to replace, as they were at the beginning of the step.
  returned: success
  type: list
  elements: list
  sample:
    - - name: public-1
        id: i-0123456789abcdef0
        tier: public
        successor: public-1-next
lines:
  description: The batches as lines of text, and the named servers that are not replaced.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_server_replacement import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.replacement_run import (
    converge_replacement,
)

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "key_file": {"no_log": False},
    "key_file_planned": {"no_log": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_replacement)


if __name__ == "__main__":
    main()
