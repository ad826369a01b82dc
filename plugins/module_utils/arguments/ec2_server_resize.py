# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_server_resize`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "resize": {"type": "raw", "required": True},
    "resize_downtime": {"type": "str", "choices": ["refused", "accepted"], "default": "refused"},
    "state": {"type": "str", "choices": ["planned", "resized"], "default": "resized"},
    "tiers": {"type": "dict", "required": True},
    "zones": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "str", "default": ""},
    "deadline": {"type": "int", "default": 600},
}
