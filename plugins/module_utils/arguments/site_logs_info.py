# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `site_logs_info`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "logs": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "containing": {"type": "str", "default": ""},
        },
    },
    "units": {"type": "list", "elements": "str", "default": []},
    "hide": {"type": "list", "elements": "path", "default": []},
    "lines": {"type": "int", "default": 100},
    "minutes": {"type": "int", "default": 0},
    "begin": {"type": "dict", "default": {}},
    "follow": {"type": "int", "default": 0},
}
