# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `release_archives`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "folder": {"type": "path", "required": True},
    "releases": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "source": {
                "type": "dict",
                "required": True,
                "options": {
                    "path": {"type": "path"},
                    "archive": {"type": "path"},
                    "git": {"type": "str"},
                    "ref": {"type": "str", "default": "HEAD"},
                    "strip": {"type": "int", "default": 0},
                    "exclude": {"type": "list", "elements": "str", "default": []},
                },
            },
            "folders": {
                "type": "dict",
                "options": {
                    "shared": {"type": "list", "elements": "str", "default": []},
                    "shared_files": {"type": "list", "elements": "str", "default": []},
                    "writable": {"type": "list", "elements": "str", "default": []},
                    "web_root": {"type": "str", "default": ""},
                },
            },
            "allow_override": {"type": "bool", "default": False},
        },
    },
}
