#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server_configuration
short_description: Configure a Debian server's services in one transaction
description:
  - Brings packages, system accounts, files and services of a server to what is declared, in one module run.
  - Nothing goes live unchecked. The daemons' own validators run in a mount namespace in which the new files are in
    place already, while everything else on the server still sees the old ones.
  - When a service does not come back with its new files, every file is restored, the service runs with the old ones
    again, and the module fails with the end of the service's journal.
  - A run that was killed is mended by the next one, a service that has yet to reload included.
  - Daemons that a package brings wait for their configuration before they start for the first time.
  - It fills gaps of C(ansible.builtin). C(ansible.builtin.apt) fails in check mode on a server without package lists,
    C(ansible.builtin.template) validates one file and not a set, and a handler that was not reached is lost.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  name:
    description: Keeps one configuration of a server apart from another.
    type: str
    default: groundwork
  packages:
    description: Debian packages that have to be installed. Packages that they merely recommend are left out.
    type: list
    elements: str
    default: []
  accounts:
    description: System accounts, each with a group of its own, without a shell and without a password.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The account's name, and its group's.
        type: str
        required: true
      home:
        description: Its home. The folder is not made.
        type: path
        required: true
      members:
        description: Other accounts that belong to its group as well.
        type: list
        elements: str
        default: []
      reload:
        description: Services to reload when the account or its group changes.
        type: list
        elements: str
        default: []
  files:
    description: Files, links and folders. The parent of each has to exist, or to come before it.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The absolute path.
        type: path
        required: true
      state:
        description:
          - What is at the path.
          - A folder is never replaced or removed.
        type: str
        choices: [file, link, directory, absent]
        default: file
      content:
        description:
          - The content of a file.
          - A secret is given by a placeholder, C(@groundwork(parameter:/path)@), and its value in O(secrets). Such a
            file is not shown in differences.
          - C(@groundwork(parameter:/path|php-fpm)@) is the value in quotes for the file of a php-fpm pool.
        type: str
      target:
        description: Where a link leads, as it stands in the link.
        type: str
      owner:
        description: The owner of a file or folder.
        type: str
        default: root
      group:
        description: The group of a file or folder.
        type: str
        default: root
      mode:
        description:
          - The mode in octal digits, V(0644) for a file and V(0755) for a folder unless told otherwise.
          - What the world may not read is not shown in differences either.
        type: str
      reload:
        description: Services to reload when it changes.
        type: list
        elements: str
        default: []
      restart:
        description: Services to restart when it changes.
        type: list
        elements: str
        default: []
  secrets:
    description:
      - The values for the placeholders, by the paths of their parameters.
      - Only O(files[].content) can contain placeholders.
      - Each has at least 8 characters. This option is not logged, and its values are hidden in what the module returns.
    type: dict
    default: {}
  purge:
    description: Files of ours from before. What matches a pattern and is not in O(files) is removed.
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: A path whose last part may hold wildcards.
        type: path
        required: true
      reload:
        description: Services to reload when something is removed.
        type: list
        elements: str
        default: []
      restart:
        description: Services to restart when something is removed.
        type: list
        elements: str
        default: []
  validators:
    description: The daemons' own checks. They see the new files below C(/etc).
    type: list
    elements: dict
    default: []
    suboptions:
      argv:
        description: The command and its arguments.
        type: list
        elements: str
        required: true
      services:
        description: It runs when something changes for one of these services.
        type: list
        elements: str
        required: true
      refuse:
        description: A regular expression. A line of the command's output that it matches counts as a refusal.
        type: str
  services:
    description: systemd services.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The unit's name, without C(.service).
        type: str
        required: true
      state:
        description: Whether it runs. A service that is not installed counts as stopped.
        type: str
        choices: [started, stopped]
        default: started
      enabled:
        description: Whether it starts with the server.
        type: bool
        default: true
attributes:
  check_mode:
    description: Predicts every change, on a server without the packages too, and runs the validators.
    support: full
  diff_mode:
    description: Shows files, accounts, packages and services.
    support: full
notes:
  - Needs root on a Debian server with systemd.
"""

EXAMPLES = r"""
- name: Configure Apache
  groundwork.aws.server_configuration:
    packages: [apache2]
    files:
      - path: /etc/apache2/conf-enabled/quiet.conf
        content: |
          ServerTokens Prod
        reload: [apache2]
    validators:
      - argv: [apache2ctl, configtest]
        services: [apache2]
    services:
      - name: apache2

- name: Give a daemon its password
  groundwork.aws.server_configuration:
    files:
      - path: /etc/shop.conf
        content: |
          password = @groundwork(parameter:/groundwork/dev/shop/password)@
        mode: "0600"
    secrets:
      /groundwork/dev/shop/password: "{{ shop_password }}"
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

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import SECRETS_ARGUMENT, hide
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import (
    SERVER_ARGUMENTS,
    parse_server,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Host, converge


def main() -> None:
    """Configure the server, or in check mode tell what would change."""
    module = QuietModule(argument_spec={**SERVER_ARGUMENTS, **SECRETS_ARGUMENT}, supports_check_mode=True)
    problems = Problems()
    try:
        desired = parse_server(module.params, problems)
        problems.raise_if_any()
        result = converge(Host(run, Services(run)), desired, check_mode=module.check_mode)
    except GroundworkError as error:
        module.fail_json(**hide({"msg": str(error), **error.details}, module.params["secrets"]))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
