#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: site_logs_info
short_description: Read the logs of a site on a server
description:
  - Reads the last lines of the logs of a site, each with its time. With O(follow) it shows new lines at once.
  - Secrets of the site are replaced.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  logs:
    description: The log files.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the lines of the log are shown with.
        type: str
        required: true
      path:
        description: The path of the log.
        type: path
        required: true
      containing:
        description: The text that a line of the site contains. Every line by default.
        type: str
        default: ""
  units:
    description: The systemd units whose output in the journal is read too.
    type: list
    elements: str
    default: []
  hide:
    description: Configuration files of php-fpm pools, and files of variables, whose values are secret.
    type: list
    elements: path
    default: []
  lines:
    description: The number of lines to read, at most 10000.
    type: int
    default: 100
  minutes:
    description: The number of minutes to look back. V(0) means all that the logs hold.
    type: int
    default: 0
  begin:
    description: Where to continue, as an earlier run returned it in C(next). Only new lines are then read.
    type: dict
    default: {}
  follow:
    description: The number of seconds for which new lines are shown. V(0) only returns the lines.
    type: int
    default: 0
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description: The module makes no changes.
    support: full
  diff_mode:
    description: The module makes no changes.
    support: none
"""

EXAMPLES = r"""
- name: Read the last errors of a site
  groundwork.aws.site_logs_info:
    logs:
      - {name: error, path: /var/log/apache2/shop-error.log}
    lines: 20
  become: true
  register: errors
"""

RETURN = r"""
lines:
  description: The lines in the order of time. Each is a list of its time in seconds since 1970, the log, and the text.
  returned: success
  type: list
  elements: list
next:
  description: Where to continue.
  returned: success
  type: dict
"""

import time

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.site_logs_info import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.looking.logs import parse_wish, read


def main() -> None:
    """Read the logs. The action plugin of the same name follows them."""
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    problems = Problems()
    wish = parse_wish(module.params, problems)
    try:
        problems.raise_if_any()
        lines, following = read(run, wish, time.time())
    except GroundworkError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, lines=lines, next=following)


if __name__ == "__main__":
    main()
