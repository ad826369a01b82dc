# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `alb`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.project.alb.front_check import check_distributions
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.maintenance import parse_maintenance
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.names import (
    check_admitted,
    check_balancer_names,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import (
    check_sizes,
    forwards_to,
    parse_load_balancers,
)


def _check(own: Options, known: Known, problems: Problems) -> dict[str, t.Any]:
    wanted = parse_load_balancers(own, problems, known=known)
    for position, balancer in enumerate(wanted.load_balancers if wanted else ()):
        sizes = {name: known.subnet_prefixes.get(name, 0) for name in balancer.subnets}
        check_sizes(sizes, f"load_balancers[{position}].subnets", problems)
    names = check_balancer_names(own, known.zone, problems)
    check_admitted(own, known, problems)
    check_distributions(own, known, problems)
    if own["maintenance"]:
        below = {name: own[f"maintenance_{name}"] for name in ("load_balancers", "body", "content_type", "let_in")}
        parse_maintenance({"shown": True, **below}, problems.scope(f"{problems.prefix}maintenance_"))
    groups = [group.name for group in wanted.target_groups] if wanted else []
    balancers = wanted.load_balancers if wanted else ()
    balanced = sorted({name for balancer in balancers for name in forwards_to(balancer)})
    return {"target_groups": groups, "balanced": balanced, "host_names": names}


CHECK = Check(_check, refers=("network", "firewall", "dns"))
