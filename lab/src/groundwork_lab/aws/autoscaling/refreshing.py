"""The numbers of an instance refresh: how many instances may be missing or additional. Pure functions.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from groundwork_lab.aws.autoscaling.state import Preferences

PATIENCE = 3600.0  # seconds without progress after which a refresh fails


@dataclass(frozen=True)
class Standing:
    """The number of members during a refresh: those in service and ready, and those still to be replaced."""

    desired: int
    ready: int  # healthy members, old ones included; new ones count after their warmup
    olds: int  # members still to be replaced that are not terminating
    fresh: int  # new members that are ready
    unready: int  # new members that are not ready, and members that are not launched yet
    useless: int = 0  # old members that are not ready, so they can be terminated at once


def bounds(desired: int, preferences: Preferences) -> tuple[int, int]:
    """Return the minimum number of ready members and the maximum number of members.

    The minimum is "rounded up to the nearest integer". At least one member is replaced at a time: with a maximum of 100
    percent one member may be missing, with a higher maximum one additional member is launched.
    """
    least = math.ceil(desired * preferences.minimum / 100)
    if preferences.maximum > 100:
        return least, max(desired + 1, math.floor(desired * preferences.maximum / 100))
    return min(least, desired - 1), desired


def surplus(standing: Standing, preferences: Preferences) -> int:
    """Return the number of members to launch in addition to the desired capacity."""
    return min(bounds(standing.desired, preferences)[1] - standing.desired, standing.olds)


def removable(standing: Standing, preferences: Preferences) -> int:
    """Return the number of old members that can be terminated now."""
    least, _ = bounds(standing.desired, preferences)
    return min(standing.olds, standing.useless + max(0, standing.ready - least))


def percentage(total: int, kept: int, standing: Standing) -> int:
    """Return the percentage of members that were terminated and replaced by a ready one.

    `total` members had to be replaced. `kept` members did not.
    """
    replaced = max(0, min(total - standing.olds, standing.fresh - kept))
    return 100 if total == 0 else math.floor(100 * replaced / total)


def quota(total: int, standing: Standing, preferences: Preferences, passed: int) -> int:
    """Return how many members may be replaced before the next checkpoint. `passed` checkpoints were reached."""
    if passed >= len(preferences.checkpoints):
        return 0 if preferences.checkpoints else standing.olds
    wanted = math.ceil(total * preferences.checkpoints[passed] / 100)
    return max(0, wanted - (total - standing.olds))
