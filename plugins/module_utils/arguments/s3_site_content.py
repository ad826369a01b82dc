# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `s3_site_content`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "bucket": {"type": "str", "required": True},
    "distribution": {"type": "str"},
    "pages_distribution": {"type": "str"},
    "source": {"type": "path"},
    "release": {"type": "str"},
    "prefix": {"type": "str", "default": "site"},
    "cache_control": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"pattern": {"type": "str", "required": True}, "value": {"type": "str", "required": True}},
    },
    "fingerprint": {"type": "str"},
    "content_types": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"pattern": {"type": "str", "required": True}, "value": {"type": "str", "required": True}},
    },
    "exclude": {"type": "list", "elements": "str", "default": [".*"]},
    "precompress": {"type": "list", "elements": "str", "default": []},
    "keep_variants": {"type": "bool", "default": True},
    "redirects": {"type": "list", "elements": "str", "default": []},
    "clean_urls": {"type": "str", "choices": ["serve", "redirect", "html", "none"], "default": "serve"},
    "unmapped_paths": {"type": "list", "elements": "str", "default": []},
    "variables": {"type": "str"},
    "max_deletions": {"type": "str", "default": "25%"},
    "allow_missing_references": {"type": "bool", "default": False},
    "keep_releases": {"type": "int", "default": 5},
    "keep_assets": {"type": "int", "default": 1},
    "max_invalidation_paths": {"type": "int", "default": 50},
    "wait": {"type": "bool", "default": True},
    "deadline": {"type": "int", "default": 900},
    "parallel": {"type": "int", "default": 16},
}
