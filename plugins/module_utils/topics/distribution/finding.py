# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a distribution by its tags, with one call for any number of distributions.

The call is one of the Resource Groups Tagging API, whose answer lags some seconds behind the creation and deletion of
distributions. If that matters, CloudFront's own API is called too: docs/decisions/0011.
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    COMPONENT,
    ENVIRONMENT,
    Owner,
    tag_dict,
)

REGION_OF_CLOUDFRONT = "us-east-1"  # where the Resource Groups Tagging API has CloudFront's resources


@dataclass(frozen=True)
class Found:
    """A distribution's ARN and tags."""

    arn: str
    tags: t.Mapping[str, str]

    @property
    def id(self) -> str:
        """Return the id, such as `E1A2B3C4D5E6F7`."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class Existing:
    """An existing distribution with GetDistribution's answer."""

    found: Found
    answer: t.Mapping[str, t.Any]


def distributions_read(owner: Owner) -> Read:
    """Return the read of all distributions with the owner's tags."""
    arguments = {
        "ResourceTypeFilters": ["cloudfront:distribution"],
        "TagFilters": [
            {"Key": ENVIRONMENT, "Values": [owner.environment]},
            {"Key": COMPONENT, "Values": [owner.component]},
        ],
    }
    return Read(
        "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", arguments, region=REGION_OF_CLOUDFRONT
    )


def candidates(owner: Owner, name: str, answer: t.Iterable[t.Mapping[str, t.Any]]) -> list[Found]:
    """Return the distributions whose name is `name`. The answer may contain recently deleted distributions."""
    found = [Found(one["ResourceARN"], tag_dict(one)) for one in answer]
    return [one for one in found if owner.short(one.tags) == name]


def in_front_of(bucket: str) -> t.Callable[[str], bool]:
    """Return a predicate that says whether a host name is the bucket's, in any region."""
    return lambda domain: domain.startswith(f"{bucket}.s3.")


def find(clients: Clients, owner: Owner, name: str, is_origin: t.Callable[[str], bool]) -> Found | None:
    """Return the distribution `name`, or None. If the tags match exactly one, this takes one call."""
    tagged = candidates(owner, name, observe(clients, {"all": distributions_read(owner)})["all"])
    if len(tagged) == 1:
        return tagged[0]
    there = existing(clients, owner, name, tagged, is_origin)
    return there.found if there else None


def existing(
    clients: Clients, owner: Owner, name: str, tagged: t.Sequence[Found], is_origin: t.Callable[[str], bool]
) -> Existing | None:
    """Return the existing distribution `name` with its configuration, or None.

    Read each distribution in `tagged`. If none of them exists, search all distributions of the account that have an
    origin whose host name satisfies `is_origin`. Raise GroundworkError if there is more than one.
    """
    there = _get(clients, tagged) or _get(clients, _untold(clients, owner, name, is_origin))
    if len(there) > 1:
        raise GroundworkError(
            f"{len(there)} distributions have the tag Name={owner.name(name)}: "
            f"{', '.join(sorted(one.found.id for one in there))}. Delete all but the one in use, or change their tags."
        )
    return there[0] if there else None


def _get(clients: Clients, tagged: t.Sequence[Found]) -> list[Existing]:
    gone = ("NoSuchDistribution",)
    reads = {one.arn: Read("cloudfront", "get_distribution", "", {"Id": one.id}, absent=gone) for one in tagged}
    answers = observe(clients, reads)
    return [Existing(one, answer) for one in tagged for answer in answers[one.arn]]


def _untold(clients: Clients, owner: Owner, name: str, is_origin: t.Callable[[str], bool]) -> list[Found]:
    """Return the owner's distributions `name` with such an origin, by the tags that CloudFront's own API returns."""
    summaries = observe(clients, {"all": Read("cloudfront", "list_distributions", "DistributionList.Items")})["all"]
    arns = [
        one["ARN"]
        for one in summaries
        if any(is_origin(origin["DomainName"]) for origin in one["Origins"].get("Items", ()))
    ]
    answers = observe(clients, {arn: _tags_of(arn) for arn in arns})
    found = [Found(arn, tag_dict({"Tags": tags})) for arn, tags in answers.items()]
    return [one for one in found if owner.owns_tags(one.tags) and owner.short(one.tags) == name]


def _tags_of(arn: str) -> Read:
    return Read("cloudfront", "list_tags_for_resource", "Tags.Items", {"Resource": arn}, absent=("NoSuchResource",))
