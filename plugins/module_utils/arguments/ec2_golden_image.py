# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_golden_image`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "stage": {"type": "str", "choices": ["plan", "build", "capture", "test", "promote", "clear"], "default": "plan"},
    "stamp": {"type": "str", "default": ""},
    "recipe": {"type": "dict", "required": True},
    "base": {
        "type": "dict",
        "default": {},
        "options": {
            "owner": {"type": "str", "default": "136693071363"},
            "name": {"type": "str", "default": "debian-12-amd64-*"},
            "id": {"type": "str"},
        },
    },
    "subnet": {"type": "str", "required": True},
    "instance_type": {"type": "str", "default": "t3.small"},
    "admin_cidrs": {"type": "list", "elements": "str", "default": []},
    "keep": {"type": "int", "default": 3},
    "rebuild": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 900},
}
