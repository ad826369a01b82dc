# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `restore`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.choosing import parse_choice


def _check(own: Options, _known: Known, problems: Problems) -> dict[str, t.Any]:
    if own["from"]:  # only a restore needs it, and asks for it
        parse_choice(own["from"], "from", problems)
    return {}


CHECK = Check(_check, after="backup")
