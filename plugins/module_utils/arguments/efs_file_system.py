# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `efs_file_system`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "zones": {"type": "list", "elements": "str", "required": True},
    "tier": {"type": "str", "default": "private"},
    "security_groups": {"type": "list", "elements": "str", "required": True},
    "throughput_mode": {"type": "str", "choices": ["elastic", "bursting"], "default": "elastic"},
    "purge": {"type": "bool", "default": False},
}
