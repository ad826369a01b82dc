# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ssm_restored_secrets`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "backup": {"type": "str", "required": True},
    "tier": {"type": "str", "required": True},
    "parameters": {"type": "dict", "required": True, "no_log": False},
}
