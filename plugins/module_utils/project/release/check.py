# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `release`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout.planning import parse_release


def _check(own: Options, known: Known, problems: Problems) -> dict[str, t.Any]:
    servers, groups = known.servers, known.groups
    counts = (
        None if servers is None else {tier: len(names) for tier, names in servers.items()} | dict.fromkeys(groups, 0)
    )
    parse_release(own, problems, counts=counts)
    left = [name for name in groups if name not in own["tiers"]]
    if left and len(left) < len(groups):
        wrong = f"{', '.join(left)} is missing, and other Auto Scaling groups are given"
        problems.add("tiers", wrong, "name all groups or none, because they are kept together")
    return {}


CHECK = Check(_check, refers=("servers",), after="lamp")
