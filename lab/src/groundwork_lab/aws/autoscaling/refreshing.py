"""How an instance refresh goes on: how many may be missing, how many may be too many. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from groundwork_lab.aws.autoscaling.state import Preferences

PATIENCE = 3600.0  # seconds without progress after which a refresh fails


@dataclass(frozen=True)
class Standing:
    """A group in the middle of a refresh: members in service and ready, and those still to be replaced."""

    desired: int
    ready: int  # healthy, new ones warmed up, old ones too
    olds: int  # still to be replaced, and not on their way out
    fresh: int  # new ones that are ready
    unready: int  # new ones that are not ready yet, or not even there
    useless: int = 0  # old ones that are not ready: nobody misses them


def bounds(desired: int, preferences: Preferences) -> tuple[int, int]:
    """How many must be ready, and how many there may be.

    "Rounded up to the nearest integer" is the minimum; at least one is always replaced at a time: with a maximum of
    100 percent one is missing meanwhile, with more there is one more meanwhile.
    """
    least = math.ceil(desired * preferences.minimum / 100)
    if preferences.maximum > 100:
        return least, max(desired + 1, math.floor(desired * preferences.maximum / 100))
    return min(least, desired - 1), desired


def surplus(standing: Standing, preferences: Preferences) -> int:
    """How many more than desired are launched for now."""
    return min(bounds(standing.desired, preferences)[1] - standing.desired, standing.olds)


def removable(standing: Standing, preferences: Preferences) -> int:
    """How many of the old ones can go now."""
    least, _ = bounds(standing.desired, preferences)
    return min(standing.olds, standing.useless + max(0, standing.ready - least))


def percentage(total: int, kept: int, standing: Standing) -> int:
    """How much of the refresh is done: old ones that are gone, with a ready one in their place.

    `total` were to be replaced, and `kept` were as they should be from the start.
    """
    replaced = max(0, min(total - standing.olds, standing.fresh - kept))
    return 100 if total == 0 else math.floor(100 * replaced / total)


def quota(total: int, standing: Standing, preferences: Preferences, passed: int) -> int:
    """How many may still go before the next checkpoint, of which `passed` are behind."""
    if passed >= len(preferences.checkpoints):
        return 0 if preferences.checkpoints else standing.olds
    wanted = math.ceil(total * preferences.checkpoints[passed] / 100)
    return max(0, wanted - (total - standing.olds))
