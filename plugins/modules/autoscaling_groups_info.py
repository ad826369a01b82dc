#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_groups_info
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Read the sizes and the scaling policies of an environment's Auto Scaling groups
description:
  - Returns the Auto Scaling groups that have the tag of the environment, with the capacity that they have and want, and
    their scaling policies.
options: {}
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls.
  - Permissions. C(autoscaling:DescribeAutoScalingGroups) and C(autoscaling:DescribePolicies).
seealso:
  - module: groundwork.aws.autoscaling_server_groups
"""

EXAMPLES = r"""
- name: Read the Auto Scaling groups
  groundwork.aws.autoscaling_groups_info:
    environment_name: dev
    region: eu-central-1
  register: scaling
"""

RETURN = r"""
groups:
  description: The groups, sorted by their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the group in AWS.
      type: str
      returned: success
    tier:
      description: The tier.
      type: str
      returned: success
    min:
      description: The minimum capacity.
      type: int
      returned: success
    max:
      description: The maximum capacity.
      type: int
      returned: success
    desired:
      description: The desired capacity.
      type: int
      returned: success
    in_service:
      description: The number of servers that are healthy and in service.
      type: int
      returned: success
    policies:
      description: The scaling policies, sorted by their names.
      type: list
      elements: dict
      returned: success
      contains:
        name:
          description: The name.
          type: str
          returned: success
        metric:
          description: The predefined metric. Empty for a policy of another type than target tracking.
          type: str
          returned: success
        target:
          description: The target value of the metric.
          type: float
          returned: success
        scales_in:
          description: Whether it lets the group shrink.
          type: bool
          returned: success
        enabled:
          description: Whether it is enabled.
          type: bool
          returned: success
  sample:
    - name: dev-public
      tier: public
      min: 2
      max: 6
      desired: 3
      in_service: 3
      policies:
        - name: groundwork-cpu
          metric: ASGAverageCPUUtilization
          target: 60.0
          scales_in: true
          enabled: true
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.autoscaling_groups_info import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.looking import look_at_groups


def main() -> None:
    run_module(ARGUMENTS, look_at_groups)


if __name__ == "__main__":
    main()
