# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `servers`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import (
    parse_server_groups,
    split_tiers,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import parse_server_roles
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import parse_servers, server_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.private_key import check_kms_key
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery import check_user
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.replacement import check_probing, parse_wish
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.restarting import (
    parse_wish as parse_restarted,
)


def _check(own: Options, known: Known, problems: Problems) -> dict[str, t.Any]:
    counted, groups = split_tiers(own["tiers"], problems)
    declared = parse_servers({**own, "tiers": counted, "key_file_planned": not own["key_file"]}, problems, known=known)
    tiers = declared.tiers if declared else ()
    servers = {tier.name: [server_name(tier.name, number) for number in range(1, tier.count + 1)] for tier in tiers}
    names = [name for some in servers.values() for name in some] if declared else None
    if names is not None:
        parse_wish(own, names, problems)
    for variable in ("recover", "resize"):
        parse_restarted(variable, own[variable], names, problems)
    check_user("recover_user", own["recover_user"], problems)
    check_kms_key("kms_key", own["kms_key"], problems)
    check_probing(own, own["tiers"], problems)
    parse_server_groups({**own, "tiers": groups}, problems, known, known.target_groups, known.balanced)
    parse_server_roles(own, problems)
    for tier in sorted(own["roles"].keys() - groups.keys()):
        problems.add(
            f"roles.{tier}", f"'{tier}' is not an Auto Scaling group", f"use some of {', '.join(groups) or 'none'}"
        )
    return {
        "servers": servers,
        "groups": list(groups),
        "images": {
            tier.name: tier.image.name if tier.image.promoted == "never" else ""
            for tier in tiers
            if tier.image.promoted != "must" and not tier.image.id
        },
        "booting": [name for name, tier in groups.items() if "user_data" not in tier],
    }


CHECK = Check(_check, refers=("network", "firewall", "alb"))
