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
  - Checks, on the controller and without a connection or an API call, every variable that the playbook with this task
    uses. These are the variables of the roles of this collection that its file names, of the roles that these use, and
    the variables of other roles that any of their files mentions.
  - The shape is checked by the roles' argument specs, the meaning by the rules of each topic, and the names that one
    role's variables use for another's things (tiers, subnets, security groups, servers) across the roles.
  - Where hosts of the play have values of their own, as by group variables of a tier, these are checked too.
  - A variable that no role has, but that looks like one, is refused with the nearest name that exists.
  - All problems are told in one message, each with the variable, what is wrong and what would be right. A problem of a
    value that follows from another variable is told of that one alone.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  roles:
    description: Roles of this collection whose variables are checked besides those that the playbook uses.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Runs the same in check mode; it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
notes:
  - Implemented as an action plugin; this file is its documentation.
  - Put it into a play of its own that comes first, has the tag V(always) and all hosts of the other plays, with
    C(run_once). So it is run whatever tags and limits are given, and once.
  - C(--skip-tags always) and C(--start-at-task) leave it out. Each module checks its own options all the same.
"""

EXAMPLES = r"""
- name: Check the variables
  hosts: localhost:servers
  gather_facts: false
  tags: [always]
  tasks:
    - name: Check every variable before anything is read or changed
      groundwork.aws.preflight:
      run_once: true
      delegate_to: localhost

- name: Build the network
  hosts: localhost
  gather_facts: false
  roles: [groundwork.aws.network]
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
