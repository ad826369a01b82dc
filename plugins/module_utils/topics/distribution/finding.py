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
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import AWS

# A policy that denies other regions denies the Resource Groups Tagging API of CloudFront's region. Without its answer,
# the distributions are searched with CloudFront's own API.
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


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
    """Return the read of all distributions with the owner's tags, in the region that has CloudFront's resources.

    The answer is empty if the credentials may not read there.
    """
    arguments = {
        "ResourceTypeFilters": ["cloudfront:distribution"],
        "TagFilters": [
            {"Key": ENVIRONMENT, "Values": [owner.environment]},
            {"Key": COMPONENT, "Values": [owner.component]},
        ],
    }
    return Read(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        arguments,
        absent=DENIED,
        region=AWS.edge,
    )


def candidates(owner: Owner, name: str, answer: t.Iterable[t.Mapping[str, t.Any]]) -> list[Found]:
    """Return the distributions whose name is `name`. The answer may contain recently deleted distributions."""
    found = [Found(one["ResourceARN"], tag_dict(one)) for one in answer]
    return [one for one in found if owner.short(one.tags) == name]


def in_front_of(bucket: str) -> t.Callable[[str], bool]:
    """Return a predicate that says whether a host name is the bucket's, in any region."""
    return lambda domain: domain.startswith(f"{bucket}.s3.")


def leads_to(bucket: str) -> t.Callable[[str], bool]:
    """Return a predicate that says whether a host name is the bucket's, or that of a distribution in front of it."""
    is_bucket = in_front_of(bucket)
    return lambda domain: is_bucket(domain) or domain.endswith(".cloudfront.net")


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
    wanted = {"Name": owner.name(name), ENVIRONMENT: owner.environment, COMPONENT: owner.component}
    for one in found:
        lacking = {key: value for key, value in wanted.items() if one.tags.get(key) != value}
        if len(lacking) == 1:
            [(key, value)] = lacking.items()
            _refuse_edited(one, key, value)
    return [one for one in found if owner.owns_tags(one.tags) and owner.short(one.tags) == name]


def _refuse_edited(found: Found, key: str, value: str) -> None:
    """Raise GroundworkError if an identifying tag of a distribution was edited, whose origin says that it is ours."""
    now = found.tags.get(key)
    elsewhere = key == ENVIRONMENT and now is not None and found.tags.get("Name", "").startswith(f"{now}-")
    another = key == "Name" and now is not None
    if not elsewhere and not another:
        told = "is missing" if now is None else f"is '{now}'"
        command = f"aws cloudfront tag-resource --resource {found.arn} --tags 'Items=[{{Key={key},Value={value}}}]'"
        raise GroundworkError(
            f"Nothing was changed: the tag {key} of the distribution {found.id} {told}. Put back {key}={value}, for "
            f'example with "{command}", and run again.'
        )


def _tags_of(arn: str) -> Read:
    return Read("cloudfront", "list_tags_for_resource", "Tags.Items", {"Resource": arn}, absent=("NoSuchResource",))
