#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server_plan
short_description: Tell what would be configured on a server that does not exist yet
description:
  - Takes the very data that M(groundwork.aws.server_configuration), M(groundwork.aws.mariadb_databases) and
    M(groundwork.aws.releases) get, and tells what they would do on a server on which nothing is there yet.
  - It runs on the controller, without a connection and without a module run.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  configuration:
    description: The options of M(groundwork.aws.server_configuration).
    type: dict
    required: true
  databases:
    description: The options of M(groundwork.aws.mariadb_databases).
    type: dict
    default: {}
  releases:
    description: The option O(groundwork.aws.releases#module:releases).
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    description: Runs the same in check mode; it changes nothing.
    support: full
  diff_mode:
    description: Shows every file, account, service, database, user and release.
    support: full
notes:
  - Implemented as an action plugin; this file is its documentation.
"""

EXAMPLES = r"""
- name: Tell what would be configured
  groundwork.aws.server_plan:
    configuration:
      packages: [apache2]
      services:
        - name: apache2
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: What was done.
      type: str
    resource:
      description: To what kind of thing.
      type: str
    name:
      description: To which one.
      type: str
"""
