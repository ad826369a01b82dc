# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `image`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import parse_golden


def _check(own: Options, known: Known, problems: Problems) -> dict[str, t.Any]:
    check_range("test_deadline", own["test_deadline"], 1, 3600, problems)
    if not own["test_path"].startswith("/"):
        problems.add("test_path", f"'{own['test_path']}' does not begin with /", "begin the path with /")
    parse_golden({**own, "recipe": {}}, problems, subnets=known.public_subnets)
    return {}


CHECK = Check(_check, refers=("network",), after="release")
