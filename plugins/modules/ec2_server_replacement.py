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
short_description: Replace running servers by new ones, a step at a time
description:
  - A server is replaced by a successor, which is launched while its predecessor serves. It has the same tier, number
    and subnet, is called V(public-1-next), and is tagged C(groundwork:replaces) with its predecessor's id in the very
    call that launches it. When the predecessor is gone it gets the name V(public-1).
  - A successor starts from the promoted image of its environment, or else from the newest image of the tier's choice.
  - What is between the steps, configuration and the balancers, is up to C(groundwork.aws.replace). Each step can be run
    again, and goes on where an earlier run ended.
options:
  state:
    description:
      - With V(planned) it tells who will be replaced together, in which order. It changes nothing but the names of
        servers whose predecessors an earlier run had terminated. In check mode it tells of the other steps' changes.
      - With V(launched) the successors are launched, and waited for until they run.
      - With V(replaced) the predecessors are taken out of the environment's target groups, drained and terminated, and
        their successors get their names.
      - With V(kept) it is the successors that are drained and terminated.
    type: str
    choices: [planned, launched, replaced, kept]
    required: true
  replace:
    description:
      - Which servers. V(outdated) for all that do not run the image that a successor would start from, or a list.
      - In the list a name as V(public-1) stands for a server that is outdated or whose replacement was begun, an
        instance's id for that very instance, outdated or not. So a second run has nothing to do.
    type: raw
    required: true
  replace_batch:
    description:
      - How many servers of a tier are replaced together, a number, or a share of the tier as V(50%), rounded down. So
        many servers more there are meanwhile.
    type: str
    default: 50%
  database:
    description:
      - Where the sites' databases are, V(each) for on every server, or the name of one server, which is not replaced.
        Empty when there are none.
    type: str
    default: ""
  replace_data:
    description:
      - What becomes of databases on the servers. V(lost) is wanted where there are any, since they go with the disks.
    type: str
    choices: [kept, lost]
    default: kept
  tiers:
    description: The tiers, as the option O(groundwork.aws.ec2_instance_group#module:tiers).
    type: dict
    required: true
  zones:
    description: The availability zones of the network, for the tiers that do not name their subnets.
    type: list
    elements: str
    default: []
  key_file:
    description: The file with the public key, on the controller.
    type: path
    required: true
  key_file_planned:
    description: Whether O(key_file) may be missing in check mode.
    type: bool
    default: false
  metadata_hop_limit:
    description: How many network hops an answer of the instance metadata service travels.
    type: int
    default: 1
  allow_removal:
    description: Whether there may be servers that are more than a tier's C(count). They are left alone here.
    type: bool
    default: false
  deadline:
    description: How long to wait until all successors run, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. The reads of M(groundwork.aws.ec2_instance_group), one launch for each successor, one call that terminates
    and one that names for each predecessor, and one look a second or two while waiting.
  - A launch that was interrupted is found again by its client token, so no successor is launched twice.
seealso:
  - module: groundwork.aws.ec2_instance_group
  - module: groundwork.aws.elbv2_target_rotation
"""

EXAMPLES = r"""
- name: See who is to be replaced
  groundwork.aws.ec2_server_replacement:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public: {count: 2, instance_type: t3.small}
    state: planned
    replace: outdated

- name: Launch the successor of one, whatever it runs
  groundwork.aws.ec2_server_replacement:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public: {count: 2, instance_type: t3.small}
    state: launched
    replace: [i-0123456789abcdef0]

- name: Give it its predecessor's place
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
  description: What was changed, or in check mode would be, in order.
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
      description: The name that people use.
      type: str
      returned: success
  sample:
    - action: create
      resource: server
      name: public-1-next
batches:
  description: The servers that are replaced together, as they were when the step began.
  returned: success
  type: list
  elements: list
  sample:
    - - name: public-1
        id: i-0123456789abcdef0
        tier: public
        successor: public-1-next
lines:
  description: The same in words, and who is left alone.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.replacement_run import (
    ARGUMENTS,
    converge_replacement,
)


def main() -> None:
    run_module(ARGUMENTS, converge_replacement)


if __name__ == "__main__":
    main()
