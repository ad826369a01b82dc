# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `s3_backups_info`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "tier": {"type": "str", "required": True},
    "server": {"type": "str", "required": True},
    "choice": {"type": "str", "default": "newest"},
    "site": {"type": "str", "default": ""},
    "urls": {"type": "bool", "default": False},
}
