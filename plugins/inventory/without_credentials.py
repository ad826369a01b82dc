# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: without_credentials
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Read an inventory of EC2 instances as empty if there are no AWS credentials
description:
  - Stands before P(amazon.aws.aws_ec2#inventory) in C(enable_plugins), and accepts its files only if no AWS credentials
    can be found. Then the inventory has no servers, and a warning tells that.
  - Without it, Ansible fails with the errors of all inventory plugins before the first task. With it, the first task
    that needs AWS fails, and tells how to give credentials.
  - Files that name their credentials themselves are left to P(amazon.aws.aws_ec2#inventory).
options: {}
requirements:
  - botocore
"""

EXAMPLES = r"""
# In ansible.cfg:
# [inventory]
# enable_plugins = groundwork.aws.without_credentials, amazon.aws.aws_ec2, yaml, host_list
"""

import typing as t

from ansible.plugins.inventory import BaseInventoryPlugin

from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.inventory import read_sources

try:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session
except ImportError:
    Session = None  # the plugin aws_ec2 tells it

# Options with which a file names its credentials, also by their aliases.
OWN = ("access_key", "assume_role", "iam_role", "profile", "secret_key", "session_token", "security_token")


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc] # of ansible-core, without types
    """An inventory without hosts."""

    NAME = "groundwork.aws.without_credentials"

    def verify_file(self, path: str) -> bool:
        """Return whether the file is one of aws_ec2, and there are no credentials to read it with."""
        if Session is None or not super().verify_file(path):
            return False
        sources = read_sources([path])
        own = any(word in option for source in sources for option in source.options for word in OWN)
        return bool(sources) and not own and not _has_credentials()

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add no host, and warn."""
        super().parse(inventory, loader, path, cache)
        self.display.warning(f"AWS credentials were not found, so the inventory has no servers of {path}.")


def _has_credentials() -> bool:
    try:
        return Session().get_credentials() is not None
    except BotoCoreError:  # such as a profile that does not exist, which aws_ec2 tells
        return True
