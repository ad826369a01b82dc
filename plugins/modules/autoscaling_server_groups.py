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
short_description: Keep tiers of servers as Auto Scaling groups
description:
  - Converges the Auto Scaling groups of an environment in one process, with the launch templates that their servers
    start from. Both are called C(<environment>-<tier>).
  - A server requires IMDSv2, has an encrypted gp3 root volume, and no key pair. It configures itself by its image and
    its user data, so nobody has to connect to it.
  - The servers get the tags that the collection's own servers have, besides a number.
    M(groundwork.aws.ec2_instance_group) and M(groundwork.aws.elbv2_application_lb) leave them alone.
  - A new version of a launch template is made only when what it says differs from every version that there is. A
    version that once was is used again. The newest three and those in use are kept.
  - When servers are of another version than they should be, they are replaced by an instance refresh, which is
    watched to its end. One that fails puts the servers back to the version before, and is told with AWS' reason. New
    tags of volumes and interfaces alone replace nothing.
  - An instance refresh that is under way is waited for. If it is to something else, the wanted one follows it.
  - The module ends when each group has all its servers in service. Whether they serve is told by
    M(groundwork.aws.elbv2_target_health).
options:
  tiers:
    description:
      - The tiers by name. Each is a dictionary with the options below.
      - C(group) is a dictionary. C(min) and C(max) are required. C(desired) is the capacity. When it is not given, a
        group begins with C(min) and keeps what it has.
      - C(group.target_groups), names of target groups. By default the one that is called as the tier. With any, a
        server that they call unhealthy is replaced.
      - C(group.health_check_grace), for how many seconds a new server may be unhealthy. By default V(300).
      - C(group.warmup), for how many seconds a new server that is healthy does not count yet when servers are
        replaced. By default V(0).
      - C(image) is a dictionary with either C(id), an image, or C(parameter), the path of a parameter that names one.
        By default the parameter C(/groundwork/<environment>/image/lamp).
      - C(instance_type), C(root_volume_gib), C(subnets), C(security_groups), C(public_ip), C(instance_profile) and
        C(user_data) mean the same as for M(groundwork.aws.ec2_instance_group).
    type: dict
    required: true
  zones:
    description:
      - The availability zones of the network, for the tiers that do not name their subnets.
    type: list
    elements: str
    default: []
  metadata_hop_limit:
    description:
      - How many network hops an answer of the instance metadata service travels.
    type: int
    default: 1
  refresh:
    description:
      - Whether servers of another version are replaced. If not, new servers alone are of the new one, and a warning
        tells which are not.
    type: bool
    default: true
  refresh_min_healthy:
    description:
      - How many percent of the capacity have to be healthy while servers are replaced.
    type: int
    default: 100
  refresh_max_healthy:
    description:
      - How many percent of the capacity there may be while servers are replaced. More than 100 launches servers
        before others go. At most 100 more than O(refresh_min_healthy).
    type: int
    default: 150
  refresh_deadline:
    description:
      - How long to wait until servers are replaced, in seconds.
    type: int
    default: 3600
  allow_removal:
    description:
      - Whether groups of the environment that are not declared are removed, with their servers and launch templates.
        Without it they are refused.
    type: bool
    default: false
  deadline:
    description:
      - How long to wait until all servers are in service, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. Seven API calls when there is nothing to do, and two for each tier. One less when all tiers give an image
    by its id.
seealso:
  - module: groundwork.aws.ec2_instance_group
  - module: groundwork.aws.elbv2_application_lb
"""

EXAMPLES = r"""
- name: Keep two to six servers, from the promoted image
  groundwork.aws.autoscaling_server_groups:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    tiers:
      public:
        group: {min: 2, max: 6}
        instance_type: t3.small
        instance_profile: dev-public

- name: Bring a new image out, but replace nothing yet
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
      description: The kind of resource, in AWS' words.
      type: str
      returned: success
    name:
      description: The name that people use.
      type: str
      returned: success
  sample:
    - action: create
      resource: auto scaling group
      name: public
groups:
  description: The declared groups.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The group's name.
      type: str
      returned: success
      sample: dev-public
    tier:
      description: The tier.
      type: str
      returned: success
    planned:
      description: Whether it does not exist yet.
      type: bool
      returned: success
    min:
      description: The least capacity.
      type: int
      returned: success
    max:
      description: The most capacity.
      type: int
      returned: success
    desired:
      description: The capacity.
      type: int
      returned: success
    image_id:
      description: The image that new servers start from.
      type: str
      returned: success
    version:
      description: The launch template's version that the group launches from.
      type: str
      returned: success
    servers:
      description: The group's servers.
      type: list
      elements: dict
      returned: success
      contains:
        id:
          description: The instance's id.
          type: str
          returned: success
        zone:
          description: Its availability zone.
          type: str
          returned: success
        state:
          description: Its state in the group, as V(InService).
          type: str
          returned: success
        healthy:
          description: Whether Auto Scaling finds it healthy.
          type: bool
          returned: success
        version:
          description: The launch template's version that it was launched from.
          type: str
          returned: success
    outdated:
      description: The ids of the servers that are not of the wanted version. In check mode they would be replaced.
      type: list
      elements: str
      returned: success
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.run import converge_server_groups


def main() -> None:
    run_module(ARGUMENTS, converge_server_groups)


if __name__ == "__main__":
    main()
