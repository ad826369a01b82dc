# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `cloudfront_cache_policy`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "component": {"type": "str", "default": "static_site"},
    "min_ttl": {"type": "int", "default": 1},
    "default_ttl": {"type": "int", "default": 86400},
    "max_ttl": {"type": "int", "default": 31536000},
    "gzip": {"type": "bool", "default": True},
    "brotli": {"type": "bool", "default": True},
    "headers": {"type": "list", "elements": "str", "default": ["none"]},
    "cookies": {"type": "list", "elements": "str", "default": ["none"]},
    "query_strings": {"type": "list", "elements": "str", "default": ["none"]},
}
