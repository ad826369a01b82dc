# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `dns`. The names themselves are variables of the roles that serve them."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.options import check_zone


def _check(own: Options, _known: Known, problems: Problems) -> dict[str, t.Any]:
    if own["zone"]:
        check_zone(own["zone"], "zone", problems)
    for name in ("zone_create", "zone_elsewhere"):
        if own[name] and not own["zone"]:
            problems.add(name, "has no effect without dns_zone", "give the zone, as dns_zone: example.com")
    if own["zone_create"] and own["zone_elsewhere"]:
        wrong = "is true, and so is dns_zone_create: a zone that another account or provider runs is not created"
        problems.add("zone_elsewhere", wrong, "set only one of them")
    check_range("deadline", own["deadline"], 60, 259200, problems)
    return {"zone": own["zone"]}


CHECK = Check(_check, after="firewall")
