# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `network`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import parse_network


def _check(own: Options, _known: Known, problems: Problems) -> dict[str, t.Any]:
    network = parse_network(own, problems)
    subnets = network.subnets if network else ()
    return {
        "tiers": list(dict.fromkeys(subnet.tier for subnet in subnets)),
        "subnets": [subnet.name for subnet in subnets],
        "public_subnets": [subnet.name for subnet in subnets if subnet.public],
        "subnet_prefixes": {
            subnet.name: subnet.cidr.prefixlen if subnet.cidr else own["subnet_prefix"] for subnet in subnets
        },
    }


CHECK = Check(_check, basis=True)
