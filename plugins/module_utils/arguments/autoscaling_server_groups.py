# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `autoscaling_server_groups`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "tiers": {"type": "dict", "required": True},
    "zones": {"type": "list", "elements": "str", "default": []},
    "metadata_hop_limit": {"type": "int", "default": 1},
    "refresh": {"type": "bool", "default": True},
    "refresh_min_healthy": {"type": "int", "default": 100},
    "refresh_max_healthy": {"type": "int", "default": 150},
    "refresh_deadline": {"type": "int", "default": 3600},
    "allow_removal": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 600},
}
