# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `firewall`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import check_admin_cidr
from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Admitted, Known
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import SECURITY_GROUP_ID
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import (
    LAST_PORT,
    GroupWish,
    parse_security_groups,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import ALL


def _check(own: Options, _known: Known, problems: Problems) -> dict[str, t.Any]:
    for position, cidr in enumerate(own["admin_cidrs"]):
        check_admin_cidr(cidr, f"admin_cidrs[{position}]", problems)
    firewall = parse_security_groups(own, problems)
    names = [group["name"] for group in own["groups"]]
    for position, name in enumerate(own["file_clients"]):
        if name not in names and not SECURITY_GROUP_ID.fullmatch(name):
            right = f"use some of {', '.join(names)}, or ids of groups (sg-...)"
            problems.add(f"file_clients[{position}]", f"'{name}' is not a declared security group", right)
    groups = firewall.groups if firewall else ()
    return {
        "security_groups": [group.name for group in groups],
        "admitted": {one.name: _admitted(one) for one in groups},
        "database_clients": own["database_clients"],
    }


def _admitted(group: GroupWish) -> list[Admitted]:
    """Return what may send TCP to members of a group."""
    return [
        Admitted(rule.peer, max(rule.first, 0), rule.last if rule.last >= 0 else LAST_PORT)
        for rule in group.rules
        if rule.way == "ingress" and rule.protocol in (ALL, "tcp")
    ]


CHECK = Check(_check, after="nat")
