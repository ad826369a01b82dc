#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_security_groups
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage all security groups of an environment, with rules that refer to each other by name
description:
  - Creates the security groups of an environment, and all their rules, in the VPC that
    M(groundwork.aws.ec2_vpc_network) created. All groups are created before their rules, so that groups can refer to
    each other, and to themselves.
  - A group has only the declared rules. Rules that are not declared are removed.
  - Rules are compared in a canonical form, because AWS merges rules. New rules are added before old ones are removed.
  - The module M(amazon.aws.ec2_security_group) manages one group. Groups that refer to each other need several runs
    of it in the right order, each with its own API calls.
options:
  groups:
    description: All groups of the environment.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The group's name. In AWS it is C(<environment>-<name>).
        type: str
        required: true
      description:
        description:
          - The purpose of the group. AWS cannot change it later; another text for an existing group causes a warning.
        type: str
      ingress:
        description: The rules for inbound traffic. By default no inbound traffic is allowed.
        type: list
        elements: dict
        default: []
        suboptions: &rule
          protocol:
            description:
              - One of V(tcp), V(udp), V(icmp), V(icmpv6) and V(all), or a protocol's number.
            type: str
            default: tcp
          ports:
            description:
              - Ports as V(80) and ranges as V(8000-8010), only for V(tcp) and V(udp). All ports by default.
            type: list
            elements: str
          icmp_type:
            description:
              - The ICMP type, as V(8) for echo requests, only for V(icmp) and V(icmpv6). All types by default.
            type: int
          icmp_code:
            description: The ICMP code, only with a type. All codes of the type by default.
            type: int
          cidrs:
            description: IPv4 CIDR blocks. An empty list allows no traffic.
            type: list
            elements: str
          cidrs_ipv6:
            description:
              - IPv6 CIDR blocks. They have an effect once the VPC has an IPv6 CIDR block, which the collection does not
                give it.
            type: list
            elements: str
          prefix_lists:
            description:
              - Ids of prefix lists (C(pl-...)), or names of AWS' lists, as
                C(com.amazonaws.global.cloudfront.origin-facing).
              - A list counts as several rules in the quota of rules; that of CloudFront counts as 55 of the 60.
            type: list
            elements: str
          groups:
            description:
              - Names of groups in O(groups), or ids of other groups (C(sg-...)), whose members are allowed.
            type: list
            elements: str
          description:
            description: The purpose of the rule, in ASCII characters.
            type: str
      egress:
        description: The rules for outbound traffic. By default all outbound traffic is allowed.
        type: list
        elements: dict
        default:
          - protocol: all
            cidrs: [0.0.0.0/0]
        suboptions: *rule
  purge:
    description:
      - Whether to delete groups that the module created and that are no longer declared. The module fails if such a
        group is in use.
    type: bool
    default: false
  moving:
    description:
      - Whether servers and load balancers may still have to move to other groups, as when a group got another name.
        Rules that refer to a group that is not declared are then kept, until a run without this option.
    type: bool
    default: false
  kept_ports:
    description:
      - Ports of TCP. Existing rules for inbound traffic to one of them stay in the declared groups also if they are not
        declared.
    type: list
    elements: int
    default: []
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if nothing changes, for any number of groups and rules. 1 more if a rule refers to a prefix list.
seealso:
  - module: groundwork.aws.ec2_vpc_network
"""

EXAMPLES = r"""
- name: Allow HTTP to the web servers only from their load balancer
  groundwork.aws.ec2_security_groups:
    environment_name: dev
    region: eu-central-1
    groups:
      - name: balancer
        ingress:
          - ports: [80, 443]
            cidrs: [0.0.0.0/0]
        egress:
          - ports: [80]
            groups: [web]
      - name: web
        ingress:
          - ports: [80]
            groups: [balancer]
          - ports: [22]
            cidrs: [198.51.100.0/24]
            description: SSH from the office

- name: Allow HTTPS from CloudFront, and echo requests from everywhere
  groundwork.aws.ec2_security_groups:
    environment_name: dev
    region: eu-central-1
    groups:
      - name: balancer
        ingress:
          - ports: [443]
            prefix_lists: [com.amazonaws.global.cloudfront.origin-facing]
          - protocol: icmp
            icmp_type: 8
            cidrs: [0.0.0.0/0]
          - protocol: icmpv6
            icmp_type: 128
            cidrs_ipv6: ["::/0"]
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
      resource: security group
      name: web
groups:
  description:
    - The ids of the declared groups, by name. V((known after apply)) in check mode for groups that do not exist yet.
  returned: success
  type: dict
  sample:
    balancer: sg-0a1b2c3d4e5f60718
    web: sg-0f1e2d3c4b5a69788
kept:
  description: The declared groups that have rules only because of O(kept_ports).
  returned: success
  type: list
  elements: str
  sample: []
undeclared:
  description:
    - The environment's groups that are not declared.
    - They are deleted if O(purge=true).
  returned: success
  type: list
  elements: str
  sample: [web]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_security_groups import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups


def main() -> None:
    run_module(ARGUMENTS, converge_security_groups)


if __name__ == "__main__":
    main()
