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
short_description: Manage the numbered servers of all tiers
description:
  - Launches, updates, starts and terminates the EC2 instances of all tiers of an environment, and imports their key
    pair. The servers of a tier have the names V(public-1), V(public-2) and so on, and are distributed over the tier's
    subnets in turn.
  - The servers require IMDSv2 and have an encrypted gp3 root volume. The tags of the instance, its volume and its
    network interface are set by the call that launches it.
  - New servers are launched from the environment's promoted image (M(groundwork.aws.ec2_golden_image)). Without one
    they are launched from the image of the environment's servers with the same image options, or from the newest
    matching image if there are no such servers. A newer image is returned in RV(newer_image), and never replaces a
    server.
  - A server that was terminated manually is launched again. A server that was stopped is started.
  - Security groups, metadata options, tags and instance profiles are updated in place. Another instance type, subnet,
    image, root volume or user data requires a replacement or a stop. The module warns about it and says what to do.
  - If a count is lowered, the servers with the highest numbers are terminated. This requires O(allow_removal=true). The
    servers are deregistered from the environment's target groups and drained first.
  - M(amazon.aws.ec2_instance) matches instances by their image too, so that a new image results in additional servers.
    It cannot plan an instance before its subnet exists, and takes a process and several calls for each server.
options:
  tiers:
    description:
      - The tiers by name, such as V(public) and V(private). Each is a dictionary with the options below.
      - C(count) is the number of servers. Required.
      - C(instance_type) is the instance type, such as V(t3.small). Required.
      - C(root_volume_gib) is the size of the root volume in GiB, at least V(8). The default is the size of the image.
      - C(subnets) are names of subnets. The default is one per zone of O(zones), C(<tier>-<letter of the zone>).
      - C(security_groups) are names of security groups, at most 5 or the account's quota. The default is
        C(<tier>-servers).
      - C(public_ip) is whether the servers have public IP addresses. The default is V(true) for the tier V(public), and
        V(false) for others.
      - C(instance_profile) is the name of an instance profile. By default the existing one is not changed.
      - C(user_data) is the user data, at most 16 KiB. Do not put secrets into it, because every process on the server
        can read it.
      - C(cpu_credits) is V(standard) or V(unlimited), for instance types with CPU credits (C(t2), C(t3), C(t3a) and
        C(t4g)). It is changed while the servers run. By default new servers have AWS' default, which is V(standard) for
        C(t2) and V(unlimited) for the others unless the account has another one, and that of existing servers stays.
        Servers that are V(unlimited) can cost more than the price of their type.
      - C(image) is a dictionary that selects the image. C(owner) is an account id, V(self) or V(amazon), and C(name) is
        a pattern of the image's name with C(*) and C(?). The newest matching image is used. C(id) is the id of an
        image, and replaces both. C(promoted) is whether to use the image in the parameter
        C(/groundwork/<environment>/image/lamp). By default that image is used if it exists, otherwise the newest Debian
        12 for amd64 of Debian's account V(136693071363).
    type: dict
    required: true
  zones:
    description:
      - The Availability Zones of the network, for tiers without C(subnets).
    type: list
    elements: str
    default: []
  key_file:
    description:
      - The path of the public key, on the controller. The key must be of type ed25519 or RSA.
      - The key is imported as the key pair C(<environment>-servers). It is an error if that key pair exists with
        another key.
    type: path
    required: true
  key_file_planned:
    description:
      - Whether an earlier task of the play creates O(key_file), so that it may be missing in check mode.
    type: bool
    default: false
  metadata_hop_limit:
    description:
      - The maximum number of network hops of a response of the instance metadata service.
      - V(1) restricts the metadata service to the server itself. Containers with their own network require V(2).
    type: int
    default: 1
  allow_removal:
    description:
      - Whether to terminate servers that exceed the C(count) of their tier. Their root volumes are deleted.
    type: bool
    default: false
  deadline:
    description:
      - The time limit for all servers to be running, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 7 API calls if nothing changes, for any number of servers. 1 more if a tier has an image C(id), and 1 if one
    has C(cpu_credits). If servers are terminated, 1 more, 2 for each target group, and 1 per second while they drain.
  - An interrupted launch is repeated with the same client token, so that no server is launched twice.
seealso:
  - module: groundwork.aws.ec2_console_host_keys
  - module: groundwork.aws.ec2_golden_image
  - module: groundwork.aws.ec2_vpc_network
  - module: groundwork.aws.ec2_security_groups
"""

EXAMPLES = r"""
- name: Create two servers in each tier
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

- name: Reduce the private tier to one server
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
      resource: server
      name: public-1
servers:
  description:
    - The declared servers, by tier and number.
    - In check mode, servers that do not exist yet are V(planned). Their unknown values are V((known after apply)).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name that people use, V(public-1).
      type: str
      returned: success
    tier:
      description: The tier.
      type: str
      returned: success
    number:
      description: The number in the tier, from 1.
      type: int
      returned: success
    planned:
      description: Whether it does not exist yet, in check mode.
      type: bool
      returned: success
    id:
      description: The id of the instance.
      type: str
      returned: success
    zone:
      description: The Availability Zone.
      type: str
      returned: success
    subnet_id:
      description: The id of the subnet.
      type: str
      returned: success
    instance_type:
      description: The instance type.
      type: str
      returned: success
    image_id:
      description: The id of the image that it was launched from.
      type: str
      returned: success
    private_ip:
      description: The private IP address.
      type: str
      returned: success
    public_ip:
      description: The public IP address. Empty if it has none.
      type: str
      returned: success
    state:
      description: The state. V(pending) for planned servers.
      type: str
      returned: success
newer_image:
  description: The newest image by tier, for tiers whose servers use another one.
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

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_instance_group import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import converge_servers

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "key_file": {"no_log": False},
    "key_file_planned": {"no_log": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_servers)


if __name__ == "__main__":
    main()
