# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_vpc_network`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "cidr": {"type": "str", "required": True},
    "zones": {"type": "list", "elements": "str", "required": True},
    "tiers": {
        "type": "list",
        "elements": "dict",
        "default": [{"name": "public", "public": True}, {"name": "private", "public": False}],
        "options": {"name": {"type": "str", "required": True}, "public": {"type": "bool", "default": False}},
    },
    "subnet_prefix": {"type": "int", "default": 24},
    "subnet_cidrs": {"type": "dict", "default": {}},
    "s3_endpoint": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
}
