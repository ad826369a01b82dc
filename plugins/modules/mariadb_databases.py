#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: mariadb_databases
short_description: Manage databases, users and grants of a MariaDB server
description:
  - Speaks to the server as root over its unix socket, with the server's own client. No Python driver is needed, and no
    password of root exists.
  - Root comes by the socket only, anonymous users and an empty database C(test) are removed.
  - Of a password only the hash that MariaDB itself stores is sent, never as an argument of a command.
  - A declared user may come from its declared hosts only. Users and databases that are not declared stay.
  - C(community.mysql) needs a driver on the server, and one module run for each database, user and grant.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  socket:
    description: The server's unix socket.
    type: path
    default: /run/mysqld/mysqld.sock
  databases:
    description: The databases.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Lower case letters, digits and underscores.
        type: str
        required: true
      character_set:
        description: The character set of new tables.
        type: str
        default: utf8mb4
      collation:
        description: How text is compared in new tables.
        type: str
        default: utf8mb4_unicode_ci
  users:
    description: The users.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Lower case letters, digits and underscores.
        type: str
        required: true
      hosts:
        description: From where the user may come. C(localhost), a host's name or address, or a network's CIDR.
        type: list
        elements: str
        default: [localhost]
      password:
        description:
          - The placeholder for the password, C(@groundwork(parameter:/path)@). The password itself is refused here.
          - The password has at least 12 characters.
        type: str
        required: true
      databases:
        description: Databases on which the user has every privilege.
        type: list
        elements: str
        default: []
  secrets:
    description:
      - The values for the placeholders, by the paths of their parameters. These are the passwords.
      - Each has at least 8 characters. This option is not logged, and its values are hidden in what the module returns.
    type: dict
    default: {}
attributes:
  check_mode:
    description:
      - Predicts every change. A server that never ran has nothing, so everything is planned.
      - Of a server that is stopped only the databases can be seen. Their users are taken for made with the password
        that is given, so that another password is not predicted there.
    support: full
  diff_mode:
    description: Shows databases, users and grants, never a password.
    support: full
notes:
  - Needs root on the server.
"""

EXAMPLES = r"""
- name: Give the shop its database
  groundwork.aws.mariadb_databases:
    databases:
      - name: shop
    users:
      - name: shop
        password: "@groundwork(parameter:/groundwork/dev/shop/password)@"
        databases: [shop]
    secrets:
      /groundwork/dev/shop/password: "{{ shop_database_password }}"
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
from ansible_collections.groundwork.aws.plugins.module_utils.host.mariadb import (
    MARIADB_ARGUMENTS,
    converge,
    parse_mariadb,
)


def main() -> None:
    """Bring the server's databases to what is declared, or in check mode tell what would change."""
    module = QuietModule(argument_spec={**MARIADB_ARGUMENTS, **SECRETS_ARGUMENT}, supports_check_mode=True)
    problems = Problems()
    try:
        desired = parse_mariadb(module.params, problems)
        problems.raise_if_any()
        result = converge(run, desired, module.params["socket"], check_mode=module.check_mode)
    except GroundworkError as error:
        module.fail_json(**hide({"msg": str(error), **error.details}, module.params["secrets"]))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
