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
short_description: Deregister servers from their target groups, and register them again
description:
  - Deregisters a batch of servers from the target groups of their tier and waits for them to be drained, or registers
    them and waits for them to be healthy.
  - After an interrupted run, run again with either state. M(groundwork.aws.elbv2_application_lb) also registers the
    servers, because it registers all servers of a tier, except held ones.
options:
  servers:
    description: The servers by name, as V(public-1).
    type: list
    elements: str
    required: true
  state:
    description:
      - With V(drained) the servers are deregistered, and the module waits for them to be drained. This takes the target
        group's deregistration delay, also if their requests are completed earlier.
      - With V(serving) the servers are registered, the module waits for them to be healthy, and they are not held any
        more.
      - With V(held) the servers are deregistered and get the tag C(groundwork:held). The module does not wait. Other
        modules do not register them until this module does so with V(serving). For servers that do not serve what the
        others serve, as one that was stopped during a release.
    type: str
    choices: [serving, drained, held]
    required: true
  reason:
    description: Why the servers are held, for V(state=held). It is the value of the tag, at most 256 characters.
    type: str
    default: ""
  skip_held:
    description: Whether held servers are left as they are.
    type: bool
    default: false
  drain_planned:
    description:
      - Whether earlier tasks of the play deregister the servers, so that check mode plans O(state=held) without
        another deregistration, and for O(state=serving) their registration.
    type: bool
    default: false
  target_groups:
    description: The target groups by name, each with the tier of its servers.
    type: dict
    required: true
  names:
    description: The domain names of the load balancers, as the role alb has them.
    type: dict
    default: {}
  behind:
    description: The load balancers that only their names reach, because a CloudFront distribution is in front of them.
    type: list
    elements: str
    default: []
  leave:
    description:
      - The number of healthy targets that each target group must keep when servers are deregistered. With fewer the
        module fails before any change. V(0) allows deregistering the last one.
    type: int
    default: 1
  deadline:
    description: The time limit for the servers to be healthy, in seconds.
    type: int
    default: 180
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, 2 for each target group, 1 write for each target group that changes, and 1 read per second
    while waiting, for any number of servers. V(serving) needs 1 more, and another 1 for each load balancer. Another
    write adds or removes the tag.
seealso:
  - module: groundwork.aws.elbv2_application_lb
  - module: groundwork.aws.elbv2_target_health
"""

EXAMPLES = r"""
- name: Deregister a server of each tier
  groundwork.aws.elbv2_target_rotation:
    environment_name: dev
    region: eu-central-1
    servers: [public-1, private-1]
    state: drained
    target_groups: {public: public, private: private}

- name: Register them again
  groundwork.aws.elbv2_target_rotation:
    environment_name: dev
    region: eu-central-1
    servers: [public-1, private-1]
    state: serving
    target_groups: {public: public, private: private}

- name: Do not send requests to a stopped server when it is started again
  groundwork.aws.elbv2_target_rotation:
    environment_name: dev
    region: eu-central-1
    servers: [private-2]
    state: held
    reason: It was stopped during a release.
    target_groups: {public: public, private: private}
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
      description: The kind of resource, V(targets) or V(tag).
      type: str
      returned: success
    name:
      description: The target group's name, or the tag's key.
      type: str
      returned: success
  sample:
    - action: delete
      resource: targets
      name: public
absent:
  description: The servers that were held, or not registered with all target groups of their tier, when the run began.
  returned: success
  type: list
  elements: str
  sample: [public-1]
urls:
  description: With V(serving), the URL of each target group, by its name.
  returned: success
  type: dict
  sample:
    public: http://dev-public-1234567890.eu-central-1.elb.amazonaws.com
names:
  description: With V(serving), the domain names of each target group, by its name.
  returned: success
  type: dict
  sample:
    public: [www.example.com]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_target_rotation import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation_run import (
    converge_target_rotation,
)


def main() -> None:
    run_module(ARGUMENTS, converge_target_rotation)


if __name__ == "__main__":
    main()
