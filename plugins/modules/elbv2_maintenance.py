#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elbv2_maintenance
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Show a maintenance page instead of the sites, or hide it
description:
  - Shows a page with the status 503 at each listener that forwards requests, or hides it. The page is a rule of the
    listener with the priority 2. Before it, a rule with the priority 1 lets administrators in.
  - Servers stay registered, and their health is checked as before.
  - M(groundwork.aws.elbv2_application_lb) leaves these rules as they are, and warns about them.
options:
  shown:
    description: Whether the page is shown. Otherwise it is hidden.
    type: bool
    default: false
  load_balancers:
    description: The names of the load balancers. The default is all load balancers of the environment.
    type: list
    elements: str
    default: []
  body:
    description: The page, at most 1024 bytes.
    type: str
    default: <!doctype html><meta charset="utf-8"><title>Maintenance</title><p>Back in a few minutes.</p>
  content_type:
    description: The content type of the page.
    type: str
    choices: [text/plain, text/html, application/json]
    default: text/html
  let_in:
    description: >-
      The networks whose requests reach the servers while the page is shown, in CIDR notation, at most 5. Their requests
      get the default action of the listener.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, 1 for each load balancer and for each listener, 1 if rules have the priorities 1 or 2, and 1
    write for each rule that changes.
  - A listener whose rules have the priorities 1 or 2 is refused.
seealso:
  - module: groundwork.aws.elbv2_application_lb
"""

EXAMPLES = r"""
- name: Show the maintenance page to all but the administrators
  groundwork.aws.elbv2_maintenance:
    environment_name: dev
    region: eu-central-1
    shown: true
    let_in: [192.0.2.0/24]

- name: Hide it
  groundwork.aws.elbv2_maintenance:
    environment_name: dev
    region: eu-central-1
    shown: false
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
      description: Always V(rule).
      type: str
      returned: success
    name:
      description: The load balancer, the listener's port and the rule's priority.
      type: str
      returned: success
  sample:
    - action: create
      resource: rule
      name: public:80/2
listeners:
  description: The listeners that show the page or do not, as V(public:80).
  returned: success
  type: list
  elements: str
  sample: [public:80, private:80]
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_maintenance import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.maintenance import converge_maintenance


def main() -> None:
    run_module(ARGUMENTS, converge_maintenance)


if __name__ == "__main__":
    main()
