# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `elbv2_target_rotation`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "servers": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["serving", "drained", "held"], "required": True},
    "reason": {"type": "str", "default": ""},
    "skip_held": {"type": "bool", "default": False},
    "drain_planned": {"type": "bool", "default": False},
    "target_groups": {"type": "dict", "required": True},
    "names": {"type": "dict", "default": {}},
    "behind": {"type": "list", "elements": "str", "default": []},
    "leave": {"type": "int", "default": 1},
    "deadline": {"type": "int", "default": 180},
}
