# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `environment_teardown`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "environment_confirm": {"type": "str", "default": ""},
    "images": {"type": "bool", "default": False},
    "buckets": {"type": "bool", "default": False},
    "backups": {"type": "bool", "default": False},
    "file_systems": {"type": "bool", "default": False},
    "databases": {"type": "bool", "default": False},
    "hosted_zones": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 1800},
}
