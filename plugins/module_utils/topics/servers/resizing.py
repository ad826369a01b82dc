# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another instance type for servers: the options, what is checked and announced, and the changes. Pure functions.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-resize.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import NOTHING_KNOWN
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import HELD
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import Quota, Use, vcpu_quota
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.launching import (
    TYPES,
    Described,
    Launch,
    check_launches,
    vcpus_in_use,
    vcpus_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import GONE, Image, Server
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import Tier, parse_tier
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.restarting import (
    ACCEPTED,
    Wish,
    check_accepted,
    check_given,
    check_names,
    interruption,
    parse_wish,
    restart,
    wanted,
)

REASON = "gets another instance type"  # in the tag of a held server, after its name
State = t.Literal["planned", "resized"]


@dataclass(frozen=True)
class Resizes:
    """The options. `database` is as in Recoveries."""

    state: State
    wish: Wish
    accepted: bool
    tiers: t.Mapping[str, Tier]
    database: str
    deadline: float  # seconds


def parse_resizes(options: t.Mapping[str, t.Any], problems: Problems) -> Resizes | None:
    """Return the parsed options of `ec2_server_resize`, or None after adding to `problems`."""
    before = len(problems.found)
    wish = parse_wish("resize", options["resize"], None, problems)
    check_given("resize", wish, problems)
    zones = options.get("zones") or []
    tiers = [parse_tier(str(name), given, zones, problems, NOTHING_KNOWN) for name, given in options["tiers"].items()]
    check_range("deadline", options["deadline"], 1, 86400, problems)
    if len(problems.found) > before:
        return None
    return Resizes(
        options["state"],
        wish,
        options["resize_downtime"] == ACCEPTED,
        {tier.name: tier for tier in tiers if tier},
        options["database"],
        float(options["deadline"]),
    )


def leaving(desired: Resizes, servers: t.Mapping[str, Server]) -> list[Server]:
    """Return the servers of another type than their tier, and those that an interrupted run has left deregistered."""
    return [
        one
        for one in wanted(desired.wish, servers)
        if one.tier in desired.tiers
        and (one.instance_type != desired.tiers[one.tier].instance_type or one.tags.get(HELD, "").endswith(REASON))
    ]


def check(
    desired: Resizes,
    servers: t.Mapping[str, Server],
    answers: t.Mapping[str, t.Sequence[Described]],
    problems: Problems,
    *,
    check_mode: bool,
) -> None:
    """Add to `problems` what EC2 would refuse, and an interruption that is not accepted."""
    check_names("resize", desired.wish, servers, problems)
    resized = leaving(desired, servers)
    architectures = {i["InstanceId"]: i.get("Architecture", "") for i in answers["region"]}
    check_launches(starts(desired, resized, architectures), answers, problems)
    accepted = desired.accepted or check_mode or not resized
    check_accepted("resize_downtime", "another instance type", lines(desired, servers), accepted, problems)


def starts(desired: Resizes, servers: t.Iterable[Server], architectures: t.Mapping[str, str]) -> list[Launch]:
    """Return the starts of servers with their new types, as one launch for each tier and image.

    `architectures` are those of the instances, because an image may be deleted.
    """
    alike: dict[tuple[str, str], list[Server]] = {}
    for server in servers:
        alike.setdefault((server.tier, server.image_id), []).append(server)
    return [
        Launch(
            f"tiers.{tier}",
            desired.tiers[tier].instance_type,
            tuple(sorted({one.zone for one in some})),
            Image(image_id, f"of {some[0].name}", (), "", "", 0, architectures.get(some[0].id, "")),
            len(some),
        )
        for (tier, image_id), some in alike.items()
    ]


def uses_of(
    desired: Resizes, servers: t.Mapping[str, Server], answers: t.Mapping[str, t.Sequence[Described]]
) -> list[Use]:
    """Return how many vCPUs of each quota are in use, and how many the new types add. The old ones become free."""
    instances = {one["InstanceId"]: one for one in answers["region"]}
    per_type = {one["InstanceType"]: one.get("VCpuInfo", {}).get("DefaultVCpus", 0) for one in answers.get(TYPES, ())}
    used = vcpus_in_use(answers["region"])
    added: dict[Quota, int] = {}
    asking: dict[Quota, str] = {}
    for server in leaving(desired, servers):
        kind = desired.tiers[server.tier].instance_type
        old, new = vcpu_quota(server.instance_type), vcpu_quota(kind)
        if new:
            added[new] = added.get(new, 0) + per_type.get(kind, 0)
            asking.setdefault(new, f"tiers.{server.tier}.instance_type")
        if old and server.state == "running" and server.id in instances:
            added[old] = added.get(old, 0) - vcpus_of(instances[server.id])
    return [Use(quota, used[quota], count, asking[quota]) for quota, count in added.items() if quota in asking]


def lines(desired: Resizes, servers: t.Mapping[str, Server]) -> list[str]:
    """Return what the new instance types mean for each server, for the user."""
    living = [one for one in servers.values() if one.state not in GONE]
    return [interruption(one, living, desired.database, _how(desired, one)) for one in leaving(desired, servers)]


def _how(desired: Resizes, server: Server) -> str:
    kind = desired.tiers[server.tier].instance_type
    if kind == server.instance_type:
        return "started if it is stopped, and registered again"
    return f"stopped, changed from {server.instance_type} to {kind} and started"


def resize(server: Server, kind: str, *, running: bool) -> list[Change]:
    """Return the changes that stop a server, give it a type and start it. A running server of the type stays."""
    if server.instance_type == kind:
        return [] if running else restart(server, None, {}, {}, running=False)
    modify = ec2("modify_instance_attribute", InstanceId=server.id, InstanceType={"Value": kind})
    return restart(server, modify, {"InstanceType": server.instance_type}, {"InstanceType": kind}, running=running)
