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
short_description: Wait until the targets of an environment's load balancers are healthy
description:
  - Waits until the servers behind the load balancers are found healthy, and tells for each that is not what Elastic
    Load Balancing says about it.
  - Targets that are on their way out, and those whose server is stopped, are not waited for.
options:
  target_groups:
    description: The names of the target groups, as in M(groundwork.aws.elbv2_application_lb).
    type: list
    elements: str
    required: true
  healthy:
    description: How many healthy targets each target group must have. V(0) is all that it has.
    type: int
    default: 0
  deadline:
    description: For how many seconds to wait.
    type: int
    default: 180
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. One API call, and one for each target group when all is well.
  - In check mode it passes without waiting, and tells in RV(awaited) what it would wait for.
seealso:
  - module: groundwork.aws.elbv2_application_lb
"""

EXAMPLES = r"""
- name: Wait until both tiers are served
  groundwork.aws.elbv2_target_health:
    environment_name: dev
    region: eu-central-1
    target_groups: [public, private]
"""

RETURN = r"""
awaited:
  description: The target groups that were waited for, or in check mode would be.
  returned: success
  type: list
  elements: str
  sample: [public, private]
targets:
  description: All targets as they were found; empty in check mode.
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
      description: The state, in ELB's words.
      type: str
      returned: success
    reason:
      description: The reason's code, empty for a healthy target.
      type: str
      returned: success
    description:
      description: The reason in words, empty for a healthy target.
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

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import (
    ARGUMENTS,
    converge_target_health,
)


def main() -> None:
    run_module(ARGUMENTS, converge_target_health)


if __name__ == "__main__":
    main()
