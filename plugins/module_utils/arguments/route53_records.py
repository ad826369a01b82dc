# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `route53_records`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "zone": {"type": "str", "required": True},
    "create": {"type": "bool", "default": False},
    "elsewhere": {"type": "bool", "default": False},
    "aliases": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "target": {"type": "str", "required": True},
            "zone_id": {"type": "str", "default": ""},
            "ipv6": {"type": "bool", "default": False},
            "resource": {"type": "str", "default": ""},
        },
    },
    "kept": {"type": "list", "elements": "str", "default": []},
    "adopt": {"type": "list", "elements": "str", "default": []},
    "unseen": {"type": "list", "elements": "str", "default": []},
    "forget": {"type": "bool", "default": False},
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "arn": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
        },
    },
    "check_delegation": {"type": "bool", "default": False},
    "planned": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "deadline": {"type": "int", "default": 1800},
    "purge": {"type": "bool", "default": False},
}
