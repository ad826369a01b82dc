# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `http_probe`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "probes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "url": {"type": "str", "required": True},
            "tls_name": {"type": "str", "default": ""},
            "host": {"type": "str", "default": ""},
            "paths": {"type": "list", "elements": "str", "default": ["/"]},
            "servers": {"type": "list", "elements": "str", "required": True},
            "release": {"type": "str", "default": ""},
        },
    },
    "requests": {"type": "int", "default": 1},
    "error_threshold": {"type": "float", "default": 0.0},
    "timeout": {"type": "int", "default": 10},
    "deadline": {"type": "int", "default": 60},
}
