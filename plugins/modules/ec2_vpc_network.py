#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_vpc_network
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage a VPC with the subnets of all tiers and zones
description:
  - Creates the whole network of an environment. This is a VPC with DNS hostnames, a subnet for every tier in every
    Availability Zone, a route table for every subnet, an internet gateway with a default route to it for the subnets
    of public tiers, and optionally a gateway endpoint for S3.
  - The name of a subnet consists of its tier and its zone's letter, as V(public-a).
  - CIDR blocks are given or allocated. An existing subnet keeps its CIDR block; a new one gets the next free block
    after the highest one, so that adding a tier or a zone does not move existing subnets.
  - The rules of the VPC's default security group are removed, so that a server without a security group has no access.
  - Subnets do not assign public IP addresses by default. A server gets one if its own declaration says so.
  - The modules M(amazon.aws.ec2_vpc_net), M(amazon.aws.ec2_vpc_subnet), M(amazon.aws.ec2_vpc_route_table) and
    M(amazon.aws.ec2_vpc_igw) manage one resource each. They cannot be planned in check mode on an empty account,
    because each needs an id of the one before, and their calls grow with the number of resources.
options:
  cidr:
    description:
      - The CIDR block of the VPC, from V(/16) to V(/28).
      - AWS cannot change it later.
    type: str
    required: true
  zones:
    description:
      - The Availability Zones, all of one region. Load balancers need two.
    type: list
    elements: str
    required: true
  tiers:
    description:
      - The tiers. Each gets a subnet in every zone.
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
        description:
          - Whether its subnets have a default route to the internet gateway.
          - The default routes of private subnets are managed by M(groundwork.aws.ec2_vpc_nat).
        type: bool
        default: false
  subnet_prefix:
    description:
      - The prefix length of allocated CIDR blocks of subnets, from 16 to 28.
    type: int
    default: 24
  subnet_cidrs:
    description:
      - CIDR blocks of subnets, by the subnet's name. AWS cannot change them later.
    type: dict
    default: {}
  s3_endpoint:
    description:
      - Whether all subnets reach S3 through a gateway endpoint instead of the internet. It is free of charge.
    type: bool
    default: false
  purge:
    description:
      - Whether to delete subnets, an internet gateway and an S3 endpoint that the module created and that are no longer
        declared. The module fails if such a subnet is in use.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. At most 8 API calls if nothing changes, for any number of subnets.
seealso:
  - module: groundwork.aws.ec2_vpc_nat
  - module: groundwork.aws.ec2_security_groups
"""

EXAMPLES = r"""
- name: Create a public and a private subnet in each of two zones
  groundwork.aws.ec2_vpc_network:
    environment_name: dev
    region: eu-central-1
    cidr: 10.20.0.0/16
    zones: [eu-central-1a, eu-central-1b]

- name: Add a tier for databases with given CIDR blocks, and an endpoint for S3
  groundwork.aws.ec2_vpc_network:
    environment_name: dev
    region: eu-central-1
    cidr: 10.20.0.0/16
    zones: [eu-central-1a, eu-central-1b]
    tiers:
      - name: public
        public: true
      - name: private
      - name: data
    subnet_cidrs:
      data-a: 10.20.128.0/26
      data-b: 10.20.128.64/26
    s3_endpoint: true
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
      resource: subnet
      name: public-a
vpc_id:
  description: The VPC's id. V((known after apply)) in check mode if it does not exist yet.
  returned: success
  type: str
  sample: vpc-0a1b2c3d4e5f60718
subnets:
  description: The declared subnets, by name.
  returned: success
  type: dict
  sample:
    public-a:
      cidr: 10.20.0.0/24
      id: subnet-0a1b2c3d4e5f60718
      public: true
      route_table_id: rtb-0a1b2c3d4e5f60718
      tier: public
      zone: eu-central-1a
undeclared:
  description:
    - The resources of the environment's network that are not declared.
    - They are deleted if O(purge=true).
  returned: success
  type: list
  elements: str
  sample: [subnet public-c, route table public-c]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_vpc_network import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network


def main() -> None:
    run_module(ARGUMENTS, converge_network)


if __name__ == "__main__":
    main()
