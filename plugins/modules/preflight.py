#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: preflight
short_description: Check an environment's variables before anything is read or changed
description:
  - Checks every variable of the named roles at once, on the controller, without a connection and without an API call.
  - The shape is checked by the roles' argument specs, the meaning by the rules of each topic, and the names that one
    role's variables use for another's things (tiers, subnets, security groups, servers) across the roles.
  - A variable that no role has, but that looks like one, is refused with the nearest name that exists.
  - All problems are told in one message, each with the variable, what is wrong and what would be right.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  roles:
    description: The roles of this collection whose variables are checked.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    description: Runs the same in check mode; it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
notes:
  - Implemented as an action plugin; this file is its documentation.
"""

EXAMPLES = r"""
- name: Check the environment's variables
  groundwork.aws.preflight:
    roles: [network, nat, firewall, servers, lamp, alb]
"""

RETURN = r"""
roles:
  description: The roles that were checked.
  returned: success
  type: list
  elements: str
variables:
  description: How many variables their specs know.
  returned: success
  type: int
problems:
  description: What is wrong.
  returned: failure
  type: list
  elements: dict
  contains:
    variable:
      description: The variable, with the path inside of it.
      type: str
    wrong:
      description: What is wrong.
      type: str
    right:
      description: What would be right.
      type: str
"""
