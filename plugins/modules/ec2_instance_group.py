#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_instance_group
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep the numbered servers of all tiers
description:
  - Converges the EC2 instances of all tiers of an environment in one process, with the key pair that they are launched
    with. The servers of a tier are called V(public-1), V(public-2) and so on, and go round the tier's subnets.
  - A server requires IMDSv2, has an encrypted gp3 root volume, and tags on the instance, its volume and its network
    interface that are set in the very call that launches it.
  - New servers start from the environment's promoted image (M(groundwork.aws.ec2_golden_image)). Without one they start
    from the image that the environment's servers of the same choice run on, and from the newest one only when none
    runs. A newer image is reported and never replaces anything.
  - A server that was terminated by hand is replaced. One that was stopped is started, because declared servers run.
  - Security groups, metadata options, tags and an instance profile are corrected in place. Another instance type,
    subnet, image, root volume or user data would need a replacement or a stop, so it is reported as a warning with what
    to do.
  - Lowering a count removes the servers with the highest numbers, and only with O(allow_removal=true). Before that they
    are taken out of the environment's target groups, and waited for until they have drained.
  - M(amazon.aws.ec2_instance) matches instances by their image too, so that a new image means more servers, cannot be
    planned before its subnet exists, and takes a process and some calls for each server.
options:
  tiers:
    description:
      - The tiers by name, as V(public) and V(private). Each is a dictionary with the options below.
      - C(count) is the number of servers. Required.
      - C(instance_type), as V(t3.small). Required.
      - C(root_volume_gib), the size of the root volume, at least V(8). As large as the image when it is not given.
      - C(subnets), names of subnets. By default one per zone of O(zones), called C(<tier>-<the zone's letter>).
      - C(security_groups), names of security groups, at most 5. By default C(<tier>-servers).
      - C(public_ip), whether a server has a public address. By default those of the tier V(public) have.
      - C(instance_profile), the name of an instance profile. Left as it is when it is not given.
      - C(user_data), at most 16 KiB. It is no place for secrets, because every process on the server can read it.
      - C(image), which image to start from, a dictionary. C(owner) is an account id, V(self) or V(amazon), C(name) a
        pattern for the image's name with C(*) and C(?), of which the newest counts, C(id) one image instead of these.
        C(promoted) tells whether it has to be the one that the parameter C(/groundwork/<environment>/image/lamp) names.
        By default that one if there is one, else the newest Debian 12 for amd64 by Debian's account V(136693071363).
    type: dict
    required: true
  zones:
    description:
      - The availability zones of the network, for the tiers that do not name their subnets.
    type: list
    elements: str
    default: []
  key_file:
    description:
      - The file with the public key, on the controller, of type ed25519 or RSA.
      - It is imported as the key pair C(<environment>-servers). Another key than the imported one is refused.
    type: path
    required: true
  key_file_planned:
    description:
      - Whether O(key_file) is made by an earlier task of the same play, so that in check mode it can be missing.
    type: bool
    default: false
  metadata_hop_limit:
    description:
      - How many network hops an answer of the instance metadata service travels.
      - With V(1) the credentials of a server's role stay on the server itself. Containers with a network of their own
        need V(2).
    type: int
    default: 1
  allow_removal:
    description:
      - Whether servers that are more than a tier's C(count) are terminated, with their disks.
    type: bool
    default: false
  deadline:
    description:
      - How long to wait until all servers run, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. Seven API calls when there is nothing to do, whatever the number of servers. One more when a tier gives an
    image by its id. When servers leave one more, two for each target group, and one look a second while they drain.
  - A launch that was interrupted is found again by its client token, so no server is launched twice.
seealso:
  - module: groundwork.aws.ec2_console_host_keys
  - module: groundwork.aws.ec2_golden_image
  - module: groundwork.aws.ec2_vpc_network
  - module: groundwork.aws.ec2_security_groups
"""

EXAMPLES = r"""
- name: Keep two servers in each tier
  groundwork.aws.ec2_instance_group:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    key_file: ~/.ssh/id_ed25519.pub
    tiers:
      public:
        count: 2
        instance_type: t3.small
      private:
        count: 2
        instance_type: t3.small
        root_volume_gib: 20

- name: Keep one server of the private tier, and terminate the others
  groundwork.aws.ec2_instance_group:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    key_file: ~/.ssh/id_ed25519.pub
    allow_removal: true
    tiers:
      private:
        count: 1
        instance_type: t3.small
        instance_profile: dev-web
        security_groups: [private-servers, monitored]
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
      resource: server
      name: public-1
servers:
  description:
    - The declared servers, by tier and number.
    - In check mode those that do not exist yet are V(planned), with V((known after apply)) for what is not known.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name that people use, V(public-1).
      type: str
      returned: success
    tier:
      description: The server's tier.
      type: str
      returned: success
    number:
      description: Its number in the tier, from 1.
      type: int
      returned: success
    planned:
      description: Whether it does not exist yet.
      type: bool
      returned: success
    id:
      description: The instance's id.
      type: str
      returned: success
    zone:
      description: Its availability zone.
      type: str
      returned: success
    subnet_id:
      description: Its subnet's id.
      type: str
      returned: success
    instance_type:
      description: Its instance type.
      type: str
      returned: success
    image_id:
      description: The image that it was launched from.
      type: str
      returned: success
    private_ip:
      description: Its private address.
      type: str
      returned: success
    public_ip:
      description: Its public address, empty when it has none.
      type: str
      returned: success
    state:
      description: Its state, V(pending) while planned.
      type: str
      returned: success
newer_image:
  description: By tier, the newest image, where servers run on another one. Empty when all servers run on the newest.
  returned: success
  type: dict
  sample:
    public:
      image_id: ami-0a1b2c3d4e5f60718
      name: debian-12-amd64-20250210-2019
      creation_date: '2025-02-10T10:00:00.000Z'
      servers: [public-1, public-2]
key_name:
  description: The name of the key pair.
  returned: success
  type: str
  sample: dev-servers
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import converge_servers

ARGUMENTS = {
    "tiers": {"type": "dict", "required": True},
    "zones": {"type": "list", "elements": "str", "default": []},
    "key_file": {"type": "path", "required": True, "no_log": False},
    "key_file_planned": {"type": "bool", "default": False, "no_log": False},
    "metadata_hop_limit": {"type": "int", "default": 1},
    "allow_removal": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 600},
}


def main() -> None:
    run_module(ARGUMENTS, converge_servers)


if __name__ == "__main__":
    main()
