# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What groups are wanted: the options of `autoscaling_server_groups`, checked and frozen."""

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
MOST_TIERS = 10  # whose parameters one call of GetParameters tells
LARGEST_GROUP = 1000
LONGEST_GRACE = 7200  # seconds; more would hide a server that never serves

GROUP_OPTIONS: Spec = {
    "min": {"type": "int", "required": True},
    "max": {"type": "int", "required": True},
    "desired": {"type": "int"},
    "health_check_grace": {"type": "int", "default": 300},
    "warmup": {"type": "int", "default": 0},
    "target_groups": {"type": "list", "elements": "str"},
}
IMAGE_OPTIONS: Spec = {"id": {"type": "str"}, "parameter": {"type": "str"}}
OWN_OPTIONS: Spec = {
    "group": {"type": "dict", "required": True, "options": GROUP_OPTIONS},
    "image": {"type": "dict", "options": IMAGE_OPTIONS},
}
ARGUMENTS: Spec = {
    "tiers": {"type": "dict", "required": True},
    "zones": {"type": "list", "elements": "str", "default": []},
    "metadata_hop_limit": {"type": "int", "default": 1},
    "refresh": {"type": "bool", "default": True},
    "refresh_min_healthy": {"type": "int", "default": 100},
    "refresh_max_healthy": {"type": "int", "default": 150},
    "refresh_deadline": {"type": "int", "default": 3600},
    "allow_removal": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 600},
}


@dataclass(frozen=True)
class ServerGroup:
    """A tier's group. `desired` is None where the group keeps the capacity that it has."""

    tier: Tier
    minimum: int
    maximum: int
    desired: int | None
    grace: int  # seconds
    warmup: int  # seconds
    target_groups: tuple[str, ...]
    image_id: str  # "": what `image_parameter` names
    image_parameter: str

    @property
    def name(self) -> str:
        """The tier's."""
        return self.tier.name

    @property
    def where(self) -> str:
        """Where the options are."""
        return f"tiers.{self.name}"


@dataclass(frozen=True)
class Refreshing:
    """How servers are replaced: `wanted` at all, and how many percent of the capacity there are meanwhile."""

    wanted: bool
    least: int
    most: int
    deadline: float  # seconds


@dataclass(frozen=True)
class ServerGroups:
    """All groups."""

    groups: tuple[ServerGroup, ...]
    hop_limit: int
    refreshing: Refreshing
    allow_removal: bool
    deadline: float  # seconds

    @property
    def names(self) -> set[str]:
        """The tiers that are groups."""
        return {group.name for group in self.groups}


def split_tiers(tiers: t.Mapping[str, t.Any], problems: Problems) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The tiers that are counted, and those that are groups; one that is both is refused."""
    groups = {name: given for name, given in tiers.items() if isinstance(given, t.Mapping) and "group" in given}
    for name, given in groups.items():
        if "count" in given:
            problems.add(
                f"tiers.{name}",
                "it has a count and is a group",
                "give count for servers with numbers, or group for an Auto Scaling group",
            )
    return {name: given for name, given in tiers.items() if name not in groups}, groups


def parse_server_groups(
    options: t.Mapping[str, t.Any],
    problems: Problems,
    known: Known = NOTHING_KNOWN,
    target_groups: t.Collection[str] | None = None,
) -> ServerGroups | None:
    """The groups of the options, or None with everything that is wrong in `problems`.

    `known` and `target_groups` are the names that other roles define.
    """
    before = len(problems.found)
    environment = str(options["environment_name"])
    _check_settings(options, problems)
    groups = [
        _parse_group(str(name), given, (options.get("zones") or [], environment), problems, known)
        for name, given in options["tiers"].items()
    ]
    for group in filter(None, groups):
        check_known(f"{group.where}.group.target_groups", "target group", group.target_groups, target_groups, problems)
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
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html"""
    if len(options["tiers"]) > MOST_TIERS:
        problems.add("tiers", f"{len(options['tiers'])} are too many", f"give at most {MOST_TIERS}")
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


def _parse_group(
    name: str, given: t.Any, place: tuple[t.Sequence[str], str], problems: Problems, known: Known
) -> ServerGroup | None:
    """`place` are the zones and the environment."""
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
        problems.add(f"{where}.{option}", "there is no such option", f"it can have {', '.join(names)}")
    tier = parse_tier(name, {**others, "count": 0}, zones, problems, known)
    if tier is None or len(problems.found) > before:
        return None
    group, image = own["group"], own["image"] or {}
    _check_group(group, f"{where}.group", problems)
    _check_image(image, f"{where}.image", problems)
    targets = [name] if group["target_groups"] is None else group["target_groups"]
    if len(targets) > MOST_TARGET_GROUPS:
        problems.add(f"{where}.group.target_groups", f"{len(targets)} are too many", f"give {MOST_TARGET_GROUPS}")
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


def _check_image(image: t.Mapping[str, t.Any], where: str, problems: Problems) -> None:
    own, parameter = image.get("id"), image.get("parameter")
    if own and parameter:
        problems.add(where, "it has an id and a parameter", "give one of them")
    if own and not IMAGE_ID.fullmatch(own):
        problems.add(f"{where}.id", f"'{own}' is no image's id", "give one like ami-0123456789abcdef0")
    if parameter and not PARAMETER_NAME.fullmatch(parameter):
        problems.add(f"{where}.parameter", f"'{parameter}' is no parameter's path", "begin it with /")
