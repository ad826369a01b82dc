# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_console_host_keys`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "servers": {"type": "dict"},
    "known_hosts": {"type": "path", "required": True},
    "shared": {"type": "bool", "default": True},
    "required": {"type": "list", "elements": "str"},
    "verify": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 600},
}
