#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_vpc_nat
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the NAT gateways of an environment's private subnets
description:
  - Creates the NAT gateways of an environment (none, one, or one per zone), their Elastic IP addresses, and the
    default routes of all private subnets to them.
  - The subnets and route tables of M(groundwork.aws.ec2_vpc_network) are found by their tags.
  - New gateways and routes are in place before old gateways are deleted. Then the Elastic IP addresses that this module
    allocated are released. A given address is never released.
  - The module M(amazon.aws.ec2_vpc_nat_gateway) creates another gateway and another address in every run by default,
    and does not manage routes.
options:
  mode:
    description:
      - V(none) creates no gateway, so that the private subnets have no internet access.
      - V(single) creates one gateway, in the first zone. It costs less, but if that zone fails, all private subnets
        lose their internet access.
      - V(per_zone) creates one gateway in every zone.
    type: str
    choices: [none, single, per_zone]
    default: single
  zones:
    description:
      - The Availability Zones of the network, as in M(groundwork.aws.ec2_vpc_network).
    type: list
    elements: str
    required: true
  tiers:
    description:
      - The tiers of the network, as in M(groundwork.aws.ec2_vpc_network). Each private one gets the default routes.
    type: list
    elements: dict
    default:
      - name: public
        public: true
      - name: private
        public: false
    suboptions:
      name:
        description: The tier's name.
        type: str
        required: true
      public:
        description: Whether its subnets have a route to the internet gateway.
        type: bool
        default: false
  tier:
    description:
      - The public tier in whose subnets the gateways are created. By default the first public tier.
    type: str
  addresses:
    description:
      - Existing Elastic IP addresses for the gateways, by zone, as allocation ids or public IP addresses. They are
        never released.
      - For other gateways the module allocates an address, which it releases with the gateway.
    type: dict
    default: {}
  purge:
    description:
      - Whether to remove gateways and addresses that the module created and that are no longer declared.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 3 API calls if nothing changes, for any number of zones.
seealso:
  - module: groundwork.aws.ec2_vpc_network
"""

EXAMPLES = r"""
- name: Create one NAT gateway for all private subnets
  groundwork.aws.ec2_vpc_nat:
    environment_name: dev
    region: eu-central-1
    mode: single
    zones: [eu-central-1a, eu-central-1b]

- name: Create a NAT gateway in every zone, with existing Elastic IP addresses
  groundwork.aws.ec2_vpc_nat:
    environment_name: prod
    region: eu-central-1
    mode: per_zone
    zones: [eu-central-1a, eu-central-1b]
    addresses:
      eu-central-1a: eipalloc-0a1b2c3d4e5f60718
      eu-central-1b: 198.51.100.7
    purge: true
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
      resource: nat gateway
      name: nat-a
gateways:
  description: The declared gateways, by zone. Their ids are V((known after apply)) in check mode if they do not exist.
  returned: success
  type: dict
  sample:
    eu-central-1a:
      id: nat-0a1b2c3d4e5f60718
      public_ip: 198.51.100.7
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_vpc_nat import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.run import converge_nat


def main() -> None:
    run_module(ARGUMENTS, converge_nat)


if __name__ == "__main__":
    main()
