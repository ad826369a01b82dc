# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `cloudfront_response_headers_policy`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "security": {
        "type": "dict",
        "options": {
            "hsts": {
                "type": "dict",
                "options": {
                    "max_age": {"type": "int", "default": 31536000},
                    "include_subdomains": {"type": "bool", "default": False},
                    "preload": {"type": "bool", "default": False},
                },
            },
            "content_security_policy": {"type": "str"},
            "content_type_options": {"type": "bool", "default": True},
            "frame_options": {"type": "str", "choices": ["DENY", "SAMEORIGIN"]},
            "referrer_policy": {
                "type": "str",
                "choices": [
                    "no-referrer",
                    "no-referrer-when-downgrade",
                    "origin",
                    "origin-when-cross-origin",
                    "same-origin",
                    "strict-origin",
                    "strict-origin-when-cross-origin",
                    "unsafe-url",
                ],
            },
            "xss_protection": {"type": "str", "choices": ["off", "filter", "block"]},
        },
    },
    "cors": {
        "type": "dict",
        "options": {
            "origins": {"type": "list", "elements": "str", "required": True},
            "methods": {"type": "list", "elements": "str", "default": ["GET", "HEAD", "OPTIONS"]},
            "headers": {"type": "list", "elements": "str", "default": ["*"]},
            "expose": {"type": "list", "elements": "str", "default": []},
            "credentials": {"type": "bool", "default": False},
            "max_age": {"type": "int", "default": 600},
            "override": {"type": "bool", "default": True},
        },
    },
    "custom": {"type": "dict"},
    "remove": {"type": "list", "elements": "str"},
}
