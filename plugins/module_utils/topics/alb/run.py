# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `elbv2_application_lb`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import (
    LISTENER_RULES,
    LISTENERS,
    Use,
    refuse_exceeding,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.changes import (
    check,
    plan_balancers,
    rules_with_former,
    strays,
    undeclared_balancers,
    undeclared_groups,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import Observed, look, maintained
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import (
    COMPONENT,
    Balancers,
    BalancerWish,
    balancer_ref,
    dns_ref,
    parse_load_balancers,
    zone_ref,
)


def converge_load_balancers(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_load_balancers)
    observed = run.observe(
        lambda: look(owner, desired, run.clients),
        lambda seen, problems: check(desired, seen, owner, problems, check_mode=run.check_mode),
    )
    _tell(run, desired, observed, owner)
    ids = observed.ids()
    changes = plan_balancers(desired, observed, owner)
    if changes:
        refuse_exceeding(run.clients, _uses(desired), run.warn)
    result = run.make(changes, ids)
    return {
        **result,
        "held": _held(desired, observed),
        "former": rules_with_former(desired, observed),
        "load_balancers": [_told(wish, ids) for wish in desired.load_balancers],
    }


def _uses(desired: Balancers) -> list[Use]:
    """Return how many listeners and rules each load balancer has."""
    return [
        Use(quota, 0, count, f"load_balancers[{position}].listeners")
        for position, wish in enumerate(desired.load_balancers)
        for quota, count in (
            (LISTENERS, len(wish.listeners)),
            (LISTENER_RULES, sum(len(listener.rules) for listener in wish.listeners)),
        )
    ]


def _held(desired: Balancers, observed: Observed) -> dict[str, str]:
    """Return the reasons of the held servers of the target groups' tiers, by name."""
    tiers = {wish.tier for wish in desired.target_groups}
    return {one.name: one.held for one in observed.instances if one.held and one.tier in tiers and not one.scaled}


def _told(wish: BalancerWish, ids: Ids) -> dict[str, t.Any]:
    dns_name = shown(dns_ref(wish.name), ids)
    return {
        "name": wish.name,
        "arn": shown(balancer_ref(wish.name), ids),
        "dns_name": dns_name,
        "zone_id": shown(zone_ref(wish.name), ids),
        "url": _url(wish, dns_name),
    }


def _url(wish: BalancerWish, dns_name: str) -> str:
    """Return the URL of the first listener. The port is left out if it is the protocol's default."""
    if dns_name == KNOWN_AFTER_APPLY or not wish.listeners:
        return dns_name
    first = wish.listeners[0]
    port = "" if first.port == {"HTTP": 80, "HTTPS": 443}[first.protocol] else f":{first.port}"
    return f"{first.protocol.lower()}://{dns_name}{port}/"


def _tell(run: Run, desired: Balancers, observed: Observed, owner: Owner) -> None:
    """Warn about everything that is not declared and stays."""
    ours, others = strays(desired, observed, owner)
    left = [
        *(f"load balancer {name}" for name in undeclared_balancers(desired, observed, owner)),
        *(f"target group {name}" for name in undeclared_groups(desired, observed, owner)),
        *ours,
    ]
    if left and not desired.purge:
        run.warn(f"Resources that are not declared: {', '.join(sorted(left))}. Set purge to delete them.")
    page = maintained(observed, desired)
    if page:
        where = ", ".join(sorted({name.rpartition("/")[0] for name in page}))
        hide = "playbooks/maintenance.yml -e alb_maintenance=off"
        run.warn(f"Visitors get the maintenance page at {where}. {hide} hides it.")
    if others:
        told = f"Resources that are not declared, and that this collection did not create: {', '.join(sorted(others))}."
        run.warn(f"{told} They stay and apply to requests. Declare them, or delete them by hand.")
