# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `cloudfront_invalidation`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "distributions": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"name": {"type": "str", "required": True}, "content": {"type": "dict", "required": True}},
    },
    "state": {"type": "str", "choices": ["serving", "changing"], "default": "serving"},
    "component": {"type": "str", "default": "static_site"},
    "deadline": {"type": "int", "default": 900},
}
