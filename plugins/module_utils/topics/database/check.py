# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `database`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import SECURITY_GROUP_ID
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import parse_settings


def _check(own: Options, known: Known, problems: Problems) -> dict[str, t.Any]:
    if not known.managed_database:
        return {}
    before = len(problems.found)
    wanted = parse_settings(own, problems)
    if len(problems.found) == before:
        _check_subnets(own["tier"], wanted["subnets"], known, problems)
    for at, name in enumerate(known.database_clients):
        if known.security_groups is not None and not _is_group(name, known.security_groups):
            right = f"use some of {', '.join(known.security_groups)}, or ids of groups (sg-...)"
            wrong = f"'{name}' is not a declared security group"
            problems.scope("firewall_").add(f"database_clients[{at}]", wrong, right)
    return {}


def _check_subnets(tier: str, subnets: t.Iterable[str], known: Known, problems: Problems) -> None:
    if known.tiers is not None and tier not in known.tiers:
        right = f"use one of {', '.join(sorted(known.tiers))}, or add it to network_tiers"
        problems.add("tier", f"the network has no tier '{tier}'", right)
        return
    for subnet in subnets:
        if known.subnets is not None and subnet not in known.subnets:
            wrong = f"the network has no subnet '{subnet}' for the database"
            problems.add("zones", wrong, "use zones of network_zones")


def _is_group(name: str, declared: t.Container[str]) -> bool:
    return name in declared or bool(SECURITY_GROUP_ID.fullmatch(name))


CHECK = Check(_check, refers=("network", "firewall", "lamp"))
