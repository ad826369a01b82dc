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
short_description: Give the private subnets of a network their way out
description:
  - Makes the NAT gateways of an environment, none, one or one per zone, their elastic IP addresses, and the default
    routes of all private subnets to them.
  - The network is the one that M(groundwork.aws.ec2_vpc_network) made. Its subnets and route tables are found by their
    tags, so that nothing has to be passed on.
  - The new way out is open before the old one is closed. Routes are changed first, then gateways are deleted, then the
    addresses are released that this module allocated. A given address is never released.
  - The module M(amazon.aws.ec2_vpc_nat_gateway) makes another gateway and another address with every run unless told
    otherwise, and knows nothing of routes.
options:
  mode:
    description:
      - V(none) leaves the private subnets without a way out.
      - V(single) makes one gateway in the first zone for all. It is cheaper; when that zone fails, all private subnets
        lose their way out.
      - V(per_zone) makes one gateway in every zone.
    type: str
    choices: [none, single, per_zone]
    default: single
  zones:
    description:
      - The availability zones of the network, as in M(groundwork.aws.ec2_vpc_network).
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
        description: Whether its subnets lead to the internet gateway.
        type: bool
        default: false
  tier:
    description:
      - The public tier in whose subnets the gateways are. The first public one unless given.
    type: str
  addresses:
    description:
      - Elastic IP addresses for the gateways, by zone, each as its allocation id or as the public address.
      - A gateway without one gets a new address, which is released with it.
    type: dict
    default: {}
  purge:
    description:
      - Whether gateways and addresses that the module made before and that are not declared any more are removed.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 3 API calls when there is nothing to do, whatever the number of zones.
seealso:
  - module: groundwork.aws.ec2_vpc_network
"""

EXAMPLES = r"""
- name: Give all private subnets one way out
  groundwork.aws.ec2_vpc_nat:
    environment_name: dev
    region: eu-central-1
    mode: single
    zones: [eu-central-1a, eu-central-1b]

- name: Give every zone a way out of its own, with addresses that partners have in their allow lists
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
      resource: nat gateway
      name: nat-a
gateways:
  description: The declared gateways, by zone. V((known after apply)) in check mode for what does not exist yet.
  returned: success
  type: dict
  sample:
    eu-central-1a:
      id: nat-0a1b2c3d4e5f60718
      public_ip: 198.51.100.7
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.run import converge_nat

ARGUMENTS = {
    "mode": {"type": "str", "choices": ["none", "single", "per_zone"], "default": "single"},
    "zones": {"type": "list", "elements": "str", "required": True},
    "tiers": {
        "type": "list",
        "elements": "dict",
        "default": [{"name": "public", "public": True}, {"name": "private", "public": False}],
        "options": {
            "name": {"type": "str", "required": True},
            "public": {"type": "bool", "default": False},
        },
    },
    "tier": {"type": "str"},
    "addresses": {"type": "dict", "default": {}},
    "purge": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_nat)


if __name__ == "__main__":
    main()
