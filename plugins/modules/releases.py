#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: releases
short_description: Make packed releases the current ones of a server's sites
description:
  - Keeps releases of sites at C(<path>/releases/<id>), and C(<path>/current) as a link to the one that is served.
  - One module run finds out whether there is anything to do. Only a release that the server does not have yet is
    brought there, unpacked beside the others, renamed when it is whole, and made current in one stroke.
  - The services are reloaded after the switch. When one does not come back, the releases from before are made current
    again.
  - A run that was killed is mended by the next one.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  releases:
    description: The releases that should be current.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The site's name.
        type: str
        required: true
      path:
        description: The site's folder. It has to hold a folder C(releases).
        type: path
        required: true
      id:
        description: The release's id.
        type: str
        required: true
      archive:
        description: The packed release, on the controller. A release without one has to be on the server already.
        type: path
      group:
        description: The group that may read the release. It is owned by root.
        type: str
        default: root
      keep:
        description: How many releases stay on the server, the current one included.
        type: int
        default: 3
      reload:
        description: Services to reload after the switch.
        type: list
        elements: str
        default: []
attributes:
  check_mode:
    description: Predicts every change, on a server without the site too.
    support: full
  diff_mode:
    description: Shows which release is current.
    support: full
notes:
  - An action plugin on the controller brings the archives to the server.
  - Needs root on the server.
"""

EXAMPLES = r"""
- name: Release the shop
  groundwork.aws.releases:
    releases:
      - name: shop
        path: /srv/www/shop
        id: 3f2a9c01d4e5
        archive: ~/.cache/groundwork/releases/shop-3f2a9c01d4e5.tar.gz
        group: site-shop
        reload: [php8.2-fpm]
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
missing:
  description: The sites whose release was not on the server before.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.groundwork.aws.plugins.module_utils.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.releases.serving import (
    RELEASE_ARGUMENTS,
    Releases,
    parse_releases,
)


def main() -> None:
    """Make the releases current, or in check mode tell what would change."""
    module = AnsibleModule(argument_spec=RELEASE_ARGUMENTS, supports_check_mode=True)
    problems = Problems()
    try:
        desired = parse_releases(module.params, problems)
        problems.raise_if_any()
        result = Releases(Services(run)).converge(desired, check_mode=module.check_mode)
    except GroundworkError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
