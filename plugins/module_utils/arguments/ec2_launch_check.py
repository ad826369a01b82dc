# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_launch_check`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "tiers": {"type": "dict", "required": True},
    "zones": {"type": "list", "elements": "str", "required": True},
    "nat_mode": {"type": "str", "choices": ["none", "single", "per_zone"], "default": "none"},
    "nat_addresses": {"type": "dict", "default": {}},
    "builder": {"type": "dict", "default": {}},
}
