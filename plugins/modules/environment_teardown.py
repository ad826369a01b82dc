#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_teardown
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Remove an environment, and prove that nothing of it is left
description:
  - Removes everything that carries the tag C(groundwork:environment) of one environment, and what belongs to it without
    tags, from what AWS tells alone. No inventory of what was made is needed, and no state file.
  - What takes AWS minutes goes at the same time, the rest in the order of what needs what. Each step awaits what it has
    to await, and nothing else.
  - What is not the environment's is never touched. What it rests on stays too, whole and working. So an instance that
    somebody launched in a subnet keeps the subnet, its route table with its gateways, its groups and the VPC.
  - Ends with another look at every type of resource. Whatever is left then makes the module fail, which names it with
    its id, the reason and a remedy.
options:
  environment_confirm:
    description:
      - The environment's name once more. With another one, or without, nothing is done and nothing is read.
    type: str
    default: ''
  images:
    description:
      - Whether the images that were captured of its servers go too, with their snapshots and the parameters that
        name them. An image that somebody else's instances or launch templates use stays, and is told.
    type: bool
    default: false
  buckets:
    description:
      - Whether its buckets go too, with every version of what is in them.
    type: bool
    default: false
  deadline:
    description:
      - How long to wait for any one thing to be gone, in seconds. A distribution can take AWS a quarter of an hour.
    type: int
    default: 1800
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - A parameter of the type SecureString goes with the environment, and with it the password of a database that is gone.
  - Listeners and rules are parts of their balancer, and routes to what is gone of their route table, whoever made them.
"""

EXAMPLES = r"""
- name: Remove the environment dev, apart from its images and buckets
  groundwork.aws.environment_teardown:
    environment_name: dev
    environment_confirm: dev
    region: eu-central-1
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(delete), or V(update) for what has to let go of something before it can be deleted.
      type: str
      returned: always
    resource:
      description: The kind of resource, in AWS' words.
      type: str
      returned: always
    name:
      description: The name that people use.
      type: str
      returned: always
  sample:
    - action: delete
      resource: nat gateway
      name: nat-a
found:
  description: How many resources of the environment the last look found, by kind.
  returned: always
  type: dict
  sample:
    server: 0
    subnet: 0
keepers:
  description: What keeps something of the environment, one sentence each.
  returned: always
  type: list
  elements: str
  sample:
    - instance i-0a1b2c3d4e5f60718 in subnet public-a, not ours, keeps subnet public-a, vpc main
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import converge_teardown

ARGUMENTS = {
    "environment_confirm": {"type": "str", "default": ""},
    "images": {"type": "bool", "default": False},
    "buckets": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 1800},
}


def main() -> None:
    run_module(ARGUMENTS, converge_teardown)


if __name__ == "__main__":
    main()
