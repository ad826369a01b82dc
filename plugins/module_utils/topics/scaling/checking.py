# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the options against AWS' state. Pure functions."""

from __future__ import annotations

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import ServerGroup, ServerGroups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import Image


def check(owner: Owner, desired: ServerGroups, observed: Observed, problems: Problems, *, check_mode: bool) -> None:
    """Add to `problems` the options that contradict AWS' state. Check mode accepts names that do not exist yet."""
    for one in observed.strangers:
        if one.tier in desired.names:
            problems.add(f"tiers.{one.tier}", *owner.foreign(f"the {one.kind} {one.id}", one.tags))
    for group in desired.groups:
        _check_image(group, observed, problems, check_mode=check_mode)
        if not check_mode:
            _check_names(group, observed, problems)
    _check_removal(desired, observed, problems)


def image_of(group: ServerGroup, observed: Observed) -> Image | None:
    """Return the image that a group's instances are launched from, or None if it does not exist."""
    return observed.images.get(group.image_id or observed.parameters.get(group.image_parameter, ""))


def _check_image(group: ServerGroup, observed: Observed, problems: Problems, *, check_mode: bool) -> None:
    own = group.image_id or observed.parameters.get(group.image_parameter, "")
    image = observed.images.get(own)
    size = group.tier.root_volume_gib
    if not own and check_mode:
        return
    if not own:
        wrong = f"the parameter {group.image_parameter} does not exist, so no image is promoted"
        problems.add_missing(
            f"{group.where}.image", wrong, "run groundwork.aws.image first, or give the id of an image"
        )
    elif image is None:
        named = "" if group.image_id else f" (from the parameter {group.image_parameter})"
        wrong = f"the image {own}{named} or the image of another tier does not exist"
        problems.add_missing(f"{group.where}.image", wrong, "give images that exist in this region")
    elif size is not None and size < image.root_gib:
        wrong = f"{size} GiB is smaller than the {image.root_gib} GiB of {image.id}"
        problems.add(f"{group.where}.root_volume_gib", wrong, f"give {image.root_gib} or more")


def _check_names(group: ServerGroup, observed: Observed, problems: Problems) -> None:
    tier = group.tier
    named = {
        "subnets": ("subnet", [one.subnet for one in tier.placements], observed.subnets),
        "security_groups": ("security group", tier.security_groups, observed.security_groups),
        "group.target_groups": ("target group", group.target_groups, observed.target_groups),
    }
    for option, (kind, names, known) in named.items():
        for name in sorted(set(names) - set(known)):
            right = f"use one of {', '.join(sorted(known)) or 'none'}"
            problems.add_missing(f"{group.where}.{option}", f"'{name}' is not a {kind} of the environment", right)
    counted = group.tracking.target_group
    if counted in observed.target_groups and counted not in observed.balancers:
        problems.add_missing(
            f"{group.where}.group.scaling.requests_per_target",
            f"no load balancer forwards requests to the target group '{counted}'",
            "run groundwork.aws.alb first, with a load balancer that forwards to it, or leave requests_per_target out",
        )


def surplus(desired: ServerGroups, observed: Observed) -> list[str]:
    """Return the tiers that have a group or a launch template and are not declared as groups."""
    return sorted({*observed.groups, *observed.templates} - desired.names)


def _check_removal(desired: ServerGroups, observed: Observed, problems: Problems) -> None:
    more = surplus(desired, observed)
    if more and not desired.allow_removal:
        problems.add(
            "allow_removal",
            f"these Auto Scaling groups (or their launch templates) exist and are not declared: {', '.join(more)}",
            "declare them, or set allow_removal (servers_allow_removal in the inventory) to true to delete them with "
            "their servers",
        )
