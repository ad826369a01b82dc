#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: run_summary
short_description: Show what a run has changed, or would change
description:
  - Sums up the changes of all modules of this collection in this run of C(ansible-playbook), and displays them by
    component, with the number of resources to create, update, replace and delete. Servers that get the same are told
    once.
  - With C(--check) these are the changes that the run would make.
  - Hands over outputs of the run as C(set_stats) does, and in a file.
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  environment_name:
    description: The name of the environment.
    type: str
    required: true
  file:
    description: The path of a file on the controller to write the summary and the outputs to, as JSON.
    type: path
  outputs:
    description: What the run has built, for those who continue with it, such as URLs.
    type: dict
    default: {}
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description: The file is written in check mode too.
    support: full
  diff_mode:
    description: The module makes no changes.
    support: none
notes:
  - This module is an action plugin. This file is its documentation.
  - The statistics have the key C(groundwork), with C(totals) and C(outputs). Ansible shows them with
    C(ANSIBLE_SHOW_CUSTOM_STATS=true); ansible-runner and AWX keep them as artifacts.
  - Text is not displayed if the stdout callback writes JSON.
"""

EXAMPLES = r"""
- name: Show what was changed
  groundwork.aws.run_summary:
    environment_name: prod
    file: summary.json
    outputs:
      urls: "{{ alb_urls }}"
"""

RETURN = r"""
summary:
  description: >-
    C(format), C(environment), C(planned), C(totals) (of C(aws) and of C(servers), by action), and C(components). Each
    has its C(name), C(changes) of {action, resource, name}, and C(servers), a list of {names, changes}. A replacement
    has C(because), the settings that make it necessary.
  returned: success
  type: dict
outputs:
  description: The outputs.
  returned: success
  type: dict
"""
