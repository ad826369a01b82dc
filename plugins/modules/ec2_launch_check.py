#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_launch_check
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Check what an environment will launch, before its first resource is created
description:
  - Fails if AWS would refuse the servers, load balancers or NAT gateways that an environment still lacks, or if they
    would not be reachable. Everything that is wrong is reported at once.
  - It checks that the region and the Availability Zones offer the instance types, that the images have the architecture
    of the instance types, and that VPC Block Public Access does not block the internet gateway.
  - It compares the quotas of the account with what is in use and what is missing. The quotas are of vCPUs, VPCs,
    Elastic IP addresses and NAT gateways. If they cannot be read, the default values of AWS' documentation are used,
    and exceeding them is a warning.
  - It warns of a default key of EBS that Auto Scaling may not use.
options:
  tiers:
    description: The tiers of servers, as in the role V(servers).
    type: dict
    required: true
  zones:
    description: The Availability Zones of the environment.
    type: list
    elements: str
    required: true
  nat_mode:
    description: For which Availability Zones the environment has NAT gateways.
    type: str
    choices: [none, single, per_zone]
    default: none
  nat_addresses:
    description: The given Elastic IP addresses of NAT gateways, by Availability Zone. The others are allocated.
    type: dict
    default: {}
  builder:
    description: The instance type and the base image with which an image is baked, or nothing.
    type: dict
    default: {}
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if no server is missing, else at most 22.
  - It changes nothing. It does the same in check mode.
"""

EXAMPLES = r"""
- name: Check what the environment dev will launch
  groundwork.aws.ec2_launch_check:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    nat_mode: single
    tiers:
      public: {count: 2, instance_type: t3.small}
"""

RETURN = r"""
launches:
  description: The number of servers to launch, by the variable of their tier.
  returned: success
  type: dict
  sample: {servers_tiers.public: 2}
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_launch_check import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.launches.run import converge_launch_check


def main() -> None:
    run_module(ARGUMENTS, converge_launch_check)


if __name__ == "__main__":
    main()
