# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `backup`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.calendar import check_calendar
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.bucket import MOST_DAYS, parse_keeping


def _check(own: Options, _known: Known, problems: Problems) -> dict[str, t.Any]:
    parse_keeping(own, problems)
    check_range("max_age_hours", own["max_age_hours"], 1, MOST_DAYS * 24, problems)
    try:
        check_calendar(own["on_calendar"])
    except ValueError as error:
        problems.add("on_calendar", str(error), "write it as '*-*-* 02:30:00', 'Mon..Fri 08:00', '*:0/15', or 'daily'")
    return {}


CHECK = Check(_check, after="lamp")
