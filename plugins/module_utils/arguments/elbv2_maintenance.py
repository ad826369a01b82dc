# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `elbv2_maintenance`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "shown": {"type": "bool", "default": False},
    "load_balancers": {"type": "list", "elements": "str", "default": []},
    "body": {
        "type": "str",
        "default": '<!doctype html><meta charset="utf-8"><title>Maintenance</title><p>Back in a few minutes.</p>',
    },
    "content_type": {"type": "str", "choices": ["text/plain", "text/html", "application/json"], "default": "text/html"},
    "let_in": {"type": "list", "elements": "str", "default": []},
}
