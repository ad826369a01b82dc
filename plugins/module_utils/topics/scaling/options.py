# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of `autoscaling_server_groups`: parsing and validation."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import NOTHING_KNOWN, Known
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import IMAGE_ID, PARAMETER_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import promoted_parameter
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    MOST_HOPS,
    TIER_OPTIONS,
    Spec,
    Tier,
    check_known,
    parse_tier,
)

# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
MOST_TARGET_GROUPS = 50
MOST_TIERS = 10  # GetParameters takes at most 10 names, one per tier
LARGEST_GROUP = 1000
LONGEST_GRACE = 7200  # seconds; a longer period would hide a server that never becomes healthy

MOST_REQUESTS = 10**9  # per minute

SCALING_OPTIONS: Spec = {
    "cpu_percent": {"type": "int"},
    "requests_per_target": {"type": "int"},
    "target_group": {"type": "str"},
    "disable_scale_in": {"type": "bool", "default": False},
    "warmup": {"type": "int"},
}
GROUP_OPTIONS: Spec = {
    "min": {"type": "int", "required": True},
    "max": {"type": "int", "required": True},
    "desired": {"type": "int"},
    "health_check_grace": {"type": "int", "default": 300},
    "warmup": {"type": "int", "default": 0},
    "target_groups": {"type": "list", "elements": "str"},
    "scaling": {"type": "dict", "options": SCALING_OPTIONS},
}
IMAGE_OPTIONS: Spec = {"id": {"type": "str"}, "parameter": {"type": "str"}}
OWN_OPTIONS: Spec = {
    "group": {"type": "dict", "required": True, "options": GROUP_OPTIONS},
    "image": {"type": "dict", "options": IMAGE_OPTIONS},
}


@dataclass(frozen=True)
class Tracking:
    """The targets of a group's scaling policies, or None. The requests to `target_group` are counted."""

    cpu: int | None
    requests: int | None
    target_group: str
    disable_scale_in: bool
    warmup: int  # seconds


NO_TRACKING = Tracking(None, None, "", disable_scale_in=False, warmup=0)


@dataclass(frozen=True)
class ServerGroup:
    """The Auto Scaling group of a tier. If `desired` is None, the group keeps its current desired capacity."""

    tier: Tier
    minimum: int
    maximum: int
    desired: int | None
    grace: int  # seconds
    warmup: int  # seconds
    target_groups: tuple[str, ...]
    image_id: str  # "": use the image whose id `image_parameter` contains
    image_parameter: str
    tracking: Tracking = NO_TRACKING

    @property
    def name(self) -> str:
        """Return the name of the tier."""
        return self.tier.name

    @property
    def where(self) -> str:
        """Return the path of the group's options, for error messages."""
        return f"tiers.{self.name}"


@dataclass(frozen=True)
class Refreshing:
    """The settings of instance refreshes. `least` and `most` are the healthy percentages of the desired capacity."""

    wanted: bool
    least: int
    most: int
    deadline: float  # seconds


@dataclass(frozen=True)
class ServerGroups:
    """The Auto Scaling groups of all tiers."""

    groups: tuple[ServerGroup, ...]
    hop_limit: int
    refreshing: Refreshing
    allow_removal: bool
    deadline: float  # seconds

    @property
    def names(self) -> set[str]:
        """Return the names of the tiers that are Auto Scaling groups."""
        return {group.name for group in self.groups}


def split_tiers(tiers: t.Mapping[str, t.Any], problems: Problems) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Return the tiers with a count, and the tiers with a group. Add a tier that has both to `problems`."""
    groups = {name: given for name, given in tiers.items() if isinstance(given, t.Mapping) and "group" in given}
    for name, given in groups.items():
        if "count" in given:
            problems.add(
                f"tiers.{name}",
                "has both count and group",
                "give count for numbered servers, or group for an Auto Scaling group",
            )
    return {name: given for name, given in tiers.items() if name not in groups}, groups


def parse_server_groups(
    options: t.Mapping[str, t.Any],
    problems: Problems,
    known: Known = NOTHING_KNOWN,
    target_groups: t.Collection[str] | None = None,
    balanced: t.Collection[str] | None = None,
) -> ServerGroups | None:
    """Return the groups of the options, or None after adding everything that is wrong to `problems`.

    `known` and `target_groups` are the names that other roles define. `balanced` are the target groups to which a load
    balancer forwards requests.
    """
    before = len(problems.found)
    environment = str(options["environment_name"])
    _check_settings(options, problems)
    groups = [
        parse_group(str(name), given, (options.get("zones") or [], environment), problems, known)
        for name, given in options["tiers"].items()
    ]
    for group in filter(None, groups):
        before_names = len(problems.found)
        check_known(f"{group.where}.group.target_groups", "target group", group.target_groups, target_groups, problems)
        if len(problems.found) == before_names:
            _check_balanced(group, balanced, problems)
    if len(problems.found) > before:
        return None
    return ServerGroups(
        groups=tuple(group for group in groups if group),
        hop_limit=options["metadata_hop_limit"],
        refreshing=Refreshing(
            options["refresh"],
            options["refresh_min_healthy"],
            options["refresh_max_healthy"],
            float(options["refresh_deadline"]),
        ),
        allow_removal=options["allow_removal"],
        deadline=float(options["deadline"]),
    )


def _check_settings(options: t.Mapping[str, t.Any], problems: Problems) -> None:
    """Check the numbers. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html"""
    if len(options["tiers"]) > MOST_TIERS:
        problems.add("tiers", f"contains {len(options['tiers'])} tiers", f"give at most {MOST_TIERS}")
    check_range("metadata_hop_limit", options["metadata_hop_limit"], 1, MOST_HOPS, problems)
    check_range("deadline", options["deadline"], 1, 86400, problems)
    check_range("refresh_deadline", options["refresh_deadline"], 1, 86400, problems)
    least, most = options["refresh_min_healthy"], options["refresh_max_healthy"]
    check_range("refresh_min_healthy", least, 0, 100, problems)
    check_range("refresh_max_healthy", most, 100, 200, problems)
    if most - least > 100:
        problems.add(
            "refresh_max_healthy",
            f"{most} is more than 100 above refresh_min_healthy ({least})",
            f"give at most {least + 100}",
        )


def parse_group(
    name: str, given: t.Any, place: tuple[t.Sequence[str], str], problems: Problems, known: Known
) -> ServerGroup | None:
    """Return the group of a tier, or None if its options cannot be read. `place` has the zones and the environment."""
    zones, environment = place
    where = f"tiers.{name}"
    if not isinstance(given, t.Mapping):
        problems.add(where, f"{given!r} is not a dictionary", "give group and instance_type below it")
        return None
    if "count" in given:
        split_tiers({name: given}, problems)
        return None
    before = len(problems.found)
    mine = {key: value for key, value in given.items() if key in OWN_OPTIONS}
    own = conform_options(OWN_OPTIONS, mine, where, problems)
    others = {key: value for key, value in given.items() if key in TIER_OPTIONS and key not in OWN_OPTIONS}
    for option in sorted(given.keys() - mine.keys() - others.keys()):
        names = sorted(({*TIER_OPTIONS} - {"count"}) | {*OWN_OPTIONS})
        problems.add(f"{where}.{option}", "is not an option", f"use one of {', '.join(names)}")
    tier = parse_tier(name, {**others, "count": 0}, zones, problems, known)
    if tier is None or len(problems.found) > before:
        return None
    group, image = own["group"], own["image"] or {}
    _check_group(group, f"{where}.group", problems)
    _check_image(image, f"{where}.image", problems)
    targets = [name] if group["target_groups"] is None else group["target_groups"]
    if len(targets) > MOST_TARGET_GROUPS:
        right = f"give at most {MOST_TARGET_GROUPS}"
        problems.add(f"{where}.group.target_groups", f"contains {len(targets)} target groups", right)
    return ServerGroup(
        tier=tier,
        minimum=group["min"],
        maximum=group["max"],
        desired=group["desired"],
        grace=group["health_check_grace"],
        warmup=group["warmup"],
        target_groups=tuple(dict.fromkeys(targets)),
        image_id=image.get("id") or "",
        image_parameter=image.get("parameter") or promoted_parameter(environment),
        tracking=_parse_scaling(group, targets, f"{where}.group", problems),
    )


def _check_group(group: t.Mapping[str, t.Any], where: str, problems: Problems) -> None:
    least, most, desired = group["min"], group["max"], group["desired"]
    check_range(f"{where}.min", least, 0, LARGEST_GROUP, problems)
    check_range(f"{where}.max", most, 0, LARGEST_GROUP, problems)
    if least > most:
        problems.add(f"{where}.max", f"{most} is less than min ({least})", f"give {least} or more")
    elif desired is not None and not least <= desired <= most:
        problems.add(f"{where}.desired", f"{desired} is out of range", f"give {least} to {most}")
    check_range(f"{where}.health_check_grace", group["health_check_grace"], 0, LONGEST_GRACE, problems)
    check_range(f"{where}.warmup", group["warmup"], 0, LONGEST_GRACE, problems)


def _parse_scaling(group: t.Mapping[str, t.Any], targets: t.Sequence[str], where: str, problems: Problems) -> Tracking:
    """Return the targets of the scaling policies. Add what they contradict to `problems`.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
    """
    given = group["scaling"]
    if given is None:
        return NO_TRACKING
    own = f"{where}.scaling"
    cpu, requests, named = given["cpu_percent"], given["requests_per_target"], given["target_group"]
    if cpu is None and requests is None:
        problems.add(own, "has no target", "give cpu_percent, requests_per_target or both, or leave scaling out")
    if group["min"] == group["max"]:
        wrong = f"has no effect, because min and max are both {group['min']}"
        problems.add(own, wrong, "give a larger max, or leave scaling out")
    if group["desired"] is not None:
        wrong = f"each run would set the capacity to {group['desired']}, whatever the policies of scaling have set"
        problems.add(f"{where}.desired", wrong, "leave desired out; a new group begins with min")
    if cpu is not None:
        check_range(f"{own}.cpu_percent", cpu, 1, 100, problems)
    if requests is not None:
        check_range(f"{own}.requests_per_target", requests, 1, MOST_REQUESTS, problems)
    if given["warmup"] is not None:
        check_range(f"{own}.warmup", given["warmup"], 0, LONGEST_GRACE, problems)
    _check_target_group(named, requests, targets, own, problems)
    return Tracking(
        cpu=cpu,
        requests=requests,
        target_group=(named or next(iter(targets), "")) if requests is not None else "",
        disable_scale_in=given["disable_scale_in"],
        warmup=group["warmup"] if given["warmup"] is None else given["warmup"],
    )


def _check_target_group(
    named: str | None, requests: int | None, targets: t.Sequence[str], own: str, problems: Problems
) -> None:
    """Check that the requests of exactly one of the group's target groups are counted."""
    if requests is None:
        if named:
            wrong = "has no effect without requests_per_target"
            problems.add(f"{own}.target_group", wrong, "leave it out, or give requests_per_target too")
    elif not targets:
        wrong = "the group has no target group whose requests could be counted"
        problems.add(f"{own}.requests_per_target", wrong, "name one in group.target_groups, or leave it out")
    elif named and named not in targets:
        wrong = f"'{named}' is not a target group of the group"
        problems.add(f"{own}.target_group", wrong, f"use one of {', '.join(targets)}")
    elif not named and len(targets) > 1:
        wrong = "the group has several target groups"
        problems.add(f"{own}.target_group", wrong, f"name the one whose requests count: {', '.join(targets)}")


def _check_balanced(group: ServerGroup, balanced: t.Collection[str] | None, problems: Problems) -> None:
    """Check that a load balancer forwards to the target group whose requests are counted."""
    counted = group.tracking.target_group
    if counted and balanced is not None and counted not in balanced:
        wrong = f"no load balancer forwards requests to the target group '{counted}'"
        right = "name it in an action of alb_load_balancers, or leave requests_per_target out"
        problems.add(f"{group.where}.group.scaling.requests_per_target", wrong, right)


def _check_image(image: t.Mapping[str, t.Any], where: str, problems: Problems) -> None:
    own, parameter = image.get("id"), image.get("parameter")
    if own and parameter:
        problems.add(where, "has both id and parameter", "give one of them")
    if own and not IMAGE_ID.fullmatch(own):
        problems.add(f"{where}.id", f"'{own}' is not the id of an image", "give one such as ami-0123456789abcdef0")
    if parameter and not PARAMETER_NAME.fullmatch(parameter):
        right = "give a name that begins with /, such as /groundwork/dev/image/lamp"
        problems.add(f"{where}.parameter", f"'{parameter}' is not the name of a parameter", right)
