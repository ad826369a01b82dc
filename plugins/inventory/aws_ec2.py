# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of amazon.aws, with more patience when AWS throttles, and less when AWS cannot be reached."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: aws_ec2
short_description: The servers in EC2, also when AWS throttles
description:
  - This is the inventory plugin P(amazon.aws.aws_ec2#inventory), with all its options. It reads the same files.
  - It repeats a call that AWS throttles up to 20 times, where P(amazon.aws.aws_ec2#inventory) gives up after five.
  - It repeats a call whose response was incomplete.
  - It gives up after about a minute if AWS cannot be reached, where P(amazon.aws.aws_ec2#inventory) takes 5 minutes.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
requirements:
  - The collection amazon.aws.
options:
  plugin:
    description: The name of the plugin. All other options are those of P(amazon.aws.aws_ec2#inventory).
    type: str
    required: true
    choices:
      - groundwork.aws.aws_ec2
      - amazon.aws.aws_ec2
"""

EXAMPLES = r"""
plugin: groundwork.aws.aws_ec2
regions: [eu-central-1]
filters:
  tag:groundwork:environment: dev
"""

import typing as t
from functools import partial

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.plugins.loader import inventory_loader

from ansible_collections.groundwork.aws.plugins.module_utils.engine.cut import watch
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import CUT_ATTEMPTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.reach import REMEDY, TIMEOUTS, is_unreached, limit

try:
    from botocore.parsers import ResponseParserError
except ImportError:
    pass  # amazon.aws fails with the remedy before anything here is called

OTHER = "amazon.aws.aws_ec2"
# One call decides whether there is an inventory.
TWENTY_ATTEMPTS = {"mode": "standard", "max_attempts": 20}
CUT = "The response of EC2 was incomplete, or not from AWS. Check the network and the proxy, and run again."


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc] # of ansible-core, without types
    """The plugin of amazon.aws, with settings of botocore that it has no options for."""

    NAME = "groundwork.aws.aws_ec2"

    def verify_file(self, path: str) -> bool:
        """Return whether the file is one of amazon.aws' plugin, by its name."""
        return bool(super().verify_file(path) and inventory_loader.get(OTHER).verify_file(path))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts of the file to the inventory. Raise AnsibleError."""
        plugin = inventory_loader.get(OTHER)
        plugin._redirected_names = [OTHER, self.NAME]  # the names that the file may give
        plugin.client = partial(_client, plugin.client)
        plugin.fail_aws = partial(_fail, plugin.fail_aws)
        inventory._target_plugin = plugin  # as Ansible's plugin `auto` does, for the variables of hosts
        for attempt in range(1, CUT_ATTEMPTS + 1):
            try:
                plugin.parse(inventory, loader, path, cache=cache)
                break
            except ResponseParserError as error:
                if attempt == CUT_ATTEMPTS:
                    raise AnsibleParserError(CUT) from error
        if hasattr(plugin, "_cache"):
            plugin.update_cache_if_changed()


def _client(make: t.Callable[..., t.Any], service: str, **given: t.Any) -> t.Any:
    client = make(service, **given, config={**TIMEOUTS, "retries": TWENTY_ATTEMPTS})
    watch(client)
    limit(client)
    return client


def _fail(fail: t.Callable[..., t.NoReturn], message: str, exception: Exception | None = None) -> t.NoReturn:
    if is_unreached(exception):
        raise AnsibleParserError(f"{message}: {str(exception).rstrip('.')}. {REMEDY}")
    fail(message, exception=exception)
