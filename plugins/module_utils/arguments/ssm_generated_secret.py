# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ssm_generated_secret`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "component": {"type": "str", "required": True},
    "length": {"type": "int", "default": 32},
    "characters": {"type": "str", "default": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"},
    "key_id": {"type": "str", "no_log": False},
    "generate": {"type": "bool", "default": True},
    "rotate": {"type": "bool", "default": False},
    "quotings": {"type": "list", "elements": "str", "choices": ["dotenv", "line", "php", "php-fpm"], "default": []},
}
