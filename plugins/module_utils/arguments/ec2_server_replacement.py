# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_server_replacement`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["planned", "launched", "replaced", "kept"], "required": True},
    "replace": {"type": "raw", "required": True},
    "replace_batch": {"type": "str", "default": "50%"},
    "database": {"type": "str", "default": ""},
    "local_files": {"type": "bool", "default": False},
    "replace_data": {"type": "str", "choices": ["kept", "backed_up", "lost"], "default": "kept"},
    "replace_backup_minutes": {"type": "int", "default": 60},
    "tiers": {"type": "dict", "required": True},
    "zones": {"type": "list", "elements": "str", "default": []},
    "key_file": {"type": "path", "required": True, "no_log": False},
    "key_file_planned": {"type": "bool", "default": False, "no_log": False},
    "metadata_hop_limit": {"type": "int", "default": 1},
    "allow_removal": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 600},
}
