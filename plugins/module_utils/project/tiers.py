# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules that the role `servers` computes: names, roles and groups of tiers, and a replacement. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.jobs import DEFAULTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout import planning
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import GROUP_OPTIONS, LONGEST_GRACE

Options = t.Mapping[str, t.Any]
Tiers = t.Mapping[str, Options]


def counted_names(tiers: Tiers, wanted: t.Container[str]) -> list[str]:
    """Return the names of the servers of the tiers `wanted` that are not Auto Scaling groups."""
    return [
        f"{tier}-{number}"
        for tier, given in tiers.items()
        if tier in wanted and "group" not in given
        for number in range(1, int(given["count"]) + 1)
    ]


def counted_roles(tiers: Tiers, claims: bool, backups: bool = False) -> dict[str, dict[str, t.Any]]:
    """Return the roles of the other servers, as the option `roles` of the module `iam_server_roles`.

    They need one only to claim the ticks of schedules, and to write backups. A tier with its own instance profile keeps
    it.
    """
    counted = [tier for tier, given in tiers.items() if "group" not in given and given.get("instance_profile") is None]
    rights = {**({"claims": True} if claims else {}), **({"backups": True} if backups else {})}
    return {tier: dict(rights) for tier in counted} if rights else {}


def with_profiles(tiers: Tiers, environment: str, roles: t.Container[str]) -> dict[str, dict[str, t.Any]]:
    """Return the tiers that are not Auto Scaling groups, with the instance profiles of their roles."""
    return {
        tier: {**given, **({"instance_profile": f"{environment}-{tier}"} if tier in roles else {})}
        for tier, given in tiers.items()
        if "group" not in given
    }


def group_roles(tiers: Tiers, roles: Tiers, boot: Tiers, claims: bool = False) -> dict[str, dict[str, t.Any]]:
    """Return the roles of the Auto Scaling groups' servers, as the option `roles` of the module `iam_server_roles`.

    `roles` are the user's rights by tier. A tier without its own instance profile and user data gets in addition what
    its servers read when they boot, `parameters` and `archives` of `boot`, and may claim the ticks of schedules.
    """
    found = {}
    for tier, given in tiers.items():
        if "group" not in given:
            continue
        own = roles.get(tier) or {}
        configures = given.get("instance_profile") is None and given.get("user_data") is None
        read = boot.get(tier, {}) if configures else {}
        if own or read:
            rights = {name: [*read.get(name, []), *own.get(name, [])] for name in ("parameters", "archives")}
            found[tier] = {**own, **rights, **({"claims": True} if claims and read else {})}
    return found


def groups(
    tiers: Tiers, environment: str, roles: t.Container[str], boot: Tiers, command_timeouts: t.Iterable[t.Any] = ()
) -> dict[str, dict[str, t.Any]]:
    """Return the Auto Scaling groups, as the option `tiers` of the module `autoscaling_server_groups`.

    A tier in `roles` has the instance profile of its role, and a tier in `boot` the user data that configures servers.
    Its servers may have to run release commands, which take at most `command_timeouts`, or None for the default.
    """
    longest = sum(int(one or DEFAULTS["release_command_timeout"]) for one in command_timeouts)
    grace = min(LONGEST_GRACE, GROUP_OPTIONS["health_check_grace"]["default"] + longest)
    longer = {"health_check_grace": grace} if longest else {}
    return {
        tier: {
            **({"instance_profile": f"{environment}-{tier}"} if tier in roles else {}),
            **({"user_data": boot[tier]["user_data"]} if tier in boot else {}),
            **given,
            "group": {**(longer if tier in boot else {}), **given["group"]},
        }
        for tier, given in tiers.items()
        if "group" in given
    }


def successors(batches: t.Sequence[t.Sequence[Options]]) -> list[dict[str, t.Any]]:
    """Return the hosts of a replacement: for each batch one that represents the controller, and its successors."""
    return [
        host
        for number, batch in enumerate(batches, 1)
        for host in (
            {"name": f"batch-{number}"},
            *({"name": server["successor"], "takes_place_of": server} for server in batch),
        )
    ]


def balancer_probes(
    *,
    servers: t.Sequence[Options],
    releases: t.Sequence[Options],
    hosts: t.Mapping[str, str],
    groups_of_tiers: t.Mapping[str, str],
    urls: t.Mapping[str, str],
    names: t.Mapping[str, t.Sequence[str]],
    paths: t.Sequence[str],
) -> list[dict[str, t.Any]]:
    """Return the probes of new servers through their load balancers, as options of the module `http_probe`.

    `servers` have a `name` and a `tier`. `hosts` are the host names of sites, `groups_of_tiers` the tiers of target
    groups, and `urls` and `names` those of target groups.
    """
    tiers = {one["name"]: one["tier"] for one in servers}
    return planning.probes(
        tiers=tiers, releases=releases, groups=groups_of_tiers, urls=urls, names=names, hosts=hosts, paths=paths
    )
