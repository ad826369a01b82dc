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
  - An archive is checked by the rules of M(groundwork.aws.release_archives) before anything of it is written, whoever
    packed it.
  - The services are reloaded after the switch. When one does not come back, the releases from before are made current
    again.
  - Then the pages of all sites are asked for on this server, also when nothing changed. When one is not answered as
    expected the module fails with the last lines of the site's logs. The site's release is taken back when the page was
    answered as expected before it; otherwise nothing is taken back.
  - A new server holds a file C(<path>/.unready) for each site until its pages were answered as expected once. The role
    lamp has Apache tell the balancers by it that the server takes no visitors yet.
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
      owner:
        description:
          - The account that owns the release. Nothing should run as it.
          - Releases that another account owns are given to it.
        type: str
        default: root
      group:
        description: The group that may read the release, for what serves its files.
        type: str
        default: root
      private_group:
        description:
          - The group that may read scripts of PHP, and names that begin with a dot, instead of O(releases[].group).
          - Unless given, it is O(releases[].group).
        type: str
      keep:
        description: How many releases stay on the server, the current one included.
        type: int
        default: 3
      reload:
        description: Services to reload after the switch.
        type: list
        elements: str
        default: []
      pages:
        description:
          - The pages of the site to ask for. Each request goes to this server, with the headers that a balancer adds.
          - A redirect to one of the site's host names is followed on this server, at most five times. So is one to the
            same path of another host name when O(releases[].pages[].any_name) is set. When it is not set, such a
            redirect is not accepted. Any other redirect is judged by its own status.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The path, with a query if there is one.
            type: str
            default: /
          matcher:
            description:
              - The statuses that are expected, from 200 to 499, as V(200) or V(200-299,401). When these are redirects
                alone, no redirect is followed.
            type: str
            default: 200-399
          timeout:
            description: For how many seconds to wait for the whole answer.
            type: int
            default: 10
          host:
            description: The Host that leads to the site.
            type: str
            default: 127.0.0.1
          names:
            description: The site's host names, which may begin with C(*.).
            type: list
            elements: str
            default: []
          any_name:
            description: Whether the site gets the requests for host names that no site has.
            type: bool
            default: false
      logs:
        description: The logs to tell the last lines of when a page fails.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The log file.
            type: path
            required: true
          containing:
            description: A text that the site's lines have, in a log of all sites.
            type: str
            default: ""
      hide:
        description: >-
          Configuration files of php-fpm pools. The values of their environment variables are left out of what is told
          of the logs.
        type: list
        elements: path
        default: []
  server:
    description: The server's name, for messages.
    type: str
    default: ""
  require_pages:
    description:
      - Whether the module fails, and takes releases back, when a page is not answered as expected. Otherwise
        RV(failed_pages) tells it.
    type: bool
    default: true
attributes:
  check_mode:
    description: >-
      Predicts every change, on a server without the site too. Asks for no page, as that could change what the
      application keeps, and tells in RV(pages) for which a run asks.
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
        owner: code-shop
        group: site-shop
        private_group: code-shop
        reload: [php8.2-fpm]
        pages:
          - {path: /, host: shop.example.com, names: [shop.example.com]}
        logs:
          - path: /var/log/apache2/shop-error.log
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
pages:
  description: The pages that were asked for, or would be in check mode.
  returned: success
  type: list
  elements: str
failed_pages:
  description: The pages that were not answered as expected.
  returned: always
  type: list
  elements: dict
  contains:
    site:
      description: The site's name.
      type: str
    path:
      description: The page's path.
      type: str
    status:
      description: The status of the answer, V(0) when there was none.
      type: int
    fault:
      description: What is wrong, in words.
      type: str
failed_before:
  description: The same from before the releases became current; empty when no release changed.
  returned: always
  type: list
  elements: dict
taken_back:
  description: The sites whose release was taken back, with the release that is current again.
  returned: when pages failed
  type: dict
missing:
  description: The sites whose release was not on the server before.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.serving import (
    RELEASE_ARGUMENTS,
    Releases,
    parse_releases,
)


def main() -> None:
    """Make the releases current, or in check mode tell what would change."""
    module = QuietModule(argument_spec=RELEASE_ARGUMENTS, supports_check_mode=True)
    problems = Problems()
    try:
        desired = parse_releases(module.params, problems)
        problems.raise_if_any()
        result = Releases(Services(run)).converge(
            desired, check_mode=module.check_mode, require_pages=module.params["require_pages"]
        )
    except GroundworkError as error:
        server = f"{module.params['server']}: " if module.params["server"] else ""
        module.fail_json(msg=f"{server}{error}", **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
