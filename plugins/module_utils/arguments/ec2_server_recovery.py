# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_server_recovery`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "recover": {"type": "raw", "required": True},
    "recover_downtime": {"type": "str", "choices": ["refused", "accepted"], "default": "refused"},
    "state": {"type": "str", "choices": ["planned", "recovered"], "default": "recovered"},
    "key_file": {"type": "path", "required": True, "no_log": False},
    "key_file_planned": {"type": "bool", "default": False, "no_log": False},
    "known_hosts": {"type": "path", "required": True},
    "user": {"type": "str", "default": "admin"},
    "database": {"type": "str", "default": ""},
    "deadline": {"type": "int", "default": 600},
}
