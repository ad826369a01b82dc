# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `ec2_launch_check`."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import NOTHING_KNOWN
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import parse_group
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import promoted_parameter
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    ImageChoice,
    parse_image,
    parse_tier,
)


@dataclass(frozen=True)
class Machines:
    """The servers of a tier, of an Auto Scaling group, or the builder of an image.

    `choice` is None for a group whose image is in a parameter of the user's.
    """

    variable: str
    tier: str
    instance_type: str
    zones: tuple[str, ...]
    count: int
    choice: ImageChoice | None
    grouped: bool = False
    security_groups: int = 1


@dataclass(frozen=True)
class Launches:
    """Everything that an environment launches. `gateways` are the Availability Zones of its NAT gateways."""

    machines: tuple[Machines, ...]
    gateways: tuple[str, ...]
    addresses: int  # that the NAT gateways allocate


def parse_launches(options: t.Mapping[str, t.Any], problems: Problems) -> Launches | None:
    """Return what an environment launches, or None if the options add problems."""
    before = len(problems.found)
    zones = [str(zone) for zone in options["zones"]]
    environment = str(options["environment_name"])
    machines = []
    builder = options.get("builder") or {}
    base = parse_image(builder.get("base") or {}, "builder.base", problems)
    for name, given in options["tiers"].items():
        parse = _group if isinstance(given, t.Mapping) and given.get("group") else _counted
        found = parse((environment, zones, base), str(name), given, problems)
        machines += [found] if found else []
    if builder:
        kind = str(builder.get("instance_type") or "")
        machines.append(Machines("image", "", kind, tuple(zones[:1]), 1, base))
    if len(problems.found) > before:
        return None
    served = {"none": [], "single": zones[:1], "per_zone": zones}[options["nat_mode"]]
    given_addresses = options.get("nat_addresses") or {}
    allocated = sum(zone not in given_addresses for zone in served)
    return Launches(tuple(machines), tuple(served), allocated)


Place = tuple[str, t.Sequence[str], ImageChoice]  # the environment, its zones, and the base of its images


def _counted(place: Place, name: str, given: t.Any, problems: Problems) -> Machines | None:
    tier = parse_tier(name, given, place[1], problems, NOTHING_KNOWN)
    if tier is None:
        return None
    used = tuple(dict.fromkeys(tier.placement(number).zone for number in range(1, tier.count + 1)))
    groups = len(tier.security_groups)
    return Machines(
        f"servers_tiers.{name}", name, tier.instance_type, used, tier.count, tier.image, security_groups=groups
    )


def _group(place: Place, name: str, given: t.Any, problems: Problems) -> Machines | None:
    """Return the machines of a group. Without an image of its own, it starts from the promoted or from a baked one."""
    environment, zones, base = place
    group = parse_group(name, given, (zones, environment), problems, NOTHING_KNOWN)
    if group is None:
        return None
    own = replace(base, id=group.image_id) if group.image_id else None
    shared = group.image_parameter == promoted_parameter(environment)
    return Machines(
        f"servers_tiers.{name}",
        name,
        group.tier.instance_type,
        tuple(placement.zone for placement in group.tier.placements),
        group.minimum if group.desired is None else group.desired,
        own or (replace(base, promoted="may") if shared else None),
        grouped=True,
        security_groups=len(group.tier.security_groups),
    )
