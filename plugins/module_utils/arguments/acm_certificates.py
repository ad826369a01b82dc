# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `acm_certificates`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "region": {"type": "str"},
            "key_algorithm": {
                "type": "str",
                "choices": ["RSA_2048", "EC_prime256v1", "EC_secp384r1"],
                "default": "RSA_2048",
            },
        },
    },
    "given": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "arn": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
        },
    },
    "wait": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 1800},
    "replaced": {"type": "str", "choices": ["keep", "delete"], "default": "keep"},
    "planned": {"type": "bool", "default": False},
    "all_regions": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
}
