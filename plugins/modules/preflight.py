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
  - Checks all variables that the playbook of this task uses, on the controller, without connections and API calls.
    These are the variables of the roles of this collection that the playbook names, or of which it sets variables, of
    the roles that these use, and the variables of other roles that any of their files mentions.
  - Types are checked by the roles' argument specs, values by the rules of each topic, and references to other roles'
    resources (tiers, subnets, security groups, servers) across the roles.
  - If hosts of the play have different values, such as group variables of a tier, these are checked too.
  - A variable that resembles a role's variable but is not defined by any role is refused, with the most similar name.
  - All problems are reported in one message, each with the variable, what is wrong and what would be right. If a value
    depends on another variable with a problem, only that variable is reported.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  roles:
    description: Roles of this collection whose variables are checked in addition to those that the playbook uses.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description: The checks are the same in check mode. They change nothing.
    support: full
  diff_mode:
    description: The module makes no changes.
    support: none
notes:
  - This module is an action plugin. This file is its documentation.
  - Put the task with C(run_once) into a first play that has the tag V(always) and all hosts of the other plays. So it
    is run once, with all tags and limits.
  - C(--skip-tags always) and C(--start-at-task) skip it. Each module also checks its own options.
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
  description: The checked roles.
  returned: success
  type: list
  elements: str
variables:
  description: The number of variables in their argument specs.
  returned: success
  type: int
problems:
  description: The problems of the variables.
  returned: failure
  type: list
  elements: dict
  contains:
    variable:
      description: The variable, with the path inside it.
      type: str
    wrong:
      description: What is wrong with it.
      type: str
    right:
      description: What would be right.
      type: str
"""
