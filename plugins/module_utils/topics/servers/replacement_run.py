# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_server_replacement`: one step of the replacement of servers."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import UTC, datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import refuse_exceeding
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.bucket import bucket_of
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.choosing import Choice, chosen, kept
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.changes import check
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    NEXT,
    Server,
    observe_servers,
    observe_target_groups,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import group_uses
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.replacement import (
    Replacement,
    afterwards,
    check_replacement,
    endangered,
    is_asked_about,
    parse_replacement,
    plan_replacement,
    told,
    wanted,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import COMPONENT, await_running


def converge_replacement(run: Run) -> dict[str, t.Any]:
    """Make the changes of one step, and return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_replacement)
    observed = observe_servers(run.clients, owner, desired.servers)
    problems = Problems()
    check(owner, desired.servers, observed, problems, check_mode=run.check_mode)
    concerned = wanted(desired, observed)
    lost = endangered(desired, concerned)
    backups = newest_backups(run.clients, owner, lost) if lost and is_asked_about(desired) else {}
    check_replacement(owner, desired, observed, problems, backups)
    problems.raise_if_any()
    for words in afterwards(desired, concerned, backups) if desired.state == "planned" else ():
        run.warn(words)
    if concerned and desired.state != "launched":
        observed = replace(observed, target_groups=observe_target_groups(run.clients, owner))
    ids = observed.ids()
    changes = plan_replacement(owner, desired, observed, check_mode=run.check_mode)
    if changes and desired.state == "launched":
        refuse_exceeding(run.clients, group_uses(desired.servers.tiers), run.warn)
    result = run.make(changes, ids)
    if concerned and desired.state == "launched" and not run.check_mode:
        expected = {f"{server.place}{NEXT}": _addressed(desired, server.tier) for server in concerned}
        await_running(run, owner, expected, ids, desired.servers.deadline)
    return {**result, **told(desired, observed)}


def newest_backups(clients: Clients, owner: Owner, servers: t.Sequence[Server]) -> dict[str, tuple[str, float]]:
    """Return the id and the age of the newest complete backup of each server, with a call for each, and one more."""
    bucket, now = bucket_of(clients, owner), datetime.now(UTC)
    newest = Choice(newest=True)
    found = {server.name: chosen(newest, kept(clients, bucket, server.tier, server.name)) for server in servers}
    return {name: (one.id, (now - one.began).total_seconds()) for name, one in found.items() if one}


def _addressed(desired: Replacement, tier_name: str) -> bool:
    tier = desired.servers.tier(tier_name)
    return bool(tier and tier.public_ip)
