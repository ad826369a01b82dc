# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A distribution is found by its tags, in one call, however many the account has.

The tags are those of the Resource Groups Tagging API, which learns of a new distribution some seconds later.
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.aws import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.ownership import (
    COMPONENT,
    ENVIRONMENT,
    Owner,
    tag_dict,
)
from ansible_collections.groundwork.aws.plugins.module_utils.waiting import Clock, wait_until

LISTED_DEADLINE = 120.0  # seconds until the tagging API tells of what was just made
POLL_INTERVAL = 2.0


@dataclass(frozen=True)
class Found:
    """A distribution's ARN and tags."""

    arn: str
    tags: t.Mapping[str, str]

    @property
    def id(self) -> str:
        """`E1A2B3C4D5E6F7`"""
        return self.arn.rpartition("/")[2]

    @property
    def account(self) -> str:
        """The account that it is in."""
        return self.arn.split(":")[4]


def distributions_read(owner: Owner) -> Read:
    """The read of all distributions with our tags."""
    arguments = {
        "ResourceTypeFilters": ["cloudfront:distribution"],
        "TagFilters": [
            {"Key": ENVIRONMENT, "Values": [owner.environment]},
            {"Key": COMPONENT, "Values": [owner.component]},
        ],
    }
    return Read("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", arguments)


def named(owner: Owner, name: str, answer: t.Iterable[t.Mapping[str, t.Any]]) -> Found | None:
    """The one that people call `name`. Raises GroundworkError when there are two: guessing is not for a program."""
    found = [Found(one["ResourceARN"], tag_dict(one)) for one in answer]
    ours = [one for one in found if owner.short(one.tags) == name]
    if len(ours) > 1:
        raise GroundworkError(
            f"There are {len(ours)} distributions with the tag Name={owner.name(name)}: "
            f"{', '.join(sorted(one.id for one in ours))}. Delete all but the one in use, or change their tags."
        )
    return ours[0] if ours else None


def find(clients: Clients, owner: Owner, name: str) -> Found | None:
    """One call."""
    return named(owner, name, observe(clients, {"all": distributions_read(owner)})["all"])


def find_soon(clients: Clients, owner: Owner, name: str, clock: Clock) -> Found:
    """The distribution that an earlier task has surely made. Raises GroundworkError when it is not told of in time."""
    found = wait_until(
        lambda: find(clients, owner, name),
        bool,
        until=f"the tagging API tells of the distribution {name}",
        deadline=LISTED_DEADLINE,
        interval=POLL_INTERVAL,
        clock=clock,
    )
    return t.cast(Found, found)
