# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be: AWS' state against the options. Pure."""

from __future__ import annotations

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import ServerGroup, ServerGroups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import Image


def check(desired: ServerGroups, observed: Observed, problems: Problems, *, check_mode: bool) -> None:
    """Add what AWS' state says against the options. What does not exist yet is fine in check mode."""
    for kind, tier in observed.strangers:
        if tier in desired.names:
            problems.add(
                f"tiers.{tier}",
                f"there is a {kind} of its name that is not this environment's",
                "remove that, or use another name for the environment or the tier",
            )
    for group in desired.groups:
        _check_image(group, observed, problems, check_mode=check_mode)
        if not check_mode:
            _check_names(group, observed, problems)
    _check_removal(desired, observed, problems)


def image_of(group: ServerGroup, observed: Observed) -> Image | None:
    """The image that a group's servers start from."""
    return observed.images.get(group.image_id or observed.parameters.get(group.image_parameter, ""))


def _check_image(group: ServerGroup, observed: Observed, problems: Problems, *, check_mode: bool) -> None:
    own = group.image_id or observed.parameters.get(group.image_parameter, "")
    image = observed.images.get(own)
    size = group.tier.root_volume_gib
    if not own and check_mode:
        return
    if not own:
        wrong = f"there is no parameter {group.image_parameter}, so no image is promoted"
        problems.add(f"{group.where}.image", wrong, "run groundwork.aws.image first, or give an image's id")
    elif image is None:
        named = "" if group.image_id else f", which {group.image_parameter} names,"
        wrong = f"the image {own}{named} or that of another tier is not there"
        problems.add(f"{group.where}.image", wrong, "give an image that there is in this region")
    elif size is not None and size < image.root_gib:
        wrong = f"{size} GiB are less than the {image.root_gib} GiB of {image.id}"
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
            right = f"the environment has {', '.join(sorted(known)) or 'none'}"
            problems.add(f"{group.where}.{option}", f"there is no {kind} '{name}'", right)


def surplus(desired: ServerGroups, observed: Observed) -> list[str]:
    """The tiers of ours that are no groups any more."""
    return sorted({*observed.groups, *observed.templates} - desired.names)


def _check_removal(desired: ServerGroups, observed: Observed, problems: Problems) -> None:
    more = surplus(desired, observed)
    if more and not desired.allow_removal:
        problems.add(
            "allow_removal",
            f"{', '.join(more)} is no group any more, but there is one",
            "declare it again, or set it (servers_allow_removal in an inventory) to true to remove it with its servers",
        )
