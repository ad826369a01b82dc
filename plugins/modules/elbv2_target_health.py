#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elbv2_target_health
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Wait for the targets of an environment's load balancers to be healthy
description:
  - Waits for the servers behind the load balancers to be healthy. At the deadline it fails with the state and reason
    of each target that is not healthy.
  - Targets that are draining, and targets whose server is stopped, are not counted.
options:
  target_groups:
    description: The names of the target groups, as in M(groundwork.aws.elbv2_application_lb).
    type: list
    elements: str
    required: true
  healthy:
    description: The number of healthy targets that each target group must have. V(0) means all of its targets.
    type: int
    default: 0
  wait:
    description: Whether to wait. Otherwise the module reports the states of the targets as they are.
    type: bool
    default: true
  deadline:
    description: The time limit, in seconds.
    type: int
    default: 180
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call, and 1 for each target group if all targets are healthy.
  - In check mode it does not wait, and returns in RV(awaited) the target groups.
seealso:
  - module: groundwork.aws.elbv2_application_lb
"""

EXAMPLES = r"""
- name: Wait for the targets of both tiers to be healthy
  groundwork.aws.elbv2_target_health:
    environment_name: dev
    region: eu-central-1
    target_groups: [public, private]
"""

RETURN = r"""
awaited:
  description: The target groups, for which check mode does not wait.
  returned: success
  type: list
  elements: str
  sample: [public, private]
targets:
  description: All targets. The list is empty in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    group:
      description: The target group's name.
      type: str
      returned: success
    id:
      description: The instance's id.
      type: str
      returned: success
    port:
      description: The port.
      type: int
      returned: success
    state:
      description: The state that ELB reports.
      type: str
      returned: success
    reason:
      description: The reason code. Empty for a healthy target.
      type: str
      returned: success
    description:
      description: The description of the reason. Empty for a healthy target.
      type: str
      returned: success
  sample:
    - group: public
      id: i-0a1b2c3d4e5f60718
      port: 80
      state: healthy
      reason: ""
      description: ""
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_target_health import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import (
    converge_target_health,
)


def main() -> None:
    run_module(ARGUMENTS, converge_target_health)


if __name__ == "__main__":
    main()
