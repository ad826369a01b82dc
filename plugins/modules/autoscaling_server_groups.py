#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_server_groups
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage tiers of servers as Auto Scaling groups
description:
  - Creates, updates and deletes the Auto Scaling groups of an environment, and the launch templates of their servers.
    Both have the name C(<environment>-<tier>).
  - The servers require IMDSv2, have an encrypted gp3 root volume, and have no key pair. They configure themselves by
    their image and their user data, without SSH.
  - The servers have the same tags as those of M(groundwork.aws.ec2_instance_group), except the number. That module and
    M(groundwork.aws.elbv2_application_lb) do not change them.
  - A new version of a launch template is created only if no existing version has the desired settings. Otherwise the
    existing version is used. The newest three versions and those in use are kept.
  - Servers of another version than the desired one are replaced by an instance refresh. The module waits for its end.
    If it fails, AWS restores the previous version, and the module fails with AWS' reason. Different tags of
    volumes and network interfaces do not cause a replacement.
  - The module waits for an instance refresh that is already in progress. If that one has another target, the desired
    one is started afterwards.
  - The module waits for all servers of each group to be in service. Use M(groundwork.aws.elbv2_target_health) to wait
    for them to be healthy behind the load balancers.
options:
  tiers:
    description:
      - The tiers by name. Each is a dictionary with the options below.
      - C(group) is a dictionary. C(min) and C(max) are required. C(desired) is the desired capacity. By default a new
        group has the desired capacity C(min), and an existing group keeps its own.
      - C(group.target_groups) are names of target groups. The default is the one with the tier's name. If there are
        any, servers that fail their health checks are replaced.
      - C(group.health_check_grace) is the health check grace period in seconds. The default is V(300).
      - C(group.warmup) is the default instance warmup in seconds. The default is V(0).
      - C(group.scaling) is a dictionary with the targets of target tracking scaling policies, which set the desired
        capacity between C(min) and C(max). It contains C(cpu_percent), the average CPU utilization from V(1) to V(100),
        C(requests_per_target), the requests per minute and server, or both. With both, the group grows when one is
        exceeded, and shrinks when it is possible by both.
      - C(group.scaling.target_group) is the target group whose requests are counted. It is required if the group has
        several. Its load balancer must exist.
      - C(group.scaling.disable_scale_in) is whether the policies only let the group grow. The default is V(false).
      - C(group.scaling.warmup) is the time in seconds until a new server counts. The default is C(group.warmup).
      - Without C(group.scaling) the policies of this module are deleted. They have the names C(groundwork-cpu) and
        C(groundwork-requests). Policies with other names are not changed.
      - C(image) is a dictionary with either C(id), the id of an image, or C(parameter), the name of a parameter that
        contains such an id. The default is the parameter C(/groundwork/<environment>/image/lamp).
      - C(instance_type), C(root_volume_gib), C(subnets), C(security_groups), C(public_ip), C(instance_profile),
        C(user_data) and C(cpu_credits) are those of M(groundwork.aws.ec2_instance_group).
    type: dict
    required: true
  zones:
    description:
      - The Availability Zones of the network, for tiers without C(subnets).
    type: list
    elements: str
    default: []
  metadata_hop_limit:
    description:
      - The maximum number of network hops of a response of the instance metadata service.
    type: int
    default: 1
  refresh:
    description:
      - Whether to replace servers of another version of the launch template. If V(false), only new servers have the new
        version, and a warning lists the others.
    type: bool
    default: true
  refresh_min_healthy:
    description:
      - The minimum percentage of the desired capacity that must be healthy during an instance refresh.
    type: int
    default: 100
  refresh_max_healthy:
    description:
      - The maximum percentage of the desired capacity during an instance refresh. With more than 100, new servers are
        launched before old ones are terminated. It may exceed O(refresh_min_healthy) by at most 100.
    type: int
    default: 150
  refresh_deadline:
    description:
      - The time limit for an instance refresh, in seconds.
    type: int
    default: 3600
  allow_removal:
    description:
      - Whether to delete groups of the environment that are not declared, with their servers and launch templates. If
        V(false), such groups are an error.
    type: bool
    default: false
  deadline:
    description:
      - The time limit for all servers to be in service, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 8 API calls and 2 for each tier if nothing changes. 1 less if all tiers have an image C(id).
seealso:
  - module: groundwork.aws.ec2_instance_group
  - module: groundwork.aws.elbv2_application_lb
"""

EXAMPLES = r"""
- name: Create a group of two to six servers with the promoted image
  groundwork.aws.autoscaling_server_groups:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    tiers:
      public:
        group: {min: 2, max: 6}
        instance_type: t3.small
        instance_profile: dev-public

- name: Let the group grow and shrink by the requests per minute and the CPU of its servers
  groundwork.aws.autoscaling_server_groups:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    tiers:
      public:
        group:
          min: 2
          max: 6
          scaling: {requests_per_target: 1000, cpu_percent: 60, warmup: 60}
        instance_type: t3.small

- name: Use a new image for new servers, without replacing existing ones
  groundwork.aws.autoscaling_server_groups:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    refresh: false
    tiers:
      public:
        group: {min: 2, max: 6}
        instance_type: t3.small
        instance_profile: dev-public
        image: {id: ami-0123456789abcdef0}
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
      description: The kind of resource, as AWS names it.
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
  sample:
    - action: create
      resource: auto scaling group
      name: public
groups:
  description: The declared Auto Scaling groups.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the group in AWS.
      type: str
      returned: success
      sample: dev-public
    tier:
      description: The tier.
      type: str
      returned: success
    planned:
      description: Whether it does not exist yet, in check mode.
      type: bool
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
    image_id:
      description: The id of the image that new servers are launched from.
      type: str
      returned: success
    version:
      description: The version of the launch template that new servers are launched from.
      type: str
      returned: success
    servers:
      description: The servers of the group.
      type: list
      elements: dict
      returned: success
      contains:
        id:
          description: The id of the instance.
          type: str
          returned: success
        zone:
          description: The Availability Zone.
          type: str
          returned: success
        state:
          description: The lifecycle state, such as V(InService).
          type: str
          returned: success
        healthy:
          description: Whether Auto Scaling reports it as healthy.
          type: bool
          returned: success
        version:
          description: The version of the launch template that it was launched from.
          type: str
          returned: success
    outdated:
      description: The ids of the servers that do not have the desired version. In check mode, those to replace.
      type: list
      elements: str
      returned: success
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.autoscaling_server_groups import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.run import converge_server_groups


def main() -> None:
    run_module(ARGUMENTS, converge_server_groups)


if __name__ == "__main__":
    main()
