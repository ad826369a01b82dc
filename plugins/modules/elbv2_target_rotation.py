#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elbv2_target_rotation
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Take servers out of their load balancers' rotation, and put them back
description:
  - Takes a batch of servers out of the target groups of their tier and waits until they have drained, or puts them
    back and waits until they are found healthy.
  - A run that was stopped is completed by running again, in either direction; M(groundwork.aws.elbv2_application_lb)
    puts servers back too, since it registers all servers of a tier.
options:
  servers:
    description: The servers by name, as V(public-1).
    type: list
    elements: str
    required: true
  state:
    description:
      - With V(drained) the servers are deregistered, and waited for until each has ended the requests that it had
        begun. That takes the target group's deregistration delay, since ELB tells of nothing earlier.
      - With V(serving) the servers are registered, and waited for until they are healthy.
    type: str
    choices: [serving, drained]
    required: true
  target_groups:
    description: The target groups by name, each with the tier whose servers it has.
    type: dict
    required: true
  leave:
    description:
      - How many healthy targets each target group must have left when servers are taken out. With fewer nothing is
        done. V(0) takes out the last one too.
    type: int
    default: 1
  deadline:
    description: For how many seconds to wait until the servers are healthy.
    type: int
    default: 180
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 2 API calls, 2 for each target group, 1 write for each target group that changes, and one look a second
    while waiting, whatever the number of servers. V(serving) takes one more, and another one for each load balancer.
seealso:
  - module: groundwork.aws.elbv2_application_lb
  - module: groundwork.aws.elbv2_target_health
"""

EXAMPLES = r"""
- name: Take a server of each tier out
  groundwork.aws.elbv2_target_rotation:
    environment_name: dev
    region: eu-central-1
    servers: [public-1, private-1]
    state: drained
    target_groups: {public: public, private: private}

- name: Put them back
  groundwork.aws.elbv2_target_rotation:
    environment_name: dev
    region: eu-central-1
    servers: [public-1, private-1]
    state: serving
    target_groups: {public: public, private: private}
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
      description: The kind of resource, V(targets).
      type: str
      returned: success
    name:
      description: The target group's name.
      type: str
      returned: success
  sample:
    - action: delete
      resource: targets
      name: public
absent:
  description: The servers that were not registered everywhere when the run began.
  returned: success
  type: list
  elements: str
  sample: [public-1]
urls:
  description: With V(serving), where each target group is reached, by its name.
  returned: success
  type: dict
  sample:
    public: http://dev-public-1234567890.eu-central-1.elb.amazonaws.com
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation_run import (
    ARGUMENTS,
    converge_target_rotation,
)


def main() -> None:
    run_module(ARGUMENTS, converge_target_rotation)


if __name__ == "__main__":
    main()
