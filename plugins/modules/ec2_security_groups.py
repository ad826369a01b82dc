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
  - Makes the security groups of an environment in the VPC that M(groundwork.aws.ec2_vpc_network) made, and all their
    rules. First all groups are made, then the rules, so that groups can refer to each other, and to themselves.
  - The declared rules are all rules that a group has. A rule that nobody declared is removed.
  - Rules are compared in one canonical form, however AWS merges them. A rule that is added comes before one that is
    removed goes.
  - The module M(amazon.aws.ec2_security_group) manages one group. Groups that refer to each other need several runs
    of it in the right order, and each looks for itself.
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
          - What the group is for. AWS cannot change it afterwards; another text for an existing group is a warning.
        type: str
      ingress:
        description: Who may connect to the members. Nobody unless given.
        type: list
        elements: dict
        default: []
        suboptions: &rule
          protocol:
            description:
              - One of V(tcp), V(udp), V(icmp) and V(all), or a protocol's number.
            type: str
            default: tcp
          ports:
            description:
              - Ports as V(80) and ranges as V(8000-8010), of V(tcp) and V(udp) only. All ports unless given.
            type: list
            elements: str
          cidrs:
            description: Blocks of IPv4 addresses. An empty list is nobody.
            type: list
            elements: str
          groups:
            description:
              - Names of groups in O(groups), or ids of other groups (C(sg-...)). Their members are meant.
            type: list
            elements: str
          description:
            description: What the rule is for, in ASCII, for those who read it in AWS' console.
            type: str
      egress:
        description: Where the members may connect to. Everywhere unless given.
        type: list
        elements: dict
        default:
          - protocol: all
            cidrs: [0.0.0.0/0]
        suboptions: *rule
  purge:
    description:
      - Whether groups that the module made before and that are not declared any more are removed. A group that is in
        use is not; the module fails then.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 1 API call when there is nothing to do, whatever the number of groups and rules.
seealso:
  - module: groundwork.aws.ec2_vpc_network
"""

EXAMPLES = r"""
- name: Let the web servers be reached through their balancer only
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
      resource: security group
      name: web
groups:
  description:
    - The ids of the declared groups, by name. V((known after apply)) in check mode for what does not exist yet.
  returned: success
  type: dict
  sample:
    balancer: sg-0a1b2c3d4e5f60718
    web: sg-0f1e2d3c4b5a69788
undeclared:
  description:
    - The environment's groups that were found and are not declared.
    - They are removed with O(purge=true), else they stay.
  returned: success
  type: list
  elements: str
  sample: [web]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups

RULE = {
    "protocol": {"type": "str", "default": "tcp"},
    "ports": {"type": "list", "elements": "str"},
    "cidrs": {"type": "list", "elements": "str"},
    "groups": {"type": "list", "elements": "str"},
    "description": {"type": "str"},
}
ARGUMENTS = {
    "groups": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "description": {"type": "str"},
            "ingress": {"type": "list", "elements": "dict", "default": [], "options": RULE},
            "egress": {
                "type": "list",
                "elements": "dict",
                "default": [{"protocol": "all", "cidrs": ["0.0.0.0/0"]}],
                "options": RULE,
            },
        },
    },
    "purge": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_security_groups)


if __name__ == "__main__":
    main()
