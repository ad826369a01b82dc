# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_vpc_nat`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "mode": {"type": "str", "choices": ["none", "single", "per_zone"], "default": "single"},
    "zones": {"type": "list", "elements": "str", "required": True},
    "tiers": {
        "type": "list",
        "elements": "dict",
        "default": [{"name": "public", "public": True}, {"name": "private", "public": False}],
        "options": {"name": {"type": "str", "required": True}, "public": {"type": "bool", "default": False}},
    },
    "tier": {"type": "str"},
    "addresses": {"type": "dict", "default": {}},
    "purge": {"type": "bool", "default": False},
}
